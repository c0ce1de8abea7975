//! ShowWise's old chat: `chat_messages.json` and `chat_groups.json`.

mod read;
mod run;

use parlor_core::clock::Time;

pub use self::{read::read, run::run};

/// A message of the old chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldMessage {
    /// Its place in the file, from 1.
    pub number: usize,
    /// Who wrote it.
    pub from: String,
    /// What.
    pub text: String,
    /// When, as it was written there.
    pub written: String,
    /// When, as far as that can be read.
    pub at: Option<Time>,
    /// Where it went.
    pub to: OldPlace,
}

/// Where an old message went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OldPlace {
    /// A team's channel.
    Team(String),
    /// The support case of whoever wrote.
    Support,
    /// A person.
    Person(String),
    /// A group.
    Group(String),
}

/// A group of the old chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldGroup {
    /// Its name.
    pub name: String,
    /// Who made it, else its first member.
    pub creator: String,
    /// Who is in it.
    pub members: Vec<String>,
}

/// What the two files hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Old {
    /// Messages, in the order of the file.
    pub messages: Vec<OldMessage>,
    /// Groups.
    pub groups: Vec<OldGroup>,
    /// Entries that can't be taken, each with its reason.
    pub skipped: Vec<String>,
    /// Entries of both files.
    pub entries: usize,
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries in the files: messages and groups.
    pub entries: usize,
    /// Messages stored now.
    pub messages_new: usize,
    /// Messages that were here already.
    pub messages_known: usize,
    /// Groups made now.
    pub groups_new: usize,
    /// Groups that were here already.
    pub groups_known: usize,
    /// Users made by name.
    pub users_new: usize,
    /// Entries that were left out, each with its reason.
    pub skipped: Vec<String>,
}

impl Counts {
    /// Whether every entry is accounted for.
    pub fn add_up(&self) -> bool {
        let told = self.messages_new + self.messages_known + self.groups_new + self.groups_known;
        told + self.skipped.len() == self.entries
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "entries read      {:>8}", self.entries)?;
        writeln!(f, "messages stored   {:>8}", self.messages_new)?;
        writeln!(f, "messages known    {:>8}", self.messages_known)?;
        writeln!(f, "groups made       {:>8}", self.groups_new)?;
        writeln!(f, "groups known      {:>8}", self.groups_known)?;
        writeln!(f, "left out          {:>8}", self.skipped.len())?;
        writeln!(f, "users made        {:>8}", self.users_new)?;
        for reason in &self.skipped {
            writeln!(f, "  left out: {reason}")?;
        }
        Ok(())
    }
}
