//! What an operator types at the machine, beside a server that runs and without one.

use std::{fs, path::Path, process::Stdio};

use parlor_testkit::{Cast, Person, Server, binary};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::upgrade::unpacked;

/// What a command said, and whether it succeeded.
pub(crate) struct Said {
    good: bool,
    text: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn ok(self, parts: &[&str]) -> String {
        assert!(self.good, "{}", self.text);
        self.tells(parts)
    }

    #[track_caller]
    fn refused(self, parts: &[&str]) -> String {
        assert!(!self.good, "{}", self.text);
        self.tells(parts)
    }

    #[track_caller]
    fn tells(self, parts: &[&str]) -> String {
        for part in parts {
            assert!(self.text.contains(part), "{part} is not in {}", self.text);
        }
        self.text
    }
}

/// Types a command about this data; `given` is what stands on its standard input.
pub(crate) async fn typed(data: &Path, words: &[&str], given: &str) -> Said {
    let mut command = tokio::process::Command::new(binary::parlor());
    command.args(words).arg("--data").arg(data).env("ROOT_URL", "https://chat.example.org");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("it starts");
    let mut input = child.stdin.take().expect("an input");
    // A command that asks for nothing may be gone before this is read.
    let _ = input.write_all(given.as_bytes()).await;
    drop(input);
    let done = parlor_testkit::wait::within("it ends", child.wait_with_output()).await.expect("it runs");
    let text = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Said { good: done.status.success(), text }
}

/// Nothing that only reads needs the server to stop; what changes something is refused in a line and changes nothing.
#[tokio::test]
async fn s1_59_an_operator_looks_at_a_workspace_while_it_is_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::setup().data(folder.path()).start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.channel("news", &[&cast.member]).await;
    let role = json!({ "roomId": room, "userId": cast.member.id });
    cast.owner.rest.post("channels.addModerator", role).await.expect(200);
    let [owner, member] = [&cast.owner, &cast.member].map(|person| person.username.as_str());

    let allowed = ["explain", member, "delete-message", "#news"];
    typed(server.data(), &allowed, "").await.ok(&["delete-message: allowed", "through the role: moderator"]);
    let denied = ["explain", member, "delete-message"];
    typed(server.data(), &denied, "").await.ok(&["delete-message: denied", "none of the roles holds it"]);
    for (words, why) in [
        (["explain", "nobody-here", "delete-message", "news"], "no account is called 'nobody-here'"),
        (["explain", member, "fly", "news"], "no permission is called 'fly'"),
        (["explain", member, "delete-message", "nowhere"], "no room is called 'nowhere'"),
    ] {
        typed(server.data(), &words, "").await.refused(&[why]);
    }
    typed(server.data(), &["user", "list"], "").await.ok(&[owner, member, "admin"]);
    let token = json!({ "tokenName": "scripts", "bypassTwoFactor": false });
    cast.member.rest.post("users.generatePersonalAccessToken", token).await.expect(200);
    typed(server.data(), &["token", "list", member], "").await.ok(&["scripts\t…"]);

    let address = server.address().to_string();
    let doctor = ["doctor", "--listen", address.as_str()];
    let well = format!("ok   a server answers at {address} that it is well");
    let key = "ok   the key opens what is sealed";
    typed(server.data(), &doctor, "").await.ok(&[well.as_str(), "ok   the database can be opened", key]);

    let off = ["user", "deactivate", member];
    typed(server.data(), &off, "").await.refused(&["in use by another Parlor", "stop the server first"]);
    assert_eq!(cast.member.rest.get("me", &[]).await.ok()["active"], true);
}

