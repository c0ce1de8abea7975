//! A cut in the middle of a burst, and how clients come back from it while others write on. Rocket.Chat's listen again first,
//! then ask for what they missed since the last message that they have; those of support join behind that message.

use parlor_testkit::Ddp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{
    doors::{Door, Hands},
    stage::{Kind, Stage, text},
    support::Socket,
};

/// Messages of a burst.
const BURST: usize = 60;

async fn listen(stage: &Stage) -> Ddp {
    let mut ddp = Ddp::connect(&stage.server).await;
    ddp.resume(&stage.ben.token).await.expect("let in");
    ddp.stream("room-messages", &stage.room).await.expect("a member listens");
    ddp
}

/// Ann says line after line, by one door after the other, and waits for nobody who listens.
async fn burst(stage: &Stage) -> JoinHandle<()> {
    let mut ann = Hands::of(stage, &stage.ann).await;
    tokio::spawn(async move {
        let doors: Vec<Door> = Door::of(Kind::Group, |_| true).collect();
        for n in 0..BURST {
            ann.send(doors[n % doors.len()], &format!("line {n}")).await;
        }
    })
}

fn lines() -> Vec<String> {
    (0..BURST).map(|n| format!("line {n}")).collect()
}

/// What was said and when, from a message as DDP writes it.
fn noted(message: &Value) -> (i64, String) {
    (message["ts"]["$date"].as_i64().expect("a date"), text(&message["msg"]))
}

/// S0-68, S2-5: nothing is lost and nothing comes twice over DDP, wherever in a burst of all doors the connection is cut.
#[tokio::test]
async fn s0_68_s2_5_a_cut_in_the_middle_of_a_burst_loses_and_doubles_nothing_over_ddp() {
    let stage = Stage::set(Kind::Group).await;
    let mut ddp = listen(&stage).await;
    let writing = burst(&stage).await;
    let mut seen: Vec<(i64, String)> = Vec::new();
    while seen.len() < BURST {
        // Somewhere in the middle of it the line goes dead, with what was under way.
        for _ in 0..(BURST - seen.len()).min(7) {
            let told = ddp.event("room-messages", &stage.room).await;
            let note = noted(&told[0]);
            if !seen.contains(&note) {
                seen.push(note);
            }
        }
        drop(ddp);
        ddp = listen(&stage).await;
        let since = seen.last().map(|(at, _)| *at).expect("something was heard");
        let missed = ddp.method("loadMissedMessages", json!([stage.room, {"$date": since}])).await;
        let mut missed: Vec<(i64, String)> =
            missed.expect("a member may").as_array().expect("a list").iter().map(noted).collect();
        missed.sort();
        let before = missed.len();
        missed.dedup();
        assert_eq!(missed.len(), before, "each once");
        missed.retain(|note| !seen.contains(note));
        seen.extend(missed);
    }
    writing.await.expect("all is said");
    let said: Vec<&str> = seen.iter().map(|(_, said)| said.as_str()).collect();
    assert_eq!(said, lines());
}

/// S2-5, S2-61: the same over the support door: what a join brings and what is heard from then on are all there is, each once
/// and in order.
#[tokio::test]
async fn s2_5_s2_61_a_cut_in_the_middle_of_a_burst_loses_and_doubles_nothing_over_support() {
    let stage = Stage::set(Kind::Group).await;
    let join = async |after: Option<&Value>| {
        let mut socket = Socket::open(&stage.server, &format!("?token={}", stage.ben.token)).await;
        socket.event("connected").await;
        let mut asked = json!({"conversation_id": stage.room});
        if let Some(after) = after {
            asked["after"] = after.clone();
            asked["limit"] = json!(100);
        }
        let mut joined = socket.done("join_conversation", asked).await;
        (socket, joined["messages"].take())
    };
    let (mut socket, _) = join(None).await;
    let writing = burst(&stage).await;
    let mut seen: Vec<Value> = Vec::new();
    while seen.len() < BURST {
        for _ in 0..(BURST - seen.len()).min(7) {
            seen.push(socket.event("new_message").await["message"].take());
        }
        drop(socket);
        let missed;
        (socket, missed) = join(seen.last().map(|last| &last["id"])).await;
        seen.extend(missed.as_array().expect("a list").iter().cloned());
    }
    writing.await.expect("all is said");
    assert_eq!(seen.iter().map(|message| text(&message["content"])).collect::<Vec<_>>(), lines());
    socket.heard_no("new_message").await;
}
