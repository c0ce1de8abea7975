//! Which mail server, and how it is spoken to.

use percent_encoding::percent_decode_str;
use url::Url;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte (`smtps`).
    FromTheStart,
    /// STARTTLS, or nothing is sent.
    Required,
    /// STARTTLS where the server offers it.
    IfOffered,
    /// None at all.
    Never,
}

/// A mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// Name and password; neither when the name is empty.
    pub login: Option<(String, String)>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({}:{}, {:?})", self.host, self.port, self.encryption)
    }
}

/// `MAIL_URL` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be smtp://[user:password@]host[:port] or smtps://…")]
pub struct BadUrl;

/// What a `MAIL_URL` says, as values of the settings `SMTP_Protocol`, `SMTP_Host`, `SMTP_Port`, `SMTP_Username` and
/// `SMTP_Password`, in this order.
///
/// # Errors
/// When it is no such address.
pub fn read_url(text: &str) -> Result<[(&'static str, String); 5], BadUrl> {
    let url = Url::parse(text.trim()).map_err(|_| BadUrl)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadUrl)?;
    if !matches!(url.scheme(), "smtp" | "smtps") {
        return Err(BadUrl);
    }
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Ok([
        ("SMTP_Protocol", url.scheme().to_owned()),
        ("SMTP_Host", host.trim_matches(['[', ']']).to_owned()),
        ("SMTP_Port", url.port().map(|port| port.to_string()).unwrap_or_default()),
        ("SMTP_Username", plain(url.username())),
        ("SMTP_Password", plain(url.password().unwrap_or_default())),
    ])
}

impl Server {
    /// From the values of the settings; `None` when there is no host. `ignore_tls` is `SMTP_IgnoreTLS`: no STARTTLS,
    /// even when a password is sent.
    pub fn read(
        protocol: &str,
        host: &str,
        port: &str,
        login: Option<(String, String)>,
        ignore_tls: bool,
    ) -> Option<Self> {
        let host = host.trim();
        if host.is_empty() {
            return None;
        }
        let login = login.filter(|(name, _)| !name.is_empty());
        let near = matches!(host, "localhost" | "127.0.0.1" | "::1");
        let encryption = match protocol {
            "smtps" => Encryption::FromTheStart,
            _ if ignore_tls => Encryption::Never,
            // A password is shown to nobody on the way.
            _ if login.is_some() && !near => Encryption::Required,
            _ => Encryption::IfOffered,
        };
        let usual = match encryption {
            Encryption::FromTheStart => 465,
            _ if login.is_some() => 587,
            _ => 25,
        };
        let port = port.trim().parse().unwrap_or(usual);
        Some(Self { host: host.to_owned(), port, encryption, login })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_what_is_none_is_refused() {
        let values =
            read_url("smtps://ann%40example.org:p%3Aw@mail.example.org:4650/").map(|all| all.map(|(_, v)| v));
        let wanted = ["smtps", "mail.example.org", "4650", "ann@example.org", "p:w"].map(str::to_owned);
        assert_eq!(values, Ok(wanted));
        for bad in ["", "mail.example.org", "http://mail.example.org", "smtp://", "smtp:mail"] {
            assert_eq!(read_url(bad), Err(BadUrl), "{bad}");
        }
    }

    #[test]
    fn a_password_never_goes_out_in_clear_unless_the_operator_says_so() {
        let login = || Some(("ann".to_owned(), "secret".to_owned()));
        let of = |protocol, host, login, ignore| {
            Server::read(protocol, host, "", login, ignore).map(|s| (s.encryption, s.port))
        };
        assert_eq!(of("smtp", "mail.example.org", login(), false), Some((Encryption::Required, 587)));
        assert_eq!(of("smtp", "mail.example.org", None, false), Some((Encryption::IfOffered, 25)));
        assert_eq!(of("smtp", "localhost", login(), false), Some((Encryption::IfOffered, 587)));
        assert_eq!(of("smtp", "mail.example.org", login(), true), Some((Encryption::Never, 587)));
        assert_eq!(of("smtps", "mail.example.org", login(), false), Some((Encryption::FromTheStart, 465)));
        assert_eq!(of("smtp", " ", login(), false), None);
    }
}
