//! Message texts: any text is read, to a tree of bounded depth, without links that run code, and without losing letters.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use parlor_markup::{Block, Document, Emoji, Inline, MAX_DEPTH, Options, channels, links, mentions, parse, plain};

/// What a tree holds, added up.
#[derive(Default)]
struct Sum {
    letters: usize,
    deepest: usize,
}

impl Sum {
    fn text(&mut self, text: &str) {
        self.letters += letters(text);
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(line) => self.line(line, 2),
            Block::Quote(lines) | Block::UnorderedList(lines) | Block::SpoilerBlock(lines) => {
                lines.iter().for_each(|line| self.line(line, 3));
            }
            Block::OrderedList(items) => items.iter().for_each(|item| self.line(&item.content, 3)),
            Block::Tasks(tasks) => tasks.iter().for_each(|task| {
                self.letters += usize::from(task.done);
                self.line(&task.content, 3);
            }),
            Block::Heading { text, .. } | Block::Katex(text) => self.text(text),
            Block::Code { language, lines } => {
                language.iter().chain(lines).for_each(|text| self.text(text));
            }
            Block::BigEmoji(emoji) => emoji.iter().for_each(|emoji| self.emoji(emoji)),
            Block::LineBreak => {}
        }
    }

    fn line(&mut self, items: &[Inline], depth: usize) {
        for item in items {
            self.deepest = self.deepest.max(depth);
            match item {
                Inline::Bold(inner) | Inline::Italic(inner) | Inline::Strike(inner) | Inline::Spoiler(inner) => {
                    self.line(inner, depth + 1);
                }
                Inline::Link { src, label } => {
                    self.source(src);
                    self.line(label, depth + 1);
                }
                Inline::Image { src, label } => {
                    self.source(src);
                    self.text(label);
                }
                Inline::Plain(text)
                | Inline::Code(text)
                | Inline::UserMention(text)
                | Inline::ChannelMention(text)
                | Inline::Katex(text) => self.text(text),
                Inline::Emoji(emoji) => self.emoji(emoji),
                Inline::Color { .. } => self.letters += "color".len() + 8,
                Inline::Timestamp { .. } => self.letters += "tTf".len(),
            }
        }
    }

    fn emoji(&mut self, emoji: &Emoji) {
        match emoji {
            Emoji::ShortCode(text) | Emoji::Unicode(text) => self.text(text),
            Emoji::Emoticon { text, .. } => self.text(text),
        }
    }

    fn source(&mut self, src: &str) {
        self.text(src);
        let bare: String = src.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
        let bare = bare.to_lowercase();
        for scheme in ["javascript:", "data:", "vbscript:", "file:"] {
            assert!(!bare.starts_with(scheme), "a link to {src:?}");
        }
    }
}

fn letters(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_alphabetic).count()
}

fn check(text: &str, options: &Options) {
    let document: Document = parse(text, options);
    assert_eq!(document.blocks.is_empty(), text.is_empty());
    let mut sum = Sum::default();
    document.blocks.iter().for_each(|block| sum.block(block));
    assert!(sum.deepest <= MAX_DEPTH, "{} deep", sum.deepest);
    assert!(sum.letters >= letters(text), "letters of {text:?} are lost in {document:?}");
    let extracted = mentions(&document).len() + channels(&document).len() + links(&document).len();
    assert!(extracted <= text.len());
    plain(&document);
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((&switches, text)) = data.split_first() else { return Corpus::Reject };
    let Ok(text) = std::str::from_utf8(text) else { return Corpus::Reject };
    let on = |bit: u8| switches >> bit & 1 == 1;
    check(
        text,
        &Options {
            emoticons: on(0),
            colors: on(1),
            katex_dollar: on(2),
            katex_parenthesis: on(3),
            custom_domains: if on(4) { vec!["intranet".to_owned()] } else { Vec::new() },
            schemes: if on(5) { vec!["tool".to_owned(), "javascript".to_owned()] } else { Vec::new() },
            now: on(6).then_some(1_795_226_400),
        },
    );
    Corpus::Keep
});
