//! What letters say, in English and French. A letter is a topic and a few facts; nothing else is ever written into it.

use crate::layout::{Button, Item, Letter};

/// The languages that letters are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// French.
    French,
}

impl Language {
    /// The nearest one to a BCP 47 tag; English for what is not known.
    pub fn of(tag: &str) -> Self {
        if tag.to_ascii_lowercase().starts_with("fr") { Self::French } else { Self::English }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    fn pick<T>(self, english: T, french: T) -> T {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }
}

/// What a letter is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A new password can be chosen there.
    Reset {
        /// Where.
        url: String,
        /// For how many minutes.
        minutes: u64,
    },
    /// The address is to be confirmed there.
    Verify {
        /// Where.
        url: String,
        /// For how many days.
        days: u64,
    },
    /// Somebody asks somebody else to come.
    Invite {
        /// Who asks; may be empty.
        by: String,
        /// Where one enters.
        url: String,
    },
    /// There is an account now.
    Welcome {
        /// Its user name.
        username: String,
        /// Where one enters.
        url: String,
    },
    /// A code as second factor.
    Code {
        /// The code.
        code: String,
        /// For how many minutes.
        minutes: u64,
    },
    /// Messages that somebody sends.
    Said {
        /// Who sends them.
        by: String,
        /// Under this line.
        subject: String,
        /// Which.
        items: Vec<Item>,
    },
    /// An administrator tries mail out.
    Test,
    /// Messages that were not read.
    Unread {
        /// Which, at most a few dozen.
        items: Vec<Item>,
        /// How many more there are.
        more: u64,
        /// Where they stand.
        url: String,
        /// Where one unsubscribes.
        leave: String,
        /// It gathers what came since the last one.
        digest: bool,
    },
}

/// Writes a letter. `to` is whom it speaks to (may be empty), `workspace` who speaks.
pub fn write(topic: &Topic, to: &str, workspace: &str, language: Language) -> Letter {
    let l = language;
    let greeting = match to {
        "" => l.pick("Hello,", "Bonjour,").to_owned(),
        name => l.pick(format!("Hello {name},"), format!("Bonjour {name},")),
    };
    let letter = Letter { language: l.tag(), greeting, ..Letter::default() };
    let not_you = l.pick(
        "If you did not ask for this, nothing needs to be done.",
        "Si vous n'êtes pas à l'origine de cette demande, vous n'avez rien à faire.",
    );
    match topic {
        Topic::Reset { url, minutes } => Letter {
            subject: l.pick(
                format!("{workspace}: choose a new password"),
                format!("{workspace} : choisir un nouveau mot de passe"),
            ),
            paragraphs: vec![l.pick(
                format!("Somebody asked for a new password for your account on {workspace}."),
                format!("Un nouveau mot de passe a été demandé pour votre compte sur {workspace}."),
            )],
            button: button(l.pick("Choose a new password", "Choisir un nouveau mot de passe"), url),
            small: vec![
                l.pick(
                    format!("The link works once, for {minutes} minutes."),
                    format!("Le lien fonctionne une seule fois, pendant {minutes} minutes."),
                ),
                not_you.to_owned(),
            ],
            ..letter
        },
        Topic::Verify { url, days } => Letter {
            subject: l.pick(
                format!("{workspace}: confirm your address"),
                format!("{workspace} : confirmez votre adresse"),
            ),
            paragraphs: vec![l.pick(
                format!("Please confirm that this address is yours, so that {workspace} can write to it."),
                format!("Confirmez que cette adresse est la vôtre, pour que {workspace} puisse vous écrire."),
            )],
            button: button(l.pick("Confirm the address", "Confirmer l'adresse"), url),
            small: vec![
                l.pick(format!("The link works for {days} days."), format!("Le lien est valable {days} jours.")),
                not_you.to_owned(),
            ],
            ..letter
        },
        Topic::Invite { by, url } => invitation(letter, by, url, workspace, l),
        Topic::Welcome { username, url } => Letter {
            subject: l.pick(format!("Welcome to {workspace}"), format!("Bienvenue sur {workspace}")),
            paragraphs: vec![l.pick(
                format!("There is an account for you on {workspace}. Your user name is {username}."),
                format!("Un compte vous attend sur {workspace}. Votre identifiant est {username}."),
            )],
            button: button(l.pick("Open the chat", "Ouvrir la messagerie"), url),
            ..letter
        },
        Topic::Code { code, minutes } => Letter {
            subject: l.pick(
                format!("{workspace}: your code is {code}"),
                format!("{workspace} : votre code est {code}"),
            ),
            paragraphs: vec![
                l.pick("This code lets you in:", "Ce code vous permet de vous connecter :").to_owned(),
            ],
            code: code.clone(),
            small: vec![
                l.pick(
                    format!("It works once, for {minutes} minutes. Nobody of ours will ever ask you for it."),
                    format!(
                        "Il fonctionne une seule fois, pendant {minutes} minutes. Personne ne vous le demandera."
                    ),
                ),
                l.pick(
                    "If you are not logging in, somebody else knows your password: change it.",
                    "Si vous ne vous connectez pas, quelqu'un connaît votre mot de passe : changez-le.",
                )
                .to_owned(),
            ],
            ..letter
        },
        Topic::Said { by, subject, items } => Letter {
            subject: l.pick(format!("{workspace}: {subject}"), format!("{workspace} : {subject}")),
            paragraphs: vec![l.pick(
                format!("{by} sends you what was written on {workspace}."),
                format!("{by} vous envoie ce qui a été écrit sur {workspace}."),
            )],
            items: items.clone(),
            ..letter
        },
        Topic::Test => Letter {
            subject: l.pick(format!("{workspace}: mail works"), format!("{workspace} : le courrier fonctionne")),
            paragraphs: vec![
                l.pick(
                    "This letter was sent to try out the mail settings. They work.",
                    "Cette lettre a été envoyée pour essayer les réglages du courrier. Ils fonctionnent.",
                )
                .to_owned(),
            ],
            ..letter
        },
        Topic::Unread { items, more, url, leave, digest } => {
            unread(letter, items, *more, (url, leave), *digest, workspace, l)
        }
    }
}

