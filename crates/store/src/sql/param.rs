use parlor_core::{
    clock::Time,
    id::{MembershipId, MessageId, RoleId, RoomId, SessionId, TeamId, UploadId, UserId},
    json::Json,
};
use std::sync::Arc;

/// One parameter of a statement, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Param<'a> {
    /// NULL, of whatever type the column has.
    Null,
    /// A BIGINT; booleans and times too.
    Int(i64),
    /// A DOUBLE PRECISION.
    Real(f64),
    /// A TEXT; a NUL character in it is refused on both engines.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// A value that can be lent as a parameter; see [`params!`](crate::params).
pub trait AsParam {
    /// The parameter.
    fn as_param(&self) -> Param<'_>;
}

macro_rules! numbers {
    ($($t:ty),+) => { $(
        impl AsParam for $t {
            fn as_param(&self) -> Param<'_> { Param::Int(i64::from(*self)) }
        }
    )+ };
}
numbers!(i64, i32, i16, u32, u16, u8, bool);

macro_rules! large_numbers {
    ($($t:ty),+) => { $(
        // Positions and sizes never come near the bound; beyond it, the largest number is the honest answer
        // to a comparison.
        impl AsParam for $t {
            fn as_param(&self) -> Param<'_> { Param::Int(i64::try_from(*self).unwrap_or(i64::MAX)) }
        }
    )+ };
}
large_numbers!(u64, usize);

macro_rules! texts {
    ($($t:ty),+) => { $(
        impl AsParam for $t {
            fn as_param(&self) -> Param<'_> { Param::Text(self) }
        }
    )+ };
}
texts!(str, String, Box<str>, Arc<str>);
texts!(UserId, RoomId, MessageId, MembershipId, SessionId, UploadId, TeamId, RoleId);

impl AsParam for Json {
    fn as_param(&self) -> Param<'_> {
        Param::Text(self.as_str())
    }
}
impl AsParam for Time {
    fn as_param(&self) -> Param<'_> {
        Param::Int(self.millis())
    }
}
impl AsParam for f64 {
    fn as_param(&self) -> Param<'_> {
        Param::Real(*self)
    }
}
impl AsParam for [u8] {
    fn as_param(&self) -> Param<'_> {
        Param::Bytes(self)
    }
}
impl AsParam for Vec<u8> {
    fn as_param(&self) -> Param<'_> {
        Param::Bytes(self)
    }
}
impl<const N: usize> AsParam for [u8; N] {
    fn as_param(&self) -> Param<'_> {
        Param::Bytes(self)
    }
}
impl AsParam for Param<'_> {
    fn as_param(&self) -> Param<'_> {
        *self
    }
}
impl<T: AsParam + ?Sized> AsParam for &T {
    fn as_param(&self) -> Param<'_> {
        (**self).as_param()
    }
}
impl<T: AsParam> AsParam for Option<T> {
    fn as_param(&self) -> Param<'_> {
        self.as_ref().map_or(Param::Null, AsParam::as_param)
    }
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match *self {
            Param::Null => ValueRef::Null,
            Param::Int(value) => ValueRef::Integer(value),
            Param::Real(value) => ValueRef::Real(value),
            Param::Text(value) => ValueRef::Text(value.as_bytes()),
            Param::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}
