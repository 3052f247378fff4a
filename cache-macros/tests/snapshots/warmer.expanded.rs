#[allow(dead_code)]
/// The posts that
/// are read most.
///
/// More.
pub async fn popular(
    mut warm: Warm,
    db: Db,
    State(limit): State<u32>,
) -> Result<(), DbError> {
    let slugs = db.most_read(limit).await?;
    warm.each(slugs, |slug| post(&db, slug)).await;
    Ok(())
}
/// Return the warmer that runs `popular` with these arguments, for `Cache::add_warmer`.
#[allow(
    unused,
    unreachable_pub,
    deprecated,
    nonstandard_style,
    private_bounds,
    private_interfaces,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
)]
pub fn popular_warmer(
    db: Db,
    argument_2: State<u32>,
) -> ::cache_runtime::__private::Warmer {
    ::cache_runtime::__private::warmer(
            "popular",
            "The posts that are read most.",
            (
                ::cache_runtime::__private::warmer_argument(db),
                ::cache_runtime::__private::warmer_argument(argument_2),
            ),
            |mut warm: Warm, (db, State(limit))| async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<(), DbError>>();
                }
                let slugs = db.most_read(limit).await?;
                warm.each(slugs, |slug| post(&db, slug)).await;
                Ok(())
            },
        )
        .at_start(true)
        .every(::core::time::Duration::from_millis(600000u64))
        .concurrency(8)
        .rate(50)
}
