//! The client's side of the wire, as little of it as will do: an upgrade, masked frames out, bare frames in.

/// The path of the DDP socket.
const PATH: &str = "/websocket";

/// The request that opens a socket. Each has an address of its own, as behind a proxy: the server's share of
/// connections for one address is not what is measured.
pub fn upgrade(address: u32) -> Vec<u8> {
    let [_, a, b, c] = address.to_be_bytes();
    format!(
        "GET {PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         X-Forwarded-For: 10.{a}.{b}.{c}\r\n\r\n"
    )
    .into_bytes()
}

/// Adds a text frame. Its mask is zero, which is a mask like any other and spares the client the work.
pub fn text(out: &mut Vec<u8>, payload: &[u8]) {
    const TEXT: u8 = 0x81;
    const MASKED: u8 = 0x80;
    out.push(TEXT);
    match payload.len() {
        short @ ..126 => out.push(MASKED | short as u8),
        long @ ..65_536 => {
            out.push(MASKED | 126);
            out.extend_from_slice(&(long as u16).to_be_bytes());
        }
        longer => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(longer as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// The first frame of `bytes`: its opcode, its payload and its length; none while more bytes are needed.
pub fn frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (header, length) = match second & 0x7f {
        126 => (4, u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    let end = header + usize::try_from(length).ok()?;
    Some((first & 0x0f, bytes.get(header..end)?, end))
}

/// Where the answer to an upgrade ends, if it is a good one.
pub fn upgraded(bytes: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
    if bytes.starts_with(b"HTTP/1.1 101") {
        return Ok(Some(end + 4));
    }
    Err(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

/// The number that is the id of a method's result, and whether it is a success; none for other frames.
pub fn result(payload: &[u8]) -> Option<(u64, bool)> {
    let rest = payload.strip_prefix(br#"{"msg":"result","id":""#)?;
    let end = memchr::memchr(b'"', rest)?;
    let id = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    Some((id, !rest[end..].starts_with(br#"","error""#)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_each_length_is_read_as_it_was_written() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let (payload, mut masked) = (vec![b'x'; length], Vec::new());
            text(&mut masked, &payload);
            // The server's frames have no mask: take it out.
            let header = masked.len() - length - 4;
            let mut bare = masked[..header].to_vec();
            bare[1] &= 0x7f;
            bare.extend_from_slice(&payload);
            assert_eq!(frame(&bare), Some((1, payload.as_slice(), bare.len())));
            assert_eq!(frame(&bare[..bare.len() - 1]), None);
        }
    }

    #[test]
    fn a_result_says_whose_it_is_and_whether_it_was_refused() {
        assert_eq!(result(br#"{"msg":"result","id":"17","result":{}}"#), Some((17, true)));
        assert_eq!(result(br#"{"msg":"result","id":"3","error":{}}"#), Some((3, false)));
        assert_eq!(result(br#"{"msg":"updated","methods":["3"]}"#), None);
    }
}
