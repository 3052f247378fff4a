//! A proxy in front of Redis that delays, drops or cuts connections.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How a [`Proxy`] handles the traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Forward everything.
    None,
    /// Close all connections, open and new.
    Refuse,
    /// Accept connections and forward nothing, in either direction, until the fault changes.
    Silent,
    /// Delay replies by this time.
    Delay(Duration),
    /// Forward the first half of the next reply, and close the connection.
    Cut,
    /// Forward replies with every byte changed.
    Corrupt,
}

/// A TCP proxy in front of a server that injects faults on demand.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Number of times that a client has sent something after a reply.
    round_trips: AtomicU64,
    /// Whether a reply was forwarded since a client last sent something.
    replied: AtomicBool,
}

#[derive(Debug)]
struct State {
    server: u16,
    fault: Fault,
    connections: Vec<TcpStream>,
    /// Shared by the connections made from now on. Once it is set, their traffic is dropped.
    vanished: Arc<AtomicBool>,
}

impl Proxy {
    /// Start a proxy in front of the server at this port.
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Mutex::new(State {
            server,
            fault: Fault::None,
            connections: Vec::new(),
            vanished: Arc::default(),
        });
        let shared = Arc::new(Shared {
            state,
            changed: Condvar::new(),
            round_trips: AtomicU64::new(0),
            replied: AtomicBool::new(true),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.serve(client);
            }
        });
        Self { port, shared }
    }

    /// The URL of the proxy, for the server behind it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The number of round trips so far: how often a client has sent something after it had got a
    /// reply. Exact for one connection whose replies are delayed ([`Fault::Delay`]), since commands
    /// that are sent together then all arrive before the first reply goes back.
    pub fn round_trips(&self) -> u64 {
        self.shared.round_trips.load(Ordering::SeqCst)
    }

    /// Direct new connections to the server at this port; open ones are not redirected.
    pub fn lead_to(&self, server: u16) {
        self.shared.state().server = server;
    }

    /// Close the open connections, as an idle timeout does. New connections are served.
    pub fn close(&self) {
        for connection in self.shared.state().connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Drop all traffic of the open connections from now on, without closing them, as a load
    /// balancer does that has forgotten an idle flow. New connections are served.
    pub fn vanish(&self) {
        let mut state = self.shared.state();
        state.vanished.store(true, Ordering::SeqCst);
        state.vanished = Arc::default();
    }

    /// Change the fault, also for open connections.
    pub fn set(&self, fault: Fault) {
        let mut state = self.shared.state();
        state.fault = fault;
        if fault == Fault::Refuse {
            for connection in state.connections.drain(..) {
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Fault::Refuse);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the proxy panics")
    }

    fn serve(self: &Arc<Self>, client: TcpStream) {
        let (fault, server) = {
            let state = self.state();
            (state.fault, state.server)
        };
        if fault == Fault::Refuse {
            return;
        }
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else {
            return;
        };
        let copy = |stream: &TcpStream| stream.try_clone().expect("a socket can be cloned");
        let vanished = {
            let mut state = self.state();
            state.connections.extend([copy(&client), copy(&server)]);
            Arc::clone(&state.vanished)
        };
        for (from, to, replies) in [
            (copy(&client), copy(&server), false),
            (server, client, true),
        ] {
            let (shared, vanished) = (Arc::clone(self), Arc::clone(&vanished));
            thread::spawn(move || shared.pump(from, to, replies, &vanished));
        }
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, replies: bool, vanished: &AtomicBool) {
        let mut buffer = [0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if vanished.load(Ordering::SeqCst) {
                continue;
            }
            let bytes = &mut buffer[..length];
            let mut state = self.state();
            while state.fault == Fault::Silent {
                state = self
                    .changed
                    .wait(state)
                    .expect("no thread of the proxy panics");
            }
            let fault = state.fault;
            drop(state);
            if !replies && self.replied.swap(false, Ordering::SeqCst) {
                self.round_trips.fetch_add(1, Ordering::SeqCst);
            }
            let passed = match fault {
                Fault::Delay(time) if replies => {
                    thread::sleep(time);
                    &bytes[..]
                }
                Fault::Cut if replies => {
                    let _ = to.write_all(&bytes[..length / 2]);
                    break;
                }
                Fault::Corrupt if replies => {
                    bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
                    &bytes[..]
                }
                Fault::Refuse => break,
                _ => &bytes[..],
            };
            if replies {
                self.replied.store(true, Ordering::SeqCst);
            }
            if to.write_all(passed).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
