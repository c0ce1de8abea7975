//! Queries and forms of HTTP, as the doors read them.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    parlor_rocketchat::fuzz::query(text);
    let query = parlor_host::call::Query::read(text);
    assert!(query.get("a").is_none_or(|value| !value.is_empty() && value.len() <= 3 * text.len()));
    Corpus::Keep
});
