//! Sending the same requests to cached processes and to an uncached one.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Request, Response, hang_up, send};
use crate::random::Random;
use crate::requests::Requests;
use crate::server::Server;

/// How long a process may lag behind a write of another one, where it may at all.
const LONGEST_LAG: Duration = Duration::from_secs(20);
/// How many of the last steps a failure shows.
const SHOWN: usize = 25;

/// When a process may answer with what another one has overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lag {
    /// Never, unless the processes have lost Redis and not found it again.
    Never,
    /// For a moment: its near cache waits for a message of Redis.
    AfterOthersWrites,
}

/// Cached processes that share a database, and an uncached one with a database of its own that gets
/// the same writes.
#[derive(Debug)]
pub(crate) struct Twins {
    cached: Vec<Server>,
    uncached: Server,
    requests: Requests,
    lag: Lag,
    outage: bool,
    outages: u32,
    longest_lag: Duration,
    hits_before: u64,
    seed: u64,
    done: usize,
    log: VecDeque<String>,
}

/// A read beside a write: the right responses before and after it.
struct Beside {
    read: Request,
    before: Response,
    after: Response,
}

impl Twins {
    pub(crate) fn new(cached: Vec<Server>, lag: Lag) -> Self {
        let seed = Random::seed();
        Self {
            cached,
            uncached: Server::start_uncached(),
            requests: Requests::new(seed),
            lag,
            outage: false,
            outages: 0,
            longest_lag: Duration::ZERO,
            hits_before: 0,
            seed,
            done: 0,
            log: VecDeque::new(),
        }
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.requests.random
    }

    /// Return how often single posts were found in the cache.
    pub(crate) fn hits(&self) -> u64 {
        self.hits_before + self.cached.iter().map(Server::hits).sum::<u64>()
    }

    pub(crate) fn longest_lag(&self) -> Duration {
        self.longest_lag
    }

