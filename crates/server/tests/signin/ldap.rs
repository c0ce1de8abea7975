//! Signing in by a directory and following it: against OpenLDAP's slapd, started here.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use parlor_testkit::{Answer, Cast, Server, ddp, needs, wait};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const PEOPLE: &str = "
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: uid=ann,dc=example,dc=org
objectClass: inetOrgPerson
uid: ann
cn: Ann Lee
sn: Lee
mail: ann@example.org
userPassword: ann's secret

dn: uid=bob,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob
cn: Bob Ray
sn: Ray
mail: bob@example.org
userPassword: bob's secret

dn: uid=member,dc=example,dc=org
objectClass: inetOrgPerson
uid: member
cn: Mina of the directory
sn: Member
mail: mina@example.org
userPassword: mina's secret

dn: cn=staff,dc=example,dc=org
objectClass: posixGroup
cn: staff
gidNumber: 1
memberUid: ann
";

fn program() -> &'static Path {
    Path::new("/usr/sbin/slapd")
}

fn installed() -> bool {
    let found = if program().exists() { Ok(()) } else { Err("slapd is not installed".to_owned()) };
    needs::met("slapd", found)
}

/// A running directory.
struct Slapd {
    port: u16,
    folder: TempDir,
    child: Child,
}

async fn run(command: &mut Command) -> String {
    let done = command.stdin(Stdio::null()).output().await.expect("it runs");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}");
    said
}

