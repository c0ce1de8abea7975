//! Real clients: Python's `requests`.

use std::{path::Path, process::Stdio};

use parlor_testkit::{binary, needs, wait};

use crate::world::{KEY, World};

/// S0-26, S0-27, S0-36, S0-67, S0-71: a backend with nothing but an HTTP library.
#[tokio::test]
async fn s0_26_s0_27_s0_36_s0_67_s0_71_plain_requests_are_enough_for_a_backend() {
    let clients = binary::root().join("tests/clients/python");
    // Beside what Cargo builds.
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python = scratch.parent().unwrap_or(scratch).join("clients-python/bin/python");
    let installed =
        if python.exists() { Ok(()) } else { Err("the Python clients are not installed".to_owned()) };
    if !needs::met("clients", installed) {
        return;
    }
    let world = World::start().await;
    let done = tokio::process::Command::new(python)
        .arg(clients.join("inbox_requests.py"))
        .env("PARLOR_URL", world.server.url())
        .env("PARLOR_APP_KEY", KEY)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output();
    let done = wait::within("the backend's journey", done).await.expect("the script runs");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}\n{}", world.server.logs());
}
