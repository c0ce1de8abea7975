//! What a Rocket.Chat keeps beside accounts, rooms and messages, and what of it is odd: it moves in, or is counted.

use std::{fs, io::Write, path::Path};

use bson::{Bson, DateTime, Document, doc};
use parlor_testkit::{Server, cast::Person};
use serde_json::{Value, json};

use crate::{
    dump::Dump,
    harbour::{PASSWORD, at, hash, workspace},
    run::{Told, import},
};

const LAMP: &str = "lampLampLampLamp1";
const RUNA: &str = "runaRunaRunaRuna7";
const TOVE: &str = "toveToveToveTove1";

fn runa() -> Document {
    doc! {"_id": RUNA, "username": "runa", "name": "Runa", "type": "user", "active": true, "roles": ["user"],
    "createdAt": at(-9), "e2e": {"public_key": "{\"kty\":\"RSA\"}", "private_key": "{\"$binary\":\"sealed\"}"},
    "services": {"password": {"bcrypt": hash()}, "google": {"id": "117", "email": "runa@example.org"}},
    "settings": {"preferences": {"highlights": ["lighthouse"], "desktopNotifications": "mentions"}}}
}

/// A private room with a rule of its own and members of all kinds.
fn lamp(all: &mut Dump) {
    all.put("users", [runa()]);
    all.put(
        "rocketchat_room",
        [doc! {"_id": LAMP, "t": "p", "name": "lamp", "u": {"_id": TOVE}, "ts": at(-9),
        "retention": {"enabled": true, "overrideGlobal": true, "maxAge": 365, "excludePinned": true,
            "filesOnly": false, "ignoreThreads": true}, "sidepanel": {"items": ["channels", "discussions"]}}],
    );
    let member =
        |id: &str, who: &str| doc! {"_id": id, "rid": LAMP, "u": {"_id": who}, "ts": at(-8), "open": true};
    let mut own = member("lamp1", RUNA);
    own.extend(doc! {"desktopNotifications": "mentions", "desktopPrefOrigin": "user",
    "emailNotifications": "nothing", "emailPrefOrigin": "subscription"});
    let mut banned = member("lamp3", "miloMiloMiloMilo2");
    banned.insert("status", "BANNED");
    all.put("rocketchat_subscription", [own, member("lamp2", TOVE), banned]);
}

fn moved(all: &Dump, data: &Path) -> Told {
    let source = tempfile::tempdir().expect("a folder");
    all.folder(source.path(), false);
    let told = import(data, &["rocketchat", source.path().to_str().expect("a path")]);
    assert!(told.good && told.adds_up(), "{}{}", told.out, told.errors);
    told
}

