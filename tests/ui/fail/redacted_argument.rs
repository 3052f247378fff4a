use cache_runtime::cacheable;
use serde::{Serialize, Serializer};

struct SecretString(String);

impl Serialize for SecretString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

#[cacheable(key = "inbox")]
fn inbox(token: &SecretString, page: u32) -> String {
    format!("{}{page}", token.0)
}

#[cacheable(key = "inbox")]
async fn inbox_of(tokens: Vec<Option<SecretString>>) -> usize {
    tokens.len()
}

#[cacheable(key = "inbox:<<token>>")]
fn shown(token: Masked<u32>) -> u32 {
    token.0
}

struct Masked<T>(T);

impl<T> std::fmt::Display for Masked<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

fn main() {
    let _ = inbox(&SecretString(String::new()), 1);
}
