//! Accounts as administrators keep them.

use parlor_testkit::{Cast, Person, Rest, Server, server::ADMINISTRATOR};
use serde_json::{Value, json};

#[tokio::test]
async fn idle_accounts_are_switched_off_and_less_than_no_days_is_not_everybody() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let administrator = &cast.administrator.rest;
    let idle = |days: f64| administrator.post("users.deactivateIdle", json!({ "daysIdle": days }));
    let _ = cast.member.rest.post("users.deactivateIdle", json!({ "daysIdle": 0 })).await.refused(403);
    for days in [-1.0, -0.5] {
        assert_eq!(idle(days).await.refused(400)["errorType"], "invalid-params", "{days}");
    }
    assert_eq!(idle(1.0).await.ok()["count"], 0, "everybody has just come");
    let _ = cast.member.rest.get("me", &[]).await.ok();
    // Owners of rooms stay; the others who logged in are switched off.
    let _ = cast.owner.group("kept", &[]).await;
    assert!(idle(0.0).await.ok()["count"].as_u64().is_some_and(|count| count >= 2));
    let _ = cast.owner.rest.get("me", &[]).await.ok();
    let _ = administrator.get("me", &[]).await.ok();
    assert_eq!(cast.member.rest.get("me", &[]).await.status, 401);
}

#[tokio::test]
async fn who_asks_for_what_changed_since_time_began_gets_everything() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let rest = &cast.member.rest;
    let all = rest.get("permissions.listAll", &[]).await.ok()["update"].clone();
    assert!(all.as_array().is_some_and(|all| all.len() > 150));
    let since = async |text: &str| {
        let told = rest.get("permissions.listAll", &[("updatedSince", text)]).await;
        told.ok()["update"].clone()
    };
    assert_eq!(since("1970-01-01T00:00:00.000Z").await, all);
    assert_eq!(since("2100-01-01T00:00:00.000Z").await, json!([]));
    let epoch = json!([{ "$date": 0 }]);
    let mut socket = cast.member.socket(&server).await;
    for (method, least) in [("permissions/get", 150), ("public-settings/get", 100)] {
        let told = socket.method(method, epoch.clone()).await.expect("whoever is logged in may");
        assert!(told["update"].as_array().is_some_and(|all| all.len() >= least), "{method}: {told}");
    }
    let roles = rest.get("roles.sync", &[("updatedSince", "1970-01-01T00:00:00.000Z")]).await.ok();
    assert!(roles["roles"]["update"].as_array().is_some_and(|all| !all.is_empty()));
}

#[tokio::test]
async fn a_preference_has_the_kind_of_value_that_clients_rely_on() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let rest = &cast.member.rest;
    let choose =
        async |data: serde_json::Value| rest.post("users.setPreferences", json!({ "data": data })).await;
    for (wrong, problem) in [
        (json!({ "useEmojis": "yes" }), "must be boolean"),
        (json!({ "idleTimeLimit": "300" }), "must be number"),
        (json!({ "language": { "$ne": "" } }), "must be string"),
    ] {
        let refused = choose(wrong).await.refused(400);
        assert_eq!(
            (&refused["errorType"], &refused["error"]),
            (&json!("invalid-params"), &json!(format!("{problem} [invalid-params]")))
        );
    }
    let data = json!({ "useEmojis": false, "idleTimeLimit": 60, "featuresPreview": [], "ofOurOwn": [1] });
    let chosen = choose(data.clone()).await.ok();
    assert_eq!(chosen["user"]["settings"]["preferences"], data);
    let none = choose(json!({ "useEmojis": null })).await.ok();
    assert_eq!(none["user"]["settings"]["preferences"]["useEmojis"], json!(null));
}

/// What an account looks like to the administrator after `data` changed it.
async fn changed(administrator: &Rest, id: &str, data: Value) -> Value {
    administrator.post("users.update", json!({ "userId": id, "data": data })).await.ok()["user"].take()
}

