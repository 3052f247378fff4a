//! The service over real HTTP, with two workers, on both stores.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use actix_web::dev::{ServerHandle, Service as _};
use actix_web::rt::System;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use actix_web_example::{Database, routes};
use cache_runtime::{Cache, SiteStats, topology};
use tests::{Stores, until_blocking};

/// A server on a free port, on a database of its own. It stops when this is dropped.
struct Service {
    database: Arc<Database>,
    address: SocketAddr,
    /// Number of requests that have reached the application.
    requests: Arc<AtomicU64>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    fn start(cache: &Cache) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let database = Arc::new(Database::open());
        let requests: Arc<AtomicU64> = Arc::default();
        let (data, cache) = (Data::from(Arc::clone(&database)), cache.clone());
        let count = Arc::clone(&requests);
        let app = move || {
            let (cache, count) = (cache.clone(), Arc::clone(&count));
            // Each request has this cache as the current one.
            App::new()
                .wrap_fn(move |request, service| {
                    count.fetch_add(1, Ordering::SeqCst);
                    cache.scope(service.call(request))
                })
                .configure(routes(data.clone()))
        };
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async {
                let server = HttpServer::new(app).workers(2).disable_signals();
                let server = server.listen(listener).unwrap().run();
                tell.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            database,
            address,
            requests,
            handle: told.recv().unwrap(),
            thread: Some(thread),
        }
    }

    fn get(&self, user: &str, path: &str) -> (u16, String) {
        send(self.address, user, "GET", path, "")
    }

    fn put(&self, user: &str, path: &str, text: &str) -> (u16, String) {
        send(self.address, user, "PUT", path, text)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Send a request over a connection of its own, and return the status and the body.
fn send(server: SocketAddr, user: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let message = format!(
        "{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\nx-user: {user}\r\n\
         content-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    );
    let mut stream = TcpStream::connect(server).unwrap();
    stream.write_all(message.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn on_both_stores(test: impl Fn(&Cache, &Service)) {
    for (name, cache) in &Stores::new().caches {
        println!("on {name}");
        test(cache, &Service::start(cache));
    }
}

/// Return the hits and misses of one handler.
fn hits_and_misses(cache: &Cache, handler: &str) -> (u64, u64) {
    let is_it = |site: &SiteStats| site.function == handler;
    let site = cache.stats().sites.into_iter().find(is_it);
    site.map_or((0, 0), |site| (site.hits, site.misses))
}

#[test]
fn the_second_read_is_a_hit_whoever_reads() {
    on_both_stores(|cache, service| {
        let note = r#"{"id":1,"owner":"ada","text":"Weave algebra."}"#;
        for user in ["ada", "ada", "grace"] {
            assert_eq!(service.get(user, "/notes/1"), (200, note.to_owned()));
        }
        assert_eq!(hits_and_misses(cache, "get_note"), (2, 1));
        assert_eq!(service.database.queries(), 1);
    });
}

#[test]
fn each_user_and_each_filter_has_a_list() {
    on_both_stores(|cache, service| {
        for _ in 0..2 {
            let ids = |user: &str, path: &str| {
                let (status, list) = service.get(user, path);
                assert_eq!(status, 200);
                (1..=3)
                    .filter(|id| list.contains(&format!("\"id\":{id}")))
                    .collect::<Vec<_>>()
            };
            assert_eq!(ids("ada", "/notes"), [1, 2]);
            assert_eq!(ids("ada", "/notes?text=punch"), [2]);
            assert_eq!(ids("grace", "/notes"), [3]);
        }
        assert_eq!(hits_and_misses(cache, "get_notes"), (3, 3));
    });
}

#[test]
fn a_write_removes_the_note_and_the_lists_of_its_owner_and_nothing_else() {
    on_both_stores(|cache, service| {
        let read_all = || {
            let paths = [
                ("ada", "/notes/1"),
                ("ada", "/notes/2"),
                ("ada", "/notes?text=."),
            ];
            let [one, two, list] = paths.map(|(user, path)| service.get(user, path).1);
            (one, two, list, service.get("grace", "/notes").1)
        };
        let before = read_all();
        assert_eq!(service.put("ada", "/notes/1", "Weave flowers.").0, 200);
        assert_eq!(cache.stats().invalidated, 2);
        let after = read_all();
        assert!(after.0.contains("Weave flowers."), "{after:?}");
        assert!(after.2.contains("Weave flowers."), "{after:?}");
        assert_eq!((&after.1, &after.3), (&before.1, &before.3));
        assert_eq!(hits_and_misses(cache, "get_note"), (1, 3));
        assert_eq!(hits_and_misses(cache, "get_notes"), (1, 3));
    });
}

#[test]
fn callers_on_all_workers_share_one_query() {
    on_both_stores(|_, service| {
        let Service {
            database, requests, ..
        } = service;
        database.hold(true);
        thread::scope(|threads| {
            let _release = Release(database);
            let read = || service.get("ada", "/notes/2");
            let readers: Vec<_> = (0..8).map(|_| threads.spawn(read)).collect();
            until_blocking("eight requests, and a query", || {
                requests.load(Ordering::SeqCst) == 8 && database.queries() > 0
            });
            database.hold(false);
            for reader in readers {
                let (status, note) = reader.join().unwrap();
                assert_eq!(status, 200);
                assert!(note.contains("Buy punch cards."), "{note}");
            }
        });
        assert_eq!(database.queries(), 1);
    });
}

/// Lets queries go on, whatever happens: otherwise a failed test would wait for its own requests.
struct Release<'d>(&'d Database);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.hold(false);
    }
}

#[test]
fn neither_an_error_nor_a_missing_note_is_cached() {
    on_both_stores(|cache, service| {
        assert_eq!(service.get("ada", "/notes/1").0, 200);
        service.database.set_down(true);
        assert_eq!(service.get("ada", "/notes/3").0, 503);
        assert_eq!(service.get("ada", "/notes").0, 503);
        assert_eq!(service.get("ada", "/notes/1").0, 200, "a hit");
        assert_eq!(service.put("ada", "/notes/1", "lost").0, 503);
        service.database.set_down(false);
        assert_eq!(service.get("ada", "/notes/3").0, 200);
        assert_eq!(service.get("ada", "/notes").0, 200);
        for _ in 0..2 {
            assert_eq!(service.get("ada", "/notes/99").0, 404);
        }
        assert_eq!(hits_and_misses(cache, "get_note"), (1, 5));
        assert_eq!(cache.stats().invalidated, 0);
    });
}

#[test]
fn every_pattern_reaches_a_template_and_every_template_is_reached() {
    // The handlers are linked into this program.
    let _ = routes;
    assert!(topology().dead_patterns().is_empty(), "{:?}", topology());
    assert!(topology().never_invalidated().is_empty());
}
