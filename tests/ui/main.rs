//! Programs, one per file: those in `pass` compile and run, those in `fail` must not compile, and each has beside it,
//! in a `.stderr`, what the compiler then says. `TRYBUILD=overwrite cargo test -p tests --test ui` writes these
//! anew; read the difference as a user would read it.

#[test]
fn programs() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
