//! Several processes on one database that don't hear of each other.

use parlor_testkit::{postgres, server::Server, wait};

/// Two of them would each believe in what they read before the other changed it.
#[tokio::test]
async fn without_redis_a_second_process_waits_for_the_first_to_end_and_gives_up_when_it_does_not() {
    let made = tokio::task::spawn_blocking(|| Some(postgres::shared()?.database()));
    let Some(database) = made.await.expect("a database") else { return };
    let mut first = Server::setup().database(&database).start().await;
    let (mut hasty, mut joined) = (
        Server::setup().database(&database).begin().await,
        Server::setup().database(&database).env("PARLOR_REDIS_URL", "redis://127.0.0.1:1").begin().await,
    );
    assert!(!hasty.ready().await, "it gives up");
    assert!(hasty.logs().contains("PARLOR_REDIS_URL"), "and says what is missing: {}", hasty.logs());
    assert_eq!(first.rest().get("info", &[]).await.ok()["success"], true, "the first goes on");
    let mut successor = Server::setup().database(&database).begin().await;
    for waits in [&successor, &joined] {
        let said = || async { waits.logs().contains("waiting for another process").then_some(()) };
        wait::until("it says what it waits for", said).await;
    }
    joined.kill9();
    first.stop().await;
    assert!(successor.ready().await, "it follows: {}", successor.logs());
}
