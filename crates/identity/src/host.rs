//! The core's [`HostTokens`](Port) port.

use parlor_core::blobs::Boxed;
use parlor_core::error::Refusal;
use parlor_core::host_tokens::{HostPerson, HostTokens as Port};
use parlor_core::id::UserId;

use crate::claims::HostClaims;
use crate::jwt::{HostTokens, TokenRefused};

impl Port for HostTokens {
    fn is_one(&self, token: &str) -> bool {
        Self::looks_like_one(token)
    }

    fn verify<'a>(&'a self, token: &'a str) -> Boxed<'a, HostPerson> {
        Box::pin(async move {
            let claims = HostTokens::verify(self, token).await.map_err(|refused| {
                tracing::debug!(%refused, "a host token was refused");
                match refused {
                    TokenRefused::Expired => Refusal::TokenExpired,
                    TokenRefused::Invalid(_) => Refusal::BadCredentials,
                }
            })?;
            Ok(person(claims))
        })
    }
}

fn person(claims: HostClaims) -> HostPerson {
    HostPerson {
        wanted_username: claims.wanted_username(),
        id: UserId::from(claims.id),
        username: claims.username,
        name: claims.name,
        email: claims.email,
        roles: claims.roles,
        vendor: claims.vendor,
        expires_at: claims.expires,
        may_claim_placeholders: claims.may_claim_placeholders,
    }
}
