//! The database: one writer thread that groups commits, read connections, all SQL.
