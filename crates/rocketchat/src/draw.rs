//! Pictures made by code: initials where nobody chose a picture, and the workspace's own mark.

use std::fmt::Write;

/// Backgrounds of initials; white letters are readable on each.
const COLOURS: [u32; 12] = [
    0xB3_3A_3A, 0x9C_4A_1A, 0x7A_5C_00, 0x4F_6B_1F, 0x2E_7D_4F, 0x00_73_73, 0x1F_6A_A5, 0x3B_5B_C0,
    0x5E_4F_B8, 0x83_45_A8, 0xA6_3C_7E, 0x5A_61_6B,
];
/// The mark's colour.
const MARK: u32 = 0x2B_4C_7E;
/// Smallest and largest side of a picture, in pixels.
const SIDES: (u32, u32) = (16, 512);

/// The first letter or digit of a name, in upper case; `?` when there is none.
pub(crate) fn initial(name: &str) -> char {
    let first = name.chars().find(|c| c.is_alphanumeric());
    first.and_then(|c| c.to_uppercase().next()).unwrap_or('?')
}

fn colour(name: &str) -> u32 {
    if !name.chars().any(char::is_alphanumeric) {
        return 0x5A_61_6B;
    }
    let sum = name.bytes().fold(7_u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b)));
    COLOURS[(sum % COLOURS.len() as u32) as usize]
}

/// Initials as SVG.
pub(crate) fn letters_svg(name: &str, side: u32) -> String {
    let side = side.clamp(SIDES.0, SIDES.1);
    let letter = match initial(name) {
        '&' | '<' | '>' | '"' => '?',
        letter => letter,
    };
    let mut svg = String::with_capacity(400);
    // Writing to a string can't fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" width=\"{side}\" height=\"{side}\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#{:06x}\"/>\
         <text x=\"50%\" y=\"50%\" dy=\"0.36em\" text-anchor=\"middle\" pointer-events=\"none\" fill=\"#ffffff\" \
         font-family=\"Helvetica, Arial, sans-serif\" font-size=\"{}\">{letter}</text></svg>",
        colour(name),
        f64::from(side) / 1.6,
    );
    svg
}

/// Stands for a picture that does not exist.
pub(crate) fn unknown() -> String {
    letters_svg("?", 64)
}

/// Initials as PNG, for clients that can't show SVG. Letters outside A to Z and 0 to 9 are left out.
pub(crate) fn letters_png(name: &str, side: u32) -> Vec<u8> {
    let side = side.clamp(SIDES.0, 256);
    let strokes = strokes(initial(name));
    // The letter is six cells high, in the middle of ten.
    let cell = side as f32 / 10.0;
    let ink = |x: f32, y: f32| {
        let (x, y) = (x / cell - 5.0, y / cell - 5.0);
        let nearest = strokes.iter().map(|s| distance(x, y, *s)).fold(f32::MAX, f32::min);
        (0.55 - nearest) * cell
    };
    paint(side, colour(name), ink)
}

/// The mark as SVG.
pub(crate) const MARK_SVG: &str = concat!(
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 100 100\">",
    "<rect width=\"100\" height=\"100\" fill=\"#2b4c7e\"/>",
    "<g stroke=\"#fff\" stroke-linecap=\"round\"><path d=\"M42 47h16\" stroke-width=\"54\"/>",
    "<path d=\"M34 66l-6 14\" stroke-width=\"14\"/></g>",
    "<g fill=\"#2b4c7e\"><circle cx=\"36\" cy=\"47\" r=\"4.5\"/><circle cx=\"50\" cy=\"47\" r=\"4.5\"/>",
    "<circle cx=\"64\" cy=\"47\" r=\"4.5\"/></g></svg>",
);

/// The mark: a speech bubble with three dots.
pub(crate) fn mark(side: u32) -> Vec<u8> {
    let side = side.clamp(SIDES.0, SIDES.1);
    let unit = side as f32 / 100.0;
    let ink = |x: f32, y: f32| {
        let (x, y) = (x / unit, y / unit);
        let body = 27.0 - distance(x, y, (42.0, 47.0, 58.0, 47.0));
        let tail = 7.0 - distance(x, y, (34.0, 66.0, 28.0, 80.0));
        let dots = [36.0, 50.0, 64.0].map(|at| 4.5 - distance(x, y, (at, 47.0, at, 47.0)));
        let hole = dots.into_iter().fold(f32::MIN, f32::max);
        body.max(tail).min(-hole) * unit
    };
    paint(side, MARK, ink)
}

