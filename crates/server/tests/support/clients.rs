//! Real clients: Python's `websockets`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use parlor_testkit::{binary, needs, wait};

use crate::world::World;

/// Python with this package, if it is installed beside what Cargo builds.
fn python(package: &str) -> Result<PathBuf, String> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let home = scratch.parent().unwrap_or(scratch).join("clients-python");
    let there = std::fs::read_dir(home.join("lib")).into_iter().flatten().flatten();
    let found =
        there.map(|python| python.path().join("site-packages").join(package)).find(|path| path.exists());
    found.map(|_| home.join("bin/python")).ok_or_else(|| format!("{package} is not installed"))
}

/// S2-29, S2-43, S2-48, S2-71: the desk from both sides, each envelope, a cut, an outsider, a wrong token.
#[tokio::test]
async fn s2_29_s2_43_s2_48_s2_71_pythons_websockets_speak_both_envelopes() {
    let found = python("websockets");
    if !needs::met("clients", found.as_ref().map(|_| ()).map_err(Clone::clone)) {
        return;
    }
    let world = World::assemble().await;
    let done = tokio::process::Command::new(found.expect("it is there"))
        .arg(binary::root().join("tests/clients/python/support_websockets.py"))
        .arg(world.server.url())
        .args([&world.driver.token, &world.control.token, &world.outsider.token])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let done = wait::within("the journey", done).await.expect("it runs");
    let (told, error) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && told.contains("journey done"), "{told}\n{error}");
}