#[tokio::test]
async fn fields_of_ones_own_are_asked_of_newcomers_and_changed_one_by_one() {
    let fields = r#"{"team":{"type":"text","required":true,"minLength":2},"note":{"type":"text"}}"#;
    let server = Server::setup().setting("Accounts_CustomFields", fields).start().await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await.rest;
    let newcomer = |name: &str| json!({ "username": name, "name": name, "email": format!("{name}@parlor.example"), "pass": "a long password" });
    let refused = server.rest().post("users.register", newcomer("ann")).await.refused(400);
    assert_eq!(refused["errorType"], "error-user-registration-custom-field");
    let mut wanted = newcomer("ben");
    wanted["password"] = "a long password".into();
    let made = administrator.post("users.create", wanted.clone()).await.ok()["user"].take();
    let id = made["_id"].as_str().expect("an id").to_owned();
    wanted["customFields"] = json!({ "team": "x" });
    let _ = administrator.post("users.create", wanted).await.refused(400);
    let user =
        changed(&administrator, &id, json!({ "customFields": { "team": "red", "note": "tall" } })).await;
    assert_eq!(user["customFields"], json!({ "team": "red", "note": "tall" }));
    let user = changed(&administrator, &id, json!({ "customFields": { "note": "" } })).await;
    assert_eq!(user["customFields"], json!({ "team": "red", "note": "" }));
    let user = changed(&administrator, &id, json!({ "customFields": { "note": null } })).await;
    assert_eq!(user["customFields"], json!({ "team": "red", "note": null }));
    for (data, problem) in [
        (json!({ "userId": "", "data": {} }), "must NOT have fewer than 1 characters"),
        (
            json!({ "userId": id, "data": { "joinDefaultChannels": true } }),
            "must NOT have additional properties",
        ),
    ] {
        let refused = administrator.post("users.update", data).await.refused(400);
        assert_eq!(refused["error"], format!("{problem} [invalid-params]"));
    }
}

#[tokio::test]
async fn whoever_is_logged_in_may_register_somebody_else() {
    let server = Server::start().await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await.rest;
    let guest = json!({ "username": "guest", "name": "Guest", "email": "guest@parlor.example", "pass": "a long password" });
    let made = administrator.post("users.register", guest).await.ok();
    assert_eq!(made["user"]["roles"], json!(["user"]), "whoever asks gives nothing of his own");
}

#[tokio::test]
async fn whoever_never_came_is_idle_since_the_account_was_made() {
    let server = Server::start().await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await.rest;
    let wanted = json!({ "username": "nell", "name": "Nell", "email": "nell@parlor.example", "password": "a long password", "roles": ["guest"] });
    let _ = administrator.post("users.create", wanted).await.ok();
    let idle =
        |days: u64| administrator.post("users.deactivateIdle", json!({ "daysIdle": days, "role": "guest" }));
    for (days, count) in [(1, 0), (0, 1), (0, 0)] {
        assert_eq!(idle(days).await.ok()["count"], count);
    }
}

#[tokio::test]
async fn a_weak_password_is_named_before_a_wrong_one() {
    let on = ("Accounts_Password_Policy_Enabled", "true");
    let server = Server::setup().setting(on.0, on.1).start().await;
    let cast = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let change = |new: &str| {
        cast.rest.post(
            "users.updateOwnBasicInfo",
            json!({ "data": { "currentPassword": "not mine", "newPassword": new } }),
        )
    };
    let refused = change("2").await.refused(400);
    assert_eq!(refused["errorType"], "error-password-policy-not-met");
    assert_eq!(refused["details"][0]["error"], "error-password-policy-not-met-minLength");
    assert_eq!(change("123Abc@!xyz").await.refused(400)["errorType"], "error-invalid-password");
}

#[tokio::test]
async fn an_owner_who_is_switched_off_is_one_still_when_he_comes_back() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("kept", &[&cast.member]).await;
    let off =
        |sure: bool| json!({ "userId": cast.owner.id, "activeStatus": false, "confirmRelinquish": sure });
    let refused = cast.administrator.rest.post("users.setActiveStatus", off(false)).await.refused(400);
    assert_eq!(refused["errorType"], "user-last-owner");
    let _ = cast.administrator.rest.post("users.setActiveStatus", off(true)).await.ok();
    let roles = cast.member.rest.get("groups.roles", &[("roomId", &room)]).await.ok();
    let owners: Vec<&Value> =
        roles["roles"].as_array().expect("a list").iter().map(|r| &r["u"]["_id"]).collect();
    assert!(owners.contains(&&json!(cast.owner.id)) && owners.contains(&&json!(cast.member.id)), "{roles}");
}

