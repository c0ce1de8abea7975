//! The server: settings, wiring, commands. The only crate that knows all others.

mod chores;
pub mod cli;
pub mod commands;
pub mod config;
pub mod config_host;
mod config_push;
mod config_s3;
pub mod config_tls;
mod entrances;
mod host;
mod http;
mod logs;
mod machine;
mod metrics;
mod nodes;
mod serve;
mod telling;
pub mod wiring;
