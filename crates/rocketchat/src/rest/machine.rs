//! What an administrator asks of the program around the chat: `stdout.queue` as Rocket.Chat has it, and beside its API
//! `backups.*` and `imports.list`.

use parlor_core::machine::{Backups, Level, LogFilter};
use serde_json::{Value, json};

use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

/// Lines of the log in one answer, unless fewer are asked for.
const LINES: usize = 500;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("stdout.queue", Who::May(&["view-logs"]), "", log),
        get("backups.list", Who::May(&["run-migration"]), "", backups),
        post("backups.start", Who::May(&["run-migration"]), "{}", start),
        get("imports.list", Who::May(&["run-import"]), "", imports),
    ]
}

/// `level` (`debug`, `info`, `warn`, `error`): at least so grave; `after`: the id of the last known line; `count`.
async fn log(call: Call) -> Outcome {
    let level = call.param("level").unwrap_or("debug");
    let least = Level::named(level).ok_or_else(|| {
        Refused::meteor("error-invalid-params", "The \"level\" must be debug, info, warn or error.")
    })?;
    let number = |name: &str| match call.param(name) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            Refused::meteor("error-invalid-params", &format!("The \"{name}\" must be a number."))
        }),
    };
    let most = number("count")?.map_or(LINES, |n| usize::try_from(n).unwrap_or(LINES).min(LINES));
    let wanted = LogFilter { after: number("after")?.unwrap_or_default(), least, most };
    let lines = call.chat().server_log(call.actor()?, wanted).await?;
    let queue: Vec<Value> = lines
        .iter()
        .map(|line| {
            let (at, level) = (Dates::Iso.value(line.at), line.level.name());
            let string = format!("{} {}: {}", level.to_uppercase(), line.target, line.text);
            json!({
                "id": line.id.to_string(), "ts": at, "string": string, "level": level, "target": line.target,
                "text": line.text,
            })
        })
        .collect();
    success(json!({ "queue": queue }))
}

fn shown(found: &Backups) -> Value {
    let all: Vec<Value> = found
        .all
        .iter()
        .map(|one| {
            json!({
                "name": one.name, "madeAt": Dates::Iso.value(one.made_at), "bytes": one.bytes, "files": one.uploads,
                "missing": one.missing,
            })
        })
        .collect();
    json!({
        "backups": all, "folder": found.folder, "most": found.most, "withoutFiles": found.without_files,
        "runningSince": found.running_since.map(|at| Dates::Iso.value(at)),
        "failed": found.failed.as_ref().map(|(at, why)| json!({ "at": Dates::Iso.value(*at), "why": why })),
    })
}

async fn backups(call: Call) -> Outcome {
    success(shown(&call.chat().backups(call.actor()?).await?))
}

async fn start(call: Call) -> Outcome {
    success(shown(&call.chat().start_backup(call.actor()?).await?))
}

async fn imports(call: Call) -> Outcome {
    let found = call.chat().imports(call.actor()?).await?;
    let all: Vec<Value> = found
        .iter()
        .map(|one| {
            json!({ "_id": one.id, "source": one.source, "said": one.said, "at": Dates::Iso.value(one.at) })
        })
        .collect();
    success(json!({ "imports": all }))
}
