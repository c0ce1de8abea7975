//! DDP frames: any text is read or refused, and what is echoed of it is JSON.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    parlor_rocketchat::fuzz::ddp(text);
    Corpus::Keep
});
