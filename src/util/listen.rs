//! Connections of an HTTP/1 server: so many at most, none that dawdles, and an end that lets
//! requests finish.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Stall;

/// Pause after the system refused to accept (no more file descriptors): let some be freed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
    /// Time for the head of a request to arrive; also how long a connection may be idle.
    pub head: Duration,
    /// How long a peer may take nothing of an answer.
    pub stall: Duration,
    /// How long requests may go on after the shutdown; then they are cut.
    pub drain: Duration,
}

/// Serves connections with `answer` until `shutdown`, then lets requests finish for up to
/// `bounds.drain` and cuts the rest.
pub async fn serve<F, A, B>(listener: TcpListener, answer: F, bounds: Bounds, shutdown: &CancellationToken)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(bounds.connections));
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(bounds.head);
    let talk = Talk { protocol, answer, stall: bounds.stall, shutdown: shutdown.clone(), cut: cut.clone() };
    while let Some((stream, place)) = next(&listener, &places, shutdown).await {
        connections.spawn(talk.clone().over(stream, place));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(bounds.drain, connections.wait()).await.is_err() {
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
struct Talk<F> {
    protocol: http1::Builder,
    answer: F,
    /// For a peer that takes nothing of an answer.
    stall: Duration,
    /// Finish the request in hand, then end.
    shutdown: CancellationToken,
    /// End now.
    cut: CancellationToken,
}

impl<F> Talk<F> {
    async fn over<A, B>(self, stream: TcpStream, place: OwnedSemaphorePermit)
    where
        F: Fn(Request<Incoming>) -> A,
        A: Future<Output = Response<B>>,
        B: Body<Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
    {
        // Answers and events are small and must not wait for more to send.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| {
            let answered = (self.answer)(request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let stream = TokioIo::new(Stall::new(stream, self.stall));
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
