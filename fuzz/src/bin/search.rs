//! Search queries: any text becomes a bounded query that both engines can read.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    parlor_core::fuzz_search(text);
    parlor_store::fuzz_query(text);
    Corpus::Keep
});
