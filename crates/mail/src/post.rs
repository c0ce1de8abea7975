//! Handing a letter to a mail server.

use std::time::Duration;

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};

use crate::{
    layout::{Written, one_line},
    server::{Encryption, Server},
};

/// How long each step of the conversation may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A letter in its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Who writes: an address, with a name if the operator gave one (`Parlor <chat@example.org>`).
    pub from: String,
    /// The reader's address.
    pub to: String,
    /// The reader's name; may be empty.
    pub name: String,
    /// An id that stays the same when the letter is sent again: letters, digits and `-`.
    pub id: String,
    /// Where one unsubscribes with one click (RFC 8058).
    pub leave: Option<String>,
    /// What it says.
    pub written: Written,
}

/// Why a letter did not go out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    /// Trying again is of no use.
    pub for_good: bool,
    /// What happened, without any secret.
    pub text: String,
}

impl Fault {
    fn for_good(text: impl ToString) -> Self {
        Self { for_good: true, text: text.to_string() }
    }
}

impl From<lettre::transport::smtp::Error> for Fault {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        let mut text = error.to_string();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            text = format!("{text}: {deeper}");
            cause = deeper;
        }
        text.truncate(text.floor_char_boundary(500));
        Self { for_good: error.is_permanent(), text }
    }
}

/// Whether this is an address that mail can be sent to.
pub fn is_address(text: &str) -> bool {
    text.len() <= 254 && text.parse::<Address>().is_ok()
}

impl Post {
    /// Sends it.
    ///
    /// # Errors
    /// Why it did not go out, and whether to try again.
    pub async fn send(&self, through: &Server) -> Result<(), Fault> {
        let message = self.message()?;
        transport(through)?.send(message).await?;
        Ok(())
    }

    fn message(&self) -> Result<Message, Fault> {
        let from: Mailbox =
            self.from.parse().map_err(|_| Fault::for_good("From_Email is no address that can send mail"))?;
        let to: Address = self.to.parse().map_err(|_| Fault::for_good("this is no mail address"))?;
        let name = one_line(&self.name);
        let to = Mailbox::new((!name.is_empty()).then_some(name), to);
        let id = format!("<{}@{}>", self.id, from.email.domain());
        let mut builder = Message::builder()
            .from(from)
            .to(to)
            .subject(one_line(&self.written.subject))
            .date_now()
            .message_id(Some(id))
            // No answering machine is to answer.
            .raw_header(header("Auto-Submitted", "auto-generated"));
        if let Some(leave) = self.leave.as_deref().filter(|url| !url.contains(['\r', '\n', '<', '>'])) {
            builder = builder
                .raw_header(header("List-Unsubscribe", &format!("<{leave}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        let body = MultiPart::alternative_plain_html(self.written.text.clone(), self.written.html.clone());
        builder.multipart(body).map_err(Fault::for_good)
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn transport(server: &Server) -> Result<AsyncSmtpTransport<Tokio1Executor>, Fault> {
    let known = || TlsParameters::new(server.host.clone());
    let tls = match server.encryption {
        Encryption::FromTheStart => Tls::Wrapper(known()?),
        Encryption::Required => Tls::Required(known()?),
        Encryption::IfOffered => Tls::Opportunistic(known()?),
        Encryption::Never => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .timeout(Some(PATIENCE))
        .tls(tls);
    if let Some((name, password)) = server.login.clone() {
        builder = builder.credentials(Credentials::new(name, password));
    }
    Ok(builder.build())
}

/// Whether the server answers; logs in where there is a login, sends nothing.
///
/// # Errors
/// What stands in the way.
pub async fn check(server: &Server) -> Result<(), Fault> {
    match transport(server)?.test_connection().await? {
        true => Ok(()),
        false => Err(Fault {
            for_good: false,
            text: "the server does not answer as a mail server does".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post() -> Post {
        Post {
            from: "Parlor <chat@example.org>".into(),
            to: "ann@example.org".into(),
            name: "Ann".into(),
            id: "1".into(),
            leave: Some("https://chat.example.org/leave?t=x".into()),
            written: Written { subject: "Été".into(), text: "plain".into(), html: "<p>rich</p>".into() },
        }
    }

    fn text(post: &Post) -> String {
        String::from_utf8_lossy(&post.message().expect("a message").formatted()).into_owned()
    }

    #[test]
    fn a_letter_can_be_unsubscribed_from_with_one_click_and_comes_in_both_forms() {
        let text = text(&post());
        for part in [
            "List-Unsubscribe: <https://chat.example.org/leave?t=x>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            "Message-ID: <1@example.org>\r\n",
            "multipart/alternative",
            "text/plain",
            "text/html",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn nobody_writes_headers_by_a_name_an_address_or_a_subject() {
        let evil = "x\r\nBcc: everybody@example.org\r\n\r\nbody";
        let mut bad = post();
        bad.name = evil.into();
        bad.written.subject = evil.into();
        let text = text(&bad);
        assert!(!text.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc:")), "{text}");
        for to in [evil, "ann@example.org\r\nBcc: b@example.org", "ann", "", "a@b@c", "<a@b.c>"] {
            assert!(Post { to: to.into(), ..post() }.message().is_err(), "{to}");
            assert!(!is_address(to), "{to}");
        }
        assert!(is_address("ann+x@example.org"));
    }
}
