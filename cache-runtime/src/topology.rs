//! The annotated functions and the models of the program, and which write removes which read's entries.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::pattern::reach::reaches;
use crate::site::registry::{Registered, all};
use crate::ttl::Ttl;

/// A placeholder, in a shape.
const HOLE: char = '\u{1}';

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
            Registered::Write(site) | Registered::Model(site) => writes.push(WriteNode {
                function: site.info.function,
                module: site.info.module,
                file: site.info.at.file(),
                line: site.info.at.line(),
                patterns: site.info.patterns.to_vec(),
                stores: None,
                shapes: site.info.shapes.to_vec(),
            }),
            Registered::WriteThrough(site) => writes.push(WriteNode {
                function: site.info.function,
                module: site.info.module,
                file: site.info.at.file(),
                line: site.info.at.line(),
                patterns: vec![site.info.template],
                stores: Some(site.info.ttl),
                shapes: vec![site.info.shape],
            }),
        }
    }
    Topology { reads, writes }
}

/// The reads and writes of the program. See [`topology`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Topology {
    /// The functions with `#[cacheable]`.
    pub reads: Vec<ReadNode>,
    /// The functions with `#[invalidate]` and `#[write_through]`, once for each attribute, and the
    /// structs with `#[derive(CacheModel)]`.
    pub writes: Vec<WriteNode>,
}

/// A function with `#[cacheable]`.
#[derive(Clone, Debug, Serialize)]
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
    #[serde(skip)]
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

    /// Return the narrowest pattern that matches every entry of the function. It may match entries of
    /// other functions, too.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{cacheable, topology};
    ///
    /// #[cacheable(key = "posts:<<id>>:comments")]
    /// fn comments(id: u32) -> u32 {
    ///     id
    /// }
    ///
    /// assert_eq!(topology().reads[0].pattern(), "posts:*:comments");
    /// ```
    pub fn pattern(&self) -> String {
        self.shape.replace(HOLE, "*")
    }
}

/// A function with `#[invalidate]` or `#[write_through]`, or a struct with `#[derive(CacheModel)]`.
#[derive(Clone, Debug, Serialize)]
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
    /// Its patterns as written; for `#[write_through]`, its key.
    pub patterns: Vec<&'static str>,
    /// The TTL of the value that it stores, for `#[write_through]`.
    pub stores: Option<Ttl>,
    #[serde(skip)]
    shapes: Vec<&'static str>,
}

