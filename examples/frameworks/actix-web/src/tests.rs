#![allow(clippy::unwrap_used)]

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use actix_web::rt::System;
use support::{Client, Database, hits_and_misses};

use super::serve;

/// Serve on a free port until the test program ends.
fn start(database: &Arc<Database>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, database) = (listener.local_addr().unwrap(), Arc::clone(database));
    thread::spawn(|| System::new().block_on(serve(listener, database).unwrap()));
    address
}

/// One test, since the process has one default cache.
#[test]
fn the_cache_is_seen_in_its_counters_only() {
    let cache = support::cache("with-actix-web").unwrap();
    cache.install().unwrap();
    let database = Arc::new(Database::open());
    let server = start(&database);
    let (ada, grace) = (Client::new(server, "ada"), Client::new(server, "grace"));

    // The second read is a hit, whoever reads and whichever worker answers.
    let first = ada.get("/notes/1");
    assert_eq!(first.status, 200);
    assert_eq!(
        first.body,
        r#"{"id":1,"owner":"ada","text":"Weave algebra."}"#
    );
    assert_eq!(ada.get("/notes/1"), first);
    assert_eq!(grace.get("/notes/1"), first);
    assert_eq!(hits_and_misses(&cache, "note"), (2, 1));

    // Each user and each filter has a list of its own.
    let of_ada = ada.get("/notes?text=.");
    let of_grace = grace.get("/notes?text=.");
    assert!(of_ada.body.contains("Weave algebra."), "{of_ada:?}");
    assert!(of_grace.body.contains("Look for moths."), "{of_grace:?}");
    assert_eq!(ada.get("/notes?text=punch").body.matches("id").count(), 1);
    assert_eq!(ada.get("/notes?text=."), of_ada);
    assert_eq!(grace.get("/notes?text=."), of_grace);
    assert_eq!(hits_and_misses(&cache, "my_notes"), (2, 3));

    // A write removes the note and every list of its owner, and nothing else.
    assert_eq!(ada.put("/notes/1", "Weave flowers.").status, 200);
    assert!(ada.get("/notes/1").body.contains("Weave flowers."));
    assert!(ada.get("/notes?text=.").body.contains("Weave flowers."));
    assert_eq!(grace.get("/notes?text=."), of_grace);
    assert_eq!(hits_and_misses(&cache, "note"), (2, 2));
    assert_eq!(hits_and_misses(&cache, "my_notes"), (3, 4));

    // Callers on all workers share one query, which any of them may have begun.
    let queries = database.queries();
    database.hold(true);
    let read = move || ada.get("/notes/2");
    let readers: Vec<_> = (0..8).map(|_| thread::spawn(read)).collect();
    while database.queries() == queries {
        thread::yield_now();
    }
    database.hold(false);
    for reader in readers {
        let note = reader.join().unwrap();
        assert!(note.body.contains("Buy punch cards."), "{note:?}");
    }
    assert_eq!(database.queries(), queries + 1);

    // Neither an error nor a note that doesn't exist is cached.
    database.set_down(true);
    assert_eq!(ada.get("/notes/3").status, 503);
    assert_eq!(ada.get("/notes/1").status, 200, "a hit");
    database.set_down(false);
    assert_eq!(ada.get("/notes/3").status, 200);
    let queries = database.queries();
    assert_eq!(ada.get("/notes/99").status, 404);
    assert_eq!(ada.get("/notes/99").status, 404);
    assert_eq!(database.queries(), queries + 2);
}
