//! Quotes: a link to a message of this workspace, in a text, shows that message below the text.

use crate::{
    chat::Chat,
    error::{Refusal, Result},
    id::MessageId,
    message::{Attachment, Message, Quote},
    room::{Room, RoomKind},
    session::Actor,
};

/// Messages quoted by one message.
const MAX_QUOTES: usize = 10;

impl Chat {
    /// Quotes the message that this one answers, for clients that know quotes only.
    pub(crate) async fn quote_answered(&self, room: &Room, message: &mut Message) -> Result<()> {
        let Some(id) = &message.reply_to else { return Ok(()) };
        let settings = self.settings();
        let answered = match self.answered(room, id).await {
            // An edit of an answer whose question is gone.
            Err(Refusal::State(_)) if message.seq > 0 => return Ok(()),
            answered => answered?,
        };
        let depth = settings.number("Message_QuoteChainLimit") as usize;
        let real_names = settings.is_on("UI_Use_Real_Name");
        let site = settings.text("Site_Url").trim_end_matches('/');
        let link = format!("{site}/{}?msg={}", way(room), answered.id);
        message.attachments.insert(0, Attachment::Quote(Box::new(quote(&link, answered, depth, real_names))));
        Ok(())
    }

    /// Puts the messages that the links lead to before the other attachments, as far as the author may read them: what
    /// an integration or the server's own hand writes for somebody shows nothing that he could not open himself.
    pub(crate) async fn quote_links(&self, actor: &Actor, message: &mut Message) -> Result<()> {
        let author = Actor::user(message.author.clone(), None);
        let reader = if actor.is_system() { &author } else { actor };
        let settings = self.settings();
        let site = settings.text("Site_Url").trim_end_matches('/');
        if site.is_empty() {
            return Ok(());
        }
        let depth = settings.number("Message_QuoteChainLimit") as usize;
        let real_names = settings.is_on("UI_Use_Real_Name");
        let mut quotes = Vec::new();
        for link in &mut message.links {
            let Some(id) = linked_message(site, &link.url) else { continue };
            if quotes.len() == MAX_QUOTES {
                break;
            }
            match self.readable_message(reader, &id).await {
                Ok((_, quoted)) if quoted.id != message.id => {
                    link.no_preview = true;
                    quotes.push(Attachment::Quote(Box::new(quote(&link.url, quoted, depth, real_names))));
                }
                Ok(_) | Err(Refusal::NotFound(_) | Refusal::NotAllowed(_) | Refusal::Deactivated) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        message.attachments.splice(0..0, quotes);
        Ok(())
    }
}

/// Where clients show a room.
fn way(room: &Room) -> String {
    let name = room.name.as_deref().unwrap_or(&room.id);
    match room.kind {
        RoomKind::Channel => format!("channel/{name}"),
        RoomKind::Direct => format!("direct/{}", room.id),
        _ => format!("group/{name}"),
    }
}

pub(crate) fn quote(link: &str, quoted: Message, depth: usize, real_names: bool) -> Quote {
    let shown = if real_names { quoted.shown_author() } else { quoted.author_username.as_str() };
    let shown = shown.to_owned();
    let display_name = quoted.guise.alias.clone().unwrap_or_else(|| quoted.shown_author().to_owned());
    Quote {
        link: link.to_owned(),
        message: quoted.id,
        author: quoted.author_username,
        author_name: quoted.guise.alias.unwrap_or(shown),
        display_name,
        text: quoted.text,
        at: quoted.at,
        attachments: shortened(quoted.attachments, depth.max(1) - 1),
    }
}

/// Quotes within quotes, only so deep.
fn shortened(attachments: Vec<Attachment>, depth: usize) -> Vec<Attachment> {
    let keep = |attachment| match attachment {
        Attachment::Quote(_) if depth == 0 => None,
        Attachment::Quote(mut quote) => {
            quote.attachments = shortened(std::mem::take(&mut quote.attachments), depth - 1);
            Some(Attachment::Quote(quote))
        }
        other => Some(other),
    };
    attachments.into_iter().filter_map(keep).collect()
}

/// The message that a link of this workspace leads to: `SITE/channel/x?msg=ID`.
fn linked_message(site: &str, url: &str) -> Option<MessageId> {
    let rest = url.strip_prefix(site)?;
    if !rest.starts_with(['/', '?']) {
        return None;
    }
    let (_, query) = rest.split_once('?')?;
    let query = query.split('#').next()?;
    query.split('&').find_map(|pair| pair.strip_prefix("msg=")).and_then(MessageId::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_of_this_workspace_lead_to_a_message() {
        let site = "https://chat.example";
        let id = |url| linked_message(site, url).map(|id| id.to_string());
        assert_eq!(id("https://chat.example/channel/general?msg=abc&x=1"), Some("abc".into()));
        assert_eq!(id("https://chat.example/direct/r?x=1&msg=abc#top"), Some("abc".into()));
        for other in [
            "https://chat.example.evil/channel/general?msg=abc",
            "https://other.example/channel/general?msg=abc",
            "https://chat.example/channel/general",
            "https://chat.example/channel/general?msg=a%20b",
        ] {
            assert_eq!(id(other), None, "{other}");
        }
    }
}
