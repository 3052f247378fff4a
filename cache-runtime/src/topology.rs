//! `topology()`: the call sites of the program, and which patterns reach which templates.

use crate::pattern::reach::reaches;
use crate::site::registry::{Registered, all};
use crate::ttl::Ttl;

/// Return every annotated function of the program, as linked.
///
/// A pattern that matches nothing because of a typo is a bug that no test of a single function
/// detects. A test of the whole program does:
///
/// ```standalone_crate
/// assert!(cache_runtime::topology().dead_patterns().is_empty());
/// ```
pub fn topology() -> Topology {
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for site in all() {
        match site {
            Registered::Read(site) => reads.push(ReadNode::new(site)),
            Registered::Write(site) => writes.push(WriteNode {
                function: site.info.function,
                module: site.info.module,
                file: site.info.at.file(),
                line: site.info.at.line(),
                patterns: site.info.patterns.to_vec(),
                shapes: site.info.shapes,
            }),
        }
    }
    Topology { reads, writes }
}

/// The reads and writes of the program. See [`topology`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Topology {
    /// The functions with `#[cacheable]`.
    pub reads: Vec<ReadNode>,
    /// The functions with `#[invalidate]`, once for each attribute.
    pub writes: Vec<WriteNode>,
}

/// A function with `#[cacheable]`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadNode {
    /// Its name.
    pub function: &'static str,
    /// Its module.
    pub module: &'static str,
    /// Its source file.
    pub file: &'static str,
    /// The line of its attribute.
    pub line: u32,
    /// Its key as written; without one, the path `crate:module:function`.
    pub template: String,
    /// Its TTL.
    pub ttl: Ttl,
    shape: String,
}

impl ReadNode {
    fn new(site: &crate::site::ReadSite) -> Self {
        let info = &site.info;
        let path = |written: &str| match written {
            "" => site.default_path().to_owned(),
            written => written.to_owned(),
        };
        Self {
            function: info.function,
            module: info.module,
            file: info.at.file(),
            line: info.at.line(),
            template: path(info.template),
            ttl: info.ttl,
            shape: path(info.shape),
        }
    }
}

/// A function with `#[invalidate]`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WriteNode {
    /// Its name.
    pub function: &'static str,
    /// Its module.
    pub module: &'static str,
    /// Its source file.
    pub file: &'static str,
    /// The line of its attribute.
    pub line: u32,
    /// Its patterns as written.
    pub patterns: Vec<&'static str>,
    shapes: &'static [&'static str],
}

/// A pattern that can't match any key of the program.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeadPattern {
    /// The pattern as written.
    pub pattern: &'static str,
    /// The function.
    pub function: &'static str,
    /// Its module.
    pub module: &'static str,
    /// Its source file.
    pub file: &'static str,
    /// The line of its attribute.
    pub line: u32,
}

impl Topology {
    /// Return the patterns that can't match a key of any function of the program, whatever their
    /// placeholders contain.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{cacheable, invalidate, topology};
    ///
    /// #[cacheable(key = "posts:<<id>>")]
    /// fn post(id: u32) -> u32 {
    ///     id
    /// }
    ///
    /// #[invalidate(patterns = ["posts:<<id>>", "post:<<id>>"])] // the second has a typo
    /// fn update(id: u32) {}
    ///
    /// let dead = topology().dead_patterns();
    /// assert_eq!((dead.len(), dead[0].pattern), (1, "post:<<id>>"));
    /// ```
    pub fn dead_patterns(&self) -> Vec<DeadPattern> {
        let alive = |shape: &str| self.reads.iter().any(|read| reaches(shape, &read.shape));
        let dead_of = |write: &WriteNode| {
            let patterns = write.patterns.iter().zip(write.shapes);
            let dead = patterns
                .filter(|(_, shape)| !alive(shape))
                .map(|(pattern, _)| DeadPattern {
                    pattern,
                    function: write.function,
                    module: write.module,
                    file: write.file,
                    line: write.line,
                });
            dead.collect::<Vec<_>>()
        };
        self.writes.iter().flat_map(dead_of).collect()
    }

    /// Return the functions whose entries no pattern of the program can match: they live until
    /// their TTL ends.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{cacheable, topology};
    ///
    /// #[cacheable(key = "settings", ttl = "1d")]
    /// fn settings() -> u32 {
    ///     1
    /// }
    ///
    /// let forgotten = topology().never_invalidated();
    /// assert_eq!(forgotten[0].function, "settings");
    /// ```
    pub fn never_invalidated(&self) -> Vec<ReadNode> {
        let reached = |read: &ReadNode| {
            let mut shapes = self.writes.iter().flat_map(|write| write.shapes);
            shapes.any(|shape| reaches(shape, &read.shape))
        };
        self.reads
            .iter()
            .filter(|read| !reached(read))
            .cloned()
            .collect()
    }
}
