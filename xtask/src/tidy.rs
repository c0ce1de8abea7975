//! `cargo xtask tidy`: what a reviewer should not have to look for. Plain `cargo test` runs it too.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{edges, shell};

/// Longest source file, in lines.
const FILE_LINES: usize = 500;
/// Longest function, in lines, before a warning.
const FUNCTION_LINES: usize = 80;

/// Endings of files that people write and read line by line.
const SOURCES: &[&str] = &["rs", "ts", "tsx", "js", "mjs", "css", "py", "sh", "sql"];

/// Crates that must not come in: a second TLS stack, or C libraries from the system.
const BANNED: &[&str] = &["openssl-sys", "native-tls", "openssl"];
/// Crates of which one version is enough: two would be two codecs for the same bytes, or not link at all.
const ONCE: &[&str] = &["tungstenite", "libsqlite3-sys", "rustls", "hyper"];

/// Places that exist on one machine only. Split, so that this file does not find itself.
const MACHINES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/tmp/", "wt"),
    concat!("/Us", "ers/"),
];

/// One file of the repository.
struct Tracked {
    path: String,
    text: String,
}

/// What was found: faults fail the check, warnings are printed.
#[derive(Default)]
struct Findings {
    faults: Vec<String>,
    warnings: Vec<String>,
}

/// Checks the repository and prints what it found; an error if any of it is a fault.
pub fn run() -> Result<()> {
    let findings = look()?;
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for fault in &findings.faults {
        println!("fault: {fault}");
    }
    if !findings.faults.is_empty() {
        bail!("{} things to tidy", findings.faults.len());
    }
    println!("tidy: {} warnings", findings.warnings.len());
    Ok(())
}

fn look() -> Result<Findings> {
    let mut findings = Findings { faults: edges::check()?, warnings: Vec::new() };
    for file in tracked()? {
        judge(&file, &mut findings);
    }
    Ok(findings)
}

fn judge(file: &Tracked, findings: &mut Findings) {
    let ending = file.path.rsplit('.').next().unwrap_or_default();
    if SOURCES.contains(&ending) {
        findings.faults.extend(length(file));
    }
    if ending == "rs" {
        findings.warnings.extend(functions(file));
    }
    if ending == "md" {
        findings.faults.extend(links(file, |path| shell::root().join(path).exists()));
    }
    findings.faults.extend(machines(file));
    if file.path.ends_with("Cargo.toml") {
        findings.faults.extend(lints(file));
        findings.warnings.extend(reasons(file));
    }
    findings.faults.extend(locks(file));
}

/// The repository's text files. Files that are not text are nobody's business here.
fn tracked() -> Result<Vec<Tracked>> {
    let root = shell::root();
    if !root.join(".git").exists() {
        println!("tidy: not a git checkout, so files are not looked at");
        return Ok(Vec::new());
    }
    let mut git = shell::command("git");
    let list = shell::output(git.args(["ls-files", "--cached", "--others", "--exclude-standard"]))
        .context("tidy reads the list of files from git")?;
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    Ok(list.lines().filter_map(|path| Some(Tracked { path: path.to_owned(), text: read(path)? })).collect())
}

fn length(file: &Tracked) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > FILE_LINES).then(|| format!("{}: {lines} lines, the limit is {FILE_LINES}", file.path))
}

/// Functions over the limit. In formatted code a function ends at the first `}` that stands as deep as its `fn`.
fn functions(file: &Tracked) -> Vec<String> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let head = text.split('(').next().unwrap_or_default();
        if text.starts_with("//") || !head.split(' ').any(|word| word == "fn") {
            continue;
        }
        let ends = |line: &&str| line.len() == indent + 1 && line.ends_with('}');
        let length = lines[start..].iter().position(ends).map_or(0, |end| end + 1);
        if length > FUNCTION_LINES && !line.ends_with(['}', ';']) {
            found.push(format!("{}:{}: a function of {length} lines", file.path, start + 1));
        }
    }
    found
}

/// Links of a document to files of the repository that are not there.
fn links(file: &Tracked, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let targets = file.text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
    let local = targets
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"));
    let dead = local.filter(|target| !exists(&folder.join(target)));
    dead.map(|target| format!("{}: links to {target}, which is not there", file.path)).collect()
}

fn machines(file: &Tracked) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for place in MACHINES.iter().filter(|place| names(line, place)) {
            found.push(format!("{}:{}: names a place on one machine ({place})", file.path, number + 1));
        }
    }
    found
}

/// Whether a line names the place as an absolute path; within a longer path or an address it means nothing.
fn names(line: &str, place: &str) -> bool {
    let part_of_more = |before: char| before.is_alphanumeric() || "/.-_}>)".contains(before);
    line.match_indices(place).any(|(at, _)| !line[..at].chars().next_back().is_some_and(part_of_more))
}

