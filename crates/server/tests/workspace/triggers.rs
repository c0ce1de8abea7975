//! What else than a message calls other programs.

use serde_json::json;

use crate::{
    integrations::{Stage, text},
    sink::Sink,
};

/// S1-42: every event has its call with who did what where, once; what somebody may not make is refused.
#[tokio::test]
async fn s1_42_rooms_people_and_files_call_out_as_the_integration_says() {
    let stage = Stage::set().await;
    let mut sink = Sink::open().await;
    for (event, channel) in [
        ("roomCreated", ""),
        ("roomJoined", "#alerts"),
        ("roomLeft", "#alerts"),
        ("fileUploaded", "#alerts"),
        ("userCreated", ""),
        ("roomArchived", ""),
    ] {
        let wanted = json!({ "event": event, "channel": channel, "name": event });
        let _ = stage.outgoing(&sink, wanted).await;
    }
    let room = json!({ "roomId": stage.room });
    let mut heard = Vec::new();
    let mut hear = async |sink: &mut Sink| {
        let body = sink.next().await.body;
        assert_eq!(text(&body, "token"), "shared-secret");
        let channel = body["channel_name"].as_str().unwrap_or("-");
        heard.push(format!("{} {} {channel}", text(&body, "event"), text(&body, "user_name")));
        body
    };
    let _ = stage.member.channel("quay", &[]).await;
    hear(&mut sink).await;
    // Every account is told of, however long its way into the store took.
    for number in 0..12 {
        let name = format!("guest{number}");
        let _ = stage.administrator.make(&stage.server, &name, "Gus Guest").await;
        assert_eq!(text(&sink.next().await.body, "user_name"), name);
    }
    let newcomer = stage.administrator.make(&stage.server, "newcomer", "Nora Newcomer").await;
    hear(&mut sink).await;
    newcomer.rest.post("channels.join", room.clone()).await.expect(200);
    hear(&mut sink).await;
    newcomer.rest.post("channels.leave", room.clone()).await.expect(200);
    hear(&mut sink).await;
    let path = format!("rooms.upload/{}", stage.room);
    stage.member.rest.upload(&path, "file", ("a.txt", "text/plain", b"some words"), &[]).await.expect(200);
    let file = hear(&mut sink).await;
    assert_eq!((&file["file"]["name"], &file["file"]["size"]), (&json!("a.txt"), &json!(10)));
    stage.administrator.rest.post("channels.archive", room).await.expect(200);
    hear(&mut sink).await;
    let wanted = [
        "roomCreated member quay",
        "userCreated newcomer -",
        "roomJoined newcomer alerts",
        "roomLeft newcomer alerts",
        "fileUploaded member alerts",
        "roomArchived admin alerts",
    ];
    assert_eq!(
        heard,
        wanted.map(|line| line.replace(" admin ", &format!(" {} ", stage.administrator.username)))
    );
    assert_eq!(sink.unheard(), 0, "each once");
    let unknown = json!({
        "type": "webhook-outgoing", "name": "x", "enabled": true, "username": "member", "urls": [sink.url],
        "channel": "#alerts", "scriptEnabled": false, "event": "moonRisen",
    });
    let _ = stage.administrator.rest.post("integrations.create", unknown).await.refused(400);
}

#[tokio::test]
async fn an_edit_calls_only_where_that_is_wanted() {
    let stage = Stage::set().await;
    let (mut silent, mut keen) = (Sink::open().await, Sink::open().await);
    let _ = stage.outgoing(&silent, json!({ "runOnEdits": false })).await;
    let _ = stage.outgoing(&keen, json!({ "runOnEdits": true })).await;
    let said = stage.member.say(&stage.room, "the first words").await;
    for sink in [&mut silent, &mut keen] {
        assert_eq!(text(&sink.next().await.body, "text"), "the first words");
    }
    let edit = json!({ "roomId": stage.room, "msgId": said["_id"], "text": "better words" });
    stage.member.rest.post("chat.update", edit).await.expect(200);
    let call = keen.next().await.body;
    assert_eq!((text(&call, "text"), &call["isEdited"]), ("better words", &json!(true)));
    stage.member.say(&stage.room, "and on").await;
    assert_eq!(text(&silent.next().await.body, "text"), "and on", "the edit called nobody here");
}
