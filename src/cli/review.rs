//! Review deployments: one for each pull request, made before its review and removed after it.
//!
//! | module | is |
//! |---|---|
//! | [`place`] | where the database is |
//! | [`up`] | makes what is missing, step by step |
//! | [`down`] | removes what is there |

pub mod down;
pub mod place;
pub mod up;

use std::path::PathBuf;
use std::sync::Arc;

use super::config::{ConfigFile, Sourced};
use super::cx::Cx;
use super::error::{Error, Result};
use super::ui::Ui;
use crate::github::manifest;

/// The review deployment of a pull request.
#[derive(Clone, Debug)]
pub struct Review {
    /// The pull request.
    pub number: u64,
    /// The App's name, which is the deployment's.
    pub app: String,
    /// The config file; it need not exist.
    pub path: PathBuf,
}

impl Review {
    /// The deployment of pull request `number`.
    ///
    /// # Errors
    /// When one config file stands for all review deployments.
    pub fn of(cx: &Cx, number: u64) -> Result<Self> {
        let app = manifest::Deployment::Review(number).app_name("");
        let folder = cx.settings.root.value.join("secrets");
        let bare = folder.join("config.review.yaml");
        if bare.exists() {
            let (bare, own) = (cx.settings.shown(&bare), format!("secrets/config.{app}.yaml"));
            return Err(Error::config(format!("{bare} stands for every review deployment"))
                .because(format!("each pull request has a file of its own, such as {own}"))
                .hint(format!("git mv {bare} {own}")));
        }
        let path = folder.join(format!("config.{app}.yaml"));
        Ok(Self { number, app, path })
    }

    /// Name of its database.
    pub fn database(&self) -> String {
        format!("pforge_pr_{}", self.number)
    }

    /// A context in which it is the deployment.
    pub fn within(&self, cx: &Cx) -> Cx {
        let mut within = cx.beside(Ui::clone(&cx.ui));
        within.settings.deployment = Some(Sourced::flag(self.app.clone(), "--pr"));
        within
    }

    /// Its config file, when there is one.
    ///
    /// # Errors
    /// When it is wrong or does not open.
    pub fn file(&self, cx: &Cx) -> Result<Option<Arc<ConfigFile>>> {
        if self.path.exists() { cx.config().map(Some) } else { Ok(None) }
    }
}
