//! Configuration: layers, checks, errors that name line and column.
