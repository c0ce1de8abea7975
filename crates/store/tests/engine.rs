//! What the engine promises, on SQLite and on PostgreSQL alike.

#![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

mod common;

use common::{Place, wait};
use parlor_core::clock::Time;
use parlor_core::error::{Refusal, Result, What};
use parlor_core::store::{Horizon, ReadAccounts, ReadFeed, WriteAccounts, WriteMessages, WriteWorkspace};
use parlor_store::{Bounds, Column, Engine, Kind, Lane, OpenError, Options, SqlError, SqlTx, params};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::Duration;

fn put(engine: &Engine, id: &'static str, value: i64) -> Result<()> {
    wait(engine.write(Lane::Verb, 0, move |tx| insert(tx, id, value)))
}

fn insert(tx: &mut SqlTx<'_>, id: &str, value: i64) -> Result<()> {
    let sql = "INSERT INTO settings (id, value, updated_at) VALUES ($2, $1, $3)";
    tx.exec(sql, params![value.to_string(), id, value])?;
    Ok(())
}

fn count(engine: &Engine) -> i64 {
    wait(engine.read(|tx| Ok(tx.one("SELECT COUNT(*) FROM settings", &[], |row| row.get(0))?))).unwrap()
}

story!(a_committed_write_is_read_again_after_reopening, |place| {
    let engine = place.open();
    put(&engine, "a", 7).unwrap();
    drop(engine);
    let engine = place.open();
    let found: (String, i64) = wait(engine.read(|tx| {
        let sql = "SELECT value, updated_at FROM settings WHERE id = $1";
        Ok(tx.one(sql, params!["a"], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }))
    .unwrap();
    assert_eq!(found, ("7".into(), 7));
});

story!(a_refused_job_leaves_nothing_and_its_neighbours_stay, |place| {
    let engine = place.open();
    let kept: Vec<_> = (0..20)
        .map(|n| {
            engine.write(Lane::Verb, 0, move |tx| {
                insert(tx, &format!("s{n}"), n)?;
                if n % 2 == 0 { Ok(()) } else { Err(Refusal::NotFound(What::Room)) }
            })
        })
        .collect();
    for (n, answer) in kept.into_iter().enumerate() {
        let expected = if n % 2 == 0 { Ok(()) } else { Err(Refusal::NotFound(What::Room)) };
        assert_eq!(wait(answer), expected);
    }
    assert_eq!(count(&engine), 10);
});

story!(a_failed_statement_fails_its_whole_job, |place| {
    let engine = place.open();
    put(&engine, "a", 1).unwrap();
    let answer = wait(engine.write(Lane::Verb, 0, |tx| {
        insert(tx, "b", 2)?;
        let first = tx.exec("INSERT INTO settings (id, value, updated_at) VALUES ('a', '', 0)", &[]);
        let Err(SqlError::Constraint { on, .. }) = first else { panic!("{first:?}") };
        assert_eq!(on, "settings.id");
        assert!(tx.exec("DELETE FROM settings", &[]).is_err());
        Ok(())
    }));
    assert!(matches!(answer, Err(Refusal::Internal(_))), "{answer:?}");
    assert_eq!(count(&engine), 1);
});

story!(a_panicking_job_is_answered_and_the_engine_goes_on, |place| {
    let engine = place.open();
    let answer = wait(engine.write::<()>(Lane::Verb, 0, |tx| {
        insert(tx, "a", 1)?;
        panic!("of this test")
    }));
    assert!(matches!(answer, Err(Refusal::Internal(_))), "{answer:?}");
    put(&engine, "b", 1).unwrap();
    assert_eq!(count(&engine), 1);
});

story!(every_type_comes_back_as_it_went_in, |place| {
    let engine = place.open();
    wait(engine.write(Lane::Verb, 0, |tx| {
        tx.exec("CREATE TABLE t (a TEXT, b BIGINT, c DOUBLE PRECISION, d {bytes})", &[])?;
        let bytes: &[u8] = &[0, 255];
        tx.exec("INSERT INTO t VALUES ($4, $3, $2, $1)", params![bytes, 2.5, i64::MIN, "é'$1"])?;
        tx.exec(
            "INSERT INTO t VALUES ($1, $2, $3, $4)",
            params![None::<&str>, None::<i64>, None::<f64>, None::<Vec<u8>>],
        )?;
        let all = tx.query("SELECT a, b, c, d FROM t ORDER BY b IS NULL", &[], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        let full = (Some("é'$1".to_owned()), Some(i64::MIN), Some(2.5), Some(vec![0u8, 255]));
        assert_eq!(all, [full, (None, None, None, None)]);
        let wrong = tx.one("SELECT a FROM t WHERE b IS NOT NULL", &[], |row| i64::read(row, 0));
        assert!(wrong.is_err());
        Err::<(), _>(Refusal::Stale)
    }))
    .unwrap_err();
});

story!(a_text_with_a_nul_is_refused_the_same_way, |place| {
    let engine = place.open();
    let answer = wait(engine.write(Lane::Verb, 0, |tx| {
        assert!(matches!(insert(tx, "a\0b", 1), Err(Refusal::Invalid { .. })));
        // Nothing was sent: the job may go on.
        insert(tx, "ab", 1)
    }));
    answer.unwrap();
    assert_eq!(count(&engine), 1);
});

story!(a_reader_can_not_write, |place| {
    let engine = place.open();
    let answer = wait(engine.read(|tx| insert(tx, "a", 1)));
    assert!(matches!(answer, Err(Refusal::Internal(_))), "{answer:?}");
    assert_eq!(count(&engine), 0);
});

story!(a_read_over_its_limit_is_cut_off, |place| {
    let mut options = place.options();
    options.read_limit = Duration::from_millis(50);
    let engine = place.open_with(options);
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
    let answer = wait(engine.read(move |tx| Ok(tx.one(endless, &[], |row| row.get::<i64>(0))?)));
    assert_eq!(answer, Err(Refusal::Unavailable));
    assert_eq!(engine.figures().reads_cut, 1);
    assert_eq!(count(&engine), 0);
});

story!(jobs_of_one_caller_are_done_although_nobody_waits_for_them, |place| {
    let engine = place.open();
    for n in 0..50 {
        drop(engine.write(Lane::Message, 0, move |tx| insert(tx, &format!("s{n}"), n)));
    }
    engine.close();
    assert_eq!(wait(engine.write(Lane::Verb, 0, |tx| insert(tx, "late", 1))), Err(Refusal::Unavailable));
    drop(engine);
    assert_eq!(count(&place.open()), 50);
});

story!(a_queue_at_its_bound_refuses_at_once, |place| {
    let mut options = place.options();
    options.bounds = Bounds { jobs: 4, ..Bounds::default() };
    options.connections = 2;
    let engine = place.open_with(options);
    let (go, gate) = mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let running = Arc::new(AtomicUsize::new(0));
    let threads = if engine.kind() == Kind::Sqlite { 1 } else { 2 };
    let mut answers: Vec<_> = (0..threads)
        .map(|_| {
            let (gate, running) = (gate.clone(), running.clone());
            engine.write(Lane::Verb, 0, move |_| {
                running.fetch_add(1, SeqCst);
                let _ = gate.lock().unwrap().recv();
                Ok(())
            })
        })
        .collect();
    while running.load(SeqCst) < threads {
        std::thread::yield_now();
    }
    answers.extend((0..4).map(|n| engine.write(Lane::Verb, 0, move |tx| insert(tx, &format!("s{n}"), n))));
    assert_eq!(wait(engine.write(Lane::Message, 0, |tx| insert(tx, "over", 1))), Err(Refusal::Unavailable));
    assert_eq!(engine.figures().full, 1);
    drop(go);
    for answer in answers {
        wait(answer).unwrap();
    }
    assert_eq!(count(&engine), 4);
});

story!(two_jobs_that_change_the_same_row_both_count, |place| {
    let engine = Arc::new(place.open());
    put(&engine, "n", 0).unwrap();
    let answers: Vec<_> = (0..100)
        .map(|_| {
            engine.write(Lane::Verb, 0, |tx| {
                let sql = "SELECT updated_at FROM settings WHERE id = 'n' {lock}";
                let n: i64 = tx.one(sql, &[], |row| row.get(0))?;
                tx.exec("UPDATE settings SET updated_at = $1 WHERE id = 'n'", params![n + 1])?;
                Ok(())
            })
        })
        .collect();
    answers.into_iter().for_each(|answer| wait(answer).unwrap());
    let sql = "SELECT updated_at FROM settings WHERE id = 'n'";
    let n: i64 = wait(engine.read(move |tx| Ok(tx.one(sql, &[], |row| row.get(0))?))).unwrap();
    assert_eq!(n, 100);
});

#[test]
fn two_who_make_the_same_at_once_both_find_it_on_postgres() {
    let Some(place) = Place::postgres() else { return };
    let engine = place.open();
    let both = Arc::new(std::sync::Barrier::new(2));
    let answers = ["one", "two"].map(|id| {
        let (both, mut first) = (both.clone(), true);
        engine.write(Lane::Verb, 0, move |tx| {
            if let Some(there) = tx.user_by_username("ann")? {
                return Ok(there.id);
            }
            // Neither is there for the other when both have looked.
            if std::mem::take(&mut first) {
                both.wait();
            }
            let user = common::cast::named(id, "ann");
            tx.insert_user(&user)?;
            Ok(user.id)
        })
    });
    let [one, two] = answers.map(|answer| wait(answer).unwrap());
    assert_eq!(one, two);
    let again = wait(engine.write(Lane::Verb, 0, |tx| tx.insert_user(&common::cast::named("three", "ann"))));
    assert!(matches!(again, Err(Refusal::Taken { what: What::Username, .. })), "{again:?}");
}

story!(a_newer_schema_is_refused_with_both_versions_named, |place| {
    let engine = place.open();
    wait(engine.write(Lane::Verb, 0, |tx| {
        tx.exec("INSERT INTO schema_version (version, name) VALUES (9999, '9999_of_tomorrow')", &[])?;
        Ok(())
    }))
    .unwrap();
    drop(engine);
    let error = Engine::open(&place.location, place.options()).err().expect("a refusal").to_string();
    assert!(error.contains("9999") && error.contains("newer version"), "{error}");
});

story!(whoever_only_looks_reads_beside_the_owner_and_changes_nothing, |place| {
    let looks = || Options { looks: true, ..place.options() };
    assert!(
        Engine::open(&place.location, looks()).is_err(),
        "there is nothing to look at, and nothing is made"
    );
    let engine = place.open();
    put(&engine, "a", 7).unwrap();
    let looking = Engine::open(&place.location, looks()).unwrap();
    assert_eq!(count(&looking), 1);
    assert!(matches!(put(&looking, "b", 8), Err(Refusal::Unavailable)));
    put(&engine, "c", 9).unwrap();
    assert_eq!((count(&looking), count(&engine)), (2, 2));
});

#[test]
fn a_second_engine_on_the_same_file_is_refused() {
    let place = common::Place::sqlite();
    let engine = place.open();
    assert!(matches!(Engine::open(&place.location, place.options()), Err(OpenError::InUse(_))));
    drop(engine);
    place.open();
}

#[test]
fn many_queued_jobs_share_a_commit_on_sqlite() {
    let place = common::Place::sqlite();
    let engine = place.open();
    let answers: Vec<_> = (0..2_000)
        .map(|n| engine.write(Lane::Message, 0, move |tx| insert(tx, &format!("s{n}"), n)))
        .collect();
    answers.into_iter().for_each(|answer| wait(answer).unwrap());
    assert!(engine.figures().commits < 400, "{:?}", engine.figures());
}

#[test]
fn the_log_is_checkpointed_at_its_mark_and_starts_again() {
    let place = common::Place::sqlite();
    let mut options = place.options();
    options.checkpoint_at = 256 << 10;
    let engine = place.open_with(options);
    let text = "x".repeat(10_000);
    for n in 0..100 {
        let (text, id) = (text.clone(), format!("s{n}"));
        wait(engine.write(Lane::Verb, 0, move |tx| {
            tx.exec("INSERT INTO settings (id, value, updated_at) VALUES ($1, $2, 0)", params![id, text])?;
            Ok(())
        }))
        .unwrap();
    }
    let figures = engine.figures();
    assert!(figures.checkpoints >= 2, "{figures:?}");
    assert!(figures.log_pages < 200, "{figures:?}");
}

story!(the_journal_loses_what_is_old_and_read_but_never_its_newest_row, |place| {
    let engine = place.open();
    common::cast::people(&engine, 1, 1);
    for n in 0..10 {
        let message = common::cast::message(&format!("m{n}"), "r0", "u0", "hello");
        wait(engine.write(Lane::Verb, 0, move |tx| tx.append_message(message.clone()))).unwrap();
    }
    let rows =
        || wait(engine.read(|tx| Ok(tx.one("SELECT COUNT(*) FROM journal", &[], |row| row.get::<i64>(0))?)));
    let prune =
        |before: i64| wait(engine.write(Lane::Bulk, 0, move |tx| tx.prune_journal(Time(before)))).unwrap();
    let read_to_the_end = "UPDATE journal_cursors SET g = (SELECT MAX(g) FROM journal)";
    wait(engine.write(Lane::Verb, 0, move |tx| Ok(tx.exec(read_to_the_end, &[])?))).unwrap();
    assert!(!prune(1_000));
    assert_eq!(rows().unwrap(), 10, "nothing is that old");
    assert!(!prune(i64::MAX));
    assert_eq!(rows().unwrap(), 1);
});

story!(a_panic_in_telling_of_a_commit_ends_the_process_instead_of_leaving_it_deaf, |place| {
    let poisoned = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut options = place.options();
    let heard = poisoned.clone();
    options.on_poison = Arc::new(move |why| heard.lock().unwrap().push(why.to_owned()));
    options.sink = Arc::new(|_| panic!("of this test"));
    let engine = place.open_with(options);
    put(&engine, "a", 1).unwrap();
    assert!(poisoned.lock().unwrap().is_empty());
    let answer = wait(engine.write(Lane::Verb, 0, |tx| {
        let event = parlor_core::event::Event::Skipped { room: "r".into() };
        tx.publish(parlor_core::event::Fact { g: 0, place: None, event });
        Ok(())
    }));
    assert_eq!(answer, Err(Refusal::Unavailable));
    // The answer comes while the thread is still on its way out.
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while poisoned.lock().unwrap().is_empty() && std::time::Instant::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(poisoned.lock().unwrap().len(), 1);
});

/// Records that teams of these names changed, in one transaction.
fn note(tx: &mut SqlTx<'_>, names: &[&str]) -> parlor_core::error::Result<()> {
    use parlor_core::{event::Event, store::Journal};
    names.iter().try_for_each(|name| tx.record(None, Event::Team { team: (*name).into() }))
}

/// What other processes have recorded since, and up to where; read in pieces of about two.
fn recorded(engine: &Engine, since: &mut Horizon) -> Vec<Vec<String>> {
    let mut pieces = Vec::new();
    loop {
        let from = since.clone();
        let news = wait(engine.read(move |tx| tx.elsewhere(&from, 2))).unwrap();
        *since = news.horizon;
        let names = news.traces.into_iter().map(|trace| trace.object.unwrap_or_default());
        pieces.push(names.collect());
        if !news.more {
            pieces.retain(|piece: &Vec<String>| !piece.is_empty());
            return pieces;
        }
    }
}

#[test]
fn what_another_process_commits_is_read_once_and_whole_even_where_it_was_overtaken() {
    let Some(place) = Place::postgres() else { return };
    let open = || place.open_with(Options { several: true, ..place.options() });
    let (here, there) = (open(), open());
    let mut since = wait(here.read(|tx| tx.horizon())).unwrap();
    let (started, begun) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let slow = there.write(Lane::Verb, 0, move |tx| {
        note(tx, &["slow 1", "slow 2", "slow 3"])?;
        started.send(()).unwrap();
        gate.recv().unwrap();
        Ok(())
    });
    begun.recv().unwrap();
    wait(there.write(Lane::Verb, 0, |tx| note(tx, &["quick"]))).unwrap();
    wait(here.write(Lane::Verb, 0, |tx| note(tx, &["own"]))).unwrap();
    assert_eq!(recorded(&here, &mut since), [["quick"]], "it does not wait for the slow one");
    go.send(()).unwrap();
    wait(slow).unwrap();
    wait(there.write(Lane::Verb, 0, |tx| note(tx, &["later"]))).unwrap();
    let pieces = recorded(&here, &mut since);
    assert_eq!(pieces, [vec!["slow 1", "slow 2", "slow 3"], vec!["later"]], "whole transactions");
    assert_eq!(recorded(&here, &mut since), Vec::<Vec<String>>::new());
}