    /// Send `count` random requests or groups of requests, and compare all responses.
    pub(crate) fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.done += 1;
            match self.random().below(100) {
                0..55 => self.read(),
                55..60 => self.read_and_hang_up(),
                60..80 => self.write(false),
                _ => self.write(true),
            }
        }
    }

    fn read(&mut self) {
        let read = self.requests.read();
        let process = self.a_process();
        self.note(format!("{process}: {read}"));
        let response = send(self.cached[process].address, &read);
        let expected = send(self.uncached.address, &read);
        self.compare(process, &read, response, &expected, self.may_lag());
    }

    /// A client that goes away takes its computation with it. Others go on.
    fn read_and_hang_up(&mut self) {
        let read = self.requests.read();
        let process = self.a_process();
        self.note(format!("{process}: {read}, and hangs up"));
        hang_up(self.cached[process].address, &read);
        self.read();
    }

    /// Write, while others read what is changed if `racing`; then read it.
    fn write(&mut self, racing: bool) {
        let write = self.requests.write();
        let writer = self.a_process();
        self.note(format!(
            "{writer}: {write}{}",
            if racing { ", racing" } else { "" }
        ));
        let reads: Vec<Request> = (0..3).map(|_| self.requests.read_after(&write)).collect();
        let before: Vec<Response> = reads.iter().map(|read| self.expected(read)).collect();

        let racing: &[Request] = if racing { &reads } else { &[] };
        let (response, seen) = self.race(writer, &write, racing);
        let expected = self.expected(&write);
        self.compare(writer, &write, response, &expected, false);
        self.requests.learn(&write, &expected);

        let beside: Vec<Beside> = reads
            .into_iter()
            .zip(before)
            .map(|(read, before)| Beside {
                after: self.expected(&read),
                before,
                read,
            })
            .collect();
        for (process, index, response) in seen {
            let Beside {
                read,
                before,
                after,
            } = &beside[index];
            let right = response == *before || response == *after;
            if !right && !self.may_lag() {
                self.fail(process, read, &response, &[before, after]);
            }
        }
        for Beside {
            read,
            before,
            after,
        } in &beside
        {
            let process = self.a_process();
            self.note(format!("{process}: {read}, after the write"));
            let response = send(self.cached[process].address, read);
            // What a process has changed itself, it knows.
            let own = process == writer && before != after;
            self.compare(process, read, response, after, self.may_lag() && !own);
        }
    }

    /// Send the write, and at the same time each read to each process. Returns the response of the
    /// write, and for each read its process, its index and its response.
    fn race(
        &self,
        writer: usize,
        write: &Request,
        reads: &[Request],
    ) -> (Response, Vec<(usize, usize, Response)>) {
        thread::scope(|scope| {
            let mut racing = Vec::new();
            for (process, server) in self.cached.iter().enumerate() {
                racing.push(scope.spawn(move || {
                    let send = |(index, read)| (process, index, send(server.address, read));
                    reads.iter().enumerate().map(send).collect::<Vec<_>>()
                }));
            }
            let response = send(self.cached[writer].address, write);
            let seen = racing
                .into_iter()
                .flat_map(|reader| reader.join().expect("it reads"));
            (response, seen.collect())
        })
    }

    fn expected(&self, request: &Request) -> Response {
        send(self.uncached.address, request)
    }

    fn a_process(&mut self) -> usize {
        let count = self.cached.len();
        self.random().below(count)
    }

    /// Whether a process may still answer what another one has overwritten. What one process alone
    /// does is always right, without Redis too.
    fn may_lag(&self) -> bool {
        self.cached.len() > 1 && (self.outage || self.lag == Lag::AfterOthersWrites)
    }

    /// Compare a response. If it may lag, repeat the request until it doesn't.
    fn compare(
        &mut self,
        process: usize,
        request: &Request,
        mut response: Response,
        expected: &Response,
        may_lag: bool,
    ) {
        let start = Instant::now();
        while response != *expected {
            let lag = start.elapsed();
            if !may_lag || lag > LONGEST_LAG {
                self.fail(process, request, &response, &[expected]);
            }
            thread::yield_now();
            response = send(self.cached[process].address, request);
            self.longest_lag = self.longest_lag.max(start.elapsed());
        }
    }

    /// Kill a process at random, as `kill -9` does, and start another one in its place.
    pub(crate) fn replace_a_process(&mut self, start: impl FnOnce() -> Server) {
        let process = self.a_process();
        self.note(format!("{process}: is replaced"));
        self.hits_before += self.cached[process].hits();
        self.cached[process] = start();
    }

    /// From now on Redis may be away.
    pub(crate) fn begin_outage(&mut self) {
        self.outage = true;
    }

    /// Redis is back. Go on until all processes have noticed: until each reads from it.
    pub(crate) fn end_outage(&mut self) {
        self.outages += 1;
        let slug = format!("outage-{}", self.outages);
        let write = Request {
            method: "POST",
            path: "/posts".to_owned(),
            user: Some(1),
            body: format!(r#"{{"slug": "{slug}", "title": "t", "body": "b", "topic": "life"}}"#),
        };
        let read = Request {
            method: "GET",
            path: format!("/posts/{slug}"),
            user: None,
            body: String::new(),
        };
        let response = send(self.cached[0].address, &write);
        let expected = self.expected(&write);
        self.compare(0, &write, response, &expected, false);
        let start = Instant::now();
        while self.cached.iter().any(|server| server.hits_of(&slug) == 0) {
            for process in 0..self.cached.len() {
                let response = send(self.cached[process].address, &read);
                let expected = self.expected(&read);
                self.compare(process, &read, response, &expected, self.may_lag());
            }
            self.steps(1);
            assert!(
                start.elapsed() < LONGEST_LAG,
                "a process stays without Redis"
            );
        }
        self.outage = false;
        self.note("all have Redis again".to_owned());
    }

    /// Keep a line for the report of a failure.
    pub(crate) fn note(&mut self, line: String) {
        if self.log.len() == SHOWN {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    fn fail(&self, process: usize, request: &Request, got: &Response, right: &[&Response]) -> ! {
        let log: Vec<&str> = self.log.iter().map(String::as_str).collect();
        panic!(
            "step {} with DIFFERENTIAL_SEED={}\n{}\n\nprocess {process} of {} answers {request}\n\
             with  {got:?}\nright {right:?}\noutage: {}",
            self.done,
            self.seed,
            log.join("\n"),
            self.cached.len(),
            self.outage,
        );
    }
}
