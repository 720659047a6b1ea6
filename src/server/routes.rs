//! Which handler serves which path.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use http::HeaderValue;
use http::header::{ETAG, LINK, RETRY_AFTER};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use tower_http::timeout::RequestBodyDeadlineLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::revalidate::revalidate;
use super::shared::Shared;
use super::{deliveries, docs, events, health, jobs, reply};

/// Largest body of a REST request, in bytes. Webhooks have their own limit.
const BODY_MAX: usize = 2 * 1024 * 1024;

/// The documented routes of the server itself.
pub fn own() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::new()
        .routes(routes!(health::root))
        .routes(routes!(health::healthz))
        .routes(routes!(health::health))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::get))
        .routes(routes!(deliveries::payload))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::get, jobs::discard))
        .routes(routes!(jobs::trace))
        .routes(routes!(jobs::retry))
        .routes(routes!(events::listen))
}

/// All routes but the webhooks, which never enter the router.
pub fn all(shared: &Arc<Shared>) -> Router {
    let mut router = Router::from(own()).merge(docs::routes());
    for app in &shared.apps {
        router = router.merge(Router::from(app.routes()).with_state(shared.api.clone()));
    }
    router
        .fallback(reply::not_found)
        .method_not_allowed_fallback(reply::method_not_allowed)
        .layer(from_fn(revalidate))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(RequestBodyDeadlineLayer::new(shared.limits.body_timeout))
        .layer(cors(&shared.cors))
        .with_state(Arc::clone(shared))
}

/// The pages of other sites that may read answers.
///
/// Nothing here is granted by a cookie: who may write sends its key in a header, which only a page
/// that has the key can do. Still no page may send along what the browser knows by itself (cookies
/// of a proxy in front, passwords, client certificates) unless its site is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// Those of any site, without credentials.
    #[default]
    Any,
    /// Those of these origins (`https://host[:port]`), with credentials; with none, no site's.
    Only(Vec<HeaderValue>),
}

fn cors(allowed: &Cors) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([LINK, ETAG, RETRY_AFTER]);
    match allowed {
        Cors::Any => layer.allow_origin(AllowOrigin::any()),
        Cors::Only(origins) => layer.allow_origin(AllowOrigin::list(origins.clone())).allow_credentials(true),
    }
}
