//! Who calls: the host application by its key, or a user by any token.

use std::sync::Arc;

use axum::http::HeaderMap;
use parlor_core::{admission::Admitted, host_users::SYSTEM_USER, id::UserId, session::Actor, user::User};

use crate::{host::Host, problem::Problem};

/// Somebody who was let in.
#[derive(Clone, Debug)]
pub enum Caller {
    /// The host application itself, by its key.
    App,
    /// A user, by a token; what it knows of the token's end is in it.
    User(Admitted),
}

impl Caller {
    /// The user who calls.
    ///
    /// # Errors
    /// `user_required` for the application's key.
    pub fn require_user(&self) -> Result<&Admitted, Problem> {
        match self {
            Self::App => Err(Problem::user_required()),
            Self::User(admitted) => Ok(admitted),
        }
    }

    /// The acting user, if it is one.
    pub fn actor(&self) -> Option<&Actor> {
        match self {
            Self::App => None,
            Self::User(admitted) => Some(&admitted.actor),
        }
    }

    /// Who acts in the core: the user, or for the application the server itself in its reserved user's name.
    pub fn acting(&self) -> Actor {
        match self {
            Self::App => Actor::system(SYSTEM_USER.into()),
            Self::User(admitted) => admitted.actor.clone(),
        }
    }

    /// The account, if it is one.
    pub fn user(&self) -> Option<&Arc<User>> {
        match self {
            Self::App => None,
            Self::User(admitted) => Some(&admitted.user),
        }
    }

    /// Whether it is the application or an administrator: those who may push users and tickets.
    pub fn may_push(&self) -> bool {
        self.user().is_none_or(|user| user.is("ADMIN"))
    }
}

/// A proof as it was found in a request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The application's key, and nothing else.
    Key(String),
    /// A key or a token.
    Either(String),
    /// A token.
    Token(String),
    /// A token, and whose it says it is.
    TokenOf(String, String),
}

/// The first proof that the headers hold, in the order of the contract.
pub(crate) fn find(headers: &HeaderMap) -> Option<Proof> {
    let header = |name: &str| {
        let value = headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}").trim().to_owned());
        value.filter(|text| !text.is_empty())
    };
    if let Some(key) = header("x-app-key") {
        return Some(Proof::Key(key));
    }
    if let Some(text) = header("authorization") {
        // Another scheme is a bad token rather than none: there is no second try.
        return Some(Proof::Either(bearer(&text).unwrap_or_default().to_owned()));
    }
    match (header("x-auth-token"), header("x-user-id")) {
        (Some(token), Some(user)) => Some(Proof::TokenOf(user, token)),
        (Some(token), None) => Some(Proof::TokenOf(String::new(), token)),
        _ => None,
    }
}

/// What follows `Bearer `, letter case aside.
pub fn bearer(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
}

impl Host {
    /// Who calls with these headers; `query` is a token from the query where the route allows one. The first proof
    /// found decides.
    ///
    /// # Errors
    /// The 401 codes.
    pub async fn caller(&self, headers: &HeaderMap, query: Option<&str>) -> Result<Caller, Problem> {
        match find(headers).or_else(|| query.map(|token| Proof::Token(token.to_owned()))) {
            None => Err(Problem::unauthorized()),
            Some(proof) => self.check(proof).await,
        }
    }

    async fn check(&self, proof: Proof) -> Result<Caller, Problem> {
        match proof {
            Proof::Key(key) if self.is_app_key(&key) => Ok(Caller::App),
            Proof::Key(_) => Err(Problem::invalid_token()),
            Proof::Either(text) if self.is_app_key(&text) => Ok(Caller::App),
            Proof::Either(text) | Proof::Token(text) => Ok(Caller::User(self.actor_of(&text).await?)),
            Proof::TokenOf(user, token) => Ok(Caller::User(self.actor_of_pair(&user, &token).await?)),
        }
    }

    /// Who holds this token (with or without a leading `Bearer `), for sockets.
    ///
    /// # Errors
    /// `unauthorized` for an empty one, `invalid_token`, `token_expired`, `user_inactive`.
    pub async fn actor_of(&self, token: &str) -> Result<Admitted, Problem> {
        let token = bearer(token).unwrap_or_else(|| token.trim());
        if token.is_empty() {
            return Err(Problem::unauthorized());
        }
        self.chat().admit(token).await.map_err(Problem::of_token)
    }

    /// As [`Host::actor_of`], with the id of whoever it belongs to beside it.
    ///
    /// # Errors
    /// As [`Host::actor_of`].
    pub async fn actor_of_pair(&self, user: &str, token: &str) -> Result<Admitted, Problem> {
        let user = UserId::parse(user).ok_or_else(Problem::invalid_token)?;
        self.chat().admit_as(&user, token.trim()).await.map_err(Problem::of_token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_first_proof_decides_in_the_contracts_order() {
        let all =
            [("x-app-key", "k"), ("authorization", "Bearer t"), ("x-auth-token", "a"), ("x-user-id", "u")];
        let found = |pairs: &[(&'static str, &str)]| find(&headers(pairs));
        assert!(found(&all) == Some(Proof::Key("k".into())));
        assert!(found(&all[1..]) == Some(Proof::Either("t".into())));
        assert!(found(&all[2..]) == Some(Proof::TokenOf("u".into(), "a".into())));
        assert!(found(&[("x-user-id", "u")]).is_none());
        assert!(found(&[("authorization", "Basic x")]) == Some(Proof::Either(String::new())));
    }
}
