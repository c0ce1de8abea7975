//! What well-known services post by themselves, said in a sentence: GitHub, GitLab, Alertmanager, Grafana. Rocket.Chat
//! needs a script for each of them; scripts of users are not run here.

use axum::http::HeaderMap;
use serde_json::{Map, Value};

/// Commits or alerts named in one message.
const MOST: usize = 5;
/// Longest title, in characters.
const LONGEST: usize = 300;

/// Who posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// With the event's name.
    GitHub(String),
    GitLab,
    Alertmanager,
}

impl Service {
    /// Told by the request's headers.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(event) = text("x-github-event").or(text("x-gitea-event")) {
            return Some(Self::GitHub(event.to_owned()));
        }
        text("x-gitlab-event").map(|_| Self::GitLab)
    }

    /// Told by the body alone: monitoring has no header of its own.
    pub(crate) fn told_by(body: &Map<String, Value>) -> Option<Self> {
        let alerts = body.get("alerts").is_some_and(Value::is_array) && body.contains_key("status");
        (alerts && !body.contains_key("text")).then_some(Self::Alertmanager)
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::GitHub(_) => "GitHub",
            Self::GitLab => "GitLab",
            Self::Alertmanager => "Alerts",
        }
    }

    /// What happened; `None` when it is nothing to tell people.
    pub(crate) fn say(&self, body: &Map<String, Value>) -> Option<String> {
        let body = Value::Object(body.clone());
        match self {
            Self::GitHub(event) => github(event, &body),
            Self::GitLab => gitlab(&body),
            Self::Alertmanager => Some(alerts(&body)),
        }
    }
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn short(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(LONGEST).collect()
}

/// A link whose words can't end it early.
fn link(words: &str, url: &str) -> String {
    let words = short(words).replace(['[', ']'], "");
    if url.starts_with("https://") || url.starts_with("http://") {
        format!("[{words}]({url})")
    } else {
        words
    }
}

