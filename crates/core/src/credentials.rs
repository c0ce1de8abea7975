//! The port to proof: passwords, tokens, codes. `identity` implements it; the core decides what a proof is worth.

use std::{net::IpAddr, time::Duration};

use crate::{blobs::Boxed, clock::Time, error::Result, setting::Settings};

/// A password as a client gives it: the text, or its SHA-256 as lower-case hex (Rocket.Chat's `digest`).
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// In clear.
    Plain(String),
    /// SHA-256 of the text, 64 lower-case hex digits.
    Digest(String),
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What became of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the right one; `rehash` asks for storing it anew in today's form.
    Right {
        /// The stored form is outdated.
        rehash: bool,
    },
    /// It is not.
    Wrong,
}

/// What somebody can guess at; each is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// Passwords: as the settings `Block_Multiple_Failed_Logins_*` say.
    Password,
    /// TOTP, recovery and mail codes: five failures of a user in five minutes.
    Code,
}

/// Who tries to prove himself, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The user's id if there is such a user, else the name as typed, in lower case: unknown users are counted as
    /// well, or the refusal would tell who exists.
    pub user: &'a str,
    /// The client's own address, if known; from a header only if a trusted proxy wrote it.
    pub address: Option<IpAddr>,
}

/// One way in which a new password breaks the policy (`Accounts_Password_Policy_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PasswordFault {
    /// Empty or only white space; refused even when the policy is off.
    Blank,
    /// Shorter than allowed.
    TooShort,
    /// Longer than allowed.
    TooLong,
    /// A character stands too often in a row.
    Repeating,
    /// No a to z.
    NoLowercase,
    /// No A to Z.
    NoUppercase,
    /// No 0 to 9.
    NoNumber,
    /// Nothing but letters, digits and blanks.
    NoSpecial,
}

impl PasswordFault {
    /// The code that clients translate; Rocket.Chat's.
    pub fn code(self) -> &'static str {
        match self {
            Self::Blank => "error-password-policy-not-met",
            Self::TooShort => "error-password-policy-not-met-minLength",
            Self::TooLong => "error-password-policy-not-met-maxLength",
            Self::Repeating => "error-password-policy-not-met-repeatingCharacters",
            Self::NoLowercase => "error-password-policy-not-met-oneLowercase",
            Self::NoUppercase => "error-password-policy-not-met-oneUppercase",
            Self::NoNumber => "error-password-policy-not-met-oneNumber",
            Self::NoSpecial => "error-password-policy-not-met-oneSpecial",
        }
    }

    /// The sentence that goes with the code; clients compare it, so it is Rocket.Chat's wording.
    pub fn message(self) -> &'static str {
        match self {
            Self::Blank => "The password provided does not meet the server's password policy.",
            Self::TooShort => "The password does not meet the minimum length password policy.",
            Self::TooLong => "The password does not meet the maximum length password policy.",
            Self::Repeating => {
                "The password contains repeating characters which is against the password policy."
            }
            Self::NoLowercase => {
                "The password does not contain at least one lowercase character which is against the password policy."
            }
            Self::NoUppercase => {
                "The password does not contain at least one uppercase character which is against the password policy."
            }
            Self::NoNumber => {
                "The password does not contain at least one numerical character which is against the password policy."
            }
            Self::NoSpecial => {
                "The password does not contain at least one special character which is against the password policy."
            }
        }
    }
}

/// One rule of the policy in force: its name, and the name and value of its parameter.
pub type PasswordRule = (&'static str, Option<(&'static str, i64)>);

/// A code to be sent by mail.
pub struct MailCode {
    /// Six digits, for the mail only.
    pub code: String,
    /// Its stored form.
    pub hash: [u8; 32],
    /// When it ends.
    pub expires_at: Time,
}

/// Under which names the failures of an attempt are kept where several nodes count them together: keyed hashes, which
/// tell nobody anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The user's; `None` where users are not counted.
    pub user: Option<String>,
    /// The address's; `None` where addresses are not counted, or this one is trusted or unknown.
    pub address: Option<String>,
    /// How far back failures matter.
    pub span: Duration,
}

