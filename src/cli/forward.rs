//! Passes stored deliveries on to other deployments, signed as GitHub signed them.

use futures_util::future::BoxFuture;
use url::Url;

use crate::apps::recipes::forward::{Forwarder, Passed};
use crate::github::signature::Key;
use crate::proxy::forward::{self, Unanswered};
use crate::proxy::incoming::Incoming;
use crate::util::Secret;

/// Posts deliveries with the signature that their bytes have under the App's own secret, which the
/// deployments that they are forwarded to share. The signature that came is not stored.
pub struct SignedForwarder {
    http: forward::Forwarder,
    key: Key,
}

impl SignedForwarder {
    /// A forwarder that signs with `secret`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(secret: &Secret) -> Result<Self, Unanswered> {
        Ok(Self { http: forward::Forwarder::without_redirects()?, key: Key::new(secret.expose().as_bytes()) })
    }
}

impl Forwarder for SignedForwarder {
    fn forward<'a>(&'a self, url: &'a Url, delivery: Passed) -> BoxFuture<'a, Result<u16, String>> {
        Box::pin(async move {
            let mut delivery = Incoming { headers: delivery.headers, body: delivery.body };
            delivery.sign(&self.key);
            self.http.post(url, &delivery).await.map(|reply| reply.status).map_err(|error| error.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request; what it was.
    async fn answer_once(listener: TcpListener, answer: &'static str) -> String {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).ends_with("{\"a\": 1 }") {
            assert_ne!(stream.read_buf(&mut seen).await.expect("a request"), 0);
        }
        stream.write_all(answer.as_bytes()).await.expect("an answer");
        String::from_utf8(seen).expect("text")
    }

    #[tokio::test]
    async fn the_bytes_arrive_signed_and_a_redirect_is_an_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url: Url = format!("http://{}/hook", listener.local_addr().expect("an address")).parse().expect("a URL");
        let redirect = "HTTP/1.1 307 x\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
        let server = tokio::spawn(answer_once(listener, redirect));
        let headers = vec![("x-github-event".to_owned(), "push".to_owned())];
        let passed = Passed { headers, body: Bytes::from_static(b"{\"a\": 1 }") };
        let forwarder = SignedForwarder::new(&Secret::new("s")).expect("a forwarder");
        assert_eq!(forwarder.forward(&url, passed).await, Ok(307));
        let seen = server.await.expect("the server");
        let signature = Key::new(b"s").sign(b"{\"a\": 1 }");
        assert!(seen.starts_with("POST /hook ") && seen.contains("x-github-event: push"), "{seen}");
        assert!(seen.contains(&format!("x-hub-signature-256: {signature}")), "{seen}");
    }

    #[tokio::test]
    async fn nobody_there_is_a_reason() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url: Url = format!("http://{}/", listener.local_addr().expect("an address")).parse().expect("a URL");
        drop(listener);
        let forwarder = SignedForwarder::new(&Secret::new("s")).expect("a forwarder");
        let passed = Passed { headers: Vec::new(), body: Bytes::new() };
        assert_eq!(forwarder.forward(&url, passed).await, Err("connection refused".to_owned()));
    }
}
