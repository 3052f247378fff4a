//! Settings of the service from the environment. The variables of the cache itself are those of
//! `cache-runtime`, such as `REDIS_URL` and `CACHE_ENABLED`.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The settings of a process.
pub struct Settings {
    /// Where to serve: `QUICKPOST_ADDRESS`, otherwise 127.0.0.1:3000.
    pub address: SocketAddr,
    /// The file of the database, which processes may share: `QUICKPOST_DATABASE`. Otherwise the
    /// database is in memory.
    pub database: Option<PathBuf>,
    /// The size of the near cache in bytes: `QUICKPOST_NEAR_CACHE`, otherwise 16 MiB; 0 for none.
    pub near_cache: usize,
    /// How long Redis may take to answer: `QUICKPOST_REDIS_MILLISECONDS`, otherwise 250.
    pub response_timeout: Duration,
}

impl Settings {
    pub fn from_env() -> Result<Self, String> {
        let address = read("QUICKPOST_ADDRESS")?;
        let milliseconds = read("QUICKPOST_REDIS_MILLISECONDS")?;
        Ok(Self {
            address: address.unwrap_or(([127, 0, 0, 1], 3000).into()),
            database: env::var_os("QUICKPOST_DATABASE").map(PathBuf::from),
            near_cache: read("QUICKPOST_NEAR_CACHE")?.unwrap_or(16 << 20),
            response_timeout: Duration::from_millis(milliseconds.unwrap_or(250)),
        })
    }
}

fn read<T: FromStr>(variable: &str) -> Result<Option<T>, String> {
    let Ok(text) = env::var(variable) else {
        return Ok(None);
    };
    let value = text.parse();
    value
        .map(Some)
        .map_err(|_| format!("{variable} is {text:?}, which can't be understood"))
}
