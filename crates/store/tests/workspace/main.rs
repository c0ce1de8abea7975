//! What the rows beside rooms and messages promise, on SQLite and on PostgreSQL alike.

#![allow(clippy::unwrap_used, reason = "a helper of tests that fails has failed the test")]

mod accounts;
#[path = "../common/mod.rs"]
mod common;
mod desk;

use common::wait;
use parlor_core::error::Result;
use parlor_store::{Engine, Lane, SqlTx};

fn write<R: Send + 'static>(
    engine: &Engine,
    work: impl FnMut(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
) -> Result<R> {
    wait(engine.write(Lane::Verb, 0, work))
}

fn read<R: Send + 'static>(
    engine: &Engine,
    work: impl FnOnce(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
) -> R {
    wait(engine.read(work)).unwrap()
}
