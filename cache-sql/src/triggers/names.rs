//! The names of a model's triggers.

use cache_runtime::model::ModelInfo;

/// Most databases allow names of 63 bytes. The longest suffix is `_truncate`.
const LONGEST: usize = 63 - "_truncate".len();

/// The common beginning of the names of a model's triggers.
pub(super) struct Names {
    base: String,
}

impl Names {
    /// Derive it from prefix, table and struct. Each of them can differ while the other two are the
    /// same, and the readable part doesn't tell all of them apart, so a hash does.
    pub(super) fn new(model: &ModelInfo, prefix: &str) -> Self {
        let whole = format!("{prefix} {} {}", model.table, model.name);
        let hash = format!("_{:08x}", fnv(whole.as_bytes()));
        let readable = format!("cache_{prefix}_{}", model.table);
        let readable = readable.chars().map(|c| match c {
            _ if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
            _ => '_',
        });
        let base = readable.take(LONGEST - hash.len()).collect::<String>() + &hash;
        Self { base }
    }

    /// The name of the function that all triggers of a model share.
    pub(super) fn function(&self) -> &str {
        &self.base
    }

    /// The name of the trigger of an event.
    pub(super) fn trigger(&self, event: &str) -> String {
        format!("{}_{}", self.base, event.to_ascii_lowercase())
    }
}

/// The 32-bit FNV-1a hash. Names are written into databases, so it never changes.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(prefix: &str, table: &'static str, name: &'static str) -> Names {
        let model = ModelInfo {
            name,
            table,
            patterns: &[],
        };
        Names::new(&model, prefix)
    }

    #[test]
    fn names_are_pinned_since_databases_store_them() {
        let names = names("blog", "posts", "Post");
        assert_eq!(names.trigger("UPDATE"), "cache_blog_posts_ebfc1a28_update");
    }

    #[test]
    fn names_are_distinct_and_short() {
        let long = "a_very_long_table_name_that_fills_a_whole_identifier_of_postgres";
        let all = [
            names("a_b", "c", "Post"),
            names("a", "b_c", "Post"),
            names("a", "b.c", "Post"),
            names("a", "b_c", "Row"),
            names("ä\"", "b", "Row"),
            names("a", long, "Row"),
        ];
        let mut distinct: Vec<&str> = all.iter().map(Names::function).collect();
        assert!(distinct.iter().all(|name| name.is_ascii()));
        assert!(
            all.iter()
                .all(|names| names.trigger("truncate").len() <= 63)
        );
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), all.len());
    }
}
