//! What a browser gets, from a folder as an operator would give it.

use axum::{
    body::to_bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use parlor_web::{Asked, Web};

struct App {
    web: Web,
    _folder: tempfile::TempDir,
}

fn app() -> App {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    std::fs::create_dir(folder.path().join("web")).expect("a folder");
    write("index.html", "<!doctype html>page");
    write("web/app-1.js", "plain");
    write("web/app-1.js.br", "small");
    write("web/app-1.js.gz", "smaller");
    write(".secret", "key");
    App { web: Web::new(Some(folder.path().to_path_buf())), _folder: folder }
}

impl App {
    async fn get(&self, path: &str, headers: &[(HeaderName, &str)]) -> Option<Response> {
        let headers: HeaderMap =
            headers.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).expect("a value"))).collect();
        self.web.answer(Asked { method: &Method::GET, path, headers: &headers }).await
    }
}

async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn value(response: &Response, name: HeaderName) -> String {
    response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_address_within_the_app_opens_the_page_and_a_missing_file_does_not() {
    let app = app();
    let page = app.get("/channel/general", &[(header::ACCEPT, "text/html,*/*")]).await.expect("the page");
    assert!(value(&page, header::CONTENT_SECURITY_POLICY).contains("script-src 'self'"));
    assert_eq!(value(&page, header::CACHE_CONTROL), "no-cache");
    assert_eq!(text(page).await, "<!doctype html>page");
    assert!(app.get("/web/app-2.js", &[(header::ACCEPT, "*/*")]).await.is_none());
}

#[tokio::test]
async fn addresses_of_the_api_are_never_the_page() {
    let app = app();
    assert!(app.get("/api/v1/nothing", &[(header::ACCEPT, "text/html")]).await.is_none());
    let (method, headers) = (Method::POST, HeaderMap::new());
    assert!(app.web.answer(Asked { method: &method, path: "/", headers: &headers }).await.is_none());
}

#[tokio::test]
async fn hashed_files_come_in_the_best_encoding_and_are_kept() {
    let app = app();
    let best = app.get("/web/app-1.js", &[(header::ACCEPT_ENCODING, "gzip, br")]).await.expect("the file");
    assert_eq!(value(&best, header::CONTENT_ENCODING), "br");
    assert!(value(&best, header::CACHE_CONTROL).contains("immutable"));
    assert_eq!(value(&best, header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    assert_eq!(text(best).await, "small");
    let plain = app.get("/web/app-1.js", &[(header::ACCEPT_ENCODING, "br;q=0")]).await.expect("the file");
    assert_eq!(text(plain).await, "plain");
}

#[tokio::test]
async fn who_has_it_already_is_told_so() {
    let app = app();
    let first = app.get("/", &[]).await.expect("the page");
    let tag = value(&first, header::ETAG);
    let again = app.get("/", &[(header::IF_NONE_MATCH, &tag)]).await.expect("an answer");
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(text(again).await, "");
}

#[tokio::test]
async fn hidden_files_and_ways_out_of_the_folder_are_not_there() {
    let app = app();
    for path in ["/.secret", "/../Cargo.toml", "/web/../.secret", "//etc/passwd"] {
        assert!(app.get(path, &[]).await.is_none(), "{path}");
    }
}
