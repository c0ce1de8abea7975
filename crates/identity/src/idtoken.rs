//! Identity tokens of OpenID issuers: signed by a published key, for this client, now, and for the very request.

use crate::jwt::{MAX_TOKEN_BYTES, TokenRefused, check_times};
use crate::oidc::{Issuer, Oidc, Proved, Unproved};
use jsonwebtoken::Validation;
use serde_json::{Map, Value};
use std::collections::HashSet;
use subtle::ConstantTimeEq;

/// The claims of a token that proves something. `nonce` is the request's, when there was one.
///
/// # Errors
/// [`Unproved`]; never tells a client more than that.
pub(crate) async fn verify(
    oidc: &Oidc,
    issuer: &Issuer,
    client_id: &str,
    token: &str,
    nonce: Option<&str>,
) -> Proved<Map<String, Value>> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Unproved::Refused("an identity token that is too long"));
    }
    // `none` and other unknown algorithms fail here; the key decides the algorithm all the same.
    let header = jsonwebtoken::decode_header(token).map_err(|_| Unproved::Refused("a malformed token"))?;
    if header.crit.is_some() {
        return Err(Unproved::Refused("a critical extension that is not known"));
    }
    let key = issuer.keys.find(header.kid.as_deref(), oidc.clock.monotonic()).await;
    let key = key.ok_or(Unproved::Refused("a key that the issuer does not publish"))?;
    let mut validation = Validation::new(key.algorithm);
    // Times are checked against our own clock.
    validation.validate_exp = false;
    validation.set_audience(&[client_id]);
    validation.set_issuer(&[&issuer.name]);
    validation.required_spec_claims = HashSet::from(["aud", "iss", "sub"].map(str::to_owned));
    let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key.key, &validation)
        .map_err(|_| Unproved::Refused("signature, issuer or audience"))?
        .claims;
    check_times(&claims, oidc.clock.now()).map_err(|refused| match refused {
        TokenRefused::Expired => Unproved::Refused("an expired token"),
        TokenRefused::Invalid(_) => Unproved::Refused("the token's times"),
    })?;
    check_party(&claims, client_id)?;
    let said = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
    if nonce.is_some_and(|asked| !bool::from(asked.as_bytes().ct_eq(said.as_bytes()))) {
        return Err(Unproved::Refused("the answer to another request"));
    }
    Ok(claims)
}

/// A token for several must name us as the one that asked.
fn check_party(claims: &Map<String, Value>, client_id: &str) -> Proved<()> {
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    match claims.get("azp").and_then(Value::as_str) {
        Some(party) if party == client_id => Ok(()),
        None if !several => Ok(()),
        _ => Err(Unproved::Refused("a token that somebody else asked for")),
    }
}
