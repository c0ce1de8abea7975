//! Video calls by Jitsi, as its server and an administrator see them.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use parlor_testkit::{Cast, Person, Server};
use serde_json::{Value, json};

const SECRET: &str = "what the meeting server knows";

async fn joined(who: &Person, call: &Value) -> String {
    let answer = who.rest.post("video-conference.join", json!({ "callId": call })).await.ok();
    answer["url"].as_str().expect("an address").to_owned()
}

/// S1-22 to S1-24, S1-60: the settings make the address, each comer gets a pass of his own that the meeting server can
/// check, and the secret it is signed with is shown to nobody.
#[tokio::test]
async fn s1_22_a_meeting_is_where_the_settings_say_and_lets_in_whoever_has_a_pass_for_it() {
    let server = Server::setup()
        .setting("Jitsi_Domain", "meet.example.org")
        .setting("Jitsi_SSL", "true")
        .setting("Jitsi_URL_Room_Prefix", "Quay")
        .setting("Jitsi_Enabled_TokenAuth", "true")
        .setting("Jitsi_Application_ID", "parlor")
        .setting("Jitsi_Application_Secret", SECRET)
        .setting("Jitsi_Limit_Token_To_Room", "true")
        .start()
        .await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("standup", &[&cast.member]).await;
    let order = |title: &str| json!({ "command": "jitsi", "roomId": room, "params": title });
    let _ = cast.outsider.rest.post("commands.run", order("Weekly")).await.refused(403);
    cast.owner.rest.post("commands.run", order("Weekly")).await.expect(200);
    let history = cast.member.rest.get("groups.history", &[("roomId", &room)]).await.ok();
    let call = history["messages"][0]["blocks"][0]["callId"].clone();

    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_audience(&["parlor"]);
    rules.set_issuer(&["parlor"]);
    for person in [&cast.owner, &cast.member] {
        let url = joined(person, &call).await;
        let (meeting, rest) = url.split_once("?jwt=").expect("a pass");
        let name = meeting.strip_prefix("https://meet.example.org/").expect("the settings' address");
        assert!(name.starts_with("QuayWeekly"), "{name}");
        let pass = rest.split(['#', '&']).next().unwrap_or_default();
        let key = |secret: &str| DecodingKey::from_secret(secret.as_bytes());
        let claims = jsonwebtoken::decode::<Value>(pass, &key(SECRET), &rules).expect("a good pass").claims;
        assert_eq!((&claims["room"], &claims["context"]["user"]["id"]), (&json!(name), &json!(person.id)));
        assert!(jsonwebtoken::decode::<Value>(pass, &key("another secret"), &rules).is_err());
    }
    let join = json!({ "callId": call });
    let _ = cast.outsider.rest.post("video-conference.join", join).await.refused(400);
    let shown = cast.administrator.rest.get("settings/Jitsi_Application_Secret", &[]).await.ok();
    assert!(!shown.to_string().contains(SECRET), "{shown}");
}
