//! The upper bound: reads the body, keeps nothing, answers 202. Usage: `bare PORT`.

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::post;

const BODY_LIMIT: usize = 25 * 1024 * 1024;

async fn hook(_body: Bytes) -> StatusCode {
    StatusCode::ACCEPTED
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: bare PORT")?.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let app = Router::new().route("/github/hooks/", post(hook)).layer(DefaultBodyLimit::max(BODY_LIMIT));
        axum::serve(listener, app).await?;
        Ok(())
    })
}
