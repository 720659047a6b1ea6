//! Everything that GitHub sends, sent to the recipes app: what is answered, kept and queued is what
//! its contract says, once and again.
//!
//! The corpus: GitHub's examples, one minimal payload for every event and action that GitHub
//! describes, and both sets' pull requests and comments rewritten to reach each row of the contract.

mod contract;
mod payloads;
mod site;

use std::collections::BTreeSet;

use futures_util::StreamExt;
use pforge::util::id;
use serde_json::{Value, json};

use self::contract::{KINDS, ROWS, expected};
use self::payloads::{Sent, described, examples, rewritten};
use self::site::Site;
use crate::support::pg::{TestDb, on_both};

/// Requests at a time: as GitHub, and enough for batches of the store.
const AT_A_TIME: usize = 16;

on_both!(
    everything_that_github_sends_is_answered_kept_and_queued_once,
    no_character_of_a_payload_breaks_it,
    a_bakery_reports_as_form_or_as_json,
    what_is_asked_for_may_be_any_text,
);

fn corpus() -> Vec<Sent> {
    let (examples, described) = (examples(), described());
    assert_eq!((examples.len(), described.len()), (329, 263));
    let rewritten = rewritten(examples.iter().chain(&described));
    let both = |(event, payload): &(String, Value)| Sent::both_ways(event, payload);
    let mut all: Vec<Sent> = examples.iter().chain(&described).flat_map(both).collect();
    // Of the many variants, each goes one way.
    all.extend(rewritten.iter().enumerate().filter_map(|(n, one)| both(one).into_iter().nth(n % 2)));
    all
}

async fn everything_that_github_sends_is_answered_kept_and_queued_once(database: TestDb) {
    let site = Site::start(&database).await;
    let corpus = corpus();
    let guids: Vec<String> = corpus.iter().map(|_| id::guid()).collect();
    let all: Vec<_> = corpus.iter().map(|sent| expected(&sent.event, &sent.payload)).collect();
    let rows: BTreeSet<_> = all.iter().map(|expected| expected.because).collect();
    assert_eq!(Vec::from_iter(rows), ROWS);
    let jobs: Vec<_> = all.iter().filter_map(|expected| Some(expected.job.as_ref()?.0)).collect();
    let (queued, kinds) = (jobs.len(), BTreeSet::from_iter(jobs));
    assert_eq!(Vec::from_iter(kinds), KINDS);
    for attempt in 1..=2 {
        let deliveries = corpus.iter().zip(&guids);
        let checks = deliveries.map(|(sent, guid)| check(&site, sent, guid, attempt));
        futures_util::stream::iter(checks).buffer_unordered(AT_A_TIME).collect::<Vec<()>>().await;
        assert_eq!(site.count("deliveries").await, corpus.len(), "attempt {attempt}");
        assert_eq!(site.count("jobs").await, queued, "attempt {attempt}");
    }
    site.stop().await;
}

/// Sends one delivery and compares all that there is to see of it with the contract.
async fn check(site: &Site, sent: &Sent, guid: &str, attempt: u64) {
    let expected = expected(&sent.event, &sent.payload);
    let what = format!("{} {} as {}: {}", sent.event, sent.payload["action"], sent.content_type, expected.because);
    let (status, body) = site.deliver(sent, guid).await;
    assert_eq!((status, &body), (expected.status, &expected.body), "{what}");

    let kept = site.get(&format!("/deliveries/{guid}")).await;
    for (column, of_payload) in [
        ("action", &sent.payload["action"]),
        ("repo", &sent.payload["repository"]["full_name"]),
        ("installation_id", &sent.payload["installation"]["id"]),
    ] {
        assert_eq!(&kept[column], of_payload, "{what}: {column}");
    }
    assert_eq!(kept["event"], sent.event, "{what}");
    assert_eq!(kept["answer_status"], expected.status, "{what}");
    assert_eq!(kept["answer"], expected.body, "{what}");
    assert_eq!(kept["attempts"], attempt, "{what}");
    let history = kept["history"].as_array().expect("history");
    assert_eq!(history.len() as u64, attempt, "{what}");
    for arrival in history {
        assert_eq!((&arrival["same_body"], &arrival["requeued"]), (&true.into(), &false.into()), "{what}");
    }
    let jobs = kept["jobs"].as_array().expect("jobs");
    let job = jobs.first().map(|job| (job["kind"].as_str().expect("kind"), job["key"].as_str()));
    assert_eq!(job, expected.job.as_ref().map(|(kind, key)| (*kind, key.as_deref())), "{what}");
    assert!(jobs.len() <= 1, "{what}");
    assert_eq!(kept["status"], expected.listed_as(), "{what}");

    if attempt > 1 {
        return;
    }
    let (content_type, bytes) = site.payload(guid).await;
    assert_eq!(content_type, sent.content_type, "{what}");
    assert!(bytes == sent.body, "{what}: the bytes");
}

