//! The map is kept true: every path that it names exists, and every crate is on it.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn every_path_that_the_map_names_exists() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let paths: Vec<&str> =
        map.split('`').filter(|word| word.starts_with("crates/") || word.starts_with("xtask")).collect();
    assert!(paths.len() > 20, "the map names paths");
    for path in paths {
        assert!(root().join(path).exists(), "ARCHITECTURE.md names {path}, which does not exist");
    }
}

#[test]
fn every_crate_is_on_the_map() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(map.contains(&format!("| `crates/{name}` |")), "crates/{name} is not on the map");
    }
}

#[test]
fn every_promise_of_the_two_sheets_is_in_the_table_and_leads_somewhere() {
    let table = std::fs::read_to_string(root().join("docs/promises.md")).unwrap();
    let mut kept = [vec![90], vec![67, 68]];
    for line in table.lines().filter(|line| line.starts_with("| S")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        for part in cells[1].split(", ") {
            let (first, last) = part.split_once(" to ").unwrap_or((part, part));
            let read =
                |id: &str| id.split_once('-').map(|(sheet, number)| (sheet.len(), number.parse::<u32>()));
            let ((2, Ok(first_number)), (2, Ok(last_number))) = (read(first).unwrap(), read(last).unwrap())
            else {
                panic!("no promise: {part}");
            };
            kept[usize::from(first.starts_with("S1"))].extend(first_number..=last_number);
        }
        for path in cells[3].split('`').filter(|word| word.contains('/') && !word.contains(' ')) {
            assert!(root().join(path).exists(), "the table names {path}, which does not exist");
        }
    }
    for (sheet, last) in [(0, 90), (1, 69)] {
        for number in 1..=last {
            assert!(kept[sheet].contains(&number), "S{sheet}-{number} is not in the table");
        }
    }
}
