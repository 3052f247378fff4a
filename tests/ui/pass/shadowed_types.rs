//! Types, modules, functions and macros of the user's with the names of what the generated code uses.
#![allow(non_camel_case_types, unused_macros)]

mod core {}
mod std {}
mod alloc {}
mod cache_runtime_user {}

struct Option<T>(T);
struct Result<T>(T);
struct String;
struct Probe;
struct Writer;
struct Duration;
struct Box;
enum bool {}
static SITE: u8 = 1;

trait Shape {}
trait Part {}

macro_rules! assert {
    ($($any:tt)*) => {
        compile_error!("the user's macro was used")
    };
}
macro_rules! module_path {
    ($($any:tt)*) => {
        compile_error!("the user's macro was used")
    };
}

fn none() -> u8 {
    0
}

fn never() -> u8 {
    SITE
}

#[::cache_runtime::cacheable(key = "shadow:<<id>>:<<SITE>>:<<none()>>", ttl = 5)]
#[::cache_runtime::invalidate(patterns = ["other:<<SITE>>:*"])]
async fn get(id: u8) -> u8 {
    id + SITE + never()
}

#[::cache_runtime::cacheable]
fn hashed(id: u8) -> u8 {
    id + SITE
}

#[::cache_runtime::invalidate(patterns = ["shadow:<<id>>:*", "shadow:<<result>>"])]
fn write(id: u8) -> u8 {
    id + SITE
}

fn main() {
    let _ = (Option(0), Result(0), String, Probe, Writer, Duration, Box);
    let _ = (module_path as fn(), None::<bool>);
}

fn module_path() {}
