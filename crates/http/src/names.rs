//! Names become addresses in the moment of connecting, and only those that may be reached come back: a name that means
//! another address the next time is judged by that one.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use parlor_core::fetch::Unfetched;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::client::Opened;

/// What a look-up gives.
pub(crate) type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
/// How a name is looked up.
pub(crate) type LookUp = Arc<dyn Fn(String) -> Found + Send + Sync>;

/// As the machine does it.
pub(crate) fn of_the_machine() -> LookUp {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Resolves names to what may be connected to, and to nothing else.
pub(crate) struct Guarded {
    pub(crate) opened: Opened,
    pub(crate) look_up: LookUp,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = (self.opened)();
        let found = (self.look_up)(name.as_str().to_owned());
        Box::pin(async move {
            let known = allowed.name(name.as_str());
            let good = found.await?.into_iter().filter(|address| known || allowed.address(*address));
            let good: Vec<SocketAddr> = good.map(|address| SocketAddr::new(address, 0)).collect();
            if good.is_empty() {
                return Err(
                    Box::new(io::Error::new(io::ErrorKind::PermissionDenied, Unfetched::Forbidden)) as _
                );
            }
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::Mutex};

    use parlor_core::fetch::{Fetch, Request};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{Allowed, Client};

    /// Every look-up gives the next of these.
    fn by_turns(answers: &[&[&str]]) -> LookUp {
        let read = |all: &&[&str]| all.iter().map(|one| one.parse().expect("an address")).collect();
        let answers: Mutex<VecDeque<Vec<IpAddr>>> = Mutex::new(answers.iter().map(read).collect());
        Arc::new(move |_| {
            let next = answers.lock().expect("nobody panicked").pop_front().expect("no further look-up");
            Box::pin(async move { Ok(next) })
        })
    }

    /// A client that may call 127.0.0.2 and no other address of this machine.
    fn client(answers: &[&[&str]]) -> Client {
        let opened: Opened = Arc::new(|| Allowed::read(["127.0.0.2"]).expect("an entry"));
        Client::asking(opened, by_turns(answers)).expect("a client")
    }

    /// Two servers on one port: the first answers each call so, at the second nobody may ever call.
    async fn servers(answers: Vec<String>) -> (u16, TcpListener) {
        loop {
            let open = TcpListener::bind("127.0.0.2:0").await.expect("a port");
            let port = open.local_addr().expect("an address").port();
            let Ok(closed) = TcpListener::bind(("127.0.0.1", port)).await else { continue };
            tokio::spawn(async move {
                for answer in answers {
                    let (mut socket, _) = open.accept().await.expect("a caller");
                    let _ = socket.read(&mut [0; 4096]).await.expect("a request");
                    socket.write_all(answer.as_bytes()).await.expect("an answer");
                }
            });
            return (port, closed);
        }
    }

    fn nobody_called(closed: &TcpListener) {
        let mut waiting = std::pin::pin!(closed.accept());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
    }

    #[tokio::test]
    async fn a_name_that_means_another_address_the_next_time_is_judged_by_that_one() {
        let hello = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
        let (port, closed) = servers(vec![hello.to_owned()]).await;
        let client = client(&[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.1", "10.0.0.1", "169.254.169.254"]]);
        let call = || client.fetch(Request::get(format!("http://rebound.example:{port}/")));
        assert_eq!(call().await.expect("it is open").body, b"hello");
        assert_eq!(call().await, Err(Unfetched::Forbidden));
        assert_eq!(call().await, Err(Unfetched::Forbidden));
        nobody_called(&closed);
    }

    #[tokio::test]
    async fn a_redirect_to_the_same_name_is_looked_up_and_judged_anew() {
        let again =
            "HTTP/1.1 302 Found\r\nlocation: /again\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let (port, closed) = servers(vec![again.to_owned()]).await;
        let client = client(&[&["127.0.0.2"], &["127.0.0.1"]]);
        let called = client.fetch(Request::get(format!("http://rebound.example:{port}/"))).await;
        assert_eq!(called, Err(Unfetched::Forbidden));
        nobody_called(&closed);
    }

    #[tokio::test]
    async fn of_several_addresses_only_those_that_are_open_are_called() {
        let hello = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
        let (port, closed) = servers(vec![hello.to_owned()]).await;
        let client = client(&[&["127.0.0.1", "127.0.0.2"]]);
        let called = client.fetch(Request::get(format!("http://mixed.example:{port}/"))).await;
        assert_eq!(called.expect("one of them is open").body, b"hello");
        nobody_called(&closed);
    }
}