/// White where `ink` is positive, with soft edges; `ink` is the distance to the edge in pixels.
fn paint(side: u32, background: u32, ink: impl Fn(f32, f32) -> f32) -> Vec<u8> {
    let mut pixels = Vec::with_capacity((side * side * 3) as usize);
    for y in 0..side {
        for x in 0..side {
            let white = (ink(x as f32 + 0.5, y as f32 + 0.5) + 0.5).clamp(0.0, 1.0);
            for shift in [16, 8, 0] {
                let under = ((background >> shift) & 0xFF) as f32;
                pixels.push((under + (255.0 - under) * white).round() as u8);
            }
        }
    }
    encode(side, &pixels).unwrap_or_default()
}

fn encode(side: u32, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(bytes)
}

type Stroke = (f32, f32, f32, f32);

/// Distance of a point to a line between two others.
fn distance(x: f32, y: f32, (ax, ay, bx, by): Stroke) -> f32 {
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx * dx + dy * dy;
    let along = if length == 0.0 { 0.0 } else { (((x - ax) * dx + (y - ay) * dy) / length).clamp(0.0, 1.0) };
    (x - ax - along * dx).hypot(y - ay - along * dy)
}

/// A letter as lines between neighbouring dots, around the origin.
fn strokes(letter: char) -> Vec<Stroke> {
    let rows = glyph(letter);
    let on =
        |x: i32, y: i32| (0..5).contains(&x) && (0..7).contains(&y) && rows[y as usize] >> (4 - x) & 1 == 1;
    let place = |x: i32, y: i32| (x as f32 - 2.0, y as f32 - 3.0);
    let mut all = Vec::new();
    for (x, y) in (0..7).flat_map(|y| (0..5).map(move |x| (x, y))).filter(|&(x, y)| on(x, y)) {
        let (ax, ay) = place(x, y);
        all.push((ax, ay, ax, ay));
        for (dx, dy) in [(1, 0), (0, 1), (1, 1), (-1, 1)] {
            // A diagonal only where the letter does not go round the corner.
            let corner = dx != 0 && dy != 0 && (on(x + dx, y) || on(x, y + dy));
            if on(x + dx, y + dy) && !corner {
                let (bx, by) = place(x + dx, y + dy);
                all.push((ax, ay, bx, by));
            }
        }
    }
    all
}

/// Five by seven dots, a row a number.
#[rustfmt::skip]
fn glyph(letter: char) -> [u8; 7] {
    match letter {
        'A' => [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'B' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110],
        'C' => [0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110],
        'D' => [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110],
        'E' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        'F' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000],
        'G' => [0b01110, 0b10001, 0b10000, 0b10111, 0b10001, 0b10001, 0b01110],
        'H' => [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'I' => [0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        'J' => [0b00111, 0b00010, 0b00010, 0b00010, 0b00010, 0b10010, 0b01100],
        'K' => [0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001],
        'L' => [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        'M' => [0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001],
        'N' => [0b10001, 0b11001, 0b10101, 0b10011, 0b10001, 0b10001, 0b10001],
        'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'P' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000],
        'Q' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10101, 0b10010, 0b01101],
        'R' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
        'S' => [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
        'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        'U' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'V' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100],
        'W' => [0b10001, 0b10001, 0b10001, 0b10101, 0b10101, 0b11011, 0b10001],
        'X' => [0b10001, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001, 0b10001],
        'Y' => [0b10001, 0b10001, 0b01010, 0b00100, 0b00100, 0b00100, 0b00100],
        'Z' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b11111],
        '0' => [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        '2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        '3' => [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
        '4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        '6' => [0b01110, 0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
        '8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00001, 0b01110],
        '?' => [0b01110, 0b10001, 0b00001, 0b00110, 0b00100, 0b00000, 0b00100],
        _ => [0; 7],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_one_harmless_letter() {
        for (name, letter) in
            [("ann", 'A'), ("@bob", 'B'), ("<script>", 'S'), ("é", 'É'), ("--", '?'), ("7up", '7')]
        {
            assert_eq!(initial(name), letter, "{name}");
        }
        assert!(!letters_svg("<&\"", 200).contains("&\""));
        assert_eq!(letters_svg("ann", 1_000_000).matches("512").count(), 4);
    }

    #[test]
    fn pictures_are_png_of_the_asked_side() {
        for (png, side) in
            [(letters_png("ann", 48), 48_u32), (mark(512), 512), (letters_png("x", 9_999), 256)]
        {
            assert_eq!(&png[1..4], b"PNG");
            assert_eq!(png[16..20], side.to_be_bytes());
        }
    }
}
