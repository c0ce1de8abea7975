#![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

use super::*;
use crate::{Engine, Location, Options};
use parlor_core::clock::Clock;
use std::time::Duration;

struct Still;

impl Clock for Still {
    fn now(&self) -> Time {
        Time(0)
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// What this finds in a new database.
pub(crate) fn asked<T: Send + 'static>(
    location: &Location,
    work: impl FnOnce(&mut SqlTx<'_>) -> Result<T> + Send + 'static,
) -> T {
    let engine = Engine::open(location, Options::new(Arc::new(Still), Arc::new(|_| {}))).unwrap();
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    waiting.block_on(engine.read(work)).unwrap()
}

/// How a list would be found.
fn plan(filter: &CaseFilter) -> String {
    let directory = tempfile::tempdir().unwrap();
    let (sql, clause) = listing(filter);
    let explained = asked(&Location::Sqlite(directory.path().join("parlor.db")), move |tx| {
        let mut params = clause.params();
        params.extend(params![50_i64, 0_i64]);
        Ok(tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &params, |row| row.get::<String>(3))?)
    });
    explained.join("\n")
}

#[test]
fn s2_63_conversations_are_found_by_their_participants_and_by_their_times() {
    let mine = CaseFilter { participant: Some("ann".into()), open: Some(true), ..CaseFilter::default() };
    let mine = plan(&mine);
    assert!(mine.contains("memberships_whom (whom=?)"), "{mine}");
    assert!(!mine.contains("SCAN"), "the cases of everybody are not looked through: {mine}");
    let waiting = CaseFilter { open: Some(true), view: Some(Queue::General), ..CaseFilter::default() };
    let waiting = plan(&waiting);
    assert!(waiting.contains("cases_waiting"), "{waiting}");
}

#[test]
fn s2_63_postgresql_has_the_same_indexes() {
    let Some(server) = parlor_testkit::postgres::shared() else { return };
    let named = asked(&Location::Postgres(server.database()), |tx| {
        let sql = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'";
        Ok(tx.query(sql, &[], |row| row.get::<String>(0))?)
    });
    for wanted in [
        "memberships_whom ON public.memberships USING btree (whom, updated_at)",
        "memberships_pkey ON public.memberships USING btree (room, whom)",
        "cases_waiting ON public.cases USING btree (waiting_since, room) WHERE (closed_at IS NULL)",
        "cases_requester ON public.cases USING btree (requester, room) WHERE (closed_at IS NULL)",
        "messages_pkey ON public.messages USING btree (key)",
    ] {
        assert!(named.iter().any(|index| index.ends_with(wanted)), "{wanted}: {named:#?}");
    }
}
