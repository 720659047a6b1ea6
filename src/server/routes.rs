//! Which handler serves which path.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use tower_http::timeout::RequestBodyDeadlineLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(RequestBodyDeadlineLayer::new(shared.limits.body_timeout))
        .layer(cors())
        .with_state(Arc::clone(shared))
}

/// Any origin, method and header, with credentials: the origin is echoed, because browsers take
/// no wildcard together with credentials. No cookie gives any right here, so none can be abused.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(true)
}
