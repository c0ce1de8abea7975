//! Who comes and goes, on the stream.

use serde_json::{Value, json};

use crate::{
    sse::Stream,
    world::{KEY, World, to_team},
};

/// What is told of people, up to this.
async fn until(stream: &mut Stream, username: &str, status: &str) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        let event = stream.named("presence").await;
        assert_eq!(event.id, None, "it is no place to come back to");
        let is_it = event.data["username"] == username && event.data["status"] == status;
        told.push(event.data);
        if is_it {
            return told;
        }
    }
}

fn names<'a>(told: &'a [Value], name: &str) -> Option<&'a Value> {
    told.iter().find(|one| one["username"] == name)
}

/// S0-38, S3-79: whoever is there when a stream begins, comes, changes and goes, if he shares a room; nobody else.
#[tokio::test]
async fn s0_38_s3_79_a_stream_tells_of_those_who_share_a_room_and_of_nobody_else() {
    let world = World::start().await;
    let ben = world.person("ben").await;
    let _eve = world.person("eve").await;
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["ann", "ben"]})).await;
    let _bens = world.stream("ben").await;
    let mut stream = world.stream("ann").await;
    let told = until(&mut stream, "ben", "online").await;
    let wanted = json!({
        "type": "presence", "username": "ben", "user_id": ben.id, "online": true, "status": "online",
    });
    assert_eq!(told.last(), Some(&wanted));

    let _eves = world.stream("eve").await;
    parlor_testkit::wait::until("she is there", || async {
        (world.read("/api/users?q=eve").await["users"][0]["online"] == true).then_some(())
    })
    .await;
    let choose = async |status: &str| {
        let body = json!({"status": status, "message": ""});
        let _ = ben.rest.post("users.setStatus", body).await.ok();
    };
    choose("busy").await;
    let told = until(&mut stream, "ben", "busy").await;
    assert_eq!((names(&told, "eve"), names(&told, "ann")), (None, None), "{told:?}");

    world.post("/api/chat/groups", json!({"name": "Props", "created_by": "ann", "members": ["eve"]})).await;
    until(&mut stream, "eve", "online").await;
    choose("offline").await;
    let told = until(&mut stream, "ben", "offline").await;
    assert_eq!(told.last().map(|gone| &gone["online"]), Some(&json!(false)));
}

/// S0-36, S3-79: others by name, or nobody; what are no names is refused.
#[tokio::test]
async fn s0_36_s3_79_a_stream_tells_of_whom_it_is_asked() {
    let world = World::start().await;
    let (ben, eve) = (world.person("ben").await, world.person("eve").await);
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["ann", "ben"]})).await;
    let key = [("x-app-key", KEY)];
    let open = async |query: &str| {
        let path = format!("/api/chat/stream?user=ann&{query}");
        Stream::open(&world.server, &path, &key).await
    };
    let (mut named, mut silent) = (open("presence=eve,nobody,%20ann").await, open("presence=").await);
    let _eves = world.stream("eve").await;
    let _bens = world.stream("ben").await;
    let body = json!({"status": "away", "message": ""});
    let _ = eve.rest.post("users.setStatus", body).await.ok();
    let told = until(&mut named, "eve", "away").await;
    assert_eq!((names(&told, "ben"), names(&told, "ann")), (None, None), "{told:?}");
    world.send(to_team("ben", "crew", "hello")).await;
    loop {
        let event = silent.event().await;
        assert_ne!(event.name, "presence");
        if event.name == "message" {
            break;
        }
    }
    let many = vec!["x"; 101].join(",");
    for bad in ["a%20b", "ann,%2f", &many] {
        assert_eq!(open(&format!("presence={bad}")).await.status, 400, "{bad}");
    }
    drop(ben);
}
