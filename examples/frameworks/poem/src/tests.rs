#![allow(clippy::unwrap_used)]

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use cache_runtime::Cache;
use poem::Server;
use poem::listener::TcpAcceptor;
use support::{Client, Database, hits_and_misses};

use super::application;

/// Serve on a free port until the test program ends.
fn start(database: &Arc<Database>, cache: &Cache) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let application = application(Arc::clone(database), cache.clone());
    thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let acceptor = TcpAcceptor::from_std(listener).unwrap();
            Server::new_with_acceptor(acceptor).run(application).await
        })
    });
    address
}

#[test]
fn the_second_read_is_a_hit() {
    let (database, cache) = (
        Arc::new(Database::open()),
        support::cache("poem-a").unwrap(),
    );
    let user = Client::new(start(&database, &cache), "ada");
    let first = user.get("/notes/1");
    assert_eq!(first.status, 200);
    assert_eq!(
        first.body,
        r#"{"id":1,"owner":"ada","text":"Weave algebra."}"#
    );
    assert_eq!(user.get("/notes/1"), first);
    assert_eq!(hits_and_misses(&cache, "note"), (1, 1));
    assert_eq!(database.queries(), 1);
}

#[test]
fn each_user_and_each_filter_has_a_list() {
    let (database, cache) = (
        Arc::new(Database::open()),
        support::cache("poem-b").unwrap(),
    );
    let server = start(&database, &cache);
    let (ada, grace) = (Client::new(server, "ada"), Client::new(server, "grace"));
    for _ in 0..2 {
        let of_ada = ada.get("/notes?text=.").body;
        assert!(of_ada.contains("Weave algebra."), "{of_ada}");
        assert!(!of_ada.contains("grace"), "{of_ada}");
        let of_grace = grace.get("/notes?text=.").body;
        assert!(of_grace.contains("Look for moths."), "{of_grace}");
        assert!(!ada.get("/notes?text=punch").body.contains("Weave"));
    }
    assert_eq!(hits_and_misses(&cache, "notes_of"), (3, 3));
}

#[test]
fn a_write_removes_what_it_changes_and_nothing_else() {
    let (database, cache) = (
        Arc::new(Database::open()),
        support::cache("poem-c").unwrap(),
    );
    let server = start(&database, &cache);
    let (ada, grace) = (Client::new(server, "ada"), Client::new(server, "grace"));
    let read = || {
        [
            ada.get("/notes/1"),
            ada.get("/notes/2"),
            ada.get("/notes"),
            grace.get("/notes"),
        ]
    };
    let before = read();
    assert_eq!(ada.put("/notes/1", "Weave flowers.").status, 200);
    let after = read();
    assert!(after[0].body.contains("Weave flowers."));
    assert!(after[2].body.contains("Weave flowers."));
    assert_eq!((&after[1], &after[3]), (&before[1], &before[3]));
    assert_eq!(hits_and_misses(&cache, "note"), (1, 3));
    assert_eq!(hits_and_misses(&cache, "notes_of"), (1, 3));
}

#[test]
fn neither_an_error_nor_a_missing_note_is_cached() {
    let (database, cache) = (
        Arc::new(Database::open()),
        support::cache("poem-d").unwrap(),
    );
    let user = Client::new(start(&database, &cache), "ada");
    database.set_down(true);
    assert_eq!(user.get("/notes/1").status, 503);
    database.set_down(false);
    assert_eq!(user.get("/notes/1").status, 200);
    assert_eq!(user.get("/notes/99").status, 404);
    assert_eq!(user.get("/notes/99").status, 404);
    assert_eq!(hits_and_misses(&cache, "note"), (0, 4));
}
