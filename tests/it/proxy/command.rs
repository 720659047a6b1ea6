//! `proxy start` and `proxy new-channel` as commands: what they print, what they change, and what
//! is put back.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use pforge::emulator::person::RawDelivery;
use pforge::util::Secret;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::smee_server::{Manner, SmeeServer};
use super::stage::{PATIENCE, guid, post};
use crate::emulator::support::{APP_ID, Emulator, Sink, as_app, installed, permissions};
use crate::support::env::Env;
use crate::support::world::{SECRET, Site};

const OLD: &str = "http://127.0.0.1:9/before";

/// An emulator with an App whose webhook is [`OLD`], and a site with its config.
async fn world() -> (Emulator, Site, Secret) {
    let (mut seed, pem) = installed(permissions(&[]), &["push"], Some(OLD));
    seed.apps[0].webhook_secret = Some(Secret::new(SECRET));
    let emulator = Emulator::start(seed).await;
    let site = Site::new(&emulator.base, APP_ID, pem.expose(), None);
    (emulator, site, pem)
}

async fn hook(emulator: &Emulator, pem: &Secret) -> String {
    let config = as_app(&emulator.base, pem, &APP_ID.to_string()).get("/app/hook/config").await;
    config.body["url"].as_str().unwrap_or_default().to_owned()
}

async fn send(emulator: &Emulator, number: u32) {
    let payload = json!({ "action": "opened", "number": number, "repository": { "full_name": "alice/mock" } });
    let raw = RawDelivery { event: "push".to_owned(), payload, ..RawDelivery::default() };
    emulator.person.send_raw(&raw).await.unwrap();
}

/// `proxy start --json`; killed when dropped.
struct Proxy {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Proxy {
    fn start(site: &Site, args: &[&str]) -> Self {
        let mut command = site.command();
        command.args(["proxy", "start", "--json"]).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| {
            let mut said = String::new();
            let _ = self.child.kill();
            let _ = self.child.stderr.take().unwrap().read_to_string(&mut said);
            panic!("not JSON ({error}): {line:?}\n{said}")
        })
    }

    /// The next line of this type; lines of other types are let by.
    fn next(&mut self, kind: &str) -> Value {
        loop {
            let line = self.line();
            if line["type"] == kind {
                return line;
            }
            assert_ne!(line["type"], "stopped", "no {kind} came");
        }
    }

