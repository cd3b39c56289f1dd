//! What the system says, as the rest of a sentence.

use std::{fmt::Display, io};

use nix::errno::Errno;

/// What the system says of an error.
pub(in crate::daemons) fn plain(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => lower(&Errno::from_raw(code).desc()),
        None => lower(error),
    }
}

/// The same of what a library says.
pub(in crate::daemons) fn lower(error: &impl Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use nix::libc;

    use super::*;

    #[test]
    fn what_the_system_says_is_the_rest_of_a_sentence() {
        let error = io::Error::from_raw_os_error(libc::ECONNREFUSED);
        assert_eq!(plain(&error), "connection refused");
        assert_eq!(lower(&""), "");
    }
}
