//! What an administrator runs a workspace with, over the wire.

mod accounts;
mod administration;
mod alone;
mod browsers;
mod calls;
mod commands;
mod details;
mod dialect;
mod edges;
mod factors;
mod guarded;
mod integrations;
mod limits;
mod mail;
mod phones;
mod post;
mod previews;
mod pushes;
mod sink;
mod slash;
mod tls;
mod triggers;
mod upgrade;