    /// Ctrl-C; the last line.
    fn interrupt(mut self) -> Value {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        let stopped = loop {
            let line = self.line();
            if line["type"] == "stopped" {
                break line;
            }
        };
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        stopped
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_is_ours_for_a_session_and_comes_back_also_after_a_crash() {
    let (emulator, site, pem) = world().await;
    let (server, sink) = (SmeeServer::start(Manner::default()).await, Sink::start(202).await);
    let args = ["--via", "smee", &server.url, "--to", &sink.url, "--yes"];

    let mut proxy = Proxy::start(&site, &args);
    let ready = proxy.line();
    assert_eq!((&ready["type"], &ready["via"], &ready["app"]["id"]), (&json!("ready"), &json!("smee"), &json!(APP_ID)));
    let channel = ready["url"].as_str().unwrap().to_owned();
    assert_eq!(ready["webhook"], json!({ "state": "updated", "previous": OLD, "now": channel }));
    assert_eq!(hook(&emulator, &pem).await, channel);
    send(&emulator, 1).await;
    let received = proxy.next("received");
    for (field, value) in
        [("event", "push"), ("action", "opened"), ("about", "alice/mock"), ("signature", "ok"), ("origin", "live")]
    {
        assert_eq!(received[field], value, "{received}");
    }
    let forwarded = proxy.next("forwarded");
    assert_eq!((&forwarded["status"], &forwarded["guid"]), (&json!(202), &received["guid"]));
    let stopped = proxy.interrupt();
    assert_eq!(
        (&stopped["received"], &stopped["ok"], &stopped["webhook_restored"]),
        (&json!(1), &json!(1), &json!(OLD))
    );
    assert_eq!(hook(&emulator, &pem).await, OLD);

    // A crash leaves it; a second one is refused while the first lives; the next start knows what
    // goes back, with the same channel.
    let mut proxy = Proxy::start(&site, &args);
    assert_eq!(proxy.line()["url"], channel.as_str());
    let other = site.command().args(["proxy", "start", "--json"]).args(args).output().unwrap();
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(said.contains("another pforge holds the webhook URL"), "{said}");
    assert_eq!(hook(&emulator, &pem).await, channel);
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
    assert_eq!(hook(&emulator, &pem).await, channel);
    let mut proxy = Proxy::start(&site, &args);
    assert_eq!(proxy.line()["webhook"]["previous"], OLD);
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
    // Also when the next one does not register anything.
    let mut proxy = Proxy::start(&site, &["--via", "poll", "--to", &sink.url]);
    let ready = proxy.line();
    assert_eq!((&ready["mended"], &ready["webhook"]["now"]), (&json!(OLD), &json!(OLD)));
    assert_eq!(proxy.interrupt()["webhook_restored"], Value::Null);
    emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_goes_on_where_it_ended() {
    let (emulator, site, _) = world().await;
    let sink = Sink::start(202).await;
    let args = ["--via", "poll", "--to", &sink.url];
    send(&emulator, 0).await;
    emulator.person.settled(PATIENCE).await.unwrap();
    let mut proxy = Proxy::start(&site, &args);
    assert_eq!(proxy.line()["url"], Value::Null);
    send(&emulator, 1).await;
    assert_eq!(proxy.next("forwarded")["status"], 202);
    proxy.interrupt();
    send(&emulator, 2).await;
    emulator.person.settled(PATIENCE).await.unwrap();
    let mut proxy = Proxy::start(&site, &args);
    let received = proxy.next("received");
    assert_eq!(received["origin"], "log");
    proxy.next("forwarded");
    // Killed, not ended: what was forwarded is remembered.
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
    send(&emulator, 3).await;
    let mut proxy = Proxy::start(&site, &args);
    proxy.next("forwarded");
    proxy.interrupt();
    let numbers: Vec<_> = sink.received().iter().map(|r| r.json()["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    // And from an earlier time on, when that is asked for.
    let mut proxy = Proxy::start(&site, &["--via", "poll", "--to", &sink.url, "--since", "1h"]);
    for _ in 0..4 {
        proxy.next("forwarded");
    }
    proxy.interrupt();
    assert_eq!(sink.received().len(), 7);
    emulator.stop().await;
}

/// What a person sees: a block, two lines a delivery, two lines at the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_two_lines_for_every_delivery() {
    let (emulator, site, _) = world().await;
    let server = SmeeServer::start(Manner::default()).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut command = site.command();
    command.args(["proxy", "start", "--yes", &server.url, "--to", &free.to_string()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) =
        (BufReader::new(child.stdout.take().unwrap()), BufReader::new(child.stderr.take().unwrap()));
    let mut read_to = |wanted: &str| {
        let (mut text, begun) = (String::new(), Instant::now());
        while !text.contains(wanted) {
            let read = err.read_line(&mut text).unwrap();
            assert!(read > 0 && begun.elapsed() < PATIENCE, "{text}");
        }
        text
    };
    let block = read_to("Ctrl-C");
    let expected = [
        "pforge proxy · test".to_owned(),
        format!("  app      test  (#{APP_ID}, 1 installation)"),
        format!("  via      {}/Channel_00000001  →  http://{free}/github/hooks/", server.url),
        format!("  webhook  was {OLD} · updated · restored on exit"),
        "Waiting for deliveries; Ctrl-C ends.".to_owned(),
    ];
    assert_eq!(block.lines().collect::<Vec<_>>(), expected);
    send(&emulator, 1).await;
    let mut line = || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        // Without the time.
        line.trim_end().chars().skip(8).collect::<String>()
    };
    let first = line();
    assert!(first.starts_with("  → push.opened             alice/mock       "), "{first}");
    assert!(first.ends_with("   sig ok (raw bytes)"), "{first}");
    let port = free.port();
    assert_eq!(
        line(),
        format!("  ← ✗ connection refused      is `pforge serve` running on :{port}?  (kept; will retry)")
    );
    // The target comes.
    let listener = TcpListener::bind(free).await.unwrap();
    let answer = async || ([("x-pforge-delivery", "new"), ("x-pforge-jobs", "2")], "{}");
    let app = axum::Router::new().fallback(answer);
    let target = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let answered = line();
    assert!(answered.starts_with("  ← 200  ") && answered.ends_with("2 jobs queued"), "{answered}");
    assert!(read_to("the target is back").contains("●"));
    // A server that does not speak, and a forgery.
    let channel = url::Url::parse(&format!("{}/Channel_00000001", server.url)).unwrap();
    post(&channel, "push", &guid(), br#"{"n":1}"#, "a guess").await;
    assert!(line().ends_with("   signature WRONG, not forwarded"));
    target.abort();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let end = read_to("webhook URL");
    assert_eq!(
        end.lines().collect::<Vec<_>>(),
        ["2 received, 1 ok, 0 failed, 1 not forwarded", &format!("webhook URL restored: {OLD}")]
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
    emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_it_says_which_flags_answer() {
    let (emulator, site, pem) = world().await;
    let output = site.command().args(["proxy", "start"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for part in ["the webhook URL of test would change, and there is nobody to ask", "--yes", "--no-register"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(hook(&emulator, &pem).await, OLD);
    emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_made_and_a_server_that_is_not_pforges_needs_no_config() {
    let (server, sink) = (SmeeServer::start(Manner::default()).await, Sink::start(200).await);
    let env = Env::new();
    let made = env.pforge(&["proxy", "new-channel", "--server", &server.url]).success();
    let channel = made.stdout.trim().to_owned();
    assert_eq!(channel, format!("{}/Channel_00000001", server.url));
    let json = env.pforge(&["proxy", "new-channel", "--server", &server.url, "--json"]).success().json();
    assert_eq!(json, json!({ "url": format!("{}/Channel_00000002", server.url) }));
    let none = env.pforge(&["proxy", "new-channel", "--server", "http://127.0.0.1:9"]);
    assert_eq!(none.code, Some(6), "{none}");
    assert!(none.stderr.contains("cannot reach http://127.0.0.1:9: ") && none.stderr.contains("--via poll"), "{none}");

    let nowhere = env.pforge(&["proxy", "new-channel", "--server", "https://nowhere.invalid"]);
    assert!(nowhere.stderr.contains(": nowhere.invalid is not found: "), "{nowhere}");
    let unnamed = env.pforge(&["proxy", "start", "--via", "relay", "--no-verify"]);
    assert_eq!(unnamed.code, Some(2), "{unnamed}");
    assert!(unnamed.stderr.contains("--via relay needs the address of a relay"), "{unnamed}");

    let refused = env.pforge(&["proxy", "start", &channel]);
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.stderr.contains("--no-verify"), "{refused}");
    env.write("secret", "a secret of their own\n");
    for (flags, secret, signature) in [
        (["--webhook-secret-file", "secret"].as_slice(), "a secret of their own", "ok"),
        (&["--no-verify"], "any", "unchecked"),
    ] {
        let args = [&["proxy", "start", &channel, "--to", &sink.url], flags].concat();
        let mut running = env.start(&args);
        assert_eq!(running.ready["app"], Value::Null);
        post(&url::Url::parse(&channel).unwrap(), "push", &guid(), b"{}", secret).await;
        assert_eq!(running.line()["signature"], signature);
        assert_eq!(running.line()["status"], 200);
        let (_, _, code) = running.stop();
        assert_eq!(code, Some(0));
    }
    assert_eq!(sink.received().len(), 2);
}