/// A pattern that can't match any key of the program.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// Return the patterns, and the keys of `#[write_through]`, that can't match a key of any function
    /// of the program that reads, whatever their placeholders contain.
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
            let patterns = write.patterns.iter().zip(&write.shapes);
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
            let mut shapes = self.writes.iter().flat_map(|write| &write.shapes);
            shapes.any(|shape| reaches(shape, &read.shape))
        };
        self.reads
            .iter()
            .filter(|read| !reached(read))
            .cloned()
            .collect()
    }

    /// Return the functions whose entries a write can remove or, for `#[write_through]`, replace.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{cacheable, invalidate, topology};
    ///
    /// #[cacheable(key = "posts:<<id>>")]
    /// fn post(id: u32) -> u32 {
    ///     id
    /// }
    ///
    /// #[invalidate(patterns = ["posts:<<id>>:*"])]
    /// fn update(id: u32) {}
    ///
    /// let topology = topology();
    /// let removed = topology.removed_by(&topology.writes[0]);
    /// assert_eq!(removed[0].function, "post");
    /// ```
    pub fn removed_by(&self, write: &WriteNode) -> Vec<&ReadNode> {
        let reads = self.reads.iter();
        reads.filter(|read| write.reaches(read)).collect()
    }

    /// Return the functions whose key can be this path: the entry of that path is one of theirs.
    /// Several are possible, since templates can overlap.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{cacheable, topology};
    ///
    /// #[cacheable(key = "posts:<<id>>")]
    /// fn post(id: u32) -> u32 {
    ///     id
    /// }
    ///
    /// let topology = topology();
    /// assert_eq!(topology.reads_of("posts:7")[0].function, "post");
    /// assert!(topology.reads_of("posts:7:comments").is_empty());
    /// ```
    pub fn reads_of(&self, path: &str) -> Vec<&ReadNode> {
        let reads = self.reads.iter();
        reads.filter(|read| reaches(&read.shape, path)).collect()
    }

    /// Return the writes that can remove the entry of this path or, for `#[write_through]`, replace
    /// it.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{invalidate, topology};
    ///
    /// #[invalidate(patterns = ["posts:<<id>>:*"])]
    /// fn update(id: u32) {}
    ///
    /// let topology = topology();
    /// assert_eq!(topology.writes_to("posts:7:comments")[0].function, "update");
    /// assert!(topology.writes_to("users:7").is_empty());
    /// ```
    pub fn writes_to(&self, path: &str) -> Vec<&WriteNode> {
        let reaches = |write: &&WriteNode| write.shapes.iter().any(|shape| reaches(shape, path));
        self.writes.iter().filter(reaches).collect()
    }

    /// Return the graph as the text of a Mermaid diagram, which GitHub and many wikis draw: an
    /// arrow for each pattern that can remove a function's entries.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{cacheable, invalidate, topology};
    ///
    /// #[cacheable(key = "posts:<<id>>")]
    /// fn post(id: u32) -> u32 {
    ///     id
    /// }
    ///
    /// #[invalidate(patterns = ["posts:<<id>>:*"])]
    /// fn update(id: u32) {}
    ///
    /// assert_eq!(
    ///     topology().mermaid(),
    ///     r#"graph LR
    ///   w0["update"]
    ///   r0["post #lt;posts:#lt;#lt;id#gt;#gt;#gt;"]
    ///   w0 -->|"posts:#lt;#lt;id#gt;#gt;:*"| r0
    /// "#
    /// );
    /// ```
    pub fn mermaid(&self) -> String {
        let mut graph = String::from("graph LR\n");
        for (number, write) in self.writes.iter().enumerate() {
            let _ = writeln!(graph, "  w{number}[\"{}\"]", quoted(write.function));
        }
        for (number, read) in self.reads.iter().enumerate() {
            let label = quoted(&format!("{} <{}>", read.function, read.template));
            let _ = writeln!(graph, "  r{number}[\"{label}\"]");
        }
        for (from, write) in self.writes.iter().enumerate() {
            for (pattern, shape) in write.patterns.iter().zip(&write.shapes) {
                let reads = self.reads.iter().enumerate();
                for (to, _) in reads.filter(|(_, read)| reaches(shape, &read.shape)) {
                    let pattern = quoted(pattern);
                    let _ = writeln!(graph, "  w{from} -->|\"{pattern}\"| r{to}");
                }
            }
        }
        graph
    }

    /// Return the names of the writes that can remove a read's entries.
    fn writes_of(&self, read: &ReadNode) -> String {
        let writes = self.writes.iter().filter(|write| write.reaches(read));
        let mut names: Vec<&str> = writes.map(|write| write.function).collect();
        names.dedup();
        names.join(", ")
    }
}

impl WriteNode {
    fn reaches(&self, read: &ReadNode) -> bool {
        let mut shapes = self.shapes.iter();
        shapes.any(|shape| reaches(shape, &read.shape))
    }
}

/// Format it as two tables: the reads with their keys and the writes that remove their entries, and
/// the writes with their patterns and the reads that each of them removes.
impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reads = self.reads.iter().map(|read| {
            [
                format!("{}::{}", read.module, read.function),
                read.template.clone(),
                read.ttl.to_string(),
                self.writes_of(read),
            ]
        });
        table(f, ["READ", "KEY", "TTL", "REMOVED BY"], reads.collect())?;
        writeln!(f)?;
        let writes = self.writes.iter().flat_map(|write| {
            let patterns = write.patterns.iter().zip(&write.shapes);
            patterns.map(|(pattern, shape)| {
                let reads = self.reads.iter();
                let reads = reads.filter(|read| reaches(shape, &read.shape));
                let names: Vec<&str> = reads.map(|read| read.function).collect();
                let stored = write.stores.map_or("", |_| " (stored)");
                [
                    format!("{}::{}", write.module, write.function),
                    format!("{pattern}{stored}"),
                    names.join(", "),
                ]
            })
        });
        table(f, ["WRITE", "PATTERN", "REMOVES"], writes.collect())
    }
}

/// Write rows under a heading, in aligned columns. An empty cell is a `-`.
fn table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    heading: [&str; N],
    rows: Vec<[String; N]>,
) -> fmt::Result {
    let all: Vec<[String; N]> = std::iter::once(heading.map(str::to_owned))
        .chain(rows)
        .collect();
    let width = |column: usize| {
        let cells = all.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for row in &all {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let cell = if cell.is_empty() { "-" } else { cell };
            let _ = write!(line, "{cell:width$}  ");
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Replace the characters that have a meaning in a Mermaid label.
fn quoted(label: &str) -> String {
    let mut quoted = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '"' => quoted.push_str("#quot;"),
            '<' => quoted.push_str("#lt;"),
            '>' => quoted.push_str("#gt;"),
            '#' => quoted.push_str("#35;"),
            other => quoted.push(other),
        }
    }
    quoted
}
