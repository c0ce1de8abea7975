//! Real Rocket.Chat clients talk to each other through the server.
//!
//! Each client library runs in a program of its own (`tests/clients`), which does what it is told with the library's
//! own calls and tells what the library hands it. The journeys here are the same for all of them; whatever a library
//! can't do, its user does over REST.

mod crowd;
mod driver;
mod journey;

use driver::Kind;
use parlor_testkit::needs;

/// Runs a test only where the clients are installed; where they are required, missing ones fail it.
fn installed() -> bool {
    needs::met("clients", driver::installed())
}

#[tokio::test]
async fn ddp_client_speaks_and_the_async_bot_listens() {
    if installed() {
        journey::walk(Kind::DdpClient, Kind::Async).await;
    }
}

#[tokio::test]
async fn the_async_bot_speaks_and_the_classic_sdk_listens() {
    if installed() {
        journey::walk(Kind::Async, Kind::Classic).await;
    }
}

#[tokio::test]
async fn the_classic_sdk_speaks_and_the_alpha_sdk_listens() {
    if installed() {
        journey::walk(Kind::Classic, Kind::Alpha).await;
    }
}

#[tokio::test]
async fn the_alpha_sdk_speaks_and_ddp_client_listens() {
    if installed() {
        journey::walk(Kind::Alpha, Kind::DdpClient).await;
    }
}

#[tokio::test]
async fn the_rest_library_speaks_and_the_alpha_sdk_listens() {
    if installed() {
        journey::walk(Kind::Api, Kind::Alpha).await;
    }
}

#[tokio::test]
async fn ddp_client_speaks_and_the_rest_library_looks_it_up() {
    if installed() {
        journey::walk(Kind::DdpClient, Kind::Api).await;
    }
}

#[tokio::test]
async fn all_clients_at_once_see_one_order_and_nothing_lost_or_doubled() {
    if installed() {
        crowd::talk().await;
    }
}

#[tokio::test]
async fn ddp_client_does_what_only_it_does() {
    if installed() {
        journey::own(Kind::DdpClient).await;
    }
}

#[tokio::test]
async fn the_alpha_sdk_does_what_only_it_does() {
    if installed() {
        journey::own(Kind::Alpha).await;
    }
}

#[tokio::test]
async fn the_classic_sdk_does_what_only_it_does() {
    if installed() {
        journey::own(Kind::Classic).await;
    }
}

#[tokio::test]
async fn the_async_bot_does_what_only_it_does() {
    if installed() {
        journey::own(Kind::Async).await;
    }
}

#[tokio::test]
async fn the_rest_library_does_what_a_member_does() {
    if installed() {
        journey::own(Kind::Api).await;
    }
}

#[tokio::test]
async fn the_rest_library_does_what_an_administrator_does() {
    if installed() {
        journey::administer().await;
    }
}
