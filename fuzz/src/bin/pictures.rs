//! What pictures tell about their makers: any bytes are cleaned or left, and a clean picture stays as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| parlor_media::fuzz_strip(data));
