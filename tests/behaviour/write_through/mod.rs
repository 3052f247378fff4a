//! Write-through: after the source has a value, the cache has it.

mod contested;
mod context;
mod interleaved;
mod outcomes;
mod stacked;
mod transactions;
mod unrendered;
mod values;
mod variants;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::{cacheable, write_through};
use tests::Gate;

/// A source of one number, which counts how often it is read.
#[derive(Clone, Debug, Default)]
struct Source {
    number: Arc<AtomicU32>,
    reads: Arc<AtomicU32>,
}

impl Source {
    fn write(&self, number: u32) {
        self.number.store(number, Ordering::SeqCst);
    }

    fn read(&self) -> u32 {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.number.load(Ordering::SeqCst)
    }

    fn reads(&self) -> u32 {
        self.reads.load(Ordering::SeqCst)
    }
}

#[cacheable(key = "numbers:<<id>>", ttl = 60, skip(source))]
async fn number(source: &Source, id: u32) -> u32 {
    source.read()
}

/// Write a number, and return it.
#[write_through(key = "numbers:<<id>>", ttl = 60)]
async fn write(source: &Source, id: u32, number: u32) -> Result<u32, String> {
    source.write(number);
    Ok(number)
}

/// Write a number before the gate, and return it after the gate.
#[write_through(key = "numbers:<<id>>", ttl = 60)]
async fn write_then_wait(source: Source, gate: &Gate, id: u32, number: u32) -> Result<u32, String> {
    source.write(number);
    gate.pass().await;
    Ok(number)
}
