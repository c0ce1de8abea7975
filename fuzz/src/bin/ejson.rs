//! Values with EJSON in them: a date that is read is the same when it was written.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    parlor_rocketchat::fuzz::ejson(text);
    Corpus::Keep
});
