//! Small answers that clients ask for at their start: licences, push, the workspace's mark.

use parlor_core::clock::Time;
use serde_json::json;

use crate::{
    call::{Call, success},
    draw,
    route::{Outcome, Route, get},
    serve::Served,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("licenses.info", Who::User, "", |_| async {
            success(json!({ "license": { "activeModules": [], "tags": [], "preventedActions": {} } }))
        }),
        get("licenses.isEnterprise", Who::User, "", |_| async { success(json!({ "isEnterprise": false })) }),
        get("push.info", Who::User, "", |_| async {
            success(json!({ "pushGatewayEnabled": false, "defaultPushGateway": false }))
        }),
        get("/images/logo/{file}", Who::Anyone, "", mark),
    ]
}

/// The mark as PNG, in the side that the file's name tells (`android-chrome-512x512.png`).
async fn mark(call: Call) -> Outcome {
    let name = call.path("file");
    let side = name.split(|c: char| !c.is_ascii_digit()).find_map(|n| n.parse().ok()).unwrap_or(256);
    let served = Served {
        media_type: "image/png".into(),
        bytes: draw::mark(side),
        changed: Time(0),
        cache: "public, max-age=86400".into(),
        expires: false,
        tag: Some(format!("mark-{side}")),
    };
    Ok(served.answer(&call.headers))
}
