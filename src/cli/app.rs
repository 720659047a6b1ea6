//! What `new-app` and `app` share: the manifest of the project, the owner, the credentials in the
//! config, how permissions are told.

pub mod approval;
pub mod credentials;
pub mod drift;
pub mod key;
pub mod live;
pub mod manifest;
pub mod owner;
