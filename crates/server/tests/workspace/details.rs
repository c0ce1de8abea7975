//! Details that client suites look at.

use parlor_testkit::{Cast, Server};
use serde_json::{Value, json};

#[tokio::test]
async fn calls_of_methods_are_logged_when_that_is_wanted_without_what_lets_anybody_in() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let token = cast.member.rest.token().expect("a session").to_owned();
    let caller = cast.member.rest.header("cookie", &format!("rc_token={token}; rc_uid={}", cast.member.id));
    let log = async || cast.administrator.rest.get("stdout.queue", &[]).await.ok()["queue"].to_string();
    let _ = caller.method("getRoomRoles", json!(["GENERAL"])).await;
    assert!(!log().await.contains("method getRoomRoles"));
    let on = json!({ "value": true });
    let _ = cast.administrator.rest.post("settings/Log_Trace_Methods", on).await.ok();
    let _ = caller.method("getRoomRoles", json!(["GENERAL"])).await;
    let said = log().await;
    assert!(said.contains("method getRoomRoles"), "{said}");
    assert!(said.contains("'x-auth-token': '[redacted]'") && said.contains("rc_token=[redacted]"), "{said}");
    assert!(!said.contains(&token));
}

#[tokio::test]
async fn a_service_that_is_switched_on_without_an_id_is_listed_for_its_keepers_and_has_no_button() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let listed = async || cast.administrator.rest.get("service.configurations", &[]).await.ok();
    assert_eq!(listed().await["configurations"], json!([]));
    let on = json!({ "value": true });
    let _ = cast.administrator.rest.post("settings/Accounts_OAuth_Google", on).await.ok();
    assert_eq!(listed().await["configurations"][0]["service"], "google");
    assert_eq!(server.rest().get("settings.oauth", &[]).await.ok()["services"], json!([]));
}

#[tokio::test]
async fn one_setting_is_read_by_those_who_may_view_settings() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let site = async || cast.administrator.rest.get("settings/Site_Url", &[]).await;
    assert_eq!(site().await.ok()["_id"], "Site_Url");
    let none = json!({ "permissions": [{ "_id": "view-privileged-setting", "roles": [] }] });
    let _ = cast.administrator.rest.post("permissions.update", none).await.ok();
    let _ = site().await.refused(403);
}

/// Rocket.Chat keeps some lists as one text, and its administrators' scripts send it so.
#[tokio::test]
async fn a_list_may_come_as_one_text() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let set = async |value: serde_json::Value| {
        cast.administrator.rest.post("settings/SSRF_Allowlist", json!({ "value": value })).await
    };
    set(json!("127.0.0.1, 10.0.0.0/8\n*.example.org\n")).await.expect(200);
    let found = cast.administrator.rest.get("settings/SSRF_Allowlist", &[]).await.ok();
    assert_eq!(found["value"], json!(["127.0.0.1", "10.0.0.0/8", "*.example.org"]));
    for wrong in [json!(7), json!({ "$ne": 1 }), json!([1])] {
        let _ = set(wrong).await.refused(400);
    }
    let other = json!({ "value": "10.0.0.0/8" });
    let _ = cast.member.rest.post("settings/SSRF_Allowlist", other).await.refused(403);
}

#[tokio::test]
async fn a_pin_is_answered_with_the_notice_that_tells_of_it() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("pins", &[&cast.member]).await;
    let message = cast.owner.say(&room, "remember").await;
    let pin = async || {
        let named = json!({ "messageId": message["_id"] });
        cast.owner.rest.post("chat.pinMessage", named).await.ok()["message"].take()
    };
    let notice = pin().await;
    assert_eq!(
        (&notice["t"], &notice["attachments"][0]["text"]),
        (&json!("message_pinned"), &json!("remember"))
    );
    assert_eq!(pin().await["_id"], message["_id"], "twice is once");
    let refused = json!({ "messageId": message["_id"] });
    let _ = cast.outsider.rest.post("chat.pinMessage", refused).await.refused(400);
}

#[tokio::test]
async fn queries_that_are_objects_and_clouds_that_are_not_there_are_refused_in_the_dialect() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let administrator = &cast.administrator.rest;
    for name in ["_id[$ne]", "clientId[$ne]", "appId[$regex]"] {
        let refused = administrator.get("oauth-apps.get", &[(name, "")]).await.refused(400);
        assert_eq!(
            refused["error"],
            "must be string\n must match exactly one schema in oneOf [invalid-params]"
        );
    }
    for (verb, body, missing) in [
        ("cloud.manualRegister", json!({ "cloudBlob": "x" }), "cloudBlob"),
        ("cloud.createRegistrationIntent", json!({ "email": "a@b.example", "resend": true }), "resend"),
    ] {
        assert_eq!(server.rest().post(verb, body.clone()).await.refused(401)["status"], "error");
        let _ = cast.member.rest.post(verb, body.clone()).await.refused(403);
        let mut less = body.clone();
        less[missing] = Value::Null;
        let refused = administrator.post(verb, less).await.refused(400);
        assert_eq!(refused["error"], format!("must have required property '{missing}' [invalid-params]"));
        assert_eq!(administrator.post(verb, body).await.refused(400)["errorType"], "error-not-allowed");
    }
    let up = async || administrator.get("statistics", &[]).await.ok()["process"]["uptime"].as_f64();
    let before = up().await;
    assert!(before.is_some() && up().await > before, "as exact as clients know it");
}

#[tokio::test]
async fn whoever_is_banned_comes_in_by_no_invite_and_hears_why() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("strict", &[&cast.member]).await;
    let whom = json!({ "roomId": room, "userId": cast.member.id });
    let _ = cast.owner.rest.post("rooms.banUser", whom.clone()).await.ok();
    let invite = json!({ "rid": room, "days": 1, "maxUses": 5 });
    let invite = cast.owner.rest.post("findOrCreateInvite", invite).await.ok()["_id"].take();
    let enter = async || cast.member.rest.post("useInviteToken", json!({ "token": invite })).await;
    assert_eq!(enter().await.refused(400)["errorType"], "error-user-is-banned");
    let _ = cast.owner.rest.post("rooms.unbanUser", whom).await.ok();
    assert_eq!(enter().await.ok()["room"]["rid"], room);
}
