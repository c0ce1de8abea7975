//! Second factors, counted and honoured by the nodes together.

use parlor_testkit::{Answer, Person, Rest, Server, ddp::digest, server::ADMINISTRATOR};
use serde_json::json;
use totp_rs::Totp;

use crate::{stage::Kind, world::Nodes};

/// An authenticator, and spare codes that are good once.
struct Authenticator {
    totp: Totp,
    spare: Vec<String>,
}

impl Authenticator {
    /// Switches it on at this node.
    async fn enrol(server: &Server, who: &Person) -> Self {
        let mut socket = who.socket(server).await;
        let enable = json!([digest(&who.password), "password", "2fa:enable"]);
        let offered =
            socket.method("callWithTwoFactorRequired", enable).await.expect("the password proves him");
        let totp = Totp::from_url_unchecked(offered["url"].as_str().expect("an address")).expect("a key");
        let code = totp.generate_current().to_string();
        let kept = socket.method("2fa:validateTempToken", json!([code])).await.expect("a good code");
        let codes = kept["codes"].as_array().expect("spare codes").iter();
        let spare = codes.filter_map(|code| code.as_str().map(str::to_owned)).collect();
        Self { totp, spare }
    }

    /// The code of the next half minute, which is good already: that of this one is spent on the enrolment.
    fn next(&self) -> String {
        let now = u64::try_from(parlor_testkit::host_app::now()).expect("after 1970");
        self.totp.generate(now + 30).to_string()
    }
}

async fn sign_in(server: &Server, who: &Person, code: &str) -> Answer {
    let body = json!({"user": who.username, "password": who.password, "code": code});
    server.rest().post("login", body).await
}

async fn name_site(rest: &Rest, code: Option<&str>) -> Answer {
    let rest = match code {
        Some(code) => rest.header("x-2fa-code", code).header("x-2fa-method", "totp"),
        None => rest.clone(),
    };
    rest.post("settings/Site_Name", json!({"value": "Two nodes"})).await
}

/// S1-53, S0-84: a code that was given at one node is spent at the other, a session that gave one at one node need not give
/// another at the other, and wrong ones here and there are counted together, with Redis and without.
#[tokio::test]
async fn s0_84_s1_53_second_factors_are_spent_honoured_and_counted_by_all_nodes_together() {
    let Some(mut nodes) = Nodes::start_with(Kind::Group, |setup| setup.env("TEST_MODE", "false")).await
    else {
        return;
    };
    let (a, b) = (&nodes.a.server, &nodes.b.server);
    let admin = Person::sign_in(a, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let own = Authenticator::enrol(a, &admin).await;

    let code = own.next();
    drop(sign_in(a, &admin, &code).await.ok());
    assert_eq!(
        sign_in(b, &admin, &code).await.refused(401)["error"],
        "totp-invalid",
        "spent on the first node"
    );
    drop(sign_in(b, &admin, &own.spare[0]).await.ok());
    assert_eq!(
        sign_in(a, &admin, &own.spare[0]).await.refused(401)["error"],
        "totp-invalid",
        "spent on the second"
    );

    // Before what changes the server: asked for once, wherever the session goes.
    let there = b.rest().signed_in(&admin.id, admin.rest.token().expect("signed in"));
    assert_eq!(name_site(&there, None).await.refused(400)["errorType"], "totp-required");
    assert_eq!(name_site(&admin.rest, Some(&own.spare[0])).await.refused(400)["errorType"], "totp-invalid");
    drop(name_site(&admin.rest, Some(&own.spare[1])).await.ok());
    drop(name_site(&there, None).await.ok());

    nodes.redis.take_away();
    drop(sign_in(a, &admin, &own.spare[2]).await.ok());
    assert_eq!(
        sign_in(b, &admin, &own.spare[2]).await.refused(401)["error"],
        "totp-invalid",
        "without Redis too"
    );
    // The right one before has taken the wrong ones out: with four more, here and there, no code is good.
    for (n, server) in [a, b, a, b].into_iter().enumerate() {
        drop(sign_in(server, &admin, &format!("00000{n}")).await.refused(401));
    }
    for (server, spare) in [(a, &own.spare[3]), (b, &own.spare[4])] {
        let locked = sign_in(server, &admin, spare).await;
        assert_ne!(locked.status, 200, "{}", locked.text());
        assert!(!locked.text().contains("totp-invalid"), "{}", locked.text());
    }
}
