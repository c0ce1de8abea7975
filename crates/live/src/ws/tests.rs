use super::*;
use crate::close::Close;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A client's frame: first byte as given, masked, shortest length.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        n @ 0..126 => out.push(0x80 | n as u8),
        n @ 126..65536 => {
            out.push(0x80 | 126);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(0x80 | 127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

fn small() -> Decoder {
    Decoder::new(WsLimits { message: 1_000, fragments: 4 })
}

/// Everything that the bytes bring, as text, or the violation.
fn all(decoder: &mut Decoder, mut bytes: Vec<u8>) -> Result<Vec<String>, Violation> {
    let (mut at, mut seen) = (0, Vec::new());
    while let Some((size, incoming)) = decoder.step(&mut bytes[at..])? {
        at += size;
        seen.push(format!("{incoming:?}"));
    }
    assert_eq!(at, bytes.len(), "bytes left over");
    Ok(seen)
}

fn refusal(bytes: Vec<u8>) -> (Violation, u16) {
    let violation = all(&mut small(), bytes).unwrap_err();
    (violation, violation.code())
}

#[test]
fn a_text_frame_is_header_and_payload() {
    assert_eq!(&frame_text(b"Hello")[..], b"\x81\x05Hello");
    assert_eq!(&frame_text(&[b'x'; 126])[..4], b"\x81\x7e\x00\x7e");
    assert_eq!(frame_text(&[b'x'; 65535]).len(), 65535 + 4);
    assert_eq!(&frame_text(&[b'x'; 65536])[..10], b"\x81\x7f\0\0\0\0\0\x01\0\0");
    assert_eq!(&frame_binary(b"")[..], b"\x82\x00");
}

#[test]
fn a_written_frame_is_the_same_as_a_built_one() {
    use std::io::Write;
    for size in [0, 1, 125, 126, 65535, 65536, 100_000] {
        let payload = vec![b'a'; size];
        let mut writer = FrameWriter::text(16);
        writer.write_all(&payload).unwrap();
        assert_eq!(writer.finish(), frame_text(&payload), "{size}");
    }
}

#[test]
fn control_frames_are_short_and_a_reason_is_cut_at_a_character() {
    assert_eq!(&frame_ping(b"hi")[..], b"\x89\x02hi");
    assert_eq!(&frame_pong(&[0; 200])[..2], b"\x8a\x7d");
    assert_eq!(&frame_close(&Close::new(1001, "bye"))[..], b"\x88\x05\x03\xe9bye");
    assert_eq!(&frame_close(&Close::new(0, ""))[..], b"\x88\x00");
    let long = frame_close(&Close::new(4000, "ä".repeat(100)));
    assert_eq!(long.len(), 2 + 2 + 122);
    assert!(std::str::from_utf8(&long[4..]).is_ok());
}

#[test]
fn the_masked_hello_of_the_rfc_is_read() {
    let bytes = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".to_vec();
    assert_eq!(all(&mut small(), bytes).unwrap(), [r#"Text("Hello")"#]);
}

#[test]
fn a_frame_is_read_however_it_is_cut() {
    for size in [0, 1, 7, 8, 9, 125, 126, 900] {
        let bytes = frame(0x81, &vec![b'z'; size]);
        for cut in 0..bytes.len() {
            assert_eq!(small().step(&mut bytes[..cut].to_vec()).unwrap(), None, "{size} cut at {cut}");
        }
        assert_eq!(all(&mut small(), bytes).unwrap().len(), 1);
    }
}

#[test]
fn fragments_are_joined_and_control_frames_may_come_between() {
    let mut bytes = frame(0x01, "Gr\u{fc}".as_bytes());
    bytes.extend(frame(0x89, b"ping"));
    bytes.extend(frame(0x00, b""));
    bytes.extend(frame(0x8a, b""));
    bytes.extend(frame(0x80, b"\xc3\x9fe"));
    bytes.extend(frame(0x81, b"next"));
    let seen = all(&mut small(), bytes).unwrap();
    let ping = format!("{:?}", Incoming::Ping(b"ping"));
    let expected = ["Fragment", &ping, "Fragment", "Pong([])", r#"Text("Grüße")"#, r#"Text("next")"#];
    assert_eq!(seen, expected);
}

#[test]
fn a_character_may_be_cut_by_the_end_of_a_fragment() {
    let mut bytes = frame(0x01, b"\xf0\x9f");
    bytes.extend(frame(0x00, b"\x98"));
    bytes.extend(frame(0x80, b"\x80"));
    assert_eq!(all(&mut small(), bytes).unwrap()[2], r#"Text("😀")"#);
}

#[test]
fn binary_messages_and_closes_are_read() {
    assert_eq!(all(&mut small(), frame(0x82, b"\xff")).unwrap(), ["Binary([255])"]);
    assert_eq!(all(&mut small(), frame(0x88, b"")).unwrap(), ["Close(None)"]);
    assert_eq!(all(&mut small(), frame(0x88, b"\x03\xe8bye")).unwrap(), ["Close(Some(1000))"]);
    assert_eq!(all(&mut small(), frame(0x88, b"\x0f\xa0")).unwrap(), ["Close(Some(4000))"]);
}

#[test]
fn every_broken_frame_is_refused_with_its_code() {
    let long = vec![b'x'; 126];
    let cases: Vec<(&str, Vec<u8>, (Violation, u16))> = vec![
        ("unmasked", b"\x81\x02hi".to_vec(), (Violation::Unmasked, 1002)),
        ("first reserved bit", frame(0xc1, b"x"), (Violation::ReservedBits, 1002)),
        ("second reserved bit", frame(0xa1, b"x"), (Violation::ReservedBits, 1002)),
        ("reserved data opcode", frame(0x83, b"x"), (Violation::Opcode, 1002)),
        ("reserved control opcode", frame(0x8b, b"x"), (Violation::Opcode, 1002)),
        ("long ping", frame(0x89, &long), (Violation::ControlTooLong, 1002)),
        ("long close", frame(0x88, &long), (Violation::ControlTooLong, 1002)),
        ("fragmented ping", frame(0x09, b"x"), (Violation::ControlFragmented, 1002)),
        ("continuation of nothing", frame(0x80, b"x"), (Violation::UnexpectedContinuation, 1002)),
        (
            "message in a message",
            [frame(0x01, b"x"), frame(0x81, b"y")].concat(),
            (Violation::ExpectedContinuation, 1002),
        ),
        ("close of one byte", frame(0x88, b"\x03"), (Violation::CloseFrame, 1002)),
        ("close with 1005", frame(0x88, b"\x03\xed"), (Violation::CloseFrame, 1002)),
        ("close with 999", frame(0x88, b"\x03\xe7"), (Violation::CloseFrame, 1002)),
        ("close with a bad reason", frame(0x88, b"\x03\xe8\xff"), (Violation::Utf8, 1007)),
        ("text that is not UTF-8", frame(0x81, b"\xc3\x28"), (Violation::Utf8, 1007)),
        ("text that ends in a character", frame(0x81, b"\xf0\x9f"), (Violation::Utf8, 1007)),
        ("a surrogate", frame(0x81, b"\xed\xa0\x80"), (Violation::Utf8, 1007)),
        ("a bad fragment, at once", frame(0x01, b"ok\xff"), (Violation::Utf8, 1007)),
        ("length longer than needed", b"\x81\xfe\x00\x05\0\0\0\0hello".to_vec(), (Violation::Length, 1002)),
        ("length of 64 bits", b"\x82\xff\xff\0\0\0\0\0\0\0\0\0\0\0".to_vec(), (Violation::Length, 1002)),
        ("16 MiB promised", b"\x82\xff\0\0\0\0\x01\0\0\0\0\0\0\0".to_vec(), (Violation::TooBig, 1009)),
        ("one byte too many", frame(0x81, &[b'x'; 1_001]), (Violation::TooBig, 1009)),
        (
            "too big in fragments",
            [frame(0x01, &[b'x'; 600]), frame(0x80, &[b'x'; 401])].concat(),
            (Violation::TooBig, 1009),
        ),
        (
            "too many fragments",
            [frame(0x01, b"a"), frame(0, b"b"), frame(0, b"c"), frame(0, b"d"), frame(0, b"e")].concat(),
            (Violation::TooManyFragments, 1009),
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(refusal(bytes), expected, "{name}");
    }
}

#[test]
fn the_biggest_message_is_taken() {
    assert_eq!(all(&mut small(), frame(0x81, &[b'x'; 1_000])).unwrap().len(), 1);
}

#[test]
fn a_length_that_lies_reserves_nothing() {
    let mut decoder = Decoder::new(WsLimits { message: usize::MAX, fragments: 4 });
    let mut bytes = b"\x82\xff\0\x7f\xff\xff\xff\xff\xff\xff\0\0\0\0".to_vec();
    assert_eq!(decoder.step(&mut bytes).unwrap(), None);
}
