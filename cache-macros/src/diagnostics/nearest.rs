//! "Did you mean": the known name that is closest to an unknown one.

/// Find the known name nearest to `word`, if it is near enough to be a typo.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (distance(word, name), *name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Format `; did you mean `slug`?`, or return an empty string.
pub(crate) fn hint(word: &str, known: &[&str]) -> String {
    nearest(word, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Format the names in backticks, separated by commas.
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The edit distance between two words. Swapping two neighbours counts as one edit: it is the
/// commonest typo.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                (rows[i - 1][j] + 1)
                    .min(rows[i][j - 1] + 1)
                    .min(rows[i - 1][j - 1] + changed)
                    .min(if swapped {
                        rows[i - 2][j - 2] + 1
                    } else {
                        usize::MAX
                    })
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, hint, nearest};

    #[test]
    fn the_distance_counts_edits_and_swaps() {
        assert_eq!(distance("slug", "slug"), 0);
        assert_eq!(distance("slgu", "slug"), 1);
        assert_eq!(distance("slg", "slug"), 1);
        assert_eq!(distance("", "slug"), 4);
    }

    #[test]
    fn only_near_names_are_suggested() {
        assert_eq!(nearest("kye", &["key", "ttl"]), Some("key"));
        assert_eq!(nearest("Slug", &["slug", "db"]), Some("slug"));
        assert_eq!(nearest("zzzz", &["key", "ttl"]), None);
        assert_eq!(hint("zzzz", &["key"]), "");
        assert_eq!(hint("slgu", &["slug"]), "; did you mean `slug`?");
    }
}
