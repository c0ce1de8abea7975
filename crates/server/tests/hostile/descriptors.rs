//! More connections than there are file descriptors: the server waits until some are given back, and whoever is in
//! stays in.

use parlor_testkit::{HostApp, wait};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::watch::Watch;

/// Open files that the server may have.
const FILES: u32 = 128;

#[tokio::test]
async fn a_server_without_descriptors_serves_who_is_in_and_recovers() {
    let server = HostApp::setup().open_files(FILES).start().await;
    let watch = Watch::begin(&server).await;
    for times in 1..=3 {
        // Some of them come in, some wait at the door, and some find not even a place there.
        let mut idle: JoinSet<_> = JoinSet::new();
        for _ in 0..2 * FILES {
            let address = server.address();
            idle.spawn(async move {
                let held = TcpStream::connect(address).await;
                std::future::pending::<()>().await;
                drop(held);
            });
        }
        wait::until("the server says that it has no descriptors", || async {
            (server.logs().matches("cannot accept connections").count() >= times).then_some(())
        })
        .await;
        watch.more_rounds().await;
        idle.shutdown().await;
        wait::until("the server accepts again", || async {
            (server.logs().matches("accepting again").count() >= times).then_some(())
        })
        .await;
        assert_eq!(server.rest().get("/health", &[]).await.status, 200);
    }
    watch.end(&server).await;
}