#[tokio::test]
async fn newcomers_enter_a_private_group_that_is_a_default_room() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.administrator.group("everybody", &[]).await;
    let default = |room: &str| json!({ "rid": room, "default": true });
    let _ = cast.administrator.rest.post("rooms.saveRoomSettings", default(&room)).await.ok();
    let direct = cast.administrator.direct(&cast.member).await;
    let _ = cast.administrator.rest.post("rooms.saveRoomSettings", default(&direct)).await.refused(400);
    let wanted = json!({ "username": "newt", "name": "Newt", "email": "newt@parlor.example", "password": "a long password" });
    let _ = cast.administrator.rest.post("users.create", wanted).await.ok();
    let newcomer = Person::sign_in(&server, "newt", "a long password").await;
    let found = newcomer.rest.get("subscriptions.getOne", &[("roomId", &room)]).await.ok();
    assert_eq!(found["subscription"]["rid"], room);
}

#[tokio::test]
async fn people_are_completed_without_oneself_and_presence_tells_what_changed_since() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let outside = json!({ "permissions": [{ "_id": "view-outside-room", "roles": ["admin"] }] });
    let _ = cast.administrator.rest.post("permissions.update", outside).await.ok();
    let _ = cast.owner.group("two", &[&cast.member]).await;
    let known = cast.owner.rest.get("users.autocomplete", &[("selector", r#"{"term":"me"}"#)]).await.ok();
    assert_eq!(known["items"][0]["_id"], cast.member.id);
    let own = format!(r#"{{"term":"{}"}}"#, cast.owner.username);
    let none = cast.owner.rest.get("users.autocomplete", &[("selector", &own)]).await.ok();
    assert_eq!(none["items"], json!([]));
    let off = r#"{"conditions":{"$and":[{"active":false}]}}"#;
    let none = cast.administrator.rest.get("users.autocomplete", &[("selector", off)]).await.ok();
    assert_eq!(none["items"], json!([]));

    let soon = "2100-01-01T00:00:00.000Z";
    let news = cast.member.rest.get("users.presence", &[("from", soon)]).await.ok();
    assert_eq!((&news["full"], &news["users"]), (&json!(false), &json!([])));
    // What was before the server began nobody remembers, so everybody is told.
    let early = (jiff::Timestamp::now() - jiff::SignedDuration::from_secs(300)).to_string();
    let all = cast.member.rest.get("users.presence", &[("from", &early)]).await.ok();
    assert_eq!(all["full"], true);
    let all = cast.member.rest.get("users.presence", &[]).await.ok();
    assert!(all["users"].as_array().is_some_and(|all| all.iter().any(|u| u["_id"] == "rocket.cat")));
    let own = cast.member.rest.get("users.info", &[("userId", &cast.member.id)]).await.ok();
    assert_eq!(own["user"]["services"]["resume"]["loginTokens"], json!([]));
    let other = cast.administrator.rest.get("users.info", &[("userId", &cast.member.id)]).await.ok();
    assert_eq!(other["user"]["services"], json!(null));
}

#[tokio::test]
async fn a_device_that_only_speaks_over_its_socket_is_in_use() {
    let mut server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let device = Person::sign_in(&server, "member", &cast.member.password).await;
    let mut socket = device.socket(&server).await;
    socket.barrier().await;
    assert!(server.stop().await.success());
    server.restart().await;
    let devices = cast.member.rest.get("sessions/list", &[]).await.ok();
    let since_login = |device: &Value| device["lastActivityAt"].as_str() > device["loginAt"].as_str();
    let used: Vec<bool> = devices["sessions"].as_array().expect("devices").iter().map(since_login).collect();
    assert_eq!(used.iter().filter(|used| **used).count(), 1, "{devices}");
}
