//! Small answers that clients ask for at their start: licences.

use serde_json::json;

use crate::{
    call::success,
    route::{Route, get},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("licenses.info", Who::User, "", |_| async {
            let license = json!({
                "activeModules": [], "externalModules": [], "tags": [], "preventedActions": {}, "limits": {},
                "trial": false,
            });
            success(json!({ "license": license }))
        }),
        get("licenses.isEnterprise", Who::User, "", |_| async { success(json!({ "isEnterprise": false })) }),
    ]
}
