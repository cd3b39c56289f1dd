//! Names that people type.

/// True if two daemon or device names mean the same: case does not count, and `_` is `-`.
pub fn same_name(a: &str, b: &str) -> bool {
    let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    a.len() == b.len() && a.bytes().map(fold).eq(b.bytes().map(fold))
}

#[cfg(test)]
mod tests {
    use super::same_name;

    #[test]
    fn case_and_underscores_do_not_count() {
        assert!(same_name("JOB_QUEUE", "job-queue"));
        assert!(!same_name("job-queue", "job-queue2"));
        assert!(!same_name("jobqueue", "job-queue"));
    }
}
