//! Speaking as the App from a shell: one call to GitHub's API, and the tokens for it.

pub mod ask;
pub mod cache;
pub mod fields;
pub mod graphql;
pub mod here;
pub mod mint;
pub mod output;
pub mod request;
pub mod signals;
pub mod speaker;
pub mod trouble;
