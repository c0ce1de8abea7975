//! ClamAV's daemon, spoken to in its own protocol: a file goes in pieces (`INSTREAM`), a verdict comes back.

use std::{path::Path, time::Duration};

use parlor_core::error::{Refusal, Result};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for a verdict, with a second more for each megabyte.
const VERDICT: Duration = Duration::from_secs(30);
/// Bytes of a piece.
const PIECE: usize = 64 << 10;
/// Longest verdict, in bytes.
const LONGEST: u64 = 4096;

/// What the daemon at this address (`host:port`, `tcp://host:port`, `/path`, `unix:/path`) finds in a file.
pub(crate) async fn scan(file: &Path, scanner: &str) -> Result<Option<String>> {
    let size = tokio::fs::metadata(file).await.map_err(|error| away(&error))?.len();
    let time = VERDICT + Duration::from_secs(size >> 20);
    match tokio::time::timeout(time, ask(file, scanner)).await {
        Ok(Ok(verdict)) => judge(&verdict),
        Ok(Err(error)) => Err(away(&error)),
        Err(_) => Err(away(&"no verdict in time")),
    }
}

fn away(error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(%error, "the virus scanner can't be used");
    Refusal::Unavailable
}

async fn ask(file: &Path, scanner: &str) -> std::io::Result<String> {
    let file = File::open(file).await?;
    let path = scanner.strip_prefix("unix:").unwrap_or(scanner);
    if path.starts_with('/') {
        let socket = tokio::time::timeout(CONNECT, UnixStream::connect(path)).await??;
        return converse(socket, file).await;
    }
    let address = scanner.strip_prefix("tcp://").unwrap_or(scanner);
    let socket = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await??;
    converse(socket, file).await
}

async fn converse(socket: impl AsyncRead + AsyncWrite, file: File) -> std::io::Result<String> {
    let (reader, mut writer) = tokio::io::split(socket);
    // A daemon that has heard enough says so and closes: its verdict counts more than the broken pipe.
    let sent = send(&mut writer, file).await;
    let mut verdict = Vec::new();
    let read = reader.take(LONGEST).read_to_end(&mut verdict).await;
    if verdict.is_empty() {
        sent?;
        read?;
    }
    Ok(String::from_utf8_lossy(&verdict).trim_end_matches('\0').trim().to_owned())
}

async fn send(writer: &mut (impl AsyncWrite + Unpin), mut file: File) -> std::io::Result<()> {
    writer.write_all(b"zINSTREAM\0").await?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).await?;
        // The length of a piece fits; none is the end.
        writer.write_all(&u32::try_from(read).unwrap_or_default().to_be_bytes()).await?;
        if read == 0 {
            return writer.flush().await;
        }
        writer.write_all(&piece[..read]).await?;
    }
}

/// `stream: OK`, `stream: NAME FOUND`; anything else is no verdict.
fn judge(verdict: &str) -> Result<Option<String>> {
    let told = verdict.strip_prefix("stream: ").unwrap_or(verdict);
    if told == "OK" {
        return Ok(None);
    }
    match told.strip_suffix(" FOUND") {
        Some(name) => Ok(Some(name.chars().filter(|c| !c.is_control()).take(200).collect())),
        None => Err(away(&format!("it says '{told}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_verdict_counts() {
        assert_eq!(judge("stream: OK"), Ok(None));
        assert_eq!(judge("stream: Eicar-Test FOUND"), Ok(Some("Eicar-Test".into())));
        for unclear in
            ["", "stream: ", "INSTREAM size limit exceeded. ERROR", "UNKNOWN COMMAND", "HTTP/1.1 200 OK"]
        {
            assert!(judge(unclear).is_err(), "{unclear}");
        }
    }

    /// It may be busy with something large, or hang: nobody waits for it longer than that.
    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_takes_a_file_and_says_nothing_is_given_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, socket) = (folder.path().join("a.txt"), folder.path().join("clamd.ctl"));
        std::fs::write(&file, "some words").expect("it is written");
        let silent = tokio::net::UnixListener::bind(&socket).expect("a socket");
        let began = tokio::time::Instant::now();
        let held = async {
            let (connection, _) = silent.accept().await.expect("it is asked");
            std::future::pending::<()>().await;
            drop(connection);
        };
        let scanned = scan(&file, socket.to_str().expect("a path"));
        let verdict = tokio::select! {
            verdict = scanned => verdict,
            () = held => unreachable!("it says nothing for ever"),
        };
        assert_eq!(verdict, Err(Refusal::Unavailable));
        assert!((VERDICT..VERDICT + CONNECT).contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}
