//! Which crate may know which: the shape of the house, as a table.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell;

/// Each crate and the crates of this workspace it may depend on.
///
/// The chat itself (`core`) knows only how text is read. What lies under it knows the chat; doors know the chat and
/// what live connections share, and never each other; only the server knows them all.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("parlor-markup", &[]),
    ("parlor-core", &["parlor-markup"]),
    ("parlor-store", &["parlor-core"]),
    ("parlor-live", &["parlor-core"]),
    ("parlor-identity", &["parlor-core"]),
    ("parlor-media", &["parlor-core"]),
    ("parlor-http", &["parlor-core"]),
    ("parlor-push", &[]),
    ("parlor-tls", &[]),
    ("parlor-mail", &[]),
    ("parlor-directory", &["parlor-core"]),
    ("parlor-outbound", &["parlor-core", "parlor-mail", "parlor-push"]),
    ("parlor-host", &["parlor-core", "parlor-live"]),
    ("parlor-movein", &["parlor-core"]),
    ("parlor-bridge", &["parlor-core"]),
    ("parlor-relay", &["parlor-core"]),
    ("parlor-inbox", &["parlor-core", "parlor-live", "parlor-host"]),
    ("parlor-rocketchat", &["parlor-core", "parlor-live", "parlor-markup"]),
    ("parlor-web", &[]),
    ("parlor-tickets", &["parlor-core", "parlor-host"]),
    ("parlor-support", &["parlor-core", "parlor-host", "parlor-live"]),
    ("parlor-socketio", &["parlor-core", "parlor-host", "parlor-live"]),
    ("parlor-rooms", &["parlor-core", "parlor-host"]),
    (
        "parlor-server",
        &[
            "parlor-core",
            "parlor-store",
            "parlor-live",
            "parlor-host",
            "parlor-inbox",
            "parlor-movein",
            "parlor-bridge",
            "parlor-http",
            "parlor-mail",
            "parlor-directory",
            "parlor-outbound",
            "parlor-identity",
            "parlor-media",
            "parlor-rocketchat",
            "parlor-web",
            "parlor-support",
            "parlor-socketio",
            "parlor-rooms",
            "parlor-tickets",
            "parlor-tls",
            "parlor-push",
            "parlor-relay",
        ],
    ),
    ("parlor-testkit", &["parlor-core"]),
    ("parlor-load", &["parlor-testkit"]),
    ("xtask", &[]),
];

/// One crate that names another of this workspace.
pub struct Edge {
    pub from: String,
    pub to: String,
}

/// The names of the workspace's crates.
pub fn members() -> Result<Vec<String>> {
    let metadata = metadata()?;
    Ok(packages(&metadata)?.iter().filter_map(name).collect())
}

/// What the crates' manifests say against the table; empty when they agree.
pub fn check() -> Result<Vec<String>> {
    let metadata = metadata()?;
    let packages = packages(&metadata)?;
    let members: Vec<String> = packages.iter().filter_map(name).collect();
    let edges: Vec<Edge> = packages.iter().flat_map(|package| edges_of(package, &members)).collect();
    Ok(judge(&members, &edges))
}

fn judge(members: &[String], edges: &[Edge]) -> Vec<String> {
    let table = |crate_name: &str| MAY_KNOW.iter().find(|(from, _)| *from == crate_name).map(|(_, to)| *to);
    let mut faults: Vec<String> = members
        .iter()
        .filter(|member| table(member).is_none())
        .map(|member| format!("{member}: not in the table of xtask/src/edges.rs: say there whom it may know"))
        .collect();
    for Edge { from, to } in edges {
        if table(from).is_some_and(|allowed| !allowed.contains(&to.as_str())) {
            faults.push(format!(
                "{from} depends on {to}, which the table of xtask/src/edges.rs does not allow"
            ));
        }
    }
    faults
}

fn metadata() -> Result<Value> {
    let text =
        shell::output(shell::cargo().args(["metadata", "--format-version=1", "--no-deps", "--offline"]))?;
    serde_json::from_str(&text).context("cargo metadata printed something else than JSON")
}

fn packages(metadata: &Value) -> Result<&Vec<Value>> {
    metadata["packages"].as_array().context("cargo metadata lists no packages")
}

fn name(package: &Value) -> Option<String> {
    package["name"].as_str().map(str::to_owned)
}

/// Tests may use what they like (the server, the test kit), so development edges don't count.
fn edges_of(package: &Value, members: &[String]) -> Vec<Edge> {
    let from = name(package).unwrap_or_default();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    dependencies
        .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
        .filter_map(|dependency| dependency["name"].as_str())
        .filter(|to| members.iter().any(|member| member == to))
        .map(|to| Edge { from: from.clone(), to: to.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members() -> Vec<String> {
        MAY_KNOW.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned() }
    }

    #[test]
    fn an_edge_of_the_table_is_allowed_and_any_other_refused() {
        assert!(judge(&members(), &[edge("parlor-server", "parlor-store")]).is_empty());
        assert_eq!(judge(&members(), &[edge("parlor-core", "parlor-store")]).len(), 1);
        assert_eq!(judge(&members(), &[edge("parlor-rocketchat", "parlor-store")]).len(), 1);
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_refused() {
        let mut members = members();
        members.push("parlor-novelty".to_owned());
        assert_eq!(judge(&members, &[]).len(), 1);
    }

    #[test]
    fn the_table_allows_no_circle() {
        fn reaches(from: &str, wanted: &str, depth: usize) -> bool {
            let next = MAY_KNOW.iter().find(|(name, _)| *name == from).map_or(&[][..], |(_, to)| to);
            depth > 0 && next.iter().any(|to| *to == wanted || reaches(to, wanted, depth - 1))
        }
        for (name, _) in MAY_KNOW {
            assert!(!reaches(name, name, MAY_KNOW.len()), "{name} knows itself by a detour");
        }
    }
}
