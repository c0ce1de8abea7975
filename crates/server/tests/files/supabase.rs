//! A store as Supabase offers it: below a path of its own, and a session's key in every request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use parlor_testkit::HostApp;

use crate::world::{fetch, pair, send, text, upload};

const KEY: &str = "the key of the project, which proves itself";
/// Where its S3 is.
const BELOW: &str = "/storage/v1/s3/";

/// Objects by their path, and what each request brought.
#[derive(Default)]
struct Project {
    objects: BTreeMap<String, Bytes>,
    asked: Vec<(Method, String, HeaderMap)>,
}

impl Project {
    fn answer(&mut self, method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Response {
        let path = uri.path().to_owned();
        let part = headers.get("range").and_then(|range| {
            let (first, last) = range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
            Some((first.parse().ok()?, last.parse().unwrap_or(usize::MAX)))
        });
        self.asked.push((method.clone(), path.clone(), headers));
        let none = || (StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>").into_response();
        let tagged = |bytes: Bytes| ([("etag", "\"tag\""), ("last-modified", DATE)], bytes).into_response();
        match method {
            Method::PUT => {
                self.objects.insert(path, body);
                tagged(Bytes::new())
            }
            Method::GET if uri.query().is_some_and(|query| query.contains("list-type")) => {
                "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>".into_response()
            }
            Method::GET | Method::HEAD => match (self.objects.get(&path).cloned(), part) {
                (None, _) => none(),
                (Some(bytes), Some((first, last))) => {
                    let last = last.min(bytes.len().saturating_sub(1));
                    let range = format!("bytes {first}-{last}/{}", bytes.len());
                    let mut partial = tagged(bytes.slice(first..=last));
                    *partial.status_mut() = StatusCode::PARTIAL_CONTENT;
                    partial.headers_mut().insert("content-range", range.parse().expect("a value"));
                    partial
                }
                (Some(bytes), None) => tagged(bytes),
            },
            Method::DELETE => {
                self.objects.remove(&path);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => none(),
        }
    }
}

const DATE: &str = "Wed, 01 Jan 2025 00:00:00 GMT";

/// S3-24, S3-49 to S3-51: a server that is told the three names of Supabase keeps media there, in the bucket `chat-media`
/// unless another is named, and shows the project's key with every request.
#[tokio::test]
async fn s3_24_s3_49_to_s3_51_media_goes_where_the_names_of_supabase_say() {
    for bucket in [None, Some("elsewhere")] {
        let project = Arc::new(Mutex::new(Project::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = project.clone();
        let router =
            Router::new().fallback(async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
                shared.lock().expect("nobody panicked").answer(method, &uri, headers, body)
            });
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = format!("http://localhost:{}", address.port());
        let setup = HostApp::setup().env("SUPABASE_URL", &url).env("SUPABASE_KEY", KEY);
        let setup = bucket.into_iter().fold(setup, |setup, name| setup.env("SUPABASE_BUCKET", name));
        let server = setup.start().await;
        let (alice, bob, room) = pair(&server).await;
        let bytes = text(1, 5_000);
        let file = upload(&alice, "note.txt", &bytes).await.expect(201);
        send(&alice, &room, "file", &file).await;
        let page = bob.rest.get(&format!("/api/chat/rooms/{room}/messages"), &[]).await.expect(200);
        assert_eq!(fetch(&server.rest(), &page["messages"][0]["media_url"]).await.bytes, bytes);

        let project = project.lock().expect("nobody panicked");
        let place = format!("{BELOW}{}/", bucket.unwrap_or("chat-media"));
        let kept = project.objects.iter().find(|(_, kept)| kept[..] == bytes);
        assert!(kept.is_some_and(|(path, _)| path.starts_with(&place)), "{:?}", project.objects.keys());
        assert!(!project.asked.is_empty());
        for (method, path, headers) in &project.asked {
            let header =
                |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let named = path.starts_with(place.trim_end_matches('/'));
            let signed = header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=localhost/");
            assert!(named && signed, "{method} {path}: {headers:?}");
            assert_eq!(header("x-amz-security-token"), KEY, "{method} {path}");
        }
    }
}
