//! Where what was read goes: nowhere while looking ahead, into a list of nodes while building.

use crate::{
    chars,
    tree::{Emoji, Inline},
};

pub(crate) trait Sink {
    /// Whether nodes are wanted.
    const BUILDS: bool;

    /// Takes a piece of plain text.
    fn plain(&mut self, piece: &str);

    /// Takes a node, made only when wanted.
    fn node(&mut self, make: impl FnOnce() -> Inline);
}

/// Looks ahead: takes nothing.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    const BUILDS: bool = false;
    fn plain(&mut self, _: &str) {}
    fn node(&mut self, _: impl FnOnce() -> Inline) {}
}

/// Collects nodes, joins neighbouring plain pieces, and turns emoji names and emoticons that touch text or another emoji
/// back into text.
#[derive(Default)]
pub(crate) struct Builder {
    items: Vec<Inline>,
    /// Whether the piece before was an emoji or visible text.
    touches: bool,
    /// The last item is an emoji name or emoticon that may have to become text; the value: whether the piece before it
    /// touches it.
    held: Option<bool>,
}

impl Sink for Builder {
    const BUILDS: bool = true;

    fn plain(&mut self, piece: &str) {
        if piece.is_empty() {
            return;
        }
        let touches = !chars::is_blank(piece);
        self.settle(touches);
        self.append(piece);
        self.touches = touches;
    }

    fn node(&mut self, make: impl FnOnce() -> Inline) {
        match make() {
            Inline::Plain(text) => self.plain(&text),
            item => {
                let is_emoji = matches!(item, Inline::Emoji(_));
                self.settle(is_emoji);
                let textual = matches!(item, Inline::Emoji(Emoji::ShortCode(_) | Emoji::Emoticon { .. }));
                self.held = textual.then_some(self.touches);
                self.items.push(item);
                self.touches = is_emoji;
            }
        }
    }
}

impl Builder {
    /// Decides on a held emoji, now that its right neighbour is known.
    fn settle(&mut self, next_touches: bool) {
        let Some(before_touches) = self.held.take() else { return };
        if !before_touches && !next_touches {
            return;
        }
        match self.items.pop() {
            Some(Inline::Emoji(Emoji::ShortCode(name))) => self.append(&format!(":{name}:")),
            Some(Inline::Emoji(Emoji::Emoticon { text, .. })) => self.append(text),
            other => self.items.extend(other),
        }
    }

    fn append(&mut self, piece: &str) {
        match self.items.last_mut() {
            Some(Inline::Plain(text)) => text.push_str(piece),
            _ => self.items.push(Inline::Plain(piece.to_owned())),
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Inline> {
        self.settle(false);
        self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emoji(name: &str) -> Inline {
        Inline::Emoji(Emoji::ShortCode(name.to_owned()))
    }

    fn plain(text: &str) -> Inline {
        Inline::Plain(text.to_owned())
    }

    #[test]
    fn an_emoji_among_blanks_stays_and_one_that_touches_text_becomes_text() {
        let mut builder = Builder::default();
        builder.plain("hi ");
        builder.plain(" ");
        builder.node(|| emoji("a"));
        builder.plain(" ");
        builder.node(|| emoji("b"));
        builder.plain("!");
        assert_eq!(builder.finish(), [plain("hi  "), emoji("a"), plain(" :b:!")]);
    }

    #[test]
    fn two_emoji_side_by_side_become_text() {
        let mut builder = Builder::default();
        builder.node(|| emoji("a"));
        builder.node(|| emoji("b"));
        assert_eq!(builder.finish(), [plain(":a::b:")]);
    }

    #[test]
    fn an_emoji_alone_stays() {
        let mut builder = Builder::default();
        builder.node(|| emoji("a"));
        assert_eq!(builder.finish(), [emoji("a")]);
    }
}
