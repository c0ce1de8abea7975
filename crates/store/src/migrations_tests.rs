#![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

use super::*;
use crate::engine::{Direct, DirectSqlite, connect, open_writer};
use crate::sql::{Counters, SqliteConn};

#[test]
fn a_step_gives_each_engine_its_statements() {
    let text =
        "-- Why.\nCREATE TABLE a (\n  x TEXT\n);\n-- sqlite:\nONE;\n-- postgres:\nTWO;\n-- both:\nTHREE;\n";
    assert_eq!(statements(text, Kind::Sqlite), ["CREATE TABLE a (\nx TEXT\n)", "ONE", "THREE"]);
    assert_eq!(statements(text, Kind::Postgres), ["CREATE TABLE a (\nx TEXT\n)", "TWO", "THREE"]);
}

#[test]
fn steps_are_numbered_by_their_place() {
    for (number, (name, _)) in (1..).zip(STEPS) {
        assert!(name.starts_with(&format!("{number:04}_")), "{name} stands at {number}");
    }
}

/// Ends the migration before each of its statements in turn, each time on a new connection; gives the schema that
/// came of it.
#[allow(clippy::type_complexity, reason = "a name would have to spell all of its lifetimes")]
fn ended_everywhere(
    run: &mut dyn FnMut(
        &mut dyn FnMut(&mut dyn Migrate) -> Result<i64, MigrationError>,
    ) -> Result<i64, MigrationError>,
    schema: &str,
) -> Vec<String> {
    let (mut version, mut end_at, mut endings) = (0, 0, 0);
    loop {
        let mut seen = 0;
        let done = run(&mut |on| {
            migrate_to(on, STEPS.len(), &mut |_| {
                seen += 1;
                if seen > end_at { Err(SqlError::Unavailable("killed")) } else { Ok(()) }
            })
        });
        let found = done.as_ref().map_or(-1, |found| *found);
        match done {
            Ok(_) => break,
            Err(MigrationError::Failed { .. }) => endings += 1,
            Err(other) => panic!("{other}"),
        }
        // Each step is ended at its first statement, then at its second …
        let mut now = 0;
        run(&mut |on| {
            on.transaction(&mut |tx| {
                now =
                    tx.one("SELECT COALESCE(MAX(version), 0) FROM schema_version", &[], |row| row.get(0))?;
                Ok(())
            })
            .map_err(MigrationError::Version)?;
            Ok(0)
        })
        .unwrap();
        assert!(now >= version && now <= version + 1 && found <= now, "{version} {now}");
        end_at = if now == version { end_at + 1 } else { 0 };
        version = now;
    }
    assert!(endings > STEPS.len() * 3, "{endings}");
    listing(run, schema)
}

#[allow(clippy::type_complexity, reason = "a name would have to spell all of its lifetimes")]
fn listing(
    run: &mut dyn FnMut(
        &mut dyn FnMut(&mut dyn Migrate) -> Result<i64, MigrationError>,
    ) -> Result<i64, MigrationError>,
    schema: &str,
) -> Vec<String> {
    let mut all = Vec::new();
    run(&mut |on| {
        on.transaction(&mut |tx| {
            all = tx.query(schema, &[], |row| row.get(0))?;
            Ok(())
        })
        .map_err(MigrationError::Version)?;
        Ok(0)
    })
    .unwrap();
    all
}

#[test]
fn s3_54_a_migration_killed_at_any_statement_is_finished_by_the_next_start_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let schema = "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY 1";
    let counters = Counters::default();
    let mut listings = ["killed", "whole"].map(|name| {
        let path = directory.path().join(name);
        let mut run = |work: &mut dyn FnMut(&mut dyn Migrate) -> Result<i64, MigrationError>| {
            let conn = SqliteConn::new(open_writer(&path).unwrap());
            work(&mut DirectSqlite { conn: &conn, counters: &counters })
        };
        if name == "killed" {
            return ended_everywhere(&mut run, schema);
        }
        run(&mut |on| migrate(on)).unwrap();
        listing(&mut run, schema)
    });
    let [killed, whole] = &mut listings;
    assert_eq!(killed, whole);
}

#[test]
fn a_migration_killed_at_any_statement_is_finished_by_the_next_start_on_postgres() {
    let Some(server) = parlor_testkit::postgres::shared() else { return };
    let schema = "SELECT table_name || '.' || column_name || ' ' || data_type || is_nullable
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
    let counters = Counters::default();
    let mut listings = ["killed", "whole"].map(|name| {
        let target = crate::sql::Target::parse(&server.database()).unwrap();
        let mut run = |work: &mut dyn FnMut(&mut dyn Migrate) -> Result<i64, MigrationError>| {
            work(&mut Direct { conn: connect(&target, None).unwrap(), counters: &counters })
        };
        if name == "killed" {
            return ended_everywhere(&mut run, schema);
        }
        run(&mut |on| migrate(on)).unwrap();
        listing(&mut run, schema)
    });
    let [killed, whole] = &mut listings;
    assert_eq!(killed, whole);
}

