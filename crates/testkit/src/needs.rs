//! Tests that need something beside Rust: Node, Python, PostgreSQL, Redis, a clock that can be moved.

use std::env;

/// Whether a test that needs `what` should run.
///
/// Plain `cargo test` steps aside with a printed note when it is missing. Where the variable `PARLOR_REQUIRE` lists
/// it (as `cargo xtask test` and the build service do), missing is a failure, so that no test is skipped unseen.
///
/// # Panics
/// When `what` is required and `found` says why it is missing.
pub fn met(what: &str, found: Result<(), String>) -> bool {
    let Err(reason) = found else { return true };
    let required = env::var("PARLOR_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == what), "{what} is required here, but {reason}");
    eprintln!("skipped: needs {what}, but {reason}; `cargo xtask test` installs it");
    false
}