fn lints(file: &Tracked) -> Option<String> {
    let follows = file.text.contains("[workspace.lints") || file.text.contains("[lints]\nworkspace = true");
    (!follows).then(|| format!("{}: does not follow the workspace's lints", file.path))
}

/// Dependencies whose line is neither commented nor below a comment.
fn reasons(file: &Tracked) -> Vec<String> {
    let mut found = Vec::new();
    let mut listing = false;
    let mut explained = false;
    for line in file.text.lines() {
        if line.starts_with('[') {
            listing = line.contains("dependencies") && !line.contains("workspace.");
        } else if line.starts_with('#') {
            explained = true;
            continue;
        } else if listing && !line.is_empty() && !explained && !line.contains('#') {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            found.push(format!("{}: says no reason for {name}", file.path));
        }
        explained = false;
    }
    found
}

/// Lock files and lists of packages: nothing banned, nothing doubled, and no word of where it was fetched from.
fn locks(file: &Tracked) -> Vec<String> {
    let path = &file.path;
    match Path::new(path).file_name().and_then(|name| name.to_str()) {
        Some("Cargo.lock") => crates(file),
        Some("package-lock.json") if file.text.contains("\"resolved\"") => {
            vec![format!("{path}: records where packages were fetched from")]
        }
        Some("requirements.txt") if file.text.contains("://") => {
            vec![format!("{path}: names a place to fetch packages from")]
        }
        Some(".npmrc") if file.text.contains("registry=") || file.text.contains("//") => {
            vec![format!("{path}: names a registry")]
        }
        _ => Vec::new(),
    }
}

fn crates(lock: &Tracked) -> Vec<String> {
    let named = |name: &str| lock.text.lines().filter(|line| *line == format!("name = \"{name}\"")).count();
    let mut found = Vec::new();
    for name in BANNED.iter().filter(|name| named(name) > 0) {
        found.push(format!("{}: {name} is banned", lock.path));
    }
    for name in ONCE.iter().filter(|name| named(name) > 1) {
        found.push(format!("{}: more than one version of {name}", lock.path));
    }
    let home = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    for line in lock.text.lines().filter(|line| line.starts_with("source = ") && *line != home) {
        found.push(format!("{}: a crate from elsewhere: {line}", lock.path));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Tracked {
        Tracked { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_repository_is_tidy() {
        let findings = look().expect("the repository can be read");
        assert!(findings.faults.is_empty(), "{}", findings.faults.join("\n"));
    }

    #[test]
    fn a_file_over_the_limit_is_a_fault_and_one_at_the_limit_is_not() {
        assert!(length(&file("a.rs", &"x\n".repeat(FILE_LINES))).is_none());
        assert!(length(&file("a.rs", &"x\n".repeat(FILE_LINES + 1))).is_some());
    }

    #[test]
    fn a_long_function_is_named_with_its_line() {
        let body = "    work();\n".repeat(FUNCTION_LINES);
        let found = functions(&file("a.rs", &format!("\npub fn long() {{\n{body}}}\n")));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a.rs:2:"), "{}", found[0]);
        assert!(functions(&file("a.rs", "fn short() {\n}\n")).is_empty());
    }

    #[test]
    fn a_machines_path_is_found_and_a_route_of_that_name_is_not() {
        let path = format!("see {}notes", MACHINES[0]);
        assert_eq!(machines(&file("a.md", &path)).len(), 1);
        assert!(machines(&file("a.md", &format!("GET https://host{}x", MACHINES[0]))).is_empty());
    }

    #[test]
    fn a_link_to_a_file_that_is_not_there_is_found() {
        let text = "[a](there.md) [b](gone.md#part) [c](https://example.org) [d](#part)";
        let found = links(&file("docs/a.md", text), |path| path == Path::new("docs/there.md"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("gone.md"));
    }

    #[test]
    fn a_dependency_needs_its_reason() {
        let bare = file("Cargo.toml", "[dependencies]\nserde.workspace = true\n");
        assert_eq!(reasons(&bare).len(), 1);
        let explained =
            "[dependencies]\n# Wire shapes.\nserde.workspace = true\nbytes = \"1\" # shared frames\n";
        assert!(reasons(&file("Cargo.toml", explained)).is_empty());
    }

    #[test]
    fn banned_doubled_and_foreign_crates_are_found() {
        let lock =
            "name = \"native-tls\"\nname = \"tungstenite\"\nname = \"tungstenite\"\nsource = \"git+x\"\n";
        assert_eq!(crates(&file("Cargo.lock", lock)).len(), 3);
    }

    #[test]
    fn a_lock_file_that_says_where_packages_came_from_is_a_fault() {
        assert_eq!(locks(&file("web/package-lock.json", "{\"resolved\": \"x\"}")).len(), 1);
        assert!(locks(&file("web/package-lock.json", "{\"integrity\": \"x\"}")).is_empty());
    }
}
