//! Readers and writers of one process while the connection fails in every way. No read is older
//! than an invalidation that had returned before it began.

use std::time::{Duration, Instant};

use cache_runtime::Cache;
use tests::{Chaos, Fault, Proxy, RedisServer};

const TIME: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_stale_whatever_the_connection_does() {
    no_read_is_stale(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_stale_with_a_near_cache_whatever_the_connection_does() {
    no_read_is_stale(1 << 20).await;
}

async fn no_read_is_stale(near: usize) {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let cache = Cache::builder()
        .prefix("app")
        .redis(proxy.url())
        .near_cache(near)
        .response_timeout(Duration::from_millis(60))
        .invalidation_timeout(Duration::from_millis(200))
        .lease_ttl(Duration::from_millis(500))
        .build()
        .unwrap();
    // On a busy machine, nearly all calls of a round meet a timeout.
    for _ in 0..5 {
        let reads = round(&cache, &proxy).await;
        let (hits, errors) = (cache.stats().hits, cache.stats().errors);
        println!("{reads} reads, {hits} hits, {errors} errors");
        if hits > 10 && errors > 100 {
            return;
        }
    }
    panic!("calls hit and meet faults");
}

/// Read and write while the connection fails in every way. Return the number of reads.
async fn round(cache: &Cache, proxy: &Proxy) -> u32 {
    let began = Instant::now();
    let chaos = Chaos {
        time: TIME,
        write_every: 32,
        unsent_writes_count: true,
    };
    let tasks = chaos.start(std::slice::from_ref(cache));
    let faults = [
        Fault::Refuse,
        Fault::Silent,
        Fault::Cut,
        Fault::Delay(Duration::from_millis(15)),
        Fault::Corrupt,
        Fault::Silent,
    ];
    for (step, fault) in (0..).zip(faults.into_iter().cycle()) {
        if began.elapsed() > TIME {
            break;
        }
        // Real time: the test varies how long each fault lasts.
        proxy.set(fault);
        tokio::time::sleep(Duration::from_millis(20 + step * 37 % 150)).await;
        proxy.set(Fault::None);
        tokio::time::sleep(Duration::from_millis(50 + step * 53 % 200)).await;
    }
    tasks.reads().await
}
