//! The page `docs/guide/coming-from-python.md` names each test of this target, and no other.

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../docs/guide/coming-from-python.md");

/// The files with a section on the page.
const FILES: [(&str, &str); 5] = [
    ("responses", include_str!("responses.rs")),
    ("quickpost", include_str!("quickpost.rs")),
    ("strategies", include_str!("strategies.rs")),
    ("runam", include_str!("runam.rs")),
    ("reports", include_str!("reports.rs")),
];

/// Return `file::test` for each test of the files.
fn tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for (file, text) in FILES {
        let mut is_test = false;
        for line in text.lines() {
            let function = line.trim_start_matches("async ").strip_prefix("fn ");
            if let (true, Some(function)) = (is_test, function) {
                let name = function.split('(').next().unwrap();
                tests.insert(format!("{file}::{name}"));
            }
            is_test = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        }
    }
    tests
}

/// Return the rows of the page's tables: the title of the section, and the cells.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let (mut section, mut rows) = ("", Vec::new());
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        } else if let Some(row) = line.strip_prefix("| ") {
            let cells = row.trim_end_matches(" |").split(" | ").collect();
            rows.push((section, cells));
        }
    }
    rows
}

/// Return the names in backticks of a cell that are those of a test.
fn named(cell: &str) -> Vec<String> {
    let names = cell.split('`').skip(1).step_by(2);
    let of_a_file = |name: &&str| {
        let file = name.split_once("::").map(|(file, _)| file);
        FILES.iter().any(|(known, _)| Some(*known) == file)
    };
    names.filter(of_a_file).map(str::to_owned).collect()
}

#[test]
fn the_page_names_each_test_and_no_other() {
    let named: BTreeSet<String> = rows()
        .iter()
        .flat_map(|(_, cells)| named(cells[2]))
        .collect();
    let tests = tests();
    assert!(tests.len() > 80, "the tests were found");
    let missing: Vec<_> = tests.difference(&named).collect();
    let unknown: Vec<_> = named.difference(&tests).collect();
    assert!(missing.is_empty(), "the page doesn't name {missing:#?}");
    assert!(unknown.is_empty(), "no such tests: {unknown:#?}");
}

#[test]
fn each_sample_has_a_test_of_its_document() {
    for (title, file) in [
        ("THE_BOT (response caching)", "responses"),
        ("QuickPost (`@cacheable`)", "quickpost"),
        ("core.caching (strategies)", "strategies"),
        ("RunAm (GraphQL API)", "runam"),
        ("T_REPORT_007 (reports)", "reports"),
    ] {
        let rows = rows();
        let samples = rows
            .iter()
            .filter(|(section, cells)| *section == title && cells[0] != "sample");
        let mut count = 0;
        for (_, cells) in samples {
            assert_eq!(cells.len(), 3, "{cells:?}");
            let tests = named(cells[2]);
            let of_the_file = |test: &String| test.starts_with(&format!("{file}::"));
            assert!(
                !tests.is_empty() && tests.iter().all(of_the_file),
                "{cells:?}"
            );
            count += 1;
        }
        assert!(count > 10, "{title}: {count} samples");
    }
}
