//! The REST API of the recipes app.
//!
//! Reading is public, writing needs the admin key. Paths stand without their trailing slash: the
//! server takes both forms.
//!
//! | module | is |
//! |---|---|
//! | [`feedstocks`], [`bakeries`], [`recipe_runs`] | the tables, as [resources](crate::apps::http_api::resource) |
//! | [`stats`] | how many there are |
//! | [`attempts`] | a run is asked for again, or to stop |
//! | [`logs`] | what the runner wrote |
//! | [`github`] | what GitHub knows: its log of deliveries, check runs |
//! | [`repr`] | what is not done here |

mod attempts;
mod bakeries;
mod feedstocks;
mod github;
mod logs;
mod recipe_runs;
mod repr;
mod stats;

use std::sync::Arc;

use axum::Extension;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::jobs::Cx;
use super::rows::bakeries::Bakery;
use super::rows::feedstocks::Feedstock;
use super::rows::recipe_runs::RecipeRun;
use crate::apps::State;
use crate::apps::http_api::resource;

/// The routes of this app. What handlers need of it beside the [`State`] of every app comes along as
/// an extension.
pub fn routes(cx: &Arc<Cx>) -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(resource::routes::<Feedstock>())
        .merge(resource::routes::<Bakery>())
        .merge(resource::routes::<RecipeRun>())
        .routes(routes!(feedstocks::datasets))
        .routes(routes!(attempts::list))
        .routes(routes!(attempts::retry))
        .routes(routes!(attempts::cancel))
        .routes(routes!(logs::of_run))
        .routes(routes!(logs::of_recipe))
        .routes(routes!(stats::feedstocks))
        .routes(routes!(stats::bakeries))
        .routes(routes!(stats::recipe_runs))
        .routes(routes!(stats::datasets))
        .routes(routes!(github::of_feedstock))
        .routes(routes!(github::check_runs))
        .routes(routes!(github::list))
        .routes(routes!(github::read))
        .routes(routes!(repr::xarray))
        .layer(Extension(logs::Readers::new(cx)))
        .layer(Extension(Arc::clone(cx)))
}
