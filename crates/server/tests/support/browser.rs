//! A browser's `WebSocket` in Chromium: the example page of this door, as it is.

use parlor_testkit::browser::{self, Pages, TELL};
use parlor_testkit::{HostApp, needs};
use serde_json::json;

/// Types a text into the page's form and sends it.
const ASK: &str = r#"<script>
const begin = setInterval(() => {
  if (!document.getElementById("log").textContent.includes("connected as")) return;
  clearInterval(begin);
  document.getElementById("text").value = "The road is closed";
  document.querySelector("form").requestSubmit();
}, 50);
</script>"#;

/// S2-1, S2-43, S2-48: a driver asks in a browser, is answered, is cut off with the server, and misses nothing.
#[tokio::test]
async fn s2_1_s2_43_s2_48_the_example_page_asks_is_answered_and_survives_a_cut() {
    if !needs::met("chromium", browser::installed()) {
        return;
    }
    let example = include_str!("../../../../examples/support/index.html");
    let pages = Pages::new().await;
    let mut server = HostApp::setup().env("CORS_ORIGINS", &pages.origin).start().await;
    let driver = HostApp::person(&server, "u-driver", &["BUS_DRIVER"]).await;
    let control = HostApp::person(&server, "u-control", &["CONTROL_STAFF"]).await;
    let files = vec![("/", "text/html; charset=utf-8", format!("{example}{TELL}{ASK}"))];
    let path = format!("/?server={}&token={}", server.url(), driver.token);
    let mut page = pages.open(files, &path).await;
    page.shows("Driver Person: The road is closed").await;
    let mine = driver.rest.get("/api/conversations", &[]).await.expect(200);
    let id = mine["conversations"][0]["id"].as_str().expect("a case").to_owned();
    let at = format!("/api/conversations/{id}");
    control.rest.post(&format!("{at}/claim"), json!({})).await.expect(200);
    page.shows("— Control Person took over").await;
    let say = |text: &str| json!({"content": text});
    control.rest.post(&format!("{at}/messages"), say("Which road?")).await.expect(201);
    page.shows("Control Person: Which road?").await;

    server.restart().await;
    let control = HostApp::person(&server, "u-control", &["CONTROL_STAFF"]).await;
    for n in 0..60 {
        control.rest.post(&format!("{at}/messages"), say(&format!("line {n}."))).await.expect(201);
    }
    let shown = page.shows("line 59.").await;
    for n in 0..60 {
        assert_eq!(shown.matches(&format!(": line {n}.")).count(), 1, "line {n}: {shown}");
    }
    page.close().await;
}
