//! Signing in by others, against real counterparts: an OpenID provider, OAuth clients, a directory.

mod browser;
mod oidc;
mod provider;
