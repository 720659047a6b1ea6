//! What may go wrong between the socket and the body.

use std::time::{Duration, Instant};

use pforge::server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::{HOOK, PATIENCE, Reply, Request, Server, exchange};
use super::hostile::chunked;

const SHORT: Duration = Duration::from_millis(300);

async fn impatient() -> Server {
    let limits = Limits { header_timeout: SHORT, body_timeout: SHORT, ..Limits::default() };
    Server::with(|config| config.limits = limits).await
}

async fn normal(server: &Server) {
    assert_eq!(server.send(&Request::delivery("{}")).await.status, 202, "a normal delivery");
}

/// Reads to the end of the connection.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut received)).await;
    // A reset is an end too.
    let _ = read.expect("the server closes the connection");
    received
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_and_expectations() {
    let server = Server::start().await;
    for size in [1, 2, 1000] {
        let reply = server.send(&chunked(br#"{"action":"chunked"}"#, size)).await;
        assert_eq!((reply.status, &reply.json()["action"]), (202, &"chunked".into()));
    }
    let damaged = Request { body: b"zz\r\n{}\r\n0\r\n\r\n".to_vec(), ..chunked(b"{}", 2) };
    assert_eq!(server.send(&damaged).await.status, 400);

    // Expect: the server asks for the body only when it will read it.
    let request = Request::delivery("{}").with("Expect", "100-continue").with("Content-Length", "2");
    let mut stream = TcpStream::connect(server.address).await.expect("connect");
    stream.write_all(&request.clone().with("Connection", "close").head()).await.expect("write");
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.expect("an interim answer");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").await.expect("write");
    assert_eq!(Reply::parse(&rest(&mut stream).await).expect("answer").status, 202);

    let too_large = request.with("Content-Length", (26 << 20).to_string());
    let mut stream = TcpStream::connect(server.address).await.expect("connect");
    stream.write_all(&too_large.head()).await.expect("write");
    let received = rest(&mut stream).await;
    assert!(received.starts_with(b"HTTP/1.1 413 "), "no 100 before: {}", String::from_utf8_lossy(&received));
    normal(&server).await;
    assert_eq!(server.rows().await, 3 + 1 + 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_lengths() {
    let server = impatient().await;
    // Longer than the body, and the sender waits: cut.
    let long = Request::delivery("{}").with("Content-Length", "100");
    assert_eq!(server.send(&long).await.status, 408);
    // Longer than the body, and the sender is gone.
    let mut stream = TcpStream::connect(server.address).await.expect("connect");
    stream.write_all(&long.bytes()).await.expect("write");
    stream.shutdown().await.expect("half close");
    let received = rest(&mut stream).await;
    assert!(received.is_empty() || received.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&received));
    // Shorter than the body: the signature is of another text, and the rest is no request.
    let short = Request::delivery(r#"{"a":1}"#).with("Content-Length", "2").with("Connection", "keep-alive");
    let mut stream = TcpStream::connect(server.address).await.expect("connect");
    stream.write_all(&short.bytes()).await.expect("write");
    let received = String::from_utf8_lossy(&rest(&mut stream).await).into_owned();
    assert!(received.starts_with("HTTP/1.1 401 ") && received.contains("HTTP/1.1 400 "), "{received}");
    // Two lengths.
    let two = Request::delivery("{}").with("Content-Length", "2").also("Content-Length", "3");
    assert_eq!(server.send(&two).await.status, 400);
    normal(&server).await;
    assert_eq!(server.rows().await, 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_length_and_chunks_smuggle_nothing() {
    let server = impatient().await;
    for length_first in [true, false] {
        let hidden = Request::delivery(r#"{"hidden":true}"#);
        let mut request = chunked(b"{}", 2).without("Transfer-Encoding").with("Connection", "keep-alive");
        let framing = [("Content-Length", "2"), ("Transfer-Encoding", "chunked")];
        let order = if length_first { [0, 1] } else { [1, 0] };
        for at in order {
            request = request.also(framing[at].0, framing[at].1);
        }
        request.body.extend_from_slice(&hidden.bytes());
        let mut stream = TcpStream::connect(server.address).await.expect("connect");
        stream.write_all(&request.bytes()).await.expect("write");
        let received = String::from_utf8_lossy(&rest(&mut stream).await).into_owned();
        assert_eq!(received.matches("HTTP/1.1 ").count(), 1, "one answer, then the end: {received}");
        assert!(server.stored(&hidden.guid()).await.is_none());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_methods_and_no_redirect() {
    let server = Server::start().await;
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let reply = server.send(&Request { method, ..Request::delivery("{}") }).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("post")), "{method}");
    }
    for path in [HOOK, HOOK.trim_end_matches('/'), "/tiny/hooks/?x=y"] {
        let reply = server.send(&Request { path: path.into(), ..Request::delivery("{}") }).await;
        assert_eq!(reply.status, 202, "{path}");
    }
    for path in ["/tiny/hooks//", "/tiny/hooks/x", "/TINY/HOOKS", "/tiny%2Fhooks"] {
        let reply = server.send(&Request { path: path.into(), ..Request::delivery("{}") }).await;
        assert_eq!((reply.status, reply.json()), (404, serde_json::json!({ "detail": "Not Found" })), "{path}");
    }
    for nonsense in ["\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\0\x01\0\x01\x03\x03", "POST / HTTP/9.9\r\n\r\n"] {
        let reply = exchange(server.address, format!("{nonsense}\r\n\r\n").as_bytes()).await;
        assert!(reply.is_none_or(|reply| reply.status == 400), "{nonsense:?}");
    }
    assert_eq!(server.rows().await, 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_senders_are_cut_and_delay_nobody() {
    let server = impatient().await;
    let slow_head = Request::delivery("{}").bytes();
    let slow_body = Request::delivery("x".repeat(1000)).with("Connection", "close");
    let drips = (0..40).map(|number| {
        let (address, head) = (server.address, slow_head.clone());
        let body = slow_body.clone();
        async move {
            let began = Instant::now();
            let mut stream = TcpStream::connect(address).await.expect("connect");
            // Every second one sends its head at once and then the body byte by byte.
            let (at_once, drip) = if number % 2 == 0 {
                (Vec::new(), head)
            } else {
                (body.clone().with("Content-Length", "1000").head(), body.body.clone())
            };
            stream.write_all(&at_once).await.expect("write");
            let (mut reader, mut writer) = stream.into_split();
            let writing = tokio::spawn(async move {
                for byte in drip {
                    if writer.write_all(&[byte]).await.is_err() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
            let mut received = Vec::new();
            let read = tokio::time::timeout(PATIENCE, reader.read_to_end(&mut received)).await;
            let _ = read.expect("the server closes the connection");
            writing.abort();
            (number, began.elapsed(), Reply::parse(&received).map(|reply| reply.status))
        }
    });
    let slow = tokio::spawn(futures_util::future::join_all(drips.collect::<Vec<_>>()));
    for _ in 0..20 {
        let began = Instant::now();
        normal(&server).await;
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    for (number, took, status) in slow.await.expect("no panic") {
        assert!(took < SHORT * 30, "connection {number} lived for {took:?}");
        if number % 2 == 1 {
            assert_eq!(status, Some(408), "connection {number}");
        } else {
            assert!(status.is_none_or(|status| status == 408), "connection {number}: {status:?}");
        }
    }
    // A connection that says nothing at all.
    let mut silent = TcpStream::connect(server.address).await.expect("connect");
    assert!(rest(&mut silent).await.is_empty());
    assert_eq!(server.rows().await, 20);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_are_shed_but_probes_answer() {
    let limits = Limits { concurrency: 2, ..Limits::default() };
    let server = Server::with(|config| config.limits = limits).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let request = Request::delivery("{}").with("Content-Length", "2").with("Expect", "100-continue");
        let mut stream = TcpStream::connect(server.address).await.expect("connect");
        stream.write_all(&request.with("Connection", "close").head()).await.expect("write");
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).await.expect("the request is being worked on");
        busy.push(stream);
    }
    let reply = server.send(&Request::delivery("{}")).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    for probe in ["/healthz", "/health", "/readyz/"] {
        let request = Request { method: "GET", path: probe.into(), headers: Vec::new(), body: Vec::new() };
        assert_eq!(server.send(&request).await.status, 200, "{probe}");
    }
    for mut stream in busy {
        stream.write_all(b"{}").await.expect("write");
        assert_eq!(Reply::parse(&rest(&mut stream).await).expect("answer").status, 202);
    }
    normal(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_cap_wait() {
    let limits = Limits { connections: 2, header_timeout: SHORT, ..Limits::default() };
    let server = Server::with(|config| config.limits = limits).await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(TcpStream::connect(server.address).await.expect("the system queues it"));
    }
    // Ten silent connections go through two places, then it is our turn.
    normal(&server).await;
    server.stop().await;
}
