//! Attempts at runs, on both databases.
