//! DDP methods, by what they are about. Each file gives its part of the table.

use crate::method::Method;

/// The whole table.
pub(crate) fn all() -> Vec<Method> {
    let parts: Vec<Vec<Method>> = vec![];
    parts.into_iter().flatten().collect()
}
