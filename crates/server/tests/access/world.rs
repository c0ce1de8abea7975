//! What samples are about: rooms, messages and the rest, made anew for each row that changes them.

use std::sync::atomic::{AtomicU32, Ordering};

use parlor_testkit::Person;
use serde_json::{Value, json};

use super::people::People;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Ids of a room and a message that do not exist.
const NONE: [&str; 2] = ["nosuchroomanywhere", "nosuchmessageanywhere"];

/// Placeholders and what they stand for.
pub struct World {
    known: Vec<(&'static str, String)>,
    owner: String,
    member: String,
}

fn fresh(what: &str) -> String {
    format!("{what}{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

async fn room(people: &People, family: &str) -> (String, String) {
    let name = fresh("room");
    let guests = [&people.moderator, &people.member, &people.fellow];
    let id = match family {
        "channels" => people.owner.channel(&name, &guests).await,
        _ => people.owner.group(&name, &guests).await,
    };
    let moderator = json!({ "roomId": id, "userId": people.moderator.id });
    let _ = people.owner.rest.post(&format!("{family}.addModerator"), moderator).await.ok();
    (id, name)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

impl World {
    /// Makes what a sample names.
    pub async fn for_sample(people: &People, sample: &str) -> Self {
        let mut known =
            vec![("$username", people.fellow.username.clone()), ("$user", people.fellow.id.clone())];
        if sample.contains("$public") {
            let (id, name) = room(people, "channels").await;
            known.extend([("$publicName", name), ("$public", id)]);
        }
        if sample.contains("$private") || sample.contains("$message") || sample.contains("$upload") {
            let (id, name) = room(people, "groups").await;
            if sample.contains("$message") {
                known.push(("$message", text(&people.member.say(&id, "hello").await["_id"])));
            }
            known.extend([("$privateName", name), ("$private", id)]);
        }
        if sample.contains("$direct") {
            known.push(("$direct", people.owner.direct(&people.member).await));
        }
        if sample.contains("$team") {
            known.extend(team(people).await);
        }
        if sample.contains("$invite") {
            let (id, _) = room(people, "channels").await;
            let made = people.administrator.rest.post("channels.join", json!({ "roomId": id })).await.ok();
            let room = text(&made["channel"]["_id"]);
            let wanted = json!({ "rid": room, "days": 1, "maxUses": 10 });
            let invite = people.administrator.rest.post("findOrCreateInvite", wanted).await.ok();
            known.push(("$invite", text(&invite["_id"])));
        }
        if sample.contains("$victim") {
            let name = fresh("victim");
            let victim = people.administrator.make(&people.server, &name, "Vic Victim").await;
            known.extend([("$victimName", name), ("$victim", victim.id)]);
        }
        known.extend(administered(&people.administrator, sample).await);
        Self { known, owner: people.owner.id.clone(), member: people.member.id.clone() }
    }

    /// The same with nothing behind it.
    pub fn of_nothing(people: &People) -> Self {
        let known =
            [("$private", NONE[0]), ("$message", NONE[1])].map(|(name, id)| (name, id.to_owned())).into();
        let (owner, member) = (people.owner.id.clone(), people.member.id.clone());
        let mut this = Self { known, owner, member };
        this.known
            .extend([("$username", people.fellow.username.clone()), ("$user", people.fellow.id.clone())]);
        this
    }

    /// An answer without what was asked for in it.
    pub fn without_ids(&self, words: &str) -> String {
        let ids = self.known.iter().map(|(_, id)| id.as_str()).chain(NONE);
        ids.fold(words.to_owned(), |words, id| words.replace(id, "..."))
    }

    /// The sample with its placeholders filled in, for a caller.
    pub fn fill(&self, sample: &str, me: &str) -> String {
        let mut known: Vec<(&str, &str)> =
            self.known.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let name = fresh("name");
        let other = if me == self.owner { &self.member } else { &self.owner };
        known.extend([("$me", me), ("$other", other), ("$name", &name)]);
        // The longest first: `$message` begins like `$me`.
        known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        known.into_iter().fold(sample.to_owned(), |filled, (name, value)| filled.replace(name, value))
    }
}

/// A private team with the usual people in it, a room of the owner's in it, and one that is not in it yet.
async fn team(people: &People) -> Vec<(&'static str, String)> {
    let name = fresh("team");
    let rest = &people.owner.rest;
    let team = rest.post("teams.create", json!({ "name": name, "type": 1 })).await.ok();
    let (id, main) = (text(&team["team"]["_id"]), text(&team["team"]["roomId"]));
    let members = json!([
        { "userId": people.moderator.id, "roles": ["moderator"] }, { "userId": people.member.id, "roles": [] },
        { "userId": people.fellow.id, "roles": [] },
    ]);
    let _ = rest.post("teams.addMembers", json!({ "teamId": id, "members": members })).await.ok();
    let (inside, _) = room(people, "groups").await;
    let _ = rest.post("teams.addRooms", json!({ "teamId": id, "rooms": [inside] })).await.ok();
    vec![("$teamName", name), ("$teamMain", main), ("$teamRoom", inside), ("$team", id)]
}

/// What only an administrator makes.
async fn administered(admin: &Person, sample: &str) -> Vec<(&'static str, String)> {
    let mut known = Vec::new();
    if sample.contains("$sound") {
        let wanted = json!([{ "name": fresh("sound"), "extension": "mp3", "newFile": true }]);
        let made = admin.rest.method("insertOrUpdateSound", wanted).await.expect("an administrator may");
        known.push(("$sound", text(&made)));
    }
    if sample.contains("$status") {
        let made = admin
            .rest
            .post("custom-user-status.create", json!({ "name": fresh("status"), "statusType": "away" }));
        known.push(("$status", text(&made.await.ok()["customUserStatus"]["_id"])));
    }
    if sample.contains("$emoji") {
        let name = fresh("emoji");
        let picture = ("e.png", "image/png", super::PICTURE);
        let _ = admin
            .rest
            .upload("emoji-custom.create", "emoji", picture, &[("name", &name), ("aliases", "")])
            .await
            .ok();
        let all = admin.rest.get("emoji-custom.list", &[]).await.ok();
        let all = all["emojis"]["update"].as_array().expect("a list of emoji").clone();
        let made = all.iter().find(|emoji| emoji["name"] == name.as_str()).expect("it was made");
        known.extend([("$emojiName", name.clone()), ("$emoji", text(&made["_id"]))]);
    }
    known
}
