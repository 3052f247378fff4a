//! Programs, one per file. Those in `pass` compile and run. Those in `fail` must not compile, and each
//! has a `.stderr` file with the compiler's output. `TRYBUILD=overwrite cargo test -p tests --test ui`
//! rewrites these; read the difference as a user would.

#[test]
fn programs() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/fail/*.rs");
    cases.pass("ui/pass/*.rs");
}
