//! PostgreSQL's client on a thread that waits for it. Every call has a limit: a server that is frozen, or a network
//! that swallows everything, costs a caller seconds and not its thread.

use super::SqlError;
use super::tls::Target;
use futures_util::{TryStreamExt, future::try_join_all};
use postgres::types::ToSql;
use postgres::{Row, SimpleQueryMessage, Statement};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Client as Inner;

/// How long opening a connection may take, from the first packet to the greeting.
const OPENING: Duration = Duration::from_secs(5);

/// A connection and the small runtime that drives it while somebody waits.
pub(crate) struct Client {
    runtime: Runtime,
    inner: Inner,
    limit: Option<Duration>,
    /// A call ran out of time: nobody knows what its answer would have belonged to.
    given_up: bool,
}

impl Client {
    /// Opens a connection within this time, or within [`OPENING`]; its calls are limited likewise, or not at all.
    pub(crate) fn open(target: &Target, limit: Option<Duration>) -> Result<Self, SqlError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| SqlError::Lost(format!("no runtime for a connection: {error}")))?;
        let within = limit.unwrap_or(OPENING).min(OPENING);
        let opening = async { tokio::time::timeout(within, target.config.connect(target.tls.clone())).await };
        let (inner, connection) =
            runtime.block_on(opening).map_err(|_| SqlError::Lost("no connection in time".into()))??;
        // Its end shows in the client: `is_closed`, and an error of the call that is under way.
        runtime.spawn(async move { drop(connection.await) });
        Ok(Client { runtime, inner, limit, given_up: false })
    }

    /// From now on a call that takes longer ends the connection.
    pub(crate) fn limit(&mut self, limit: Duration) {
        self.limit = Some(limit);
    }

    /// Whether a call took too long.
    pub(crate) fn has_given_up(&self) -> bool {
        self.given_up
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.given_up || self.inner.is_closed()
    }

    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Statement, SqlError> {
        self.wait(|inner| inner.prepare(sql))
    }

    pub(crate) fn execute(
        &mut self,
        statement: &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, SqlError> {
        self.wait(|inner| inner.execute(statement, params))
    }

    /// Gives each row to `each` as it comes.
    pub(crate) fn each(
        &mut self,
        statement: &Statement,
        params: &[&(dyn ToSql + Sync)],
        mut each: impl FnMut(&Row) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        self.wait(|inner| async move {
            let mut rows = pin!(inner.query_raw(statement, params.iter().copied()).await?);
            let mut seen = Ok(());
            while let Some(row) = rows.try_next().await? {
                // A row that can't be read leaves the others to be taken off the wire.
                seen = seen.and_then(|()| each(&row));
            }
            Ok(seen)
        })?
    }

    /// Sends all these before it reads the first answer; the rows of each. After one that fails, the others of its
    /// transaction fail on the server too.
    pub(crate) fn together(
        &mut self,
        all: &[(Statement, &[&(dyn ToSql + Sync)])],
    ) -> Result<Vec<Vec<Row>>, SqlError> {
        self.wait(|inner| try_join_all(all.iter().map(|(statement, params)| inner.query(statement, params))))
    }

    /// Sends a statement with each of these before it reads the first answer; how many rows each wrote.
    pub(crate) fn execute_all(
        &mut self,
        statement: &Statement,
        all: &[Vec<&(dyn ToSql + Sync)>],
    ) -> Result<Vec<u64>, SqlError> {
        self.wait(|inner| try_join_all(all.iter().map(|params| inner.execute(statement, params))))
    }

    /// The one row of a query without a statement of its own.
    pub(crate) fn query_one(&mut self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row, SqlError> {
        self.wait(|inner| inner.query_one(sql, params))
    }

    pub(crate) fn batch_execute(&mut self, sql: &str) -> Result<(), SqlError> {
        self.wait(|inner| inner.batch_execute(sql))
    }

    pub(crate) fn simple_query(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, SqlError> {
        self.wait(|inner| inner.simple_query(sql))
    }

    fn wait<'a, T, F>(&'a mut self, call: impl FnOnce(&'a Inner) -> F) -> Result<T, SqlError>
    where
        F: Future<Output = Result<T, postgres::Error>> + 'a,
    {
        if self.given_up {
            return Err(SqlError::Lost("it did not answer in time".into()));
        }
        let Some(limit) = self.limit else { return Ok(self.runtime.block_on(call(&self.inner))?) };
        let call = call(&self.inner);
        match self.runtime.block_on(async { tokio::time::timeout(limit, call).await }) {
            Ok(done) => Ok(done?),
            Err(_) => {
                self.given_up = true;
                Err(SqlError::Lost("it did not answer in time".into()))
            }
        }
    }
}
