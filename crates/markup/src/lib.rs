//! What a message's text means: paragraphs, lists, quotes, code, emphasis, links, mentions, emoji.
//!
//! The tree has the shape of Rocket.Chat's `md` and is read by the same rules, so that a message looks alike whether a
//! client renders this tree or parses the text itself. It differs on purpose where the clients' parser would
//! * link to schemes that run code or read files (see [`Options::schemes`]): the text stays text;
//! * lose characters of the text (`@@@name`, `mailto:` before an address that doesn't exist);
//! * turn impossible dates into 1970, and dates after 2038 into ones before it.
//!
//! Reading is pure and takes linear time: looking ahead costs from a budget that grows with the text, and a text that has
//! used it up has no further emphasis, links in brackets or spoilers. It never fails: what isn't markup is text.

mod block;
mod chars;
mod emoji;
mod emphasis;
mod extract;
mod host;
mod inline;
mod link;
mod scan;
mod sink;
mod time;
mod tree;

pub use self::{
    extract::{channels, links, mentions, plain},
    tree::{Block, Document, Emoji, Inline, ListItem, Task},
};

/// The deepest that nodes can lie in each other, the leaves counted: a spoiler block's or quote's paragraph, in it a
/// spoiler, in that a link, bold, italic and struck text each once, and text.
pub const MAX_DEPTH: usize = 8;

/// What to look for beyond what every message may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Reads `:-)` as an emoji. On by default, as Rocket.Chat's server has it.
    pub emoticons: bool,
    /// Reads `color:#ff0000`. Off by default.
    pub colors: bool,
    /// Reads `$…$` and `$$…$$` as formulas. Off by default.
    pub katex_dollar: bool,
    /// Reads `\(…\)` and `\[…\]` as formulas. Off by default.
    pub katex_parenthesis: bool,
    /// Domains to link beside those under public suffixes, in lower case: `intranet`, `corp.local`.
    pub custom_domains: Vec<String>,
    /// Schemes to link beside the usual harmless ones, such as a company's own application. `javascript`, `data`,
    /// `vbscript`, `file` and their like are refused here too.
    pub schemes: Vec<String>,
    /// When the message was written, in seconds since 1970: the day that `<t:10:00>` means. Without it that stays text.
    pub now: Option<i64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            emoticons: true,
            colors: false,
            katex_dollar: false,
            katex_parenthesis: false,
            custom_domains: Vec::new(),
            schemes: Vec::new(),
            now: None,
        }
    }
}

/// Reads a text. Never fails, and takes time in proportion to the text's length.
pub fn parse(text: &str, options: &Options) -> Document {
    scan::Scanner::new(text, options).document()
}
