//! A machine without any network: everything local works, nothing outside is called, and nothing waits for a time-out.

use std::fs;
use std::net::UdpSocket;
use std::process::{Command, Stdio};

use parlor_testkit::{Cast, Server, binary, wait};

/// A public address: in a room without ways out nothing ever gets there.
const OUTSIDE: &str = "1.1.1.1";
/// A network of its own, with nothing but the loopback: as root, and as anybody where that is allowed.
const ROOMS: [&str; 2] = ["-n", "-rn"];

/// How often somebody in this network wanted to go where no way leads, by IPv4 and IPv6, and how often nobody was at
/// a port of this machine (a name server that is not there).
fn calls() -> [u64; 3] {
    let table = fs::read_to_string("/proc/self/net/snmp").expect("the kernel counts");
    let find = |group: &str, name: &str| {
        let mut lines = table.lines().filter_map(|line| line.strip_prefix(group));
        let (names, counts) = (lines.next().expect("names"), lines.next().expect("counts"));
        let mut both = names.split_whitespace().zip(counts.split_whitespace());
        both.find(|(known, _)| *known == name).and_then(|(_, count)| count.parse().ok()).expect("a count")
    };
    let sixth = fs::read_to_string("/proc/self/net/snmp6").unwrap_or_default();
    let sixth = sixth.lines().find_map(|line| line.strip_prefix("Ip6OutNoRoutes"));
    let sixth = sixth.and_then(|count| count.trim().parse().ok()).unwrap_or_default();
    [find("Ip:", "OutNoRoutes"), sixth, find("Udp:", "NoPorts")]
}

#[tokio::test]
#[ignore = "a part of the test below"]
async fn inside() {
    let unheard = calls();
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a port");
    assert!(socket.connect((OUTSIDE, 9)).is_err(), "there is no network here");
    assert_ne!(calls(), unheard, "whoever tries is counted");

    let before = calls();
    let server = Server::setup().setting("API_Embed", "true").start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("plans", &[&cast.member]).await;
    let mut socket = cast.member.socket(&server).await;
    let _ = socket.stream("room-messages", &room).await.expect("it listens");
    let said = cast.owner.say(&room, "@member the herring came at dawn").await;
    assert_eq!(socket.event("room-messages", &room).await[0]["_id"], said["_id"]);
    let file = ("tide.txt", "text/plain", &b"high at noon"[..]);
    let sent = cast.owner.rest.upload(&format!("rooms.upload/{room}"), "file", file, &[]).await.ok();
    let id = sent["message"]["file"]["_id"].as_str().expect("an id");
    assert_eq!(cast.member.rest.get(&format!("/file-upload/{id}/tide.txt"), &[]).await.bytes, file.2);
    let query = [("roomId", room.as_str()), ("searchText", "herring")];
    let found = cast.member.rest.get("chat.search", &query).await.ok();
    assert_eq!(found["messages"][0]["_id"], said["_id"], "{found}");
    for page in ["/", "/avatar/owner", "/api/info", "/health"] {
        assert_eq!(server.rest().get(page, &[]).await.status, 200, "{page}");
    }
    let _ = cast.administrator.rest.get("statistics", &[("refresh", "true")]).await.ok();
    assert_eq!(calls(), before, "nobody asked for anything outside");

    // What people ask for outside fails by itself, and whoever writes on does not wait for it.
    cast.owner.say(&room, &format!("look at http://{OUTSIDE}/")).await;
    cast.owner.say(&room, "and on it goes").await;
    wait::until("the preview was tried", || async { (calls() != before).then_some(()) }).await;
    cast.owner.say(&room, "and on").await;
}

#[tokio::test]
async fn without_any_network_everything_local_works_and_nothing_outside_is_called() {
    // Built beforehand, with the network.
    let program = binary::parlor();
    let allowed = |room: &&&str| {
        let mut command = Command::new("unshare");
        command.args([**room, "ip", "link", "set", "lo", "up"]);
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let Some(room) = ROOMS.iter().find(allowed) else {
        eprintln!(
            "skipped: nobody may make a network of its own here (unshare and ip, from util-linux and iproute2)"
        );
        return;
    };
    let test = std::env::current_exe().expect("a running program has a path");
    let mut command = tokio::process::Command::new("unshare");
    command.args([
        room,
        "sh",
        "-c",
        "ip link set lo up && exec \"$0\" --exact --ignored --nocapture alone::inside",
    ]);
    command.arg(test).env("PARLOR_BIN", program).stdin(Stdio::null()).kill_on_drop(true);
    // Its own steps are bounded each.
    let done =
        tokio::time::timeout(4 * wait::PATIENCE, command.output()).await.expect("in time").expect("it runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
