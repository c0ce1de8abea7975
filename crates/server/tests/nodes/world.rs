//! Two nodes with what they stand on.

use parlor_testkit::{HostApp, faketime, postgres, redis::Redis, server::Setup};

use crate::stage::{Kind, Stage};

/// Two nodes, the same people and one room on both. The second comes to Redis by the way that can be cut.
pub struct Nodes {
    pub redis: Redis,
    pub a: Stage,
    pub b: Stage,
}

/// A node of the two.
fn setup(redis: &str, database: &str) -> Setup {
    HostApp::setup()
        .database(database)
        .env("PARLOR_REDIS_URL", redis)
        .env("PARLOR_NODE_SILENCE", "2")
        .env("PARLOR_NODE_LOOK", "50")
        .env("PARLOR_SECRET_KEY", "one key for both nodes, as long as keys are")
        .setting("SSRF_Allowlist", "127.0.0.1")
}

impl Nodes {
    /// Starts both; `None` where PostgreSQL or Redis is missing.
    pub async fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, |setup| setup).await
    }

    /// As [`Nodes::start`], both set up further.
    pub async fn start_with(kind: Kind, more: impl Fn(Setup) -> Setup) -> Option<Self> {
        Self::start_each(kind, [&more, &more]).await
    }

    /// As [`Nodes::start`], the clock of the second so many seconds away from that of the first; `None` where clocks can't
    /// be moved as well.
    pub async fn start_apart(kind: Kind, seconds: i64) -> Option<Self> {
        if !faketime::there() {
            return None;
        }
        Self::start_each(kind, [&|setup| setup, &|setup| faketime::moved(setup, seconds)]).await
    }

    async fn start_each(kind: Kind, more: [&dyn Fn(Setup) -> Setup; 2]) -> Option<Self> {
        let made = tokio::task::spawn_blocking(|| Some(postgres::shared()?.database()));
        let database = made.await.expect("a database")?;
        let redis = Redis::start().await?;
        // Both at once, on an empty database.
        let (near, far) = (setup(&redis.url(), &database), setup(&redis.other_url(), &database));
        let (near, far) = (more[0](near), more[1](far));
        let (first, second) = tokio::join!(near.start(), far.start());
        let a = Stage::on(first, kind).await;
        let person = async |id: &str, role: &str| HostApp::person(&second, id, &[role]).await;
        let b = Stage {
            app: HostApp::rest(&second),
            kind,
            room: a.room.clone(),
            ann: person("u-ann", "BUS_DRIVER").await,
            ben: person("u-ben", "CONTROL_STAFF").await,
            cy: person("u-cy", "USER").await,
            eve: person("u-eve", "USER").await,
            server: second,
        };
        Some(Self { redis, a, b })
    }
}