impl Slapd {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(folder.path().join("db")).expect("a folder");
        let key = [
            "-subj",
            "/CN=directory",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ];
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            &at("key.pem"),
        ]);
        run(openssl.args(["-out", &at("cert.pem")]).args(key)).await;
        let schemas = ["core", "cosine", "inetorgperson", "nis"];
        let schemas: String =
            schemas.iter().map(|s| format!("include /etc/ldap/schema/{s}.schema\n")).collect();
        let conf = format!(
            "{schemas}modulepath /usr/lib/ldap\nmoduleload back_mdb\nTLSCertificateFile {}\nTLSCertificateKeyFile {}\n\
             database mdb\nsuffix \"dc=example,dc=org\"\nrootdn \"cn=admin,dc=example,dc=org\"\nrootpw readers\n\
             directory {}\nmaxsize 10485760\naccess to attrs=userPassword by anonymous auth by * none\n\
             access to * by dn.exact=\"cn=admin,dc=example,dc=org\" write by * none\n",
            at("cert.pem"),
            at("key.pem"),
            at("db"),
        );
        fs::write(at("slapd.conf"), conf).expect("a file");
        fs::write(at("people.ldif"), PEOPLE.trim_start()).expect("a file");
        run(Command::new("/usr/sbin/slapadd").args(["-f", &at("slapd.conf"), "-l", &at("people.ldif")]))
            .await;
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let child = Command::new(program())
            .args(["-d", "0", "-f", &at("slapd.conf"), "-h", &format!("ldap://127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("slapd starts");
        wait::until("the directory listens", || async { TcpStream::connect(("127.0.0.1", port)).await.ok() })
            .await;
        Self { port, folder, child }
    }

    /// Somebody comes into a group.
    async fn join(&self, group: &str, uid: &str) {
        let change = format!(
            "dn: cn={group},dc=example,dc=org\nchangetype: modify\nadd: memberUid\nmemberUid: {uid}\n"
        );
        let file = self.folder.path().join("change.ldif");
        fs::write(&file, change).expect("a file");
        let mut command = Command::new("/usr/bin/ldapmodify");
        command.args(["-x", "-H", &format!("ldap://127.0.0.1:{}", self.port)]);
        command.args(["-D", "cn=admin,dc=example,dc=org", "-w", "readers", "-f"]);
        run(command.arg(file)).await;
    }

    /// Somebody leaves.
    async fn remove(&self, uid: &str) {
        let mut command = Command::new("/usr/bin/ldapdelete");
        command.args(["-x", "-H", &format!("ldap://127.0.0.1:{}", self.port)]);
        command.args(["-D", "cn=admin,dc=example,dc=org", "-w", "readers"]);
        run(command.arg(format!("uid={uid},dc=example,dc=org"))).await;
    }
}

struct World {
    slapd: Slapd,
    server: Server,
    cast: Cast,
}

impl World {
    async fn start() -> Self {
        let slapd = Slapd::start().await;
        let port = slapd.port.to_string();
        let mut setup = Server::setup();
        for (id, value) in [
            ("LDAP_Enable", "true"),
            ("LDAP_Host", "127.0.0.1"),
            ("LDAP_Port", &port),
            ("LDAP_BaseDN", "dc=example,dc=org"),
            ("LDAP_Authentication", "true"),
            ("LDAP_Authentication_UserDN", "cn=admin,dc=example,dc=org"),
            ("LDAP_Authentication_Password", "readers"),
            ("LDAP_User_Search_Filter", "(objectclass=inetOrgPerson)"),
            ("LDAP_User_Search_Field", "uid,mail"),
            ("LDAP_Username_Field", "uid"),
            // One person a page, so that pages are turned.
            ("LDAP_Search_Page_Size", "1"),
        ] {
            setup = setup.setting(id, value);
        }
        let server = setup.start().await;
        let cast = Cast::assemble(&server).await;
        Self { slapd, server, cast }
    }

    async fn set(&self, id: &str, value: Value) {
        let admin = &self.cast.administrator.rest;
        let _ = admin.post(&format!("settings/{id}"), json!({ "value": value })).await.ok();
    }

    async fn sign_in(&self, name: &str, password: &str) -> Answer {
        let form = json!({ "ldap": true, "username": name, "ldapPass": password, "ldapOptions": {} });
        self.server.rest().post("login", form).await
    }

    async fn sync(&self) -> Value {
        let admin = &self.cast.administrator;
        let _ = admin.rest.post("ldap.syncNow", json!({})).await.refused(400);
        let code = ddp::digest(&admin.password);
        let rest = admin.rest.header("x-2fa-code", &code).header("x-2fa-method", "password");
        rest.post("ldap.syncNow", json!({})).await.ok()
    }
}

#[tokio::test]
async fn people_of_the_directory_sign_in_by_its_password_and_nothing_else() {
    if !installed() {
        return;
    }
    let world = World::start().await;
    let me = world.sign_in("ann", "ann's secret").await.ok()["data"]["me"].take();
    assert_eq!((&me["username"], &me["name"]), (&json!("ann"), &json!("Ann Lee")));
    assert_eq!(me["emails"], json!([{ "address": "ann@example.org", "verified": true }]));
    // By the address, and by the plain form that other clients send, it is the same account.
    let again = world.sign_in("ann@example.org", "ann's secret").await.ok();
    assert_eq!(again["data"]["userId"], me["_id"]);
    let plain = json!({ "user": "ann", "password": "ann's secret" });
    assert_eq!(world.server.rest().post("login", plain).await.ok()["data"]["userId"], me["_id"]);
    for (name, password) in [
        ("ann", "wrong"),
        // Directories say yes to an empty password, and mean nobody.
        ("ann", ""),
        ("", "ann's secret"),
        ("*", "ann's secret"),
        ("ann)(uid=*", "ann's secret"),
        ("nobody", "ann's secret"),
        ("staff", "ann's secret"),
        ("uid=ann,dc=example,dc=org", "ann's secret"),
    ] {
        let _ = world.sign_in(name, password).await.refused(401);
    }
    // A name that has an account with a password here is not the directory's, unless the settings say so.
    let _ = world.sign_in("member", "mina's secret").await.refused(403);
    world.set("LDAP_Merge_Existing_Users", json!(true)).await;
    let mina = world.sign_in("member", "mina's secret").await.ok();
    assert_eq!(mina["data"]["userId"], json!(world.cast.member.id));
    // Local accounts that the directory does not know are asked for only where the settings let them.
    let owner = &world.cast.owner;
    let _ = world.sign_in("owner", &owner.password).await.refused(401);
    world.set("LDAP_Login_Fallback", json!(true)).await;
    let _ = world.sign_in("owner", &owner.password).await.ok();
    world.set("LDAP_Enable", json!(false)).await;
    let _ = world.sign_in("ann", "ann's secret").await.refused(403);
}

#[tokio::test]
async fn guesses_at_one_person_are_counted_together_however_the_name_is_spelled() {
    if !installed() {
        return;
    }
    let world = World::start().await;
    world.set("Block_Multiple_Failed_Logins_Enabled", json!(true)).await;
    world.set("Block_Multiple_Failed_Logins_Attempts_Until_Block_by_User", json!(4)).await;
    // The directory reads all of them as one name.
    for name in ["bob", " BOB  ", "bob@example.org", "BoB@Example.org"] {
        let refused = world.sign_in(name, "guess").await.refused(401);
        assert!(!refused.to_string().contains("blocked"), "{name}: {refused}");
    }
    for name in ["bob", "Bob@Example.org", "BOB"] {
        let refused = world.sign_in(name, "bob's secret").await.refused(401);
        assert_eq!(refused["error"], "error-login-blocked-for-user", "{name}: {refused}");
        assert!(refused["details"]["time"].is_string(), "until when: {refused}");
    }
    // Others come in, and a wrong guess counts once where a password of the workspace's own is tried as well.
    world.set("LDAP_Login_Fallback", json!(true)).await;
    for _ in 0..3 {
        let _ = world.sign_in("ann", "guess").await.refused(401);
    }
    let _ = world.sign_in("ann", "ann's secret").await.ok();
}

impl World {
    /// The user names in a room, as its owner sees them.
    async fn inside(&self, family: &str, room: &str) -> Vec<String> {
        let owner = &self.cast.administrator.rest;
        let all = owner.get(&format!("{family}.members"), &[("roomName", room)]).await.ok();
        let names = all["members"].as_array().expect("a list").iter();
        let mut names: Vec<String> =
            names.map(|one| one["username"].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn groups_of_the_directory_fill_rooms_and_empty_them_where_the_settings_say_so() {
    if !installed() {
        return;
    }
    let world = World::start().await;
    let admin = &world.cast.administrator;
    let helpdesk = admin.channel("helpdesk", &[]).await;
    let (vault, attic) = (admin.group("vault", &[]).await, admin.channel("attic", &[]).await);
    let _ = admin.rest.post("channels.archive", json!({ "roomId": attic })).await.ok();
    let _ = admin.rest.post("teams.create", json!({ "name": "crew", "type": 0 })).await.ok();
    let map =
        r##"{"staff": ["helpdesk", "#vault", "fresh-room", "attic", "crew"], "none": "cellar", "": 7}"##;
    world.set("LDAP_Sync_User_Data_ChannelsMap", json!(map)).await;
    let sign_in = async |uid: &str| {
        let data = world.sign_in(uid, &format!("{uid}'s secret")).await.ok()["data"].take();
        let (id, token) =
            (data["userId"].as_str().expect("an id"), data["authToken"].as_str().expect("a token"));
        (world.server.rest().signed_in(id, token), id.to_owned())
    };
    let (_, ann) = sign_in("ann").await;
    assert_eq!(world.inside("channels", "helpdesk").await, ["administrator"], "it is not switched on");
    world.set("LDAP_Sync_User_Data_Channels", json!(true)).await;
    let (bob, _) = sign_in("bob").await;
    sign_in("ann").await;
    // Rooms that are there, private ones as well, and one that was not; no archived one, and nobody's team.
    assert_eq!(world.inside("channels", "helpdesk").await, ["administrator", "ann"]);
    assert_eq!(world.inside("groups", "vault").await, ["administrator", "ann"]);
    assert_eq!(world.inside("channels", "fresh-room").await, ["ann", "rocket.cat"]);
    assert_eq!(world.inside("channels", "attic").await, ["administrator"]);
    assert_eq!(world.inside("channels", "crew").await, ["administrator"]);
    let _ = admin.rest.get("channels.info", &[("roomName", "cellar")]).await.refused(400);
    // Who came in another way stays, until the groups alone decide; the last owner stays even then.
    let _ = bob.post("channels.join", json!({ "roomId": helpdesk })).await.ok();
    let _ = bob.post("channels.create", json!({ "name": "cellar" })).await.ok();
    sign_in("bob").await;
    assert_eq!(world.inside("channels", "helpdesk").await, ["administrator", "ann", "bob"]);
    world.set("LDAP_Sync_User_Data_Channels_Enforce_AutoChannels", json!(true)).await;
    sign_in("bob").await;
    assert_eq!(world.inside("channels", "helpdesk").await, ["administrator", "ann"]);
    assert_eq!(world.inside("channels", "cellar").await, ["bob"]);
    // A ban outlives the directory; a new member of the group comes in with the next look at it.
    let ban = json!({ "roomId": vault, "userId": ann });
    let _ = admin.rest.post("rooms.banUser", ban).await.ok();
    world.slapd.join("staff", "bob").await;
    let _ = world.sync().await;
    assert_eq!(world.inside("groups", "vault").await, ["administrator", "bob"]);
    assert_eq!(world.inside("channels", "helpdesk").await, ["administrator", "ann", "bob"]);
    world.set("LDAP_Sync_User_Data_ChannelsMap", json!("no JSON")).await;
    let _ = world.sync().await;
    sign_in("ann").await;
    assert_eq!(world.inside("groups", "vault").await, ["administrator", "bob"]);
}

#[tokio::test]
async fn accounts_follow_the_directory_and_end_with_it() {
    if !installed() {
        return;
    }
    let mut world = World::start().await;
    let admin = world.cast.administrator.rest.clone();
    let _ = world.cast.owner.rest.post("ldap.testConnection", json!({})).await.refused(403);
    let _ = admin.post("ldap.testConnection", json!({})).await.ok();
    let _ = admin.post("ldap.testSearch", json!({ "username": "bob" })).await.ok();
    let _ = admin.post("ldap.testSearch", json!({ "username": "b*" })).await.refused(400);
    world.set("LDAP_Sync_User_Data_Roles", json!(true)).await;
    world.set("LDAP_Sync_User_Data_Roles_AutoRemove", json!(true)).await;
    world.set("LDAP_Sync_User_Data_RolesMap", json!(r#"{"staff":"guest","nobodys":"admin"}"#)).await;
    // Three people; one has the name of an account that is not the directory's.
    let done = world.sync().await;
    assert_eq!((&done["found"], &done["made"]), (&json!(3), &json!(2)), "{done}");
    assert_eq!(world.sync().await["made"], 0);
    let ann = world.sign_in("ann", "ann's secret").await.ok()["data"]["me"].take();
    let roles = ann["roles"].as_array().expect("a list");
    assert!(roles.contains(&json!("guest")) && !roles.contains(&json!("admin")), "{roles:?}");
    let bob = world.sign_in("bob", "bob's secret").await.ok()["data"].take();
    let (id, token) = (bob["userId"].as_str().expect("an id"), bob["authToken"].as_str().expect("a token"));
    let bob = world.server.rest().signed_in(id, token);
    world.slapd.remove("bob").await;
    assert_eq!(world.sync().await["deactivated"], 1);
    let _ = bob.get("me", &[]).await.refused(401);
    let _ = world.sign_in("bob", "bob's secret").await.refused(401);
    // On a way that is protected, by the directory's own certificate and by no other.
    world.set("LDAP_Encryption", json!("tls")).await;
    let _ = admin.post("ldap.testConnection", json!({})).await.refused(400);
    let certificate = fs::read_to_string(world.slapd.folder.path().join("cert.pem")).expect("a file");
    world.set("LDAP_CA_Cert", json!(certificate)).await;
    let _ = admin.post("ldap.testConnection", json!({})).await.ok();
    let _ = world.sign_in("ann", "ann's secret").await.ok();
    // A directory that is away says nothing about anybody.
    world.slapd.child.kill().await.expect("it ends");
    let _ = admin.post("ldap.testConnection", json!({})).await.refused(400);
    let away = world.sign_in("ann", "ann's secret").await;
    assert_eq!(away.headers["retry-after"], "1");
    let _ = away.refused(503);
    let _ = world.cast.owner.rest.get("me", &[]).await.ok();
}