type Work<'a> = &'a mut dyn FnMut(&mut dyn Migrate) -> Result<i64, MigrationError>;

/// Does something in a transaction of its own.
fn within(run: &mut dyn FnMut(Work<'_>), work: &mut dyn FnMut(&mut SqlTx<'_>) -> Result<(), SqlError>) {
    run(&mut |on| on.transaction(work).map(|()| 0).map_err(MigrationError::Version));
}

/// Rows of version 9 in the tables that later steps change are there afterwards, with what the steps add to them; and
/// data of a version that is not known yet is left alone.
fn rows_of_before_are_kept(run: &mut dyn FnMut(Work<'_>)) {
    run(&mut |on| migrate_up_to(on, 9));
    within(run, &mut |tx| {
        let sql = "INSERT INTO push_tokens (id, whom, kind, value, app, updated_at)
            VALUES ('phone', 3, 'gcm', 'its token', 'chat', 5)";
        tx.exec(sql, &[])?;
        let sql =
            "INSERT INTO deliveries (id, integration, event, url, body, state, attempts, due_at, created_at,
            updated_at, problem, answer) VALUES ('call', 'hook', 'sendMessage', 'https://a.example/', '{\"text\":\"é\"}',
            0, 2, 7, 5, 6, 'HTTP 503', '')";
        tx.exec(sql, &[])?;
        for (id, author, role, size) in [
            ("one", 3_i64, "file", 40_i64),
            ("two", 3, "file", 60),
            ("other", 4, "file", 1),
            ("face", 3, "avatar", 9),
        ] {
            let sql = "INSERT INTO uploads (id, author, role, name, media_type, size, sha256, at)
                VALUES ($1, $2, $3, 'x', 'text/plain', $4, $5, 0)";
            tx.exec(sql, params![id, author, role, size, [7_u8; 32]])?;
        }
        Ok(())
    });
    run(&mut |on| {
        let found = migrate(on)?;
        assert_eq!(found, 9);
        Ok(found)
    });
    within(run, &mut |tx| {
        let call = "SELECT body || ' ' || problem || ' ' || attempts || ' ' || way FROM deliveries";
        let call: String = tx.one(call, &[], |row| row.get(0))?;
        assert_eq!(call, "{\"text\":\"é\"} HTTP 503 2 0");
        let phone: String = tx.one("SELECT value || '|' || keys FROM push_tokens", &[], |row| row.get(0))?;
        assert_eq!(phone, "its token|");
        let bytes =
            "SELECT COUNT(*) FROM uploads JOIN blobs ON blobs.id = uploads.blob AND blobs.size = uploads.size
            WHERE uploads.id = blobs.id AND refs = 1 AND blobs.sha256 IS NULL";
        assert_eq!(tx.one(bytes, &[], |row| row.get::<i64>(0))?, 4);
        let totals = "SELECT owner || ' ' || bytes || ' ' || files FROM upload_totals ORDER BY owner";
        let totals: Vec<String> = tx.query(totals, &[], |row| row.get(0))?;
        assert_eq!(totals, ["-1 101 3", "3 100 2", "4 1 1"]);
        let later = STEPS.len() as i64 + 1;
        tx.exec("INSERT INTO schema_version (version, name) VALUES ($1, 'later')", params![later])?;
        Ok(())
    });
    run(&mut |on| {
        let refused = migrate(on).expect_err("what it does not know it does not touch");
        let told = refused.to_string();
        assert!(matches!(refused, MigrationError::Newer { .. }) && !told.contains('\n'), "{told}");
        Ok(0)
    });
}

#[test]
fn rows_of_an_earlier_schema_are_kept_and_a_later_one_is_refused_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let counters = Counters::default();
    rows_of_before_are_kept(&mut |work| {
        let conn = SqliteConn::new(open_writer(&directory.path().join("parlor.db")).unwrap());
        work(&mut DirectSqlite { conn: &conn, counters: &counters }).unwrap();
    });
}

#[test]
fn rows_of_an_earlier_schema_are_kept_and_a_later_one_is_refused_on_postgres() {
    let Some(server) = parlor_testkit::postgres::shared() else { return };
    let target = crate::sql::Target::parse(&server.database()).unwrap();
    let counters = Counters::default();
    rows_of_before_are_kept(&mut |work| {
        work(&mut Direct { conn: connect(&target, None).unwrap(), counters: &counters }).unwrap();
    });
}
