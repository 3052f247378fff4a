//! In a cluster, the owner has to be the hash tag of the key.

use cache_runtime::{Cache, CacheError};

/// `file` and others of this program have no hash tag. Building opens no connection.
#[test]
fn a_cluster_is_refused_for_a_key_without_the_owner_as_its_hash_tag() {
    let built = Cache::builder()
        .redis_cluster(["redis://127.0.0.1:1"])
        .build();
    let error = built.unwrap_err();
    assert!(matches!(
        error,
        CacheError::InvalidOption {
            option: "redis_cluster",
            ..
        }
    ));
    let text = error.to_string();
    for part in [
        "has an `owner`",
        "tests/redis_owners/main.rs:",
        "`key = \"reports:{<<user.id>>}",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