/// When attempts failed, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// The user's.
    pub of_user: Vec<Time>,
    /// Those at the address.
    pub of_address: Vec<Time>,
}

/// Proof of who somebody is. Slow work runs on a bounded pool; when it is full the answer is `Unavailable`.
pub trait Credentials: Send + Sync {
    /// The form in which a password is stored.
    fn hash<'a>(&'a self, password: &'a Password) -> Boxed<'a, String>;
    /// Checks a password against its stored form; `None` (no such user, no password) costs as much time.
    fn verify<'a>(&'a self, password: &'a Password, stored: Option<&'a str>) -> Boxed<'a, Verdict>;
    /// A new 256-bit token: in clear, and as it is stored (SHA-256).
    fn new_token(&self) -> (String, [u8; 32]);
    /// The stored form of a token that somebody sent.
    fn token_hash(&self, token: &str) -> [u8; 32];
    /// A new TOTP secret: base32 for the user, and the encrypted form that is stored.
    fn new_totp(&self) -> Result<(String, String)>;
    /// The stored form of a TOTP secret in base32 that another server gave out; `None` when it is none.
    fn keep_totp(&self, base32: &str) -> Option<String>;
    /// Checks a TOTP code: the time step it belongs to, which must be larger than the last one used.
    fn check_totp(&self, stored: &str, code: &str, last_step: Option<u64>) -> Result<Option<u64>>;
    /// Encrypts a secret that must be had again in clear (e.g. a client secret), for storing.
    fn seal(&self, secret: &str) -> Result<String>;
    /// Opens what `seal` made and the server kept.
    fn open(&self, sealed: &str) -> Result<String>;
    /// Opens what `seal` made and somebody brings back (a link, a cookie); `None` for whatever else they bring.
    fn open_brought(&self, sealed: &str) -> Option<String>;
    /// Signs claims (a JSON object) for another server that knows the secret: a JWT by HMAC-SHA-256.
    fn sign(&self, secret: &str, claims: &crate::json::Json) -> Result<String>;

    /// Refuses the attempt (`LockedOut`) when there were too many failures. Ask before the work of checking.
    fn admit(&self, factor: Factor, attempt: Attempt<'_>, settings: &Settings) -> Result<()>;
    /// The proof was wrong.
    fn failed(&self, factor: Factor, attempt: Attempt<'_>, settings: &Settings);
    /// The proof was right: forgets the user's failures. Refuses (`LockedOut`) when other attempts, sent side by
    /// side, have been too many meanwhile; the right proof does not count then.
    fn succeeded(&self, factor: Factor, attempt: Attempt<'_>, settings: &Settings) -> Result<()>;

    /// Where the failures of such an attempt are kept by nodes that count them together.
    fn counted(&self, factor: Factor, attempt: Attempt<'_>, settings: &Settings) -> Counted;
    /// As [`admit`](Self::admit), by failures that were kept.
    fn judge(&self, factor: Factor, failures: &Failures, settings: &Settings) -> Result<()>;

    /// Everything that is wrong with a new password given in clear; empty when it may be used.
    fn password_faults(&self, password: &str, settings: &Settings) -> Vec<PasswordFault>;
    /// The policy in force; empty when it is off.
    fn password_rules(&self, settings: &Settings) -> Vec<PasswordRule>;

    /// Twelve new recovery codes: in clear, and their stored forms in the same order.
    fn new_recovery_codes(&self, user: &str) -> (Vec<String>, Vec<[u8; 32]>);
    /// Which of the stored forms this code belongs to; remove that one before letting the user in.
    fn find_recovery_code(&self, user: &str, code: &str, stored: &[[u8; 32]]) -> Option<usize>;
    /// A new six-digit code to be mailed, good for ten minutes; it replaces the user's earlier one.
    fn new_mail_code(&self, user: &str) -> MailCode;
    /// Whether this is the mailed code and its time is not over; remove it before letting the user in.
    fn check_mail_code(&self, user: &str, code: &str, hash: &[u8; 32], expires_at: Time) -> bool;
}
