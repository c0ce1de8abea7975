//! Signing in by others, against real counterparts: an OpenID provider, OAuth clients, a directory.

mod browser;
mod ldap;
mod oidc;
mod provider;