fn button(label: &str, url: &str) -> Option<Button> {
    Some(Button { label: label.to_owned(), url: url.to_owned() })
}

fn invitation(letter: Letter, by: &str, url: &str, workspace: &str, l: Language) -> Letter {
    let said = match by {
        "" => l.pick(
            format!("You have been asked to join {workspace}."),
            format!("Vous êtes invité à rejoindre {workspace}."),
        ),
        by => l.pick(
            format!("{by} asks you to join {workspace}."),
            format!("{by} vous invite à rejoindre {workspace}."),
        ),
    };
    Letter {
        subject: l
            .pick(format!("An invitation to {workspace}"), format!("Une invitation à rejoindre {workspace}")),
        paragraphs: vec![said],
        button: button(l.pick("Come in", "Entrer"), url),
        ..letter
    }
}

fn unread(
    letter: Letter,
    items: &[Item],
    more: u64,
    (url, leave): (&str, &str),
    digest: bool,
    workspace: &str,
    l: Language,
) -> Letter {
    let many = items.len() as u64 + more;
    let subject = match items {
        [one] if more == 0 && !digest => match one.room.as_str() {
            "" => l.pick(
                format!("{workspace}: {} wrote to you", one.sender),
                format!("{workspace} : {} vous a écrit", one.sender),
            ),
            room => l.pick(
                format!("{workspace}: {} wrote in #{room}", one.sender),
                format!("{workspace} : {} a écrit dans #{room}", one.sender),
            ),
        },
        _ => l.pick(
            format!("{workspace}: {many} unread messages"),
            format!("{workspace} : {many} messages non lus"),
        ),
    };
    let mut small = Vec::new();
    if more > 0 {
        small.push(l.pick(format!("… and {more} more."), format!("… et {more} de plus.")));
    }
    small.push(
        l.pick(
            "You get this letter because you were not there.",
            "Vous recevez cette lettre parce que vous n'étiez pas en ligne.",
        )
        .to_owned(),
    );
    Letter {
        subject,
        items: items.to_vec(),
        button: button(l.pick("Open the chat", "Ouvrir la messagerie"), url),
        small,
        leave: button(l.pick("No more of these letters", "Ne plus recevoir ces lettres"), leave),
        ..letter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_is_written_in_both_languages() {
        let url = || "https://chat.example.org/x".to_owned();
        let item = Item {
            sender: "Ann".into(),
            room: String::new(),
            text: "hi".into(),
            at: "today".into(),
            url: url(),
        };
        let topics = [
            Topic::Reset { url: url(), minutes: 60 },
            Topic::Verify { url: url(), days: 3 },
            Topic::Invite { by: "Ann".into(), url: url() },
            Topic::Welcome { username: "bob".into(), url: url() },
            Topic::Code { code: "123456".into(), minutes: 10 },
            Topic::Test,
            Topic::Said { by: "Ann".into(), subject: "plans".into(), items: vec![item.clone()] },
            Topic::Unread { items: vec![item], more: 0, url: url(), leave: url(), digest: false },
        ];
        for topic in &topics {
            let [english, french] = [Language::of("en-GB"), Language::of("fr-CA")]
                .map(|l| write(topic, "Bob", "Parlor", l).written());
            assert_ne!(english.subject, french.subject, "{topic:?}");
            assert!(english.text.starts_with("Hello Bob,") && french.text.starts_with("Bonjour Bob,"));
            assert!(english.html.contains("lang=\"en\"") && french.html.contains("lang=\"fr\""));
            for written in [english, french] {
                assert!(!written.subject.is_empty() && written.text.len() > 40);
            }
        }
    }
}
