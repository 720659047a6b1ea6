//! Hostile and odd deliveries: 4xx for what is bad, 2xx for what is odd but valid, nothing else,
//! nobody else delayed, and nothing stored that was not verified.

use std::time::{Duration, Instant};

use pforge::github::signature::Key;
use pforge::util::Secret;

use super::harness::{HOOK, Reply, Request, SECRET, Server};

const MIB: usize = 1024 * 1024;
/// A normal delivery beside a hostile one is answered within this time.
const UNDISTURBED: Duration = Duration::from_secs(5);

/// A JSON object of exactly `size` bytes.
fn object_of(size: usize) -> Vec<u8> {
    let frame = br#"{"x":""}"#.len();
    format!(r#"{{"x":"{}"}}"#, "a".repeat(size - frame)).into_bytes()
}

/// A good delivery of another content type.
fn typed(kind: &str, body: &str) -> Request {
    Request::delivery(body).with("Content-Type", kind)
}

fn signed_with(value: impl Into<Vec<u8>>) -> Request {
    Request::delivery("{}").with("X-Hub-Signature-256", value)
}

/// Sends it while a normal delivery is sent too, and checks the answer and what was stored.
async fn judge(server: &Server, name: &str, request: Request, expected: &[u16]) -> Reply {
    let before = server.rows().await;
    let normal = Request::delivery(r#"{"zen":"x"}"#);
    let (hostile, _) = tokio::join!(server.send(&request), async {
        let began = Instant::now();
        let reply = server.send(&normal).await;
        assert_eq!(reply.status, 202, "a normal delivery beside: {name}");
        assert!(began.elapsed() < UNDISTURBED, "{name} delayed a normal delivery by {:?}", began.elapsed());
    });
    assert!(
        expected.contains(&hostile.status),
        "{name}: {} {}",
        hostile.status,
        String::from_utf8_lossy(&hostile.body)
    );
    if hostile.status >= 400 && hostile.header("content-type").is_some() {
        assert!(hostile.json()["detail"].is_string(), "{name}: the reason is said");
    }
    let stored = usize::from(hostile.status < 300);
    assert_eq!(server.rows().await - before, 1 + stored, "{name}: rows");
    hostile
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures() {
    let server = Server::start().await;
    let good = Key::new(SECRET.as_bytes()).sign(b"{}");
    let digits = good.trim_start_matches("sha256=").to_owned();
    let flipped = if digits.ends_with('0') { '1' } else { '0' };
    let cases = [
        ("another secret", signed_with(Key::new(b"other").sign(b"{}"))),
        ("a flipped digit", signed_with(format!("{}{flipped}", &good[..good.len() - 1]))),
        ("no prefix", signed_with(digits.clone())),
        ("empty", signed_with("")),
        ("prefix only", signed_with("sha256=")),
        ("not hex", signed_with(format!("sha256={}", "z".repeat(64)))),
        ("upper case", signed_with(format!("sha256={}", digits.to_uppercase()))),
        ("truncated", signed_with(&good[..good.len() - 2])),
        ("too long", signed_with(format!("{good}00"))),
        ("of the empty body", signed_with(Key::new(SECRET.as_bytes()).sign(b""))),
        ("not ASCII", signed_with(b"sha256=\xff\xfe".to_vec())),
        ("very long", signed_with("sha256=".to_owned() + &"0".repeat(100_000))),
        ("right and wrong", Request::delivery("{}").also("X-Hub-Signature-256", "sha256=00")),
        ("wrong and right", signed_with("sha256=00").also("X-Hub-Signature-256", good.clone())),
        ("twice the same", Request::delivery("{}").also("X-Hub-Signature-256", good.clone())),
    ];
    for (name, request) in cases {
        let reply = judge(&server, name, request, &[401]).await;
        assert_eq!(reply.json()["detail"], "bad", "{name}");
    }
    let mut altered = Request::delivery(r#"{"a":1}"#);
    altered.body[5] ^= 1;
    assert_eq!(judge(&server, "an altered byte", altered, &[401]).await.json()["detail"], "bad");
    let none = Request::delivery("{}").without("X-Hub-Signature-256");
    assert_eq!(judge(&server, "none", none.clone(), &[401]).await.json()["detail"], "missing");
    let legacy = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    let sha1 = none.with("X-Hub-Signature", format!("sha1={}", hex::encode(aws_lc_rs::hmac::sign(&legacy, b"{}"))));
    assert_eq!(judge(&server, "sha1 only", sha1, &[401]).await.json()["detail"], "missing");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_secret_is_accepted_beside_the_new_one() {
    let server = Server::with(|config| config.webhook_secrets = vec![Secret::new("new"), Secret::new("old")]).await;
    for (secret, expected) in [("new", 202), ("old", 202), ("older", 401), (SECRET, 401)] {
        let request = signed_with(Key::new(secret.as_bytes()).sign(b"{}"));
        judge_status(&server, &request, expected, secret).await;
    }
    assert_eq!(server.rows().await, 2);
    server.stop().await;
    let server = Server::with(|config| config.webhook_secrets = Vec::new()).await;
    judge_status(&server, &signed_with(Key::new(b"").sign(b"{}")), 401, "no secret configured").await;
    server.stop().await;
}

async fn judge_status(server: &Server, request: &Request, expected: u16, name: &str) {
    assert_eq!(server.send(request).await.status, expected, "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers() {
    let server = Server::start().await;
    let good = || Request::delivery("{}");
    let cases = [
        ("no event", good().without("X-GitHub-Event"), 400),
        ("empty event", good().with("X-GitHub-Event", ""), 400),
        ("event in capitals", good().with("X-GitHub-Event", "PING"), 400),
        ("event with a slash", good().with("X-GitHub-Event", "../x"), 400),
        ("long event", good().with("X-GitHub-Event", "a".repeat(65)), 400),
        ("longest event", good().with("X-GitHub-Event", "a".repeat(64)), 202),
        ("two events", good().also("X-GitHub-Event", "push"), 400),
        ("event not ASCII", good().with("X-GitHub-Event", "pïng"), 400),
        ("no delivery", good().without("X-GitHub-Delivery"), 400),
        ("empty delivery", good().with("X-GitHub-Delivery", ""), 400),
        ("delivery that is no UUID", good().with("X-GitHub-Delivery", "one/two?three=<4>&\"'"), 202),
        ("longest delivery", good().with("X-GitHub-Delivery", "a".repeat(128)), 202),
        ("long delivery", good().with("X-GitHub-Delivery", "a".repeat(129)), 400),
        ("delivery of 100 kB", good().with("X-GitHub-Delivery", "a".repeat(100_000)), 400),
        ("delivery with a space", good().with("X-GitHub-Delivery", "a b"), 400),
        ("delivery with a tab", good().with("X-GitHub-Delivery", "a\tb"), 400),
        ("delivery not ASCII", good().with("X-GitHub-Delivery", "ä"), 400),
        ("two deliveries", good().also("X-GitHub-Delivery", "x"), 400),
        ("no hook id", good().without("X-GitHub-Hook-ID"), 202),
        ("hook id not ASCII", good().with("X-GitHub-Hook-ID", b"\xff".to_vec()), 400),
        ("other headers not ASCII", good().with("X-Other", b"\xff\xfe".to_vec()), 202),
    ];
    for (name, request, expected) in cases {
        judge(&server, name, request, &[expected]).await;
    }
    for byte in [0u8, 1, 7, 8, 0x0b, 0x1b, 0x7f] {
        let request = good().with("X-GitHub-Delivery", vec![b'a', byte, b'b']);
        judge(&server, &format!("control character {byte:#x}"), request, &[400]).await;
    }
    let smuggled = good().with("X-GitHub-Delivery", "a\r\nX-Injected: b");
    judge(&server, "a line break makes another header", smuggled, &[202]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_types() {
    let server = Server::start().await;
    let form = "application/x-www-form-urlencoded";
    let cases = [
        ("text", typed("text/plain", "{}"), 415),
        ("none", Request::delivery("{}").without("Content-Type"), 415),
        ("empty", typed("", "{}"), 415),
        ("multipart", typed("multipart/form-data; boundary=x", "{}"), 415),
        ("JSON of another kind", typed("application/json-seq", "{}"), 415),
        ("charset", typed("application/json; charset=utf-8", "{}"), 202),
        ("capitals", typed("Application/JSON;charset=\"UTF-8\"", "{}"), 202),
        ("form with payload", typed(form, "payload=%7B%22action%22%3A%22x%22%7D"), 202),
        ("form with charset", typed("application/x-www-form-urlencoded; charset=utf-8", "payload=%7B%7D"), 202),
        ("form without payload", typed(form, "action=completed&recipe_run_id=1"), 202),
        ("empty form", typed(form, ""), 202),
        ("form with a payload that is not JSON", typed(form, "payload=x"), 400),
        ("form with a payload that is null", typed(form, "payload=null"), 400),
        ("form as JSON", typed("application/json", "payload=%7B%7D"), 400),
        ("JSON as form", typed(form, "{}"), 202),
    ];
    for (name, request, expected) in cases {
        judge(&server, name, request, &[expected]).await;
    }
    let mut raw = typed(form, "");
    raw.body = b"a=\xff\xfe".to_vec();
    let signature = Key::new(SECRET.as_bytes()).sign(&raw.body);
    judge(&server, "form of invalid UTF-8", raw.with("X-Hub-Signature-256", signature), &[400]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies() {
    let server = Server::start().await;
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{{\"x\":{}1{}}}", open.repeat(depth), close.repeat(depth)).into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("not JSON", b"hello".to_vec(), 400),
        ("half JSON", b"{\"a\":".to_vec(), 400),
        ("two documents", b"{}{}".to_vec(), 400),
        ("empty", Vec::new(), 400),
        ("blank", b" \r\n\t".to_vec(), 400),
        ("null", b"null".to_vec(), 400),
        ("array", b"[{}]".to_vec(), 400),
        ("string", b"\"x\"".to_vec(), 400),
        ("number", b"12".to_vec(), 400),
        ("byte order mark", b"\xef\xbb\xbf{}".to_vec(), 400),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec(), 400),
        ("invalid UTF-8", b"{\"a\":\"\xff\"}".to_vec(), 400),
        ("overlong UTF-8", b"{\"a\":\"\xc0\xaf\"}".to_vec(), 400),
        ("NUL", b"{\"a\":\"\0\"}".to_vec(), 400),
        ("only NULs", vec![0; 1000], 400),
        ("lone surrogate", br#"{"action":"\ud800","repository":{"full_name":"\udfff"}}"#.to_vec(), 202),
        ("escaped NUL", br#"{"action":"a\u0000b","repository":{"full_name":"a\u0000/b"}}"#.to_vec(), 202),
        ("duplicate keys", br#"{"action":"a","action":"b","repository":1,"repository":{}}"#.to_vec(), 202),
        ("wrong types", br#"{"action":[],"repository":"x","installation":{"id":"1"},"sender":7}"#.to_vec(), 202),
        ("huge number", format!("{{\"installation\":{{\"id\":{}}}}}", "9".repeat(10_000)).into_bytes(), 202),
        ("huge exponent", br#"{"n":1e999999,"installation":{"id":1e400}}"#.to_vec(), 202),
        ("empty object", b"{}".to_vec(), 202),
        ("blank around", b" \r\n{}\t ".to_vec(), 202),
        ("long action", format!("{{\"action\":\"{}\"}}", "é".repeat(100_000)).into_bytes(), 202),
        ("200 deep", nested("[", "]", 200), 202),
        ("100 000 deep", nested("[", "]", 100_000), 202),
        ("100 000 objects deep", nested("{\"a\":", "}", 100_000), 202),
        ("2 000 000 deep", nested("[", "]", 2_000_000), 202),
        ("2 000 000 objects deep", nested("{\"a\":", "}", 2_000_000), 202),
        ("2 000 000 open", "[".repeat(2_000_000).into_bytes(), 400),
        ("2 000 000 open objects", "{\"a\":".repeat(2_000_000).into_bytes(), 400),
    ];
    for (name, body, expected) in cases {
        let request = Request::delivery(body.clone());
        judge(&server, name, request.clone(), &[expected]).await;
        let payload = pforge::store::deliveries::payload(&server.db, &request.guid()).await.expect("read");
        assert_eq!(payload.map(|(_, bytes)| bytes.to_vec()), (expected == 202).then_some(body), "{name}: bytes");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sizes() {
    let server = Server::start().await;
    for size in [MIB + 1, 2 * MIB + 1, 25 * MIB] {
        let request = Request::delivery(object_of(size));
        judge(&server, &format!("{size} bytes"), request.clone(), &[202]).await;
        let (_, bytes) =
            pforge::store::deliveries::payload(&server.db, &request.guid()).await.expect("read").expect("row");
        assert!(bytes == request.body, "{size} bytes come back as they went in");
    }
    for size in [25 * MIB + 1, 60 * MIB] {
        let body = object_of(size);
        judge(&server, &format!("{size} bytes"), Request::delivery(body.clone()), &[413]).await;
        judge(&server, &format!("{size} bytes in chunks"), chunked(&body, 1 << 20), &[413]).await;
    }
    let announced = Request::delivery("{}").with("Content-Length", (60 * MIB).to_string());
    let began = Instant::now();
    judge(&server, "only announced", announced, &[413]).await;
    assert!(began.elapsed() < Duration::from_secs(10), "refused without waiting for the body");
    let absurd = Request::delivery("{}").with("Content-Length", "99999999999999999999999");
    judge(&server, "absurd length", absurd, &[400, 413]).await;
    let negative = Request::delivery("{}").with("Content-Length", "-1");
    judge(&server, "negative length", negative, &[400]).await;
    server.stop().await;
}

/// A good delivery sent in chunks.
pub fn chunked(body: &[u8], size: usize) -> Request {
    let mut request = Request::delivery(body).with("Transfer-Encoding", "chunked");
    let mut framed = Vec::with_capacity(body.len() + 1024);
    for chunk in body.chunks(size) {
        framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    request.body = framed;
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_guids() {
    let server = Server::start().await;
    let first = Request::delivery(r#"{"n":1}"#);
    let reply = server.send(&first).await;
    assert_eq!((reply.status, reply.header("x-pforge-delivery")), (202, Some("new")));
    let reply = server.send(&first).await;
    assert_eq!((reply.status, reply.header("x-pforge-delivery")), (202, Some("repeat")));
    let other = Request::delivery(r#"{"n":2}"#).with("X-GitHub-Delivery", first.guid());
    let reply = server.send(&other).await;
    assert_eq!((reply.status, reply.header("x-pforge-delivery")), (202, Some("repeat")));
    assert_eq!(server.rows().await, 1);
    let detail = server.stored(&first.guid()).await.expect("stored");
    let same: Vec<bool> = detail.history.iter().map(|attempt| attempt.same_body).collect();
    assert_eq!((detail.row.attempts, same), (3, vec![true, true, false]));

    let at_once = Request::delivery("{}").with("X-GitHub-Event", "work");
    let replies = futures_util::future::join_all((0..20).map(|_| server.send(&at_once))).await;
    let new = replies.iter().filter(|reply| reply.header("x-pforge-delivery") == Some("new")).count();
    assert!(replies.iter().all(|reply| reply.status == 202));
    assert_eq!((new, server.rows().await), (1, 2));
    let detail = server.stored(&at_once.guid()).await.expect("stored");
    assert_eq!((detail.row.attempts, detail.jobs.len()), (20, 1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_random_bodies() {
    let server = Server::start().await;
    let client = reqwest::Client::builder().no_proxy().build().expect("client");
    let key = Key::new(SECRET.as_bytes());
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let mut taken = 0;
    for _ in 0..250 {
        let posts = (0..40).map(|_| {
            let body = random_body(&mut random);
            let good = random.u8(..) < 200;
            let signature = if good { key.sign(&body) } else { key.sign(b"something else") };
            let post = client
                .post(server.url(HOOK))
                .header("x-github-event", "ping")
                .header("x-github-delivery", pforge::util::id::guid())
                .header("content-type", "application/json")
                .header("x-hub-signature-256", signature)
                .body(body.clone());
            async move {
                let status = post.send().await.expect("answer").status().as_u16();
                let object = serde_json::from_slice::<&serde_json::value::RawValue>(&body)
                    .is_ok_and(|value| value.get().starts_with('{'));
                let expected = if !good {
                    401
                } else if object {
                    202
                } else {
                    400
                };
                assert_eq!(status, expected, "{:?}", String::from_utf8_lossy(&body));
                usize::from(status == 202)
            }
        });
        let posts: Vec<_> = posts.collect();
        taken += futures_util::future::join_all(posts).await.into_iter().sum::<usize>();
    }
    assert!(taken > 500, "the generator makes valid ones too: {taken}");
    assert_eq!(server.rows().await, taken);
    server.stop().await;
}

/// Bytes, tokens of JSON in any order, or a document with some bytes changed.
fn random_body(random: &mut fastrand::Rng) -> Vec<u8> {
    const TOKENS: [&str; 16] = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"action\"",
        "\"\\ud800\"",
        "1e999",
        "null",
        "true",
        " ",
        "\"repository\"",
        "-0",
        "\"",
        "\\",
    ];
    const DOCUMENT: &[u8] =
        br#"{"action":"opened","repository":{"full_name":"a/b"},"installation":{"id":1},"x":[1,2]}"#;
    match random.u8(0..3) {
        0 => (0..random.usize(0..300)).map(|_| random.u8(..)).collect(),
        1 => (0..random.usize(0..40)).flat_map(|_| TOKENS[random.usize(0..TOKENS.len())].bytes()).collect(),
        _ => {
            let mut body = DOCUMENT.to_vec();
            for _ in 0..random.usize(0..3) {
                let at = random.usize(0..body.len());
                body[at] = random.u8(..);
            }
            body.truncate(random.usize(body.len() * 9 / 10..=body.len() * 3 / 2).min(body.len()));
            body
        }
    }
}
