//! The tree that a text is read into.

/// What a message says, block by block, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The blocks. Empty exactly when the text is.
    pub blocks: Vec<Block>,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A line of text; its line end belongs to it.
    Paragraph(Vec<Inline>),
    /// `# text`. Headings hold plain text: clients in use draw nothing else in them.
    Heading {
        /// 1 to 4.
        level: u8,
        /// The text after the marks.
        text: String,
    },
    /// Text between fences of three backticks.
    Code {
        /// What follows the opening fence, when it says anything.
        language: Option<String>,
        /// The lines, without their ends.
        lines: Vec<String>,
    },
    /// Neighbouring lines that begin with `>`, one paragraph each.
    Quote(Vec<Vec<Inline>>),
    /// Neighbouring lines that begin with `- `, or with `* `.
    UnorderedList(Vec<Vec<Inline>>),
    /// Neighbouring lines that begin with a number and a dot.
    OrderedList(Vec<ListItem>),
    /// Neighbouring lines that begin with `- [ ] ` or `- [x] `.
    Tasks(Vec<Task>),
    /// A text of one to three emoji and nothing else.
    BigEmoji(Vec<Emoji>),
    /// An empty line, or the end of a line that a heading or a fence left over.
    LineBreak,
    /// A formula on its own, without its marks.
    Katex(String),
    /// Lines between two lines of `||`, one paragraph each.
    SpoilerBlock(Vec<Vec<Inline>>),
}

/// One line of an ordered list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListItem {
    /// The number as written, at most 2^53 - 1, which every client can hold.
    pub number: u64,
    /// What stands behind it.
    pub content: Vec<Inline>,
}

/// One line of a task list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Whether it is ticked off.
    pub done: bool,
    /// What is to do.
    pub content: Vec<Inline>,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Text without meaning of its own. Never stands beside another one.
    Plain(String),
    /// `*text*` or `**text**`.
    Bold(Vec<Inline>),
    /// `_text_` or `__text__`.
    Italic(Vec<Inline>),
    /// `~text~` or `~~text~~`.
    Strike(Vec<Inline>),
    /// Text between backticks.
    Code(String),
    /// A link, written out, in Markdown or as `<address|text>`.
    Link {
        /// Where it leads: an address with a scheme that [`crate::Options`] allows, `//host…`, or `host…` without a
        /// scheme.
        src: String,
        /// What to show.
        label: Vec<Inline>,
    },
    /// `@name`: the name.
    UserMention(String),
    /// `#name`: the name.
    ChannelMention(String),
    /// An emoji.
    Emoji(Emoji),
    /// `![label](address)`.
    Image {
        /// Where it lies; as for links.
        src: String,
        /// What to say in its place.
        label: String,
    },
    /// `color:#rrggbb`.
    Color {
        /// Red.
        r: u8,
        /// Green.
        g: u8,
        /// Blue.
        b: u8,
        /// Opacity.
        a: u8,
    },
    /// `<t:…>`: a moment that each reader sees in their own time zone.
    Timestamp {
        /// Seconds since 1970 in UTC.
        seconds: i64,
        /// How to show it: one of `t T d D f F R`.
        format: char,
    },
    /// `||text||`: shown on demand.
    Spoiler(Vec<Inline>),
    /// A formula within a line, without its marks.
    Katex(String),
}

/// An emoji, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Emoji {
    /// `:name:`: the name. It may name a custom emoji or nothing at all.
    ShortCode(String),
    /// `:-)` and its like.
    Emoticon {
        /// As written.
        text: &'static str,
        /// The emoji it stands for.
        short_code: &'static str,
    },
    /// The character itself, with its modifiers.
    Unicode(String),
}
