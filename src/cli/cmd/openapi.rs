//! `pforge openapi`.

use std::sync::Arc;
use std::time::Duration;

use crate::apps::App;
use crate::apps::recipes::{Parts, Recipes};
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::server;
use crate::store::Db;

/// Print the OpenAPI document of the server
#[derive(Debug, clap::Args)]
#[command(after_help = "Needs neither a configuration nor a database.\n\nExample:\n  pforge openapi > openapi.json")]
pub struct Args {}

/// Prints the document.
///
/// # Errors
/// When nobody reads it.
pub fn run(_args: Args, cx: &Cx) -> Result {
    let document = cx.run(async {
        // The apps are described as they are served, so they are built; nothing reads the database.
        let db = Db::connect(&"sqlite::memory:".parse()?, Duration::from_secs(5)).await?;
        let recipes: Arc<dyn App> = Arc::new(Recipes::new(Parts::new(db.clone(), cx.clock.clone())));
        let document = server::openapi(&[recipes]);
        db.close().await;
        Ok(document)
    })?;
    cx.ui.document(&document)
}