/// On PostgreSQL several may have the database open, and what a server keeps in memory is not changed behind its back: it
/// would go on letting in whoever was shut out.
#[tokio::test]
async fn nobody_is_shut_out_on_postgres_without_the_server_hearing_of_it() {
    let made = tokio::task::spawn_blocking(|| Some(parlor_testkit::postgres::shared()?.database())).await;
    let Some(url) = made.expect("it is made") else { return };
    let mut server = Server::setup().database(&url).start().await;
    let cast = Cast::assemble(&server).await;
    let member = cast.member.username.as_str();
    let by = |words: &[&'static str]| [words, &["--database", url.as_str()]].concat();
    for words in [["user", "deactivate", "member"], ["user", "reset-totp", "member"]] {
        typed(server.data(), &by(&words), "")
            .await
            .refused(&["in use by another Parlor", "stop the server first"]);
    }
    assert_eq!(cast.member.rest.get("me", &[]).await.ok()["active"], true);
    typed(server.data(), &by(&["user", "list"]), "").await.ok(&[member]);
    typed(server.data(), &by(&["explain", "member", "create-c"]), "").await.ok(&["create-c: allowed"]);
    let doctor = by(&["doctor", "--listen", "127.0.0.1:0"]);
    typed(server.data(), &doctor, "").await.ok(&["ok   the database can be opened"]);
    server.stop().await;
    typed(server.data(), &by(&["user", "deactivate", "member"]), "").await.ok(&["member is deactivated"]);
    server.restart().await;
    let _ = cast.member.rest.get("me", &[]).await.refused(401);
}

/// The key and the files are looked for, and a workspace of an earlier version, or none, is left as it is.
#[tokio::test]
async fn s1_59_the_doctor_finds_what_is_missing_and_changes_nothing() {
    let doctor = ["doctor", "--listen", "127.0.0.1:0"];
    let folder = tempfile::tempdir().expect("a folder");
    typed(folder.path(), &doctor, "").await.ok(&["there is no database yet"]);
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0, "nothing was made");
    typed(folder.path(), &["user", "list"], "").await.refused(&["there is no workspace in"]);
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0, "nothing was made");

    let (earlier, _) = unpacked();
    let path = earlier.path().join("parlor.sqlite");
    let before = fs::read(&path).expect("it is read");
    typed(earlier.path(), &doctor, "")
        .await
        .ok(&["of an earlier version: the next start brings it up to date"]);
    assert!(fs::read(&path).expect("it is read") == before, "not a byte was changed");

    let mut server = Server::setup().data(folder.path()).start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.channel("news", &[]).await;
    let path = format!("rooms.upload/{room}");
    cast.owner.rest.upload(&path, "file", ("a.txt", "text/plain", b"some words"), &[]).await.expect(200);
    server.stop().await;
    typed(folder.path(), &doctor, "").await.ok(&["ok   the files that the database names are there"]);
    let files = folder.path().join("files");
    fs::rename(&files, folder.path().join("elsewhere")).expect("it is moved");
    typed(folder.path(), &doctor, "").await.refused(&["BAD  the files", "1 of 1 are not there"]);
    let key = folder.path().join("secret.key");
    fs::rename(&key, folder.path().join("a.key")).expect("it is moved");
    typed(folder.path(), &doctor, "").await.refused(&["BAD  the key of this workspace is there"]);
    assert!(!key.exists(), "no other key was made");
    fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").expect("it is written");
    typed(folder.path(), &doctor, "").await.refused(&["BAD  the key opens what is sealed in the database"]);
}

/// Accounts and tokens are made and ended without a server; what was changed is so when it starts.
#[tokio::test]
async fn an_operator_makes_and_changes_accounts_before_the_server_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let made = ["user", "create", "tove", "--admin", "--email", "tove@example.org"];
    typed(data, &made, "tove's own secret\n").await.ok(&[" tove"]);
    typed(data, &made, "another secret\n").await.refused(&[]);
    typed(data, &["user", "create", "milo"], "").await.refused(&["give the password on standard input"]);
    typed(data, &["user", "create", "milo"], "milo's own secret\n").await.ok(&[" milo"]);
    typed(data, &["user", "list"], "").await.ok(&["tove\tactive\tuser,admin", "milo\tactive\tuser\n"]);
    typed(data, &["user", "password", "tove"], "a newer secret\n")
        .await
        .ok(&["the password of tove is changed"]);
    typed(data, &["user", "deactivate", "milo"], "").await.ok(&["milo is deactivated"]);
    typed(data, &["user", "deactivate", "nobody-here"], "").await.refused(&["no account is called"]);
    typed(data, &["user", "deactivate", "tove"], "").await.refused(&[]);
    let token = typed(data, &["token", "create", "tove", "scripts"], "").await.ok(&[]);
    let gone = typed(data, &["token", "create", "tove", "old ones"], "").await.ok(&[]);
    typed(data, &["token", "revoke", "tove", "old ones"], "").await.ok(&["is revoked"]);

    let server = Server::setup().data(data).start().await;
    let tove = Person::sign_in(&server, "tove", "a newer secret").await;
    assert_eq!(tove.rest.get("users.list", &[]).await.ok()["success"], true, "an administrator");
    assert_eq!(server.rest().signed_in(&tove.id, token.trim()).get("me", &[]).await.ok()["username"], "tove");
    let _ = server.rest().signed_in(&tove.id, gone.trim()).get("me", &[]).await.refused(401);
    let old = json!({ "user": "tove", "password": "tove's own secret" });
    let _ = server.rest().post("login", old).await.refused(401);
    let milo = json!({ "user": "milo", "password": "milo's own secret" });
    let _ = server.rest().post("login", milo).await.refused(401);
}

/// S1-31: where nobody sits at a terminal, a line of the log is words alone.
#[tokio::test]
async fn s1_31_a_log_that_is_kept_has_no_colours_in_it() {
    let server = Server::start().await;
    let log = server.logs();
    assert!(log.contains("listening") && !log.contains('\u{1b}'), "{log}");
}
