//! Redelivery, replay, fixtures, and the server's reconciliation.

mod again;
mod fixture;
mod reconcile;
mod replay;
mod stage;
