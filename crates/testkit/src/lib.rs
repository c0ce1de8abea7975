//! What tests of Parlor stand on: a real server in a folder of its own, a cast of people, a client for each
//! protocol, and the one judge of histories.
//!
//! Nothing here sleeps and hopes: every wait is for something that can be seen, and bounded.

pub mod binary;
pub mod browser;
pub mod bucket;
pub mod cast;
pub mod clamav;
pub mod ddp;
pub mod faketime;
pub mod faults;
pub mod history;
pub mod host_app;
pub mod needs;
pub mod postgres;
pub mod redis;
pub mod rest;
pub mod server;
pub mod wait;

pub use bucket::Bucket;
pub use cast::{Cast, Person};
pub use ddp::Ddp;
pub use host_app::{HostApp, HostPerson};
pub use rest::{Answer, Rest};
pub use server::Server;
