use super::Kind;

/// Whether a transaction may write; decides what `{lock}` becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Stands in a statement that is not kept prepared.
pub(crate) const ONCE: &str = "{once}";

/// Turns a statement's one text into the engine's: `$n` becomes `?n` for SQLite (which would number `$2, $1`
/// by first appearance and swap the values silently) and the markers are filled in. Text in single quotes is
/// left alone.
pub(crate) fn rewrite(sql: &str, kind: Kind, access: Access) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut quoted = false;
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        if c == '\'' {
            quoted = !quoted;
        } else if !quoted && c == '{' {
            if let Some((marker, len)) = marker(rest, kind, access) {
                out.push_str(marker);
                rest = &rest[len..];
                continue;
            }
        } else if !quoted && c == '$' && kind == Kind::Sqlite {
            out.push('?');
            rest = &rest[1..];
            continue;
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

fn marker(rest: &str, kind: Kind, access: Access) -> Option<(&'static str, usize)> {
    if rest.starts_with("{lock}") {
        let lock = if kind == Kind::Postgres && access == Access::Write { "FOR NO KEY UPDATE" } else { "" };
        return Some((lock, "{lock}".len()));
    }
    if rest.starts_with(ONCE) {
        return Some(("", ONCE.len()));
    }
    if rest.starts_with("{bytes}") {
        let bytes = if kind == Kind::Postgres { "BYTEA" } else { "BLOB" };
        return Some((bytes, "{bytes}".len()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_keep_their_numbers_on_sqlite() {
        let sql = "SELECT $2, $1 WHERE a = '$3'";
        assert_eq!(rewrite(sql, Kind::Sqlite, Access::Read), "SELECT ?2, ?1 WHERE a = '$3'");
        assert_eq!(rewrite(sql, Kind::Postgres, Access::Read), sql);
    }

    #[test]
    fn only_a_writer_on_postgres_locks_rows() {
        let sql = "SELECT a FROM t WHERE b = $1 {lock}";
        assert_eq!(rewrite(sql, Kind::Sqlite, Access::Write), "SELECT a FROM t WHERE b = ?1 ");
        assert_eq!(rewrite(sql, Kind::Postgres, Access::Read), "SELECT a FROM t WHERE b = $1 ");
        assert_eq!(
            rewrite(sql, Kind::Postgres, Access::Write),
            "SELECT a FROM t WHERE b = $1 FOR NO KEY UPDATE"
        );
    }

    #[test]
    fn bytes_have_a_type_on_each_engine() {
        let sql = "CREATE TABLE t (é {bytes}, x TEXT DEFAULT '{bytes}')";
        assert_eq!(
            rewrite(sql, Kind::Sqlite, Access::Write),
            "CREATE TABLE t (é BLOB, x TEXT DEFAULT '{bytes}')"
        );
        assert!(rewrite(sql, Kind::Postgres, Access::Write).starts_with("CREATE TABLE t (é BYTEA"));
    }
}
