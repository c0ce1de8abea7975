//! Whoever is away is told on the phone.

use parlor_testkit::HostApp;
use serde_json::json;

use crate::sink::Sink;
use crate::world::World;

/// S2-67: what is said in a case is pushed to those who take part in it and are not there, by the phone's token that the
/// host's person left; never to the author, nor to anybody else. Whoever reads along is told at once.
#[tokio::test]
async fn s2_67_who_takes_part_in_a_case_and_is_away_is_told_on_the_phone() {
    let mut gateway = Sink::open().await;
    let url = gateway.url.trim_end_matches("/hear").to_owned();
    let setup = HostApp::setup()
        .setting("SSRF_Allowlist", "127.0.0.1")
        .setting("Push_enable", "true")
        .setting("Push_enable_gateway", "true")
        .setting("Push_gateway", &url)
        .setting("Push_request_content_from_server", "false");
    let world = World::on(setup.start().await).await;
    for (who, phone) in
        [(&world.driver, "driver"), (&world.control, "control"), (&world.regulator, "regulator")]
    {
        let token = json!({"type": "gcm", "value": phone, "appName": "org.example.fleet"});
        who.rest.post("push.token", token).await.expect(200);
    }
    let id = world.case("flat tyre").await;
    world.control.rest.post(&format!("/api/conversations/{id}/claim"), json!({})).await.expect(200);
    let path = format!("/api/conversations/{id}/messages");
    let sent = world.control.rest.post(&path, json!({"content": "Help is on its way."})).await.expect(201);
    let pushed = gateway.next().await.body;
    assert_eq!(
        (&pushed["token"], &pushed["options"]["text"]),
        (&json!("driver"), &json!("Control Person: Help is on its way."))
    );
    let payload = &pushed["options"]["payload"];
    assert_eq!((&payload["rid"], &payload["messageId"]), (&json!(id), &sent["message"]["id"]));
    let back = world.driver.rest.post(&path, json!({"content": "Thank you."})).await.expect(201);
    let pushed = gateway.next().await.body;
    assert_eq!(
        (&pushed["token"], &pushed["options"]["payload"]["messageId"]),
        (&json!("control"), &back["message"]["id"])
    );
    assert_eq!(gateway.unheard(), 0);
}
