//! PostgreSQL, copied table by table from one snapshot by COPY.

use super::manifest::Manifest;
use super::{BackupError, Done, at, files};
use crate::engine::{Direct, connect};
use crate::migrations;
use crate::sql::{Counters, SqlError, Target};
use std::fs::{self, File};
use std::io;
use std::path::Path;

const TABLES: &str = "tables";

/// A connection without limits of time: copying takes as long as it takes.
fn open(target: &Target) -> Result<postgres::Client, SqlError> {
    Ok(postgres::Config::from(target.config.clone()).connect(target.tls.clone())?)
}

/// Copies the tables; tells the ids of the stored files that they name.
pub(super) fn copy(url: &str, target: &Path, manifest: &mut Manifest) -> Done<Vec<String>> {
    let mut client = open(&Target::parse(url)?)?;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;
        SET LOCAL idle_in_transaction_session_timeout = 0";
    client.batch_execute(begin).map_err(SqlError::from)?;
    let row = client.query_one("SELECT MAX(version) FROM schema_version", &[]).map_err(SqlError::from)?;
    manifest.schema = row.get(0);
    let directory = target.join(TABLES);
    at(&directory, fs::create_dir_all(&directory))?;
    for table in tables(&mut client)? {
        let name = format!("{TABLES}/{table}.copy");
        let columns = columns(&mut client, &table)?;
        // The columns stand in the first line: a restore names them, whatever order a table has there.
        let head = io::Cursor::new(format!("{columns}\n").into_bytes());
        let rows =
            client.copy_out(&format!("COPY \"{table}\" ({columns}) TO STDOUT")).map_err(SqlError::from)?;
        manifest.add(files::write(io::Read::chain(head, rows), &target.join(&name), &name)?);
    }
    let stored = tables(&mut client)?.iter().any(|table| table == "blobs");
    let uploads = if stored { "SELECT id FROM blobs" } else { "SELECT id FROM uploads" };
    let uploads = client.query(uploads, &[]).map_err(SqlError::from)?;
    Ok(uploads.iter().map(|row| row.get(0)).collect())
}

/// The tables of this schema but the one that holds its version, which the steps fill.
fn tables(client: &mut postgres::Client) -> Result<Vec<String>, SqlError> {
    let sql = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()
        AND table_type = 'BASE TABLE' AND table_name <> 'schema_version' ORDER BY 1";
    Ok(client.query(sql, &[])?.iter().map(|row| row.get(0)).collect())
}

fn columns(client: &mut postgres::Client, table: &str) -> Result<String, SqlError> {
    let sql = "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
        FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1";
    Ok(client.query_one(sql, &[&table])?.get(0))
}

/// Fills an empty database, in one transaction.
pub(super) fn put_back(backup: &Path, url: &str, schema: i64) -> Done<()> {
    let counters = Counters::default();
    let target = Target::parse(url)?;
    let mut client = open(&target)?;
    refuse_content(&mut client)?;
    let mut direct = Direct { conn: connect(&target, None)?, counters: &counters };
    migrations::migrate_up_to(&mut direct, schema)?;
    drop(direct);
    let mut transaction = client.transaction().map_err(SqlError::from)?;
    transaction.batch_execute("SET LOCAL statement_timeout = 0").map_err(SqlError::from)?;
    let directory = backup.join(TABLES);
    for entry in at(&directory, fs::read_dir(&directory))? {
        let path = at(&directory, entry)?.path();
        if let Some(table) = path.file_stem().and_then(|stem| stem.to_str()) {
            fill(&mut transaction, table, &path)?;
        }
    }
    transaction.commit().map_err(SqlError::from)?;
    Ok(())
}

/// Refuses a database with anybody in it, or with tables that are not ours. Empty tables are what a restore leaves
/// that was cut off.
fn refuse_content(client: &mut postgres::Client) -> Done<()> {
    let found = tables(client)?;
    if found.is_empty() {
        return Ok(());
    }
    let ours = found.iter().any(|table| table == "users");
    let filled =
        !ours || client.query_one("SELECT EXISTS (SELECT 1 FROM users)", &[]).map_err(SqlError::from)?.get(0);
    if filled {
        return Err(BackupError::NotEmpty(format!("the database, with {} tables,", found.len())));
    }
    Ok(())
}

fn fill(transaction: &mut postgres::Transaction<'_>, table: &str, path: &Path) -> Done<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut rows = io::BufReader::new(at(path, File::open(path))?);
    let mut columns = String::new();
    at(path, io::BufRead::read_line(&mut rows, &mut columns))?;
    let columns = columns.trim_end();
    if !table.chars().all(plain) || !columns.chars().all(|c| plain(c) || "\", ".contains(c)) {
        return Err(BackupError::Damaged(format!("the table {table}")));
    }
    // Steps put rows of their own into some tables.
    transaction.batch_execute(&format!("DELETE FROM \"{table}\"")).map_err(SqlError::from)?;
    let mut writer =
        transaction.copy_in(&format!("COPY \"{table}\" ({columns}) FROM STDIN")).map_err(SqlError::from)?;
    at(path, io::copy(&mut rows, &mut writer))?;
    writer.finish().map_err(SqlError::from)?;
    number_on(transaction, table)
}

/// Lets numbers that the server gives go on after the largest that was restored.
fn number_on(transaction: &mut postgres::Transaction<'_>, table: &str) -> Done<()> {
    let sql = "SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema()
        AND table_name = $1 AND is_identity = 'YES'";
    for row in transaction.query(sql, &[&table]).map_err(SqlError::from)? {
        let column: String = row.get(0);
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), COALESCE(MAX(\"{column}\"), 1),
                MAX(\"{column}\") IS NOT NULL) FROM \"{table}\""
        );
        transaction.batch_execute(&sql).map_err(SqlError::from)?;
    }
    Ok(())
}
