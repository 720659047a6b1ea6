//! Connections: accept, bound, drain.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Limits;
use super::site::Site;
use super::stall::Stall;

/// Pause after the system refused to accept (no more file descriptors): let some be freed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `shutdown`, then lets requests finish for up to `drain` and cuts the
/// rest.
pub async fn serve(listener: TcpListener, site: Site, limits: Limits, shutdown: &CancellationToken, drain: Duration) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    let talk = Talk { protocol, site, patience: limits.body_timeout, shutdown: shutdown.clone(), cut: cut.clone() };
    while let Some((stream, place)) = next(&listener, &places, shutdown).await {
        connections.spawn(talk.clone().over(stream, place));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(drain, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests were not finished in time and are cut");
        cut.cancel();
        connections.wait().await;
    }
}

/// The next connection, once there is a place for it. `None` on shutdown.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let accept = async {
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((stream, place)),
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = shutdown.cancelled() => None,
        accepted = accept => accepted,
    }
}

/// The peer went away before it was accepted.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// How to talk over a connection.
#[derive(Clone)]
struct Talk {
    protocol: http1::Builder,
    site: Site,
    /// For a peer that takes nothing of an answer.
    patience: Duration,
    /// Finish the request in hand, then end.
    shutdown: CancellationToken,
    /// End now.
    cut: CancellationToken,
}

impl Talk {
    async fn over(self, stream: TcpStream, place: OwnedSemaphorePermit) {
        // Answers are small and must not wait for more to send.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
            let site = self.site.clone();
            async move { Ok::<_, Infallible>(site.answer(request.map(Body::new)).await) }
        });
        let stream = TokioIo::new(Stall::new(stream, self.patience));
        let mut serving = pin!(self.protocol.serve_connection(stream, service));
        let ended = tokio::select! {
            ended = serving.as_mut() => ended,
            () = self.shutdown.cancelled() => {
                serving.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = serving.as_mut() => ended,
                    () = self.cut.cancelled() => Ok(()),
                }
            }
        };
        if let Err(error) = ended {
            // Nothing to do about a peer that stops talking or talks nonsense; hyper has answered it.
            tracing::debug!(%error, "connection ended");
        }
        drop(place);
    }
}
