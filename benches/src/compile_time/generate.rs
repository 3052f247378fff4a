//! Generates programs that differ in their attributes only.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

/// The number of annotated functions in each program.
pub(crate) const FUNCTIONS: usize = 200;

/// The number of functions in a module.
const TO_A_MODULE: usize = 20;

/// One of the programs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    /// The name of its package.
    pub(crate) package: &'static str,
    /// The name of its row.
    pub(crate) name: &'static str,
    dependency: &'static str,
    import: &'static str,
    attribute: fn(usize) -> String,
}

pub(crate) const PLAIN: Program = Program {
    package: "plain",
    name: "no attribute",
    dependency: "",
    import: "",
    attribute: |_| String::new(),
};

pub(crate) const OURS: Program = Program {
    package: "ours",
    name: "cache-runtime",
    dependency: "cache-runtime = { path = \"{runtime}\" }",
    import: "use cache_runtime::cacheable;",
    attribute: |number| {
        format!("#[cacheable(key = \"posts{number}:<<slug>>:<<page>>\", ttl = 600, skip(db))]")
    },
};

pub(crate) const OURS_ALONE: Program = Program {
    package: "alone",
    name: "cache-runtime, companions = false",
    attribute: |number| {
        format!(
            "#[cacheable(key = \"posts{number}:<<slug>>:<<page>>\", ttl = 600, skip(db), companions = false)]"
        )
    },
    ..OURS
};

pub(crate) const CACHED: Program = Program {
    package: "peer",
    name: "cached, concurrent",
    dependency: "cached = { version = \"=4.1.0\", features = [\"async\"] }",
    import: "use cached::macros::concurrent_cached;",
    attribute: |_| {
        "#[concurrent_cached(max_size = 20_000, ttl_secs = 600, key = \"(String, u32)\", convert = { (slug.to_owned(), page) })]"
            .to_owned()
    },
};

pub(crate) const ALL: [Program; 4] = [PLAIN, CACHED, OURS, OURS_ALONE];

/// Write a workspace of all programs. They share compiled dependencies, in the versions of this
/// package's lock file.
///
/// # Errors
///
/// Fails if a file can't be written.
pub(crate) fn write(folder: &Path) -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let members = ALL
        .map(|program| format!("{:?}", program.package))
        .join(", ");
    std::fs::create_dir_all(folder)?;
    let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n");
    std::fs::write(folder.join("Cargo.toml"), workspace)?;
    std::fs::copy(here.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let runtime = here.join("../cache-runtime").canonicalize()?;
    for program in ALL {
        let source = folder.join(program.package).join("src");
        std::fs::create_dir_all(&source)?;
        let dependency = program
            .dependency
            .replace("{runtime}", &runtime.to_string_lossy());
        std::fs::write(
            source.with_file_name("Cargo.toml"),
            manifest(program.package, &dependency),
        )?;
        std::fs::write(source.join("main.rs"), main())?;
        for module in 0..FUNCTIONS / TO_A_MODULE {
            std::fs::write(
                source.join(format!("posts_{module}.rs")),
                functions(&program, module, 0),
            )?;
        }
    }
    Ok(())
}

/// Change one body.
///
/// # Errors
///
/// Fails if the file can't be written.
pub(crate) fn change(folder: &Path, program: &Program, edition: usize) -> io::Result<()> {
    let file: PathBuf = folder.join(program.package).join("src/posts_3.rs");
    std::fs::write(file, functions(program, 3, edition))
}

fn manifest(package: &str, dependency: &str) -> String {
    format!(
        "[package]\nname = \"{package}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dependencies]\n\
         serde = {{ version = \"1.0.229\", features = [\"derive\"] }}\n\
         tokio = {{ version = \"1.54\", default-features = false, features = [\"rt\"] }}\n{dependency}\n"
    )
}

fn main() -> String {
    let modules = 0..FUNCTIONS / TO_A_MODULE;
    let mut text = String::new();
    for module in modules.clone() {
        let _ = writeln!(text, "mod posts_{module};");
    }
    text += MODEL;
    text += "fn main() {\n    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();\n    runtime.block_on(async {\n";
    for module in modules {
        let _ = writeln!(text, "        posts_{module}::run().await;");
    }
    text + "    });\n}\n"
}

const MODEL: &str = "
use std::sync::Arc;

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Post {
    pub id: u64,
    pub slug: String,
    pub title: String,
    pub tags: Vec<String>,
}

#[derive(Debug)]
pub struct DbError;

pub struct Db;

impl Db {
    pub fn row(&self, slug: &str, page: u32) -> Result<Arc<Post>, DbError> {
        let title = slug.to_uppercase();
        Ok(Arc::new(Post { id: u64::from(page), slug: slug.to_owned(), title, tags: Vec::new() }))
    }
}

";

/// Write a module's functions: half of them async, half sync, all with a `?` in the body. `edition`
/// is a number in one of the bodies, so that a change of it changes one body.
fn functions(program: &Program, module: usize, edition: usize) -> String {
    let mut text = format!(
        "use std::sync::Arc;\n{}\nuse crate::{{Db, DbError, Post}};\n",
        program.import
    );
    let numbers = module * TO_A_MODULE..(module + 1) * TO_A_MODULE;
    for number in numbers.clone() {
        let asynchronous = if number % 2 == 0 { "async " } else { "" };
        let edition = if number % TO_A_MODULE == 7 {
            edition
        } else {
            0
        };
        let _ = write!(
            text,
            "\n{}\npub {asynchronous}fn post_{number}(db: &Db, slug: &str, page: u32) -> Result<Arc<Post>, DbError> {{\n    \
             let post = db.row(slug, page + {edition})?;\n    \
             if post.id > {number} {{\n        return Err(DbError);\n    }}\n    Ok(post)\n}}\n",
            (program.attribute)(number),
        );
    }
    text += "\npub async fn run() {\n";
    for number in numbers {
        let wait = if number % 2 == 0 { ".await" } else { "" };
        let _ = writeln!(
            text,
            "    println!(\"{{:?}}\", post_{number}(&Db, \"slug\", 1){wait}.is_ok());"
        );
    }
    text + "}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_changes_one_body() {
        let (old, new) = (functions(&OURS, 3, 0), functions(&OURS, 3, 1));
        let differing = old.lines().zip(new.lines()).filter(|(old, new)| old != new);
        assert_eq!(differing.count(), 1);
        assert_eq!(old.matches("#[cacheable").count(), TO_A_MODULE);
    }
}
