use super::SqlError;
use parlor_core::{
    clock::Time,
    id::{MembershipId, MessageId, RoleId, RoomId, SessionId, TeamId, UploadId, UserId},
    json::Json,
};
use rusqlite::types::ValueRef;
use std::sync::Arc;

/// One row of a result, read by column index from 0.
pub struct Row<'a>(pub(crate) Source<'a>);

pub(crate) enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
}

/// A Rust type that a column can be read as.
pub trait Column: Sized {
    /// Reads column `index` of `row`; an error if the value is NULL or of another type.
    fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError>;
}

impl Row<'_> {
    /// Reads a column as the wanted type: `i64`, `u64`, `u32`, `bool`, `f64`, `String`, `Box<str>`,
    /// `Arc<str>`, `Vec<u8>`, `[u8; N]`, an id, `Time`, `Json`, or an `Option` of these.
    pub fn get<T: Column>(&self, index: usize) -> Result<T, SqlError> {
        T::read(self, index)
    }

    /// Lends a text column without copying it.
    pub fn text(&self, index: usize) -> Result<&str, SqlError> {
        match &self.0 {
            Source::Sqlite(row) => Ok(row.get_ref(index)?.as_str().map_err(|_| wrong(index, "text"))?),
            Source::Postgres(row) => Ok(row.try_get(index)?),
        }
    }

    /// Lends a byte column without copying it.
    pub fn bytes(&self, index: usize) -> Result<&[u8], SqlError> {
        match &self.0 {
            Source::Sqlite(row) => Ok(row.get_ref(index)?.as_blob().map_err(|_| wrong(index, "bytes"))?),
            Source::Postgres(row) => Ok(row.try_get(index)?),
        }
    }

    /// True if the column holds NULL.
    pub fn is_null(&self, index: usize) -> Result<bool, SqlError> {
        match &self.0 {
            Source::Sqlite(row) => Ok(matches!(row.get_ref(index)?, ValueRef::Null)),
            Source::Postgres(row) => Ok(row.try_get::<_, Anything>(index)?.0),
        }
    }
}

fn wrong(index: usize, wanted: &str) -> SqlError {
    SqlError::Value(format!("column {index} is not {wanted}"))
}

/// Whether a value is NULL, whatever its type.
struct Anything(bool);

impl<'a> postgres::types::FromSql<'a> for Anything {
    fn from_sql(
        _: &postgres::types::Type,
        _: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Anything(false))
    }
    fn from_sql_null(_: &postgres::types::Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Anything(true))
    }
    fn accepts(_: &postgres::types::Type) -> bool {
        true
    }
}

impl Column for i64 {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
        match &row.0 {
            Source::Sqlite(row) => Ok(row.get_ref(index)?.as_i64().map_err(|_| wrong(index, "a number"))?),
            // COUNT(*) and BIGINT are INT8; a bare literal or EXISTS is INT4 or BOOL.
            Source::Postgres(row) => match *row.columns()[index].type_() {
                postgres::types::Type::INT4 => Ok(i64::from(row.try_get::<_, i32>(index)?)),
                postgres::types::Type::BOOL => Ok(i64::from(row.try_get::<_, bool>(index)?)),
                _ => Ok(row.try_get(index)?),
            },
        }
    }
}

macro_rules! narrowed {
    ($($t:ty),+) => { $(
        impl Column for $t {
            fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
                <$t>::try_from(i64::read(row, index)?).map_err(|_| wrong(index, stringify!($t)))
            }
        }
    )+ };
}
narrowed!(u64, u32, u16, i32, usize);

impl Column for bool {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
        Ok(i64::read(row, index)? != 0)
    }
}

impl Column for f64 {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
        match &row.0 {
            Source::Sqlite(row) => match row.get_ref(index)? {
                ValueRef::Real(value) => Ok(value),
                // SQLite stores a whole number in any column as an integer when it is given as one.
                ValueRef::Integer(value) => Ok(value as f64),
                _ => Err(wrong(index, "a number")),
            },
            Source::Postgres(row) => Ok(row.try_get(index)?),
        }
    }
}

macro_rules! texts {
    ($($t:ty),+) => { $(
        impl Column for $t {
            fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
                Ok(<$t>::from(row.text(index)?))
            }
        }
    )+ };
}
texts!(String, Box<str>, Arc<str>);
texts!(UserId, RoomId, MessageId, MembershipId, SessionId, UploadId, TeamId, RoleId);

impl Column for Json {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
        Ok(Json::new(row.text(index)?))
    }
}
impl Column for Time {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
        i64::read(row, index).map(Time)
    }
}
impl Column for Vec<u8> {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
        Ok(row.bytes(index)?.to_vec())
    }
}
impl<const N: usize> Column for [u8; N] {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
        row.bytes(index)?.try_into().map_err(|_| wrong(index, "of that length"))
    }
}
impl<T: Column> Column for Option<T> {
    fn read(row: &Row<'_>, index: usize) -> Result<Self, SqlError> {
        if row.is_null(index)? { Ok(None) } else { T::read(row, index).map(Some) }
    }
}
