//! What holds for every text.

use parlor_markup::{Block, Document, Inline, Options, channels, links, mentions, parse, plain};
use proptest::prelude::*;

/// Texts of marks, brackets and what usually stands between them.
fn marked_text() -> impl Strategy<Value = String> {
    let parts = [
        "*",
        "**",
        "_",
        "__",
        "~",
        "~~",
        "`",
        "```",
        "\n",
        "\r\n",
        "[",
        "](",
        ")",
        "!",
        "<",
        "|",
        "||",
        ">",
        "> ",
        "- ",
        "* ",
        "1. ",
        "- [x] ",
        "# ",
        "@",
        "#",
        ":",
        ".",
        "/",
        "\\",
        "$",
        "+",
        " ",
        "a",
        "b1",
        "é",
        "日",
        "😀",
        "\u{200d}",
        "x.com",
        "https://",
        "javascript:",
        "data:",
        "mailto:",
        "a@b.de",
        ":a:",
        ":)",
        "<t:1630360800>",
        "||\n",
        "color:#fff",
    ];
    proptest::collection::vec(
        prop_oneof![4 => proptest::sample::select(parts.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,6}"],
        0..40,
    )
    .prop_map(|parts| parts.concat())
}

fn every_option() -> Options {
    Options {
        colors: true,
        katex_dollar: true,
        katex_parenthesis: true,
        custom_domains: vec!["intranet".to_owned()],
        schemes: vec!["tool".to_owned(), "javascript".to_owned()],
        now: Some(1_795_226_400),
        ..Options::default()
    }
}

fn visit(document: &Document, see: &mut impl FnMut(&Inline)) {
    fn walk(items: &[Inline], see: &mut impl FnMut(&Inline)) {
        for item in items {
            see(item);
            match item {
                Inline::Bold(inner)
                | Inline::Italic(inner)
                | Inline::Strike(inner)
                | Inline::Spoiler(inner) => {
                    walk(inner, see);
                }
                Inline::Link { label, .. } => walk(label, see),
                _ => {}
            }
        }
    }
    for block in &document.blocks {
        match block {
            Block::Paragraph(line) => walk(line, see),
            Block::Quote(lines) | Block::UnorderedList(lines) | Block::SpoilerBlock(lines) => {
                lines.iter().for_each(|line| walk(line, see));
            }
            Block::OrderedList(items) => items.iter().for_each(|item| walk(&item.content, see)),
            Block::Tasks(tasks) => tasks.iter().for_each(|task| walk(&task.content, see)),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_and_only_the_empty_one_to_nothing(text in ".{0,200}") {
        let document = parse(&text, &every_option());
        prop_assert_eq!(document.blocks.is_empty(), text.is_empty());
        plain(&document);
    }

    #[test]
    fn the_same_text_is_read_the_same_way(text in marked_text()) {
        prop_assert_eq!(parse(&text, &every_option()), parse(&text, &every_option()));
    }

    #[test]
    fn links_and_images_never_lead_to_code(text in marked_text()) {
        let document = parse(&text, &every_option());
        let mut sources = Vec::new();
        visit(&document, &mut |item| if let Inline::Link { src, .. } | Inline::Image { src, .. } = item {
            sources.push(src.clone());
        });
        for src in sources {
            let bare: String = src.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
            let bare = bare.to_lowercase();
            for scheme in ["javascript:", "data:", "vbscript:", "file:"] {
                prop_assert!(!bare.starts_with(scheme), "{:?} in {:?}", src, text);
            }
        }
    }

    #[test]
    fn plain_pieces_never_stand_side_by_side(text in marked_text()) {
        let document = parse(&text, &every_option());
        let neighbours = |items: &[Inline]| {
            items.windows(2).any(|pair| matches!(pair, [Inline::Plain(_), Inline::Plain(_)]))
        };
        let mut found = document.blocks.iter().any(|block| {
            matches!(block, Block::Paragraph(line) if neighbours(line))
        });
        visit(&document, &mut |item| if let Inline::Bold(inner) | Inline::Link { label: inner, .. } = item {
            found |= neighbours(inner);
        });
        prop_assert!(!found, "{:?}", document);
    }

    #[test]
    fn text_without_marks_stays_as_it_is(text in "[a-z][a-z ,;éя日?]{0,20}(\n{1,2}[a-z][a-z ,;éя日?]{0,20}){0,4}") {
        let document = parse(&text, &Options::default());
        prop_assert_eq!(plain(&document), text.clone());
        for block in &document.blocks {
            let is_text = match block {
                Block::Paragraph(line) => matches!(line.as_slice(), [Inline::Plain(_)]),
                Block::LineBreak => true,
                _ => false,
            };
            prop_assert!(is_text, "{:?} became {:?}", text, block);
        }
    }

    #[test]
    fn names_are_found_wherever_blanks_surround_them(before in "[a-z ]{0,8}", name in "[a-z0-9._-]{0,11}[a-z0-9_-]") {
        prop_assume!(!name.contains("__"));
        let text = format!("{before} @{name} #{name} .");
        let document = parse(&text, &Options::default());
        prop_assert_eq!(mentions(&document), [name.as_str()]);
        prop_assert_eq!(channels(&document), [name.as_str()]);
    }

    #[test]
    fn addresses_are_found_wherever_blanks_surround_them(before in "[a-z ]{0,8}", path in "[a-zA-Z0-9/_-]{0,12}") {
        let address = format!("https://example.com/{path}");
        let text = format!("{before} {address} .");
        let document = parse(&text, &Options::default());
        prop_assert_eq!(links(&document), [address.as_str()]);
    }
}
