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

/// The promises that a test's name begins with: `s3_1_s3_9_to_s3_11_…` keeps S3-1 and S3-9 to S3-11.
fn promises(name: &str) -> Vec<(u32, u32)> {
    let mut all: Vec<(u32, u32)> = Vec::new();
    let mut words = name.split('_');
    let mut is_range = false;
    while let Some(sheet) = words.next() {
        if sheet == "to" && !all.is_empty() {
            is_range = true;
            continue;
        }
        let sheet = sheet.strip_prefix('s').and_then(|sheet| sheet.parse::<u32>().ok());
        let (Some(sheet), Some(Ok(number))) = (sheet, words.next().map(str::parse::<u32>)) else { break };
        let first = if is_range { all.last().map_or(number, |(_, last)| last + 1) } else { number };
        all.extend((first..=number).map(|number| (sheet, number)));
        is_range = false;
    }
    all
}

/// Each line of `docs/contracts.md` is kept by tests that name it.
#[test]
fn every_promise_of_the_contracts_has_a_test_that_names_it() {
    assert_eq!(promises("s3_1_s3_9_to_s3_11_s4_2_to_be_told"), [(3, 1), (3, 9), (3, 10), (3, 11), (4, 2)]);
    let table = std::fs::read_to_string(root().join("docs/contracts.md")).unwrap();
    let mut kept = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| S")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let promise = promises(&cells[1].to_lowercase().replace('-', "_"))[0];
        let named: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty() || cells[3].starts_with("not yet"), "nothing keeps {}", cells[1]);
        for test in named.chunks(2) {
            let [path, name] = test else { panic!("{}: a path and a test, in turn", cells[1]) };
            let places = [root().join("crates/server/tests").join(path), root().join(path)];
            let text = places.iter().find_map(|place| std::fs::read_to_string(place).ok());
            let text = text.unwrap_or_else(|| panic!("{}: there is no {path}", cells[1]));
            assert!(text.contains(&format!("fn {name}(")), "{}: {path} has no {name}", cells[1]);
            assert!(promises(name).contains(&promise), "{name} does not name {}", cells[1]);
        }
        kept.push(promise);
    }
    for (sheet, last) in [(0, 90), (2, 73), (3, 83), (4, 55)] {
        for number in 1..=last {
            assert!(kept.contains(&(sheet, number)), "S{sheet}-{number} is not in the table");
        }
    }
}
