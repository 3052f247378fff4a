#[cacheable(key = "sums:<<a>>", audit, early = true, companions = false)]
fn sum(a: u32, (b, _): (u32, u32)) -> u32 {
    a + b
}
