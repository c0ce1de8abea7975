//! One chat behind many doors: what is done through one is seen once, with the same id and in the same order, through
//! every other that can see the room. A new door is a row in [`doors`] and an ear in [`ears`].

#![allow(clippy::indexing_slicing, reason = "what is missing in an answer is a failed test")]

mod away;
mod beyond;
mod departed;
mod doors;
mod ears;
mod expiry;
mod hostile;
mod limits;
mod matrix;
mod members;
mod random;
mod resume;
mod stage;
mod typing;

/// Renderings are kept by number with each event: a number that two doors use makes one speak in the other's words.
#[test]
fn no_two_doors_share_a_rendering() {
    let crates = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let (mut folders, mut numbers) = (vec![crates.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && !["target", "benches", "tests"].iter().any(|skipped| name == *skipped) {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let source = std::fs::read_to_string(&path).unwrap_or_default();
                let used = source.split(": Slot = Slot::number(").skip(1);
                numbers.extend(used.filter_map(|rest| rest.split(')').next()?.parse::<usize>().ok()));
            }
        }
    }
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert!(all >= 9 && numbers.len() == all, "{all} renderings have {} numbers", numbers.len());
}

#[allow(dead_code, reason = "the client of another test binary, of which a part is used")]
#[path = "../../socketio/client.rs"]
mod sio;
#[allow(dead_code, reason = "the client of another test binary, of which a part is used")]
#[path = "../../inbox/sse.rs"]
pub(crate) mod sse;
#[allow(dead_code, reason = "the client of another test binary, of which a part is used")]
#[path = "../../support/world.rs"]
mod support;