/// Texts that a person may choose hold characters that a database or a parser may stumble over.
async fn no_character_of_a_payload_breaks_it(database: TestDb) {
    let site = Site::start(&database).await;
    let examples = examples();
    let (_, pull) = rewritten(&examples)
        .into_iter()
        .find(|(event, payload)| expected(event, payload).job.is_some_and(|job| job.0 == "recipes.synchronize"))
        .expect("a pull request that is synchronized");
    for odd in
        ["\0", "a\0b", "\u{1}\u{7f}\u{85}", "\u{feff}\u{202e}\u{fffe}", "\u{1f9ff}\u{10ffff}", "'; --", "\\u0000"]
    {
        for place in ["/pull_request/title", "/pull_request/body", "/pull_request/head/ref", "/pull_request/head/label"]
        {
            let mut payload = pull.clone();
            *payload.pointer_mut(place).expect(place) = odd.into();
            for sent in Sent::both_ways("pull_request", &payload) {
                check(&site, &sent, &id::guid(), 1).await;
            }
        }
    }
    site.stop().await;
}

/// What no GitHub sends: how recipe runs ended, signed all the same.
async fn a_bakery_reports_as_form_or_as_json(database: TestDb) {
    let site = Site::start(&database).await;
    let other = json!({ "detail": "No handling implemented for payload['conclusion'] = 'cancelled'." });
    let job = Some(("recipes.report", "recipe-run/7"));
    for (fields, status, answer, job) in [
        (
            &[("action", "completed"), ("recipe_run_id", "7"), ("conclusion", "success")][..],
            202,
            Some(Value::Null),
            job,
        ),
        (&[("action", "completed"), ("recipe_run_id", "7"), ("conclusion", "failure")], 202, Some(Value::Null), job),
        (&[("action", "completed"), ("recipe_run_id", "7"), ("conclusion", "cancelled")], 400, Some(other), None),
        (&[("action", "completed"), ("recipe_run_id", "x"), ("conclusion", "success")], 400, None, None),
        (&[("action", "completed"), ("recipe_run_id", "-1"), ("conclusion", "success")], 400, None, None),
        (&[("action", "completed"), ("conclusion", "success")], 400, None, None),
        (&[("action", "completed")], 400, None, None),
        (&[("action", "started"), ("recipe_run_id", "7")], 202, Some(Value::Null), None),
        (&[], 202, Some(Value::Null), None),
    ] {
        for (event, sent) in ["dataflow", "bakery"].into_iter().flat_map(|e| Sent::fields(e, fields).map(|s| (e, s))) {
            let (what, guid) = (format!("{event} {fields:?} as {}", sent.content_type), id::guid());
            let (got, body) = site.deliver(&sent, &guid).await;
            assert_eq!(got, status, "{what}: {body}");
            match &answer {
                Some(answer) => assert_eq!(&body, answer, "{what}"),
                None => assert!(body["detail"].is_string(), "{what}: {body}"),
            }
            let kept = site.get(&format!("/deliveries/{guid}")).await;
            assert_eq!((&kept["event"], &kept["action"]), (&json!(event), &sent.payload["action"]), "{what}");
            let jobs = kept["jobs"].as_array().expect("jobs");
            let queued =
                jobs.iter().map(|job| (job["kind"].as_str().expect("kind"), job["key"].as_str().expect("key")));
            assert_eq!(queued.collect::<Vec<_>>(), Vec::from_iter(job), "{what}");
            assert!(site.payload(&guid).await == (sent.content_type.to_owned(), sent.body), "{what}: the bytes");
        }
    }
    site.stop().await;
}

/// The API is asked for what no database holds.
async fn what_is_asked_for_may_be_any_text(database: TestDb) {
    let site = Site::start(&database).await;
    for odd in ["%00", "a%00b", "%ff", "%F0%9F%A7%BF"] {
        for path in ["/deliveries?event=", "/deliveries?action=", "/deliveries?repo=", "/jobs?kind=", "/jobs?key="] {
            assert_eq!(site.get(&format!("{path}{odd}")).await["items"], json!([]), "{path}{odd}");
        }
        for path in [format!("/deliveries/{odd}"), format!("/deliveries/{odd}/payload"), format!("/jobs/{odd}")] {
            let status = site.status(&path).await;
            assert!((400..500).contains(&status), "{path}: {status}");
        }
    }
    site.stop().await;
}