/// Keys, links to who vouches for somebody, keywords, a room's own rules.
#[tokio::test]
async fn what_people_and_rooms_had_aside_moves_in_too() {
    let data = tempfile::tempdir().expect("a folder");
    let mut all = workspace();
    lamp(&mut all);
    let told = moved(&all, data.path());
    assert!(told.out.contains("its user was banned from the room (lamp3)"), "{}", told.out);

    // A large room: only those who are known to look for a word are asked.
    let setup = Server::setup().setting("Notifications_Max_Room_Members", "1");
    let server = setup.data(data.path()).start().await;
    let tove = Person::sign_in(&server, "tove", PASSWORD).await;
    let runa = Person::sign_in(&server, "runa", PASSWORD).await;
    let keys = runa.rest.get("e2e.fetchMyKeys", &[]).await.ok();
    assert_eq!(keys["private_key"], r#"{"$binary":"sealed"}"#, "without it old messages stay closed: {keys}");
    let none = tove.rest.get("e2e.fetchMyKeys", &[]).await.ok();
    assert_eq!(none["private_key"], Value::Null, "who had none has none: {none}");
    let linked = runa.rest.get("users.linkedServices", &[]).await.ok();
    assert_eq!(linked["services"], json!(["google"]));
    let room = tove.rest.get("rooms.info", &[("roomId", LAMP)]).await.ok()["room"].clone();
    let rule = json!({"enabled": true, "overrideGlobal": true, "maxAge": 365, "excludePinned": true,
        "filesOnly": false, "ignoreThreads": true});
    assert_eq!(room["retention"], rule, "else messages would go that were to stay: {room}");
    assert_eq!(room["sidepanel"], json!({"items": ["channels", "discussions"]}));
    assert_eq!(room["usersCount"], 2);
    let own = runa.rest.get("subscriptions.getOne", &[("roomId", LAMP)]).await.ok()["subscription"].clone();
    assert_eq!(
        (&own["emailNotifications"], &own["emailPrefOrigin"]),
        (&json!("nothing"), &json!("subscription")),
        "chosen for this room: {own}"
    );
    assert_eq!(own["desktopPrefOrigin"], "user", "chosen for all rooms: {own}");

    let mut socket = runa.socket(&server).await;
    let key = format!("{RUNA}/notification");
    socket.stream("notify-user", &key).await.expect("one listens to oneself");
    let inbox = format!("{RUNA}/subscriptions-changed");
    socket.stream("notify-user", &inbox).await.expect("as above");
    tove.say(LAMP, "the tide is low").await;
    tove.say(LAMP, "the lighthouse is lit").await;
    let heard = socket.event("notify-user", &key).await;
    assert_eq!(heard[0]["payload"]["message"]["msg"], "the lighthouse is lit", "her own word alone: {heard}");
}

fn message(id: &str, when: Bson, more: Document) -> Document {
    let mut message = doc! {"_id": id, "rid": "quayQuayQuayQuay1", "msg": id, "ts": when,
    "u": {"_id": TOVE, "username": "tove"}};
    message.extend(more);
    message
}

/// The same thing twice, names that differ in case, times that can't be, reactions of people who are gone, collections
/// that nobody reads.
fn odd() -> Dump {
    let mut all = workspace();
    let user = |id: &str, name: &str, mail: &str| {
        doc! {"_id": id, "username": name, "type": "user", "roles": ["user"], "active": true,
        "emails": [{"address": mail, "verified": true}]}
    };
    all.put(
        "users",
        [
            user("berg1", "Bergen", "b@x.example"),
            user("berg2", "bergen", "B@x.example"),
            user("berg1", "Bergen", "b@x.example"),
        ],
    );
    let room =
        |id: &str, name: &str| doc! {"_id": id, "t": "c", "name": name, "u": {"_id": TOVE}, "ts": at(0)};
    let pair =
        |id: &str| doc! {"_id": id, "t": "d", "uids": ["berg1", TOVE], "usernames": ["Bergen", "tove"]};
    all.put("rocketchat_room", [room("pier1", "Pier"), room("pier2", "pier"), pair("pair1"), pair("pair2")]);
    let member = |id: &str, room: &str| doc! {"_id": id, "rid": room, "u": {"_id": "berg1"}, "ts": at(0)};
    all.put(
        "rocketchat_subscription",
        [member("b1", "pier1"), member("b2", "pier1"), member("b3", "pair1"), member("b4", "pair2")],
    );
    let far = |millis: i64| Bson::DateTime(DateTime::from_millis(millis));
    all.put(
        "rocketchat_message",
        [
            message("mBeforeAll", far(i64::MIN), doc! {}),
            message("mAfterAll", far(i64::MAX), doc! {}),
            message("mNever", Bson::String("soon".into()), doc! {}),
            message("mWhere", at(20), doc! {"location": {"type": "Point", "coordinates": [5.3, 60.4]}}),
            message(
                "mLiked",
                at(21),
                doc! {"reactions": {":fish:": {"usernames": ["Bergen", "someone", "noone"]}}},
            ),
        ],
    );
    all.put("rocketchat_livechat_visitors", [doc! {"_id": "v"}]);
    all.put("rocketchat_nothing", []);
    all
}

#[tokio::test]
async fn what_is_odd_is_taken_or_counted_and_the_rest_moves_in() {
    let (data, source) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    odd().folder(source.path(), false);
    // A document whose inner length lies, in each of the great collections.
    for name in [
        "users",
        "rocketchat_room",
        "rocketchat_message",
        "rocketchat_subscription",
        "rocketchat_uploads.files",
    ] {
        let broken = doc! {"_id": "broken", "inner": {"a": 1}}.to_vec().expect("written");
        let place = broken.windows(6).position(|part| part == b"inner\0").expect("a name") + 6;
        let mut bytes = broken;
        bytes[place] = 200;
        let path = source.path().join(format!("chatdb/{name}.bson"));
        let mut file = fs::OpenOptions::new().append(true).open(path).expect("a file");
        file.write_all(&bytes).expect("written");
    }
    let path = source.path().to_str().expect("a path");
    let dry = import(data.path(), &["rocketchat", path, "--dry-run"]);
    let told = import(data.path(), &["rocketchat", path]);
    for told in [&dry, &told] {
        assert!(told.good && told.adds_up(), "{}{}", told.out, told.errors);
        assert_eq!(told.counts("users"), [9, 5, 2, 2], "{}", told.out);
        assert_eq!(told.counts("rooms"), [9, 6, 1, 2], "{}", told.out);
        assert_eq!(told.counts("memberships"), [11, 7, 2, 2], "{}", told.out);
        assert_eq!(told.counts("messages"), [19, 15, 0, 4], "{}", told.out);
        for said in [
            "users left out: 1 x a damaged document (broken)",
            "parts left out: 3 x a reaction of somebody whose account is gone (mFirst, mLiked)",
            "not read: rocketchat_livechat_visitors, rocketchat_sessions\n",
            "user bergen is bergen-2 here",
            "room pier is pier-2 here",
        ] {
            assert!(told.out.contains(said), "{said}: {}", told.out);
        }
    }
    let again = import(data.path(), &["rocketchat", path]);
    assert_eq!(again.counts("messages"), [19, 0, 15, 4], "{}", again.out);

    let server = Server::setup().data(data.path()).start().await;
    let tove = Person::sign_in(&server, "tove", PASSWORD).await;
    let query = [("roomId", "quayQuayQuayQuay1"), ("count", "50")];
    let history = tove.rest.get("channels.history", &query).await.ok();
    let all = history["messages"].as_array().expect("messages").clone();
    let one = |id: &str| all.iter().find(|m| m["_id"] == id).unwrap_or_else(|| panic!("no {id} in {all:?}"));
    assert!(one("mBeforeAll")["ts"].is_string() && one("mAfterAll")["ts"].is_string());
    assert_eq!(one("mWhere")["location"]["coordinates"], json!([5.3, 60.4]));
    assert_eq!(one("mLiked")["reactions"], json!({":fish:": {"usernames": ["Bergen"]}}));
}
