//! Everybody whom a ticket may concern.

use parlor_testkit::{HostApp, HostPerson, Rest, Server, wait};
use serde_json::{Value, json};

/// Who there is. The ticket `T-1` was opened by alice, assigned to bob, concerns vendor v-9 and was verified by olga.
pub struct World {
    pub server: Server,
    pub app: Rest,
    pub admin: HostPerson,
    pub alice: HostPerson,
    pub bob: HostPerson,
    pub vera: HostPerson,
    pub other_vendor: HostPerson,
    pub olga: HostPerson,
    pub other_ops: HostPerson,
    pub ada: HostPerson,
    pub outsider: HostPerson,
}

impl World {
    pub async fn assemble() -> Self {
        Self::on(HostApp::setup().start().await).await
    }

    pub async fn on(server: Server) -> Self {
        let app = HostApp::rest(&server);
        let person = async |id: &str, role: &str| HostApp::person(&server, id, &[role]).await;
        let vendor = async |id: &str, vendor: &str| {
            let made = person(id, "VENDOR").await;
            app.put(&format!("/api/users/{id}"), json!({"vendor_id": vendor})).await.expect(200);
            made
        };
        let world = Self {
            admin: person("u-admin", "ADMIN").await,
            alice: person("u-alice", "USER").await,
            bob: person("u-bob", "USER").await,
            vera: vendor("u-vera", "v-9").await,
            other_vendor: vendor("u-victor", "v-8").await,
            olga: person("u-olga", "OPS").await,
            other_ops: person("u-oleg", "OPS").await,
            ada: person("u-ada", "ACCOUNTS").await,
            outsider: person("u-outsider", "USER").await,
            app,
            server,
        };
        world.app.put("/api/tickets/T-1", facts()).await.expect(201);
        world
    }

    /// Sends to `T-1`.
    pub async fn say(&self, who: &HostPerson, text: &str) -> Value {
        who.rest.post("/api/tickets/T-1/chat", json!({"message": text})).await.expect(201)["message"].clone()
    }

    /// Who is a member of T-1's room, by Rocket.Chat's list.
    pub async fn members(&self) -> Vec<String> {
        let ticket = self.app.get("/api/tickets/T-1", &[]).await.expect(200);
        let room = text(&ticket["ticket"]["room_id"]);
        let list = self.admin.rest.get("/api/v1/groups.members", &[("roomId", &room)]).await.expect(200);
        let mut ids: Vec<String> =
            list["members"].as_array().unwrap().iter().map(|m| text(&m["_id"])).collect();
        ids.sort();
        ids
    }
}

/// The facts of `T-1`.
pub fn facts() -> Value {
    json!({
        "title": "GRN 4711 short delivery", "created_by": "u-alice", "assignees": ["u-bob"], "vendor_id": "v-9",
        "verified_by": ["u-olga"], "category": "PAYMENT", "status": "OPEN",
    })
}

/// A text in an answer.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Waits until the list of members is this one.
pub async fn members_become(world: &World, expected: &[&str]) {
    wait::until("the members follow", || async { (world.members().await == expected).then_some(()) }).await;
}
