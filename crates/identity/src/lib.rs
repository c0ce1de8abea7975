//! Proof of who somebody is.
//!
//! Passwords, login tokens, second factors, the host application's JWTs, and the counters that stop guessing.
//! Nothing here knows a room, a database or a protocol: callers bring what is stored, this crate says whether
//! the proof holds and what is to be stored next. Time and randomness come from outside.
//!
//! What is stored is never the secret itself:
//!
//! | secret | stored as |
//! |---|---|
//! | password | argon2id over the lower-case hex SHA-256 of the password ([`password`]) |
//! | login token, personal access token, reset token | SHA-256 ([`token`]) |
//! | TOTP secret | sealed with the server key ([`key`]) |
//! | recovery code, e-mail code | keyed hash ([`onetime`]) |

pub mod claims;
mod host;
pub mod identity;
mod idtoken;
pub mod jwks;
pub mod jwt;
pub mod key;
pub mod lockout;
pub mod oidc;
pub mod onetime;
pub mod password;
pub mod policy;
pub mod pool;
#[cfg(test)]
mod testing;
pub mod token;
pub mod totp;

pub use claims::{ClaimRules, HostClaims, RoleMap, Voucher};
pub use identity::Identity;
pub use jwks::KeySet;
pub use jwt::{HostTokenConfig, HostTokens, TokenRefused};
pub use key::SecretKey;
pub use lockout::{Limit, Locked, Lockout, LockoutPolicy};
pub use oidc::Oidc;
pub use password::{BadPassword, Reduced};
pub use policy::PasswordPolicy;
pub use pool::{Busy, PasswordPool};
pub use token::{Token, TokenHash};
