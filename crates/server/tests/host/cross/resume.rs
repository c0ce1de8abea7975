//! A cut in the middle of a burst, as Rocket.Chat's clients come back from it: they listen again first, then ask for what
//! they missed since the last message that they have.

use parlor_testkit::Ddp;
use serde_json::{Value, json};

use super::{
    doors::{Door, Hands},
    stage::{Kind, Stage, text},
};

/// Messages of a burst.
const BURST: usize = 60;

async fn listen(stage: &Stage) -> Ddp {
    let mut ddp = Ddp::connect(&stage.server).await;
    ddp.resume(&stage.ben.token).await.expect("let in");
    ddp.stream("room-messages", &stage.room).await.expect("a member listens");
    ddp
}

/// What was said and when, from a message as DDP writes it.
fn noted(message: &Value) -> (i64, String) {
    (message["ts"]["$date"].as_i64().expect("a date"), text(&message["msg"]))
}

/// S0-68, S2-5: nothing is lost and nothing comes twice over DDP, wherever in a burst of all doors the connection is cut.
#[tokio::test]
async fn s0_68_s2_5_a_cut_in_the_middle_of_a_burst_loses_and_doubles_nothing_over_ddp() {
    let stage = Stage::set(Kind::Group).await;
    let mut ann = Hands::of(&stage, &stage.ann).await;
    let mut ddp = listen(&stage).await;
    let writing = tokio::spawn(async move {
        let doors: Vec<Door> = Door::of(Kind::Group, |_| true).collect();
        for n in 0..BURST {
            ann.send(doors[n % doors.len()], &format!("line {n}")).await;
        }
    });
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
    let wanted: Vec<String> = (0..BURST).map(|n| format!("line {n}")).collect();
    assert_eq!(said, wanted);
}
