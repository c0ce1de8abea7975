//! A store that takes connections and says nothing: a refusal in bounded time, and nobody else waits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parlor_testkit::{Bucket, HostApp, bucket, wait};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::world::{fetch, pair, text, upload};

/// More files than are on their way at once, and more than wait for a place behind them.
const MANY: u64 = 20;

/// S3-64: every upload is refused within the operator's bound, also those that wait for others; messages go on.
#[tokio::test]
async fn s3_64_a_store_that_never_answers_ends_in_a_refusal() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let taking = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((taken, _)) = silent.accept().await {
            held.push(taken);
        }
    });
    let mut setup = HostApp::setup().env("PARLOR_S3_ENDPOINT", &endpoint).env("PARLOR_S3_TIMEOUT", "1");
    for (name, value) in [
        ("PARLOR_S3_BUCKET", bucket::BUCKET),
        ("PARLOR_S3_ACCESS_KEY_ID", bucket::KEY),
        ("PARLOR_S3_SECRET_ACCESS_KEY", bucket::KEY),
    ] {
        setup = setup.env(name, value);
    }
    let server = setup.start().await;
    let (alice, _, room) = pair(&server).await;
    let begun = Instant::now();
    let uploads: Vec<_> = (0..MANY)
        .map(|n| {
            let alice = alice.clone();
            tokio::spawn(async move { upload(&alice, "lost.txt", &text(n, 100)).await })
        })
        .collect();
    let said = json!({"room_id": room, "content": "meanwhile"});
    alice.rest.post("/api/chat/messages", said).await.expect(201);
    for lost in uploads {
        lost.await.expect("it is answered").problem(503, "unavailable");
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20), "a second for a place, a second for the store: {took:?}");
    taking.abort();
}

/// What a file says that gets stuck on its way.
const STUCK: &[u8] = b"this gets stuck";

/// A way to a store. What says [`STUCK`] goes no further; those connections end when the way is cleared.
struct Way {
    address: SocketAddr,
    cleared: watch::Sender<bool>,
    stuck: Arc<AtomicUsize>,
}

impl Way {
    async fn to(store: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (cleared, watched) = watch::channel(false);
        let stuck = Arc::new(AtomicUsize::new(0));
        let counted = stuck.clone();
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(carry(from, store, watched.clone(), counted.clone()));
            }
        });
        Self { address, cleared, stuck }
    }
}

async fn carry(from: TcpStream, to: SocketAddr, mut cleared: watch::Receiver<bool>, stuck: Arc<AtomicUsize>) {
    let Ok(to) = TcpStream::connect(to).await else { return };
    let ((mut asked, mut told), (mut answers, mut asking)) = (from.into_split(), to.into_split());
    let back = tokio::spawn(async move { copy(&mut answers, &mut told).await });
    let mut piece = vec![0; 64 * 1024];
    while let Ok(got @ 1..) = asked.read(&mut piece).await {
        let says = piece[..got].windows(STUCK.len()).any(|part| part == STUCK);
        if says && !*cleared.borrow_and_update() {
            stuck.fetch_add(1, Ordering::SeqCst);
            let _ = cleared.changed().await;
            return back.abort();
        }
        if asking.write_all(&piece[..got]).await.is_err() {
            return;
        }
    }
}

/// S3-64: while some uploads get no answer, others come and go; what was stuck is tried again or refused.
#[tokio::test]
async fn s3_64_uploads_that_get_stuck_hold_no_others_up() {
    let Some(bucket) = Bucket::start().await else { return };
    let [(_, store), ..] = bucket.variables();
    let store = store.trim_start_matches("http://").parse().expect("an address");
    let way = Way::to(store).await;
    let endpoint = format!("http://{}", way.address);
    let server = bucket.used_by(HostApp::setup()).env("PARLOR_S3_ENDPOINT", &endpoint).start().await;
    let (alice, ..) = pair(&server).await;
    let stuck: Vec<_> = (0..3)
        .map(|n| {
            let (alice, bytes) = (alice.clone(), [STUCK, &text(n, 100)].concat());
            tokio::spawn(async move { upload(&alice, "stuck.txt", &bytes).await })
        })
        .collect();
    wait::until("they are stuck", || async {
        (way.stuck.load(Ordering::SeqCst) == stuck.len()).then_some(())
    })
    .await;
    for n in 10..14 {
        let bytes = text(n, 1_000);
        let file = upload(&alice, "quick.txt", &bytes).await.expect(201);
        assert_eq!(fetch(&server.rest(), &file["url"]).await.bytes, bytes);
    }
    assert!(stuck.iter().all(|upload| !upload.is_finished()), "they wait for the store");
    way.cleared.send_replace(true);
    for upload in stuck {
        let told = upload.await.expect("it is answered");
        assert!(matches!(told.status, 201 | 503), "{} {}", told.status, told.text());
    }
}