fn commits(body: &Value, path: &str) -> String {
    let all = body.pointer(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut lines = String::new();
    for commit in all.iter().take(MOST) {
        let id: String = text(commit, "/id").chars().take(7).collect();
        let who = text(commit, "/author/name");
        lines.push_str(&format!(
            "\n- {} {} ({who})",
            link(&id, text(commit, "/url")),
            short(text(commit, "/message"))
        ));
    }
    if all.len() > MOST {
        lines.push_str(&format!("\n- and {} more", all.len() - MOST));
    }
    lines
}

fn branch(reference: &str) -> &str {
    reference.strip_prefix("refs/heads/").or(reference.strip_prefix("refs/tags/")).unwrap_or(reference)
}

fn github(event: &str, body: &Value) -> Option<String> {
    let repository = link(text(body, "/repository/full_name"), text(body, "/repository/html_url"));
    let who = text(body, "/sender/login");
    let action = text(body, "/action");
    let about = |kind: &str, key: &str| {
        let title = format!(
            "#{} {}",
            body.pointer(&format!("/{key}/number")).unwrap_or(&Value::Null),
            text(body, &format!("/{key}/title"))
        );
        format!(
            "{who} {action} {kind} {} in {repository}",
            link(&title, text(body, &format!("/{key}/html_url")))
        )
    };
    match event {
        "push" => {
            let list = commits(body, "/commits");
            let what = if list.is_empty() { "changed" } else { "pushed to" };
            Some(format!("{who} {what} {} in {repository}{list}", branch(text(body, "/ref"))))
        }
        "pull_request" => Some(about("pull request", "pull_request")),
        "issues" => Some(about("issue", "issue")),
        "issue_comment" => {
            Some(format!("{}: {}", about("a comment on", "issue"), short(text(body, "/comment/body"))))
        }
        "release" => Some(format!(
            "{who} {action} release {} of {repository}",
            link(text(body, "/release/tag_name"), text(body, "/release/html_url"))
        )),
        "workflow_run" if action == "completed" => Some(format!(
            "{} of {repository}: {}",
            link(text(body, "/workflow_run/name"), text(body, "/workflow_run/html_url")),
            text(body, "/workflow_run/conclusion")
        )),
        "create" | "delete" => {
            Some(format!("{who} {event}d {} {} in {repository}", text(body, "/ref_type"), text(body, "/ref")))
        }
        _ => None,
    }
}

fn gitlab(body: &Value) -> Option<String> {
    let project = link(text(body, "/project/path_with_namespace"), text(body, "/project/web_url"));
    let who = match text(body, "/user_name") {
        "" => text(body, "/user/name"),
        name => name,
    };
    let about = |kind: &str| {
        let title = text(body, "/object_attributes/title");
        let action = match text(body, "/object_attributes/action") {
            "" => "changed",
            "open" => "opened",
            "close" => "closed",
            "merge" => "merged",
            "reopen" => "reopened",
            other => other,
        };
        format!("{who} {action} {kind} {} in {project}", link(title, text(body, "/object_attributes/url")))
    };
    match text(body, "/object_kind") {
        "push" | "tag_push" => Some(format!(
            "{who} pushed to {} in {project}{}",
            branch(text(body, "/ref")),
            commits(body, "/commits")
        )),
        "merge_request" => Some(about("merge request")),
        "issue" => Some(about("issue")),
        "note" => Some(format!(
            "{who} commented in {project}: {}",
            link(text(body, "/object_attributes/note"), text(body, "/object_attributes/url"))
        )),
        "pipeline" => Some(format!(
            "Pipeline of {} in {project}: {}",
            text(body, "/object_attributes/ref"),
            text(body, "/object_attributes/status")
        )),
        _ => None,
    }
}

fn alerts(body: &Value) -> String {
    let all = body.pointer("/alerts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut said = format!("**{}**: {} alerts", text(body, "/status"), all.len());
    for alert in all.iter().take(MOST) {
        let title = match text(alert, "/annotations/summary") {
            "" => text(alert, "/labels/alertname"),
            summary => summary,
        };
        said.push_str(&format!(
            "\n- {} {}",
            text(alert, "/status"),
            link(title, text(alert, "/generatorURL"))
        ));
    }
    if all.len() > MOST {
        said.push_str(&format!("\n- and {} more", all.len() - MOST));
    }
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(service: &Service, body: Value) -> Option<String> {
        service.say(body.as_object().expect("an object"))
    }

    #[test]
    fn a_push_is_told_with_its_commits() {
        let body = json!({
            "ref": "refs/heads/main", "sender": { "login": "ana" },
            "repository": { "full_name": "a/b", "html_url": "https://g.example/a/b" },
            "commits": [{ "id": "0123456789", "message": "Mend it\n\nat length", "url": "https://g.example/c", "author": { "name": "Ana" } }],
        });
        assert_eq!(
            said(&Service::GitHub("push".into()), body).as_deref(),
            Some(
                "ana pushed to main in [a/b](https://g.example/a/b)\n- [0123456](https://g.example/c) Mend it (Ana)"
            )
        );
    }

    #[test]
    fn a_hello_and_an_empty_body_say_nothing_and_break_nothing() {
        assert_eq!(said(&Service::GitHub("ping".into()), json!({ "zen": "x" })), None);
        assert_eq!(said(&Service::GitLab, json!({})), None);
        assert!(said(&Service::GitHub("issues".into()), json!({})).is_some());
    }

    #[test]
    fn alerts_are_counted_and_the_first_few_named() {
        let alert = json!({ "status": "firing", "labels": { "alertname": "Disk" }, "annotations": {} });
        let body = json!({ "status": "firing", "alerts": vec![alert; 7] });
        let service = Service::told_by(body.as_object().expect("an object")).expect("alerts");
        let text = said(&service, body).expect("a text");
        assert!(text.starts_with("**firing**: 7 alerts\n- firing Disk") && text.ends_with("and 2 more"));
    }
}
