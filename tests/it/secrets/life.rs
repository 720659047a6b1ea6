//! Encrypted files in the life of a repository and of a server: hooks, diffs, merges, identities.

mod hooks;
mod identities;
mod merges;
mod samples;
