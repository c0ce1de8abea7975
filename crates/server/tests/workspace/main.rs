//! What an administrator runs a workspace with, over the wire.

mod integrations;
mod sink;
