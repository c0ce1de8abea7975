//! Hashes: taken of bytes, and as rows keep them, 64 hexadecimal digits.

use std::io::{ErrorKind, Read, Result};

use sha2::{Digest as _, Sha256};

/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// How many bytes there are to read, and their SHA-256. Only a piece of them is in memory.
///
/// # Errors
/// What reading says.
pub fn sum(mut from: impl Read) -> Result<(u64, [u8; 32])> {
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok((size, hash.finalize().into())),
            Ok(read) => {
                hash.update(&piece[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads one; `None` for anything else.
pub fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_and_summed_however_many_pieces_they_are() {
        let bytes = vec![7; 2 * PIECE + 1];
        let whole: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(sum(&bytes[..]).unwrap(), (bytes.len() as u64, whole));
        assert_eq!(sum(&b""[..]).unwrap(), (0, Sha256::digest(b"").into()));
    }

    #[test]
    fn a_hash_is_read_as_it_was_written_and_nothing_else_is() {
        let hash: [u8; 32] = std::array::from_fn(|index| index as u8 * 7);
        assert_eq!(unhex(&hex::encode(hash)), Some(hash));
        assert_eq!(unhex(&"0a".repeat(32)), Some([10; 32]));
        for bad in ["", "0a", "zz", "ä", &"0g".repeat(32), &"é".repeat(32), &"+f".repeat(32)] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
