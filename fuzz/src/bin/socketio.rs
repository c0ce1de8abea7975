//! Socket.IO packets and the payloads of long polls: any text is read or refused, and what is read says the same again
//! when it is written.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    parlor_socketio::packet::fuzz(text);
    Corpus::Keep
});
