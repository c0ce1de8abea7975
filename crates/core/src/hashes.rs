//! Hashes as rows keep them: 64 hexadecimal digits.

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
    fn a_hash_is_read_as_it_was_written_and_nothing_else_is() {
        let hash: [u8; 32] = std::array::from_fn(|index| index as u8 * 7);
        assert_eq!(unhex(&hex::encode(hash)), Some(hash));
        assert_eq!(unhex(&"0a".repeat(32)), Some([10; 32]));
        for bad in ["", "0a", "zz", "ä", &"0g".repeat(32), &"é".repeat(32), &"+f".repeat(32)] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
