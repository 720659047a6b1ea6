//! Our own pair: `pforge relay` and a session.

use std::collections::HashMap;

use pforge::github::signature::Key;
use pforge::proxy::session::Source;
use pforge::proxy::{Notice, Trust, Verdict};
use serde_json::Value;
use url::Url;

use super::stage::{Running, count, guid, session, smee};
use crate::emulator::support::Sink;
use crate::relay::bodies::body;
use crate::relay::support::{Relay, SECRET, http, post, storm};
use crate::support::env::Env;

/// A thousand nasty deliveries while the relay is restarted ten times, half of them by SIGKILL.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_nasty_deliveries_reach_the_target_over_ten_restarts() {
    const COUNT: usize = 1000;
    let (relay, sink) = (Relay::start(&[]), Sink::start(202).await);
    let channel = relay.channel("pair");
    let mut session = session(&sink.url);
    session.trust = Trust::Keys(vec![Key::new(SECRET)]);
    let running = Running::start(session, Source::smee(smee(Url::parse(&channel).unwrap()), None));
    running.until_connected().await;
    let storm = storm(relay, channel, COUNT);
    let (sent, _relay) = storm.await.unwrap();
    let sent: HashMap<String, bytes::Bytes> = sent.into_iter().map(|(guid, (n, _))| (guid, body(n).0)).collect();
    running.until_forwarded(COUNT).await;
    let told = running.stop().await;
    let raw = |n: &Notice| matches!(n, Notice::Received(seen) if seen.verdict == Verdict::Raw);
    assert_eq!(
        count(&told, |n| matches!(n, Notice::Received(_))),
        count(&told, raw),
        "every signature fits the bytes that came"
    );
    assert!(count(&told, |n| matches!(n, Notice::Connected { again: true })) >= 1);
    let mut got: HashMap<String, bytes::Bytes> = HashMap::new();
    for delivery in sink.received() {
        got.insert(delivery.header("x-github-delivery").to_owned(), delivery.body.clone());
    }
    assert!(got == sent, "what arrived is what was sent");
}

#[test]
fn an_encrypted_channel_is_read_by_its_owner_only() {
    let relay = Relay::start(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sink = runtime.block_on(Sink::start(200));
    let env = Env::new();
    let channel = relay.channel("sealed");
    let start = |key: &str| {
        let mut line = vec!["proxy", "start", &channel, "--via", "relay", "--no-verify", "--to", &sink.url];
        line.extend(["--identity", key].iter().filter(|_| !key.is_empty()));
        (env.command(&line), line.join(" "))
    };
    let line = ["proxy", "start", &channel, "--via", "relay", "--no-verify", "--to", &sink.url, "--identity", "key"];
    let mut owner = env.start(&line);
    assert_eq!(owner.ready["via"], "relay");
    let body = r#"{"action":"opened","secret":"of the repository"}"#;
    runtime.block_on(post(&http(), &channel, &guid(), body.into())).unwrap();
    assert_eq!(owner.line()["event"], "push");
    assert_eq!(owner.line()["status"], 200);
    assert_eq!(sink.received()[0].body, body.as_bytes());
    for segment in relay.segments() {
        let bytes = std::fs::read(segment).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"), "the relay keeps what it cannot read");
    }
    owner.stop();
    // The key is a file of our own, and private.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(env.root().join("key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    for (key, said) in [("", "is encrypted to age1"), ("another", "answered 409")] {
        let (command, shown) = start(key);
        let output = env.run(command, &[&shown]);
        assert_eq!(output.code, Some(6), "{output}");
        assert!(output.stderr.contains(said), "{output}");
    }
    let again: Value = env.start(&line).ready.clone();
    assert_eq!(again["url"], channel);
}
