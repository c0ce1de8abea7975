use super::row::Source;
use super::{Access, Client, Kind, ONCE, Param, Row, SqlError, rewrite};
use bytes::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::error::Error;

/// Statements kept prepared by a connection, for reading and for writing each; beyond it they are dropped and
/// prepared anew.
const PREPARED: usize = 512;

/// One PostgreSQL connection with its prepared statements.
pub(crate) struct PostgresConn {
    pub(crate) client: Client,
    prepared: [FxHashMap<Box<str>, postgres::Statement>; 2],
    pub(crate) access: Access,
}

impl PostgresConn {
    pub(crate) fn new(client: Client) -> Self {
        PostgresConn { client, prepared: Default::default(), access: Access::Write }
    }

    /// The prepared statement of a text, made at its first use.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<postgres::Statement, SqlError> {
        let prepared = &mut self.prepared[self.access as usize];
        if let Some(statement) = prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&rewrite(sql, Kind::Postgres, self.access))?;
        if sql.contains(ONCE) {
            return Ok(statement);
        }
        if prepared.len() >= PREPARED {
            prepared.clear();
        }
        prepared.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    pub(crate) fn exec(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlError> {
        let params: SmallVec<[&(dyn ToSql + Sync); 24]> = params.iter().map(|p| p as _).collect();
        self.exec_of(sql, &params)
    }

    pub(crate) fn exec_of(&mut self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, SqlError> {
        let statement = self.prepare(sql)?;
        check_count(&statement, params.len(), sql)?;
        self.client.execute(&statement, params)
    }

    /// As on SQLite: each row until `each` answers false; the rows seen.
    pub(crate) fn each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, SqlError>,
    ) -> Result<u64, SqlError> {
        let params: SmallVec<[&(dyn ToSql + Sync); 24]> = params.iter().map(|p| p as _).collect();
        self.each_of(sql, &params, each)
    }

    pub(crate) fn each_of(
        &mut self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, SqlError>,
    ) -> Result<u64, SqlError> {
        let statement = self.prepare(sql)?;
        check_count(&statement, params.len(), sql)?;
        let mut seen = 0;
        let mut wanted = true;
        self.client.each(&statement, params, |row| {
            seen += 1;
            if wanted {
                wanted = each(&Row(Source::Postgres(row)))?;
            }
            Ok(())
        })?;
        Ok(seen)
    }
}

impl PostgresConn {
    /// Runs statements in one round trip and gives each row to `read`, with the number of its statement.
    pub(crate) fn together(
        &mut self,
        all: &[(&str, &[&(dyn ToSql + Sync)])],
        read: &mut dyn FnMut(usize, &Row<'_>) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let mut prepared = Vec::with_capacity(all.len());
        for (sql, params) in all {
            let statement = self.prepare(sql)?;
            check_count(&statement, params.len(), sql)?;
            prepared.push((statement, *params));
        }
        for (which, rows) in self.client.together(&prepared)?.iter().enumerate() {
            rows.iter().try_for_each(|row| read(which, &Row(Source::Postgres(row))))?;
        }
        Ok(())
    }
}

impl PostgresConn {
    /// Runs one statement with each of these, in one round trip; how many rows each wrote.
    pub(crate) fn exec_all<'a, P: AsRef<[Param<'a>]>>(
        &mut self,
        sql: &str,
        all: &[P],
    ) -> Result<Vec<u64>, SqlError> {
        let statement = self.prepare(sql)?;
        let all = lent(all);
        all.iter().try_for_each(|params| check_count(&statement, params.len(), sql))?;
        self.client.execute_all(&statement, &all)
    }

    /// Runs one query with each of these, in one round trip; each row goes to `read` with the number of what it answers.
    pub(crate) fn each_all<'a, P: AsRef<[Param<'a>]>>(
        &mut self,
        sql: &str,
        all: &[P],
        read: &mut dyn FnMut(usize, &Row<'_>) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let all = lent(all);
        let all: Vec<(&str, &[&(dyn ToSql + Sync)])> = all.iter().map(|params| (sql, &params[..])).collect();
        self.together(&all, read)
    }
}

fn lent<'p, 'a, P: AsRef<[Param<'a>]>>(all: &'p [P]) -> Vec<Vec<&'p (dyn ToSql + Sync)>>
where
    'a: 'p,
{
    all.iter().map(|params| params.as_ref().iter().map(|param| param as _).collect()).collect()
}

fn check_count(statement: &postgres::Statement, given: usize, sql: &str) -> Result<(), SqlError> {
    if statement.params().len() == given {
        return Ok(());
    }
    Err(SqlError::Other(format!("{given} parameters for {sql}")))
}

type Sent = Result<IsNull, Box<dyn Error + Sync + Send>>;

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Sent {
        match *self {
            Param::Null => Ok(IsNull::Yes),
            Param::Int(value) => match *ty {
                Type::INT8 => value.to_sql(ty, out),
                Type::INT4 => i32::try_from(value)?.to_sql(ty, out),
                Type::INT2 => i16::try_from(value)?.to_sql(ty, out),
                Type::FLOAT8 => (value as f64).to_sql(ty, out),
                _ => Err(mismatch("a number", ty)),
            },
            Param::Real(value) if *ty == Type::FLOAT8 => value.to_sql(ty, out),
            Param::Real(_) => Err(mismatch("a number", ty)),
            Param::Text(value) if <&str as ToSql>::accepts(ty) => value.to_sql(ty, out),
            Param::Text(_) => Err(mismatch("a text", ty)),
            Param::Bytes(value) if *ty == Type::BYTEA => value.to_sql(ty, out),
            Param::Bytes(_) => Err(mismatch("bytes", ty)),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn mismatch(given: &str, ty: &Type) -> Box<dyn Error + Sync + Send> {
    format!("{given} given where the statement wants {ty}").into()
}

/// A whole column of a batch, sent as one array (PostgreSQL's `unnest`).
#[derive(Debug)]
pub(crate) enum ArrayParam<'a> {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<&'a str>>),
}

impl ToSql for ArrayParam<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Sent {
        match self {
            ArrayParam::Int(values) => values.to_sql(ty, out),
            ArrayParam::Text(values) => values.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
