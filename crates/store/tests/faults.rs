//! What stands when the disk fails: nothing is acknowledged that is not stored, and what was acknowledged is there.
//!
//! The faults befall a child process, this test binary again, under a limit that its shell sets.

#![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

mod common;

use common::cast::{people, send};
use common::{Place, wait};
use parlor_core::clock::System;
use parlor_core::error::Refusal;
use parlor_store::{Engine, Location, Options};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

const DATABASE: &str = "PARLOR_FAULT_TEST_DATABASE";

fn open(path: &Path, poisoned: Arc<AtomicBool>) -> Engine {
    let mut options = Options::new(Arc::new(System::new()), Arc::new(drop));
    options.on_poison = Arc::new(move |_| poisoned.store(true, SeqCst));
    options.checkpoint_at = 256 << 10;
    Engine::open(&Location::Sqlite(path.to_owned()), options).unwrap()
}

/// Sends until the store says no, and says on standard output what was acknowledged.
fn send_until_refused(engine: &Engine) -> Refusal {
    let text = "x".repeat(2_000);
    for n in 0..100_000 {
        let id = format!("m{n}");
        match wait(engine.append(send(&id, "r0", "u0", &text))) {
            Ok(stored) => println!("acked {} {id}", stored.message.seq),
            Err(refusal) => return refusal,
        }
    }
    panic!("no fault befell the store");
}

/// Runs one of the child's parts below under a shell's command; gives the lines that it wrote.
fn child(part: &str, shell: &str, database: &Path) -> Vec<String> {
    let out = Command::new("sh")
        .args(["-c", &format!("{shell} exec \"$0\" --exact --ignored --nocapture {part}")])
        .arg(std::env::current_exe().unwrap())
        .env(DATABASE, database)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(out.status.success(), "{part}: {}", String::from_utf8_lossy(&out.stdout));
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Every acknowledged message is there, once and in its place.
fn all_there(database: &Path, lines: &[String]) {
    let engine = open(database, Arc::default());
    let stored: HashSet<String> = wait(engine.read(|tx| {
        let sql = "SELECT 'acked ' || (key & 68719476735) || ' ' || id FROM messages";
        Ok(tx.query(sql, &[], |row| row.get(0))?.into_iter().collect())
    }))
    .unwrap();
    let acked: Vec<&String> = lines.iter().filter(|line| line.starts_with("acked")).collect();
    assert!(acked.len() > 50, "{lines:?}");
    for line in acked {
        assert!(stored.contains(line), "lost: {line}");
    }
    // It goes on where it stopped.
    let next = wait(engine.append(send("after", "r0", "u0", "x"))).unwrap();
    assert_eq!(next.message.seq, stored.len() as i64 + 1);
}

fn database() -> PathBuf {
    PathBuf::from(std::env::var_os(DATABASE).unwrap())
}

#[test]
#[ignore = "a part of the test below"]
fn child_meets_a_failing_disk() {
    let poisoned = Arc::new(AtomicBool::new(false));
    let engine = open(&database(), poisoned.clone());
    people(&engine, 1, 1);
    assert_eq!(send_until_refused(&engine), Refusal::Unavailable);
    assert!(poisoned.load(SeqCst));
    // Nothing is taken any more, not even what would fit.
    for n in 0..10 {
        let refused = wait(engine.append(send(&format!("late{n}"), "r0", "u0", "x")));
        assert_eq!(refused.unwrap_err(), Refusal::Unavailable);
    }
    println!("poisoned");
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged_and_nothing_acknowledged_is_lost() {
    let place = Place::sqlite();
    let Location::Sqlite(path) = &place.location else { unreachable!() };
    // A limit on the size of files makes a write of the log fail in the middle.
    let lines = child("child_meets_a_failing_disk", "trap '' XFSZ; ulimit -f 1200;", path);
    assert!(lines.iter().any(|line| line.ends_with("poisoned")), "{lines:?}");
    all_there(path, &lines);
}

#[test]
#[ignore = "a part of the test below"]
fn child_meets_a_full_disk() {
    let poisoned = Arc::new(AtomicBool::new(false));
    let engine = open(&database(), poisoned.clone());
    people(&engine, 1, 1);
    let filler = database().with_file_name("filler");
    std::fs::write(&filler, vec![0; 3 << 20]).unwrap();
    assert_eq!(send_until_refused(&engine), Refusal::Unavailable);
    assert!(!poisoned.load(SeqCst), "a full disk is no reason to stop");
    // Reads go on, and once there is room so do writes, without a restart.
    let count =
        wait(engine.read(|tx| Ok(tx.one("SELECT COUNT(*) FROM messages", &[], |row| row.get::<i64>(0))?)));
    assert!(count.unwrap() > 50);
    std::fs::remove_file(&filler).unwrap();
    for n in 0..50 {
        let id = format!("again{n}");
        let stored = wait(engine.append(send(&id, "r0", "u0", "x"))).unwrap();
        println!("acked {} {id}", stored.message.seq);
    }
    drop(engine);
    // The file system goes with the child: what it held is looked at elsewhere.
    std::fs::copy(database(), database().parent().unwrap().with_extension("copy")).unwrap();
}

#[test]
fn a_full_disk_refuses_until_there_is_room_again() {
    let directory = tempfile::tempdir().unwrap();
    let mount = directory.path().join("small");
    std::fs::create_dir(&mount).unwrap();
    let shell = format!("mount -t tmpfs -o size=6m small '{}' &&", mount.display());
    let own = "unshare --mount --map-root-user sh -c";
    let able = Command::new("sh").args(["-c", &format!("{own} \"{shell} true\"")]).status();
    if !able.is_ok_and(|status| status.success()) {
        println!("left out: this system does not let a test mount a small file system of its own");
        return;
    }
    let exec = "exec \"$0\" --exact --ignored --nocapture child_meets_a_full_disk";
    let out = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &format!("{shell} {exec}")])
        .arg(std::env::current_exe().unwrap())
        .env(DATABASE, mount.join("parlor.db"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    let lines: Vec<String> = String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect();
    all_there(&mount.with_extension("copy"), &lines);
}
