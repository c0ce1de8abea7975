//! Pages that the operator lists.

use parlor_testkit::{HostApp, rest::answer};
use reqwest::Method;

/// S4-11: pages of `CORS_ORIGINS` read the answers and open sockets, together with those of the other name; no other page does.
#[tokio::test]
async fn s4_11_pages_of_cors_origins_are_let_in() {
    let setup = HostApp::setup()
        .env("CORS_ORIGINS", "https://one.example, https://two.example")
        .env("ALLOWED_ORIGINS", "[\"https://three.example\"]");
    let server = setup.start().await;
    let socket = "/socket.io/?EIO=4&transport=polling";
    for listed in ["https://one.example", "https://two.example", "https://three.example"] {
        let page = server.rest().header("origin", listed);
        for path in ["/api/tickets/T-1/chat", socket] {
            let told = page.get(path, &[]).await;
            assert_eq!(told.headers["access-control-allow-origin"], listed, "{path}");
            assert_eq!(told.headers["access-control-allow-credentials"], "true", "{path}");
        }
        assert_eq!(page.get(socket, &[]).await.status, 200);
        let asked = page.header("access-control-request-method", "POST");
        let asked = answer(asked.request(Method::OPTIONS, "/api/tickets/T-1/chat")).await;
        assert_eq!(asked.status, 204);
        assert_eq!(asked.headers["access-control-allow-origin"], listed);
    }
    for other in ["https://four.example", "https://one.example.evil.example", "http://one.example", "null"] {
        let page = server.rest().header("origin", other);
        let told = page.get("/api/tickets/T-1/chat", &[]).await;
        assert!(told.headers.get("access-control-allow-origin").is_none(), "{other}");
        page.get(socket, &[]).await.problem(403, "origin_not_allowed");
    }
}
