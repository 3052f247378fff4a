#[cacheable(key = "scores:<<player>>", ttl = 60, stale = "1m", early = true, jitter = 0.1, unless = |score| *score > limit)]
async fn score(player: u32, #[cfg(all())] limit: u64) -> u64 {
    player.into()
}
