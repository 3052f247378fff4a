//! Where entries come from: a cache, or the admin API of a service.

use cache_runtime::Cache;
#[cfg(feature = "top")]
use cache_runtime::observe::{FunctionSnapshot, Snapshot};

use crate::app::App;
use crate::entry::{Entry, Page};
use crate::failure::Failure;
use crate::progress::Progress;

/// Number of entries that one request asks for.
const PAGE: usize = 500;

/// Where entries come from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    Cache(&'a Cache),
    App(&'a App),
}

impl Source<'_> {
    /// Pass the entries that the pattern matches to `take`, page by page, until it returns false. It
    /// probably will after `wanted` entries, so no page is larger.
    pub(crate) async fn each_page(
        self,
        pattern: &str,
        wanted: usize,
        mut take: impl FnMut(Vec<Entry>) -> bool,
    ) -> Result<(), Failure> {
        let mut progress = Progress::new("entries");
        let mut after: Option<String> = None;
        loop {
            let page = self
                .page(pattern, after.as_deref(), wanted.min(PAGE))
                .await?;
            progress.add(page.entries.len() as u64);
            after = page.next;
            if !take(page.entries) || after.is_none() {
                return Ok(());
            }
        }
    }

    async fn page(self, pattern: &str, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
        match self {
            Self::Cache(cache) => {
                let page = cache.entries_page(pattern, after, limit).await?;
                Ok(Page {
                    entries: page.entries.iter().map(Entry::from).collect(),
                    next: page.next,
                })
            }
            Self::App(app) => {
                let limit = limit.to_string();
                let mut query = vec![("pattern", pattern), ("limit", &limit)];
                query.extend(after.map(|after| ("after", after)));
                app.get("keys", &query)
            }
        }
    }

    /// Return the counters of all processes.
    #[cfg(feature = "top")]
    pub(crate) async fn fleet(self) -> Result<Published, Failure> {
        match self {
            Self::Cache(cache) => Ok(Published {
                processes: cache.fleet().await?,
                sums: None,
            }),
            Self::App(app) => app.get::<Told>("fleet", &[]).map(Told::published),
        }
    }

    /// Remove the entries that the pattern matches, and return their number.
    pub(crate) async fn clear(self, pattern: &str) -> Result<u64, Failure> {
        let _progress = Progress::new("removing entries");
        match self {
            // The cache's own invalidation: leases of running computations end, so that none of them
            // stores an old value, and the near caches of all processes learn of it.
            Self::Cache(cache) => Ok(cache.delete_pattern(pattern).await?),
            Self::App(app) => {
                #[derive(serde::Deserialize)]
                struct Cleared {
                    entries: u64,
                }
                let body = serde_json::json!({ "pattern": pattern });
                let cleared: Cleared = app.post("clear", &body)?;
                Ok(cleared.entries)
            }
        }
    }

    /// Return the name of what is asked, for the person who confirms.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Cache(cache) => cache.prefix().to_owned(),
            Self::App(app) => app.shown().to_owned(),
        }
    }
}

/// The counters of all processes.
#[cfg(feature = "top")]
pub(crate) struct Published {
    pub(crate) processes: Vec<Snapshot>,
    /// The sums of their functions, where those of each process aren't told.
    pub(crate) sums: Option<Snapshot>,
}

/// The counters of all processes, as the admin API tells them.
#[cfg(feature = "top")]
#[derive(serde::Deserialize)]
struct Told {
    processes: Vec<ToldProcess>,
    functions: Vec<FunctionSnapshot>,
}

#[cfg(feature = "top")]
#[derive(serde::Deserialize)]
struct ToldProcess {
    #[serde(flatten)]
    process: Snapshot,
    total: FunctionSnapshot,
}

#[cfg(feature = "top")]
impl Told {
    fn published(self) -> Published {
        let mut sums = Snapshot::default();
        sums.functions = self.functions;
        let processes = self.processes.into_iter().map(|told| {
            let mut process = told.process;
            sums.taken = sums.taken.max(process.taken);
            sums.started = match sums.started {
                0 => process.started,
                started => started.min(process.started),
            };
            process.functions = vec![told.total];
            process
        });
        Published {
            processes: processes.collect(),
            sums: Some(sums),
        }
    }
}

#[cfg(all(test, feature = "top"))]
mod tests {
    use super::*;

    #[test]
    fn the_counters_that_a_service_tells_are_those_of_its_processes_and_functions() {
        let told: Told = serde_json::from_str(
            r#"{"status": "success",
                "processes": [{"instance": "a", "pid": 7, "version": "0.1.0", "started": 5, "taken": 9,
                               "total": {"calls": 3, "hit_rate": 1.0, "hits": 2, "misses": 1, "p50": null}}],
                "functions": [{"function": "blog::post", "module": "blog", "hits": 2, "misses": 1}]}"#,
        )
        .expect("it is the form of the API");
        let published = told.published();
        assert_eq!(published.processes[0].total().calls(), 3);
        let sums = published.sums.expect("there are some");
        assert_eq!((sums.started, sums.taken), (5, 9));
        assert_eq!(sums.functions[0].function, "blog::post");
    }
}
