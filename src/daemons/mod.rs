//! The built-in daemons: one actor a file.
