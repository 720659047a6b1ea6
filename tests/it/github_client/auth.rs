//! The JWT and the installation tokens.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use pforge::github::api::checks::{NewCheckRun, Output};
use pforge::github::{AppCredentials, Auth, Call, Client, Config, Error, Scope, Target, Tuning};
use pforge::util::{Clock, Secret};
use serde_json::{Value, json};
use url::Url;

use super::fake::{
    Fake, Logs, Seen, TestClock, config, http_date, key, message, openssl, quick, reply, token, verified,
};

const MINT: &str = "/app/installations/7/access_tokens";
const NOW: &str = "2026-11-20T12:00:00Z";

fn with_key(pem: &str) -> Result<Client, Error> {
    let credentials = AppCredentials { issuer: "Iv23client".into(), private_key: Secret::new(pem) };
    let clock = Clock::fixed(DateTime::parse_from_rfc3339(NOW).unwrap().to_utc());
    Client::new(Config { api_url: Url::parse("http://127.0.0.1:1").unwrap(), credentials, clock })
}

fn installation(id: i64) -> Auth {
    Auth::installation(Target::Id(id))
}

async fn get(client: &Client, auth: Auth, path: &str) -> Result<Value, Error> {
    client.fetch(&Call::get(path, auth)).await
}

#[test]
fn the_jwt_is_what_github_asks_for_from_every_form_of_the_key() {
    let forms = [
        key().pkcs8.clone(),
        key().pkcs1.clone(),
        key().pkcs1.replace('\n', "\r\n"),
        key().pkcs1.trim().replace('\n', "\\n"),
        key().pkcs8.replace('\n', "\n  "),
    ];
    for pem in forms {
        let client = with_key(&pem).unwrap();
        let (header, claims) = verified(client.jwt().unwrap().expose());
        assert_eq!(header, json!({ "typ": "JWT", "alg": "RS256" }));
        let now = DateTime::parse_from_rfc3339(NOW).unwrap().timestamp();
        assert_eq!(claims, json!({ "iat": now - 60, "exp": now + 540, "iss": "Iv23client" }));
        assert_eq!(client.key_fingerprint().unwrap(), key().fingerprint);
    }
}

#[test]
fn a_bad_key_is_refused_at_once_and_never_quoted() {
    let short = String::from_utf8(openssl(&["genrsa", "1024"], b"")).unwrap();
    let elliptic =
        String::from_utf8(openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], b""))
            .unwrap();
    let half: String =
        key().pkcs8.lines().enumerate().filter(|(i, _)| *i != 5).map(|(_, l)| format!("{l}\n")).collect();
    for (pem, expected) in [
        (half.as_str(), "damaged"),
        (&key().pkcs8[..600], "cut off"),
        (short.as_str(), ""),
        (elliptic.as_str(), "RSA"),
        ("0123456789abcdef0123456789abcdef01234567", "client secret"),
    ] {
        let error = with_key(pem).err().unwrap_or_else(|| panic!("{expected}: taken"));
        let text = format!("{error} {error:?}");
        assert!(matches!(error, Error::Credentials(_)) && text.contains(expected), "{text}");
        for line in pem.lines().filter(|line| line.len() > 20 && !line.starts_with('-')) {
            assert!(!text.contains(line), "quotes the key");
        }
    }
}

#[tokio::test]
async fn a_jwt_is_used_until_shortly_before_it_expires() {
    let clock = TestClock::at(NOW);
    let fake = Fake::start(|_| reply(200, json!({ "id": 1, "name": "a" }))).await;
    let client = fake.client(&clock);
    for step in [0, 400, 79, 2] {
        clock.forward(step);
        client.app().await.unwrap();
    }
    let used: Vec<String> = fake.seen().iter().map(|seen| seen.bearer().to_owned()).collect();
    assert_eq!(used[0], used[1]);
    assert_eq!(used[0], used[2]);
    assert_ne!(used[0], used[3], "less than a minute is left");
}

/// A GitHub whose clock is `skew` seconds ahead of the client's and that checks JWTs by it.
async fn strict(clock: &TestClock, skew: i64) -> Fake {
    let here = clock.clone();
    let there = move || here.now() + TimeDelta::seconds(skew);
    Fake::start(move |seen| {
        let now = there();
        let (_, claims) = verified(seen.bearer());
        let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        let refusal = if exp > now.timestamp() + 600 {
            Some("'Expiration time' claim ('exp') is too far in the future")
        } else if exp <= now.timestamp() {
            Some("'Expiration time' claim ('exp') must be a numeric value representing the future time")
        } else if iat > now.timestamp() {
            Some("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
        } else {
            None
        };
        let answer = match refusal {
            Some(text) => message(401, text),
            None if seen.path == MINT => token("ghs_x", now + TimeDelta::hours(1)),
            None => reply(200, json!({ "id": 1, "name": "a" })),
        };
        answer.with("date", http_date(now))
    })
    .await
}

#[tokio::test]
async fn a_wrong_clock_is_healed_by_githubs() {
    for skew in [-86_400, -3600, -90, 900, 7200] {
        let clock = TestClock::at(NOW);
        let fake = strict(&clock, skew).await;
        let client = fake.client(&clock);
        client.app().await.unwrap();
        client.app().await.unwrap();
        assert_eq!(fake.seen().len(), 3, "refused once, then never again (skew {skew})");
        assert_eq!(client.clock_skew_s(), skew);
        // The token's end is read by GitHub's clock too.
        client.installation_token(&Target::Id(7), &Scope::default()).await.unwrap();
        client.installation_token(&Target::Id(7), &Scope::default()).await.unwrap();
        assert_eq!(fake.count("POST", MINT), 1, "skew {skew}");
    }
}

#[tokio::test]
async fn many_calls_at_once_heal_the_clock_together() {
    let clock = TestClock::at(NOW);
    let fake = strict(&clock, 3600).await;
    let client = fake.client(&clock);
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.app().await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_401_that_the_clock_does_not_explain_is_explained_instead() {
    let clock = TestClock::real();
    let fake = Fake::start(|_| message(401, "A JSON web token could not be decoded")).await;
    let error = fake.client(&clock).app().await.unwrap_err();
    assert_eq!(fake.seen().len(), 1);
    assert!(error.explanation().unwrap().contains("fingerprint"), "{error:?}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn twenty_calls_share_one_token() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| {
        (seen.path == "/repos/o/r").then(|| reply(200, json!({}))).or_else(|| {
            // Slow enough that all ask while the first mints.
            (seen.path == MINT).then(|| {
                token("ghs_shared", DateTime::parse_from_rfc3339("2026-11-20T13:00:00Z").unwrap().to_utc())
                    .after(Duration::from_millis(100))
            })
        })
    })
    .await;
    let client = fake.client(&clock);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client, installation(7), "/repos/o/r").await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((fake.count("POST", MINT), fake.count("GET", "/repos/o/r")), (1, 20));
    assert!(fake.seen().iter().filter(|seen| seen.path != MINT).all(|seen| seen.bearer() == "ghs_shared"));
    verified(fake.seen()[0].bearer());
}

#[tokio::test]
async fn a_failed_mint_is_shared_by_those_who_waited_and_tried_anew_by_the_next() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| {
        (seen.path == MINT && seen.before == 0)
            .then(|| message(403, "This installation has been suspended").after(Duration::from_millis(200)))
            .or_else(|| (seen.path == "/x").then(|| reply(200, json!({}))))
    })
    .await;
    let client = fake.client(&clock);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client, installation(7), "/x").await })
        })
        .collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert!(error.explanation().unwrap().contains("suspended"), "{error:?}");
    }
    assert_eq!(fake.count("POST", MINT), 1);
    get(&client, installation(7), "/x").await.unwrap();
}

#[tokio::test]
async fn a_token_is_dropped_five_minutes_before_it_expires() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| (seen.path == "/x").then(|| reply(200, json!({})))).await;
    let client = fake.client(&clock);
    for (forward, expected) in [(0, "ghs_token_1"), (54 * 60 + 59, "ghs_token_1"), (1, "ghs_token_2")] {
        clock.forward(forward);
        get(&client, installation(7), "/x").await.unwrap();
        assert_eq!(fake.seen().last().unwrap().bearer(), expected);
    }
}

#[tokio::test]
async fn tokens_are_kept_by_installation_and_scope() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |_| None).await;
    let client = fake.client(&clock);
    let narrow = Scope {
        repositories: ["r".to_owned()].into(),
        permissions: [("checks".to_owned(), "write".to_owned())].into(),
    };
    for _ in 0..2 {
        for (id, scope, expected) in [
            (7, Scope::default(), "ghs_token_1"),
            (8, Scope::default(), "ghs_token_2"),
            (7, narrow.clone(), "ghs_token_3"),
        ] {
            let token = client.installation_token(&Target::Id(id), &scope).await.unwrap();
            assert_eq!((token.token.expose(), token.installation), (expected, id));
        }
    }
    let bodies: Vec<Value> = fake.seen().iter().map(Seen::json).collect();
    let scoped = json!({ "repositories": ["r"], "permissions": { "checks": "write" } });
    assert_eq!(bodies, [json!({}), json!({}), scoped]);
}

#[tokio::test]
async fn a_fresh_token_may_be_unknown_for_a_while() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| match (seen.path.as_str(), seen.before) {
        ("/x", 0 | 1) => Some(message(401, "Bad credentials")),
        ("/x", _) => Some(reply(201, json!({}))),
        _ => None,
    })
    .await;
    // A POST too: what answers 401 was not done.
    let answer = fake.client(&clock).request(installation(7), Method::POST, "/x", None).await.unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!((fake.count("POST", MINT), fake.count("POST", "/x")), (1, 3));
}

#[tokio::test]
async fn a_revoked_token_is_minted_anew_once() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| {
        (seen.path == "/x").then(|| match seen.bearer() {
            "ghs_token_2" => reply(200, json!({})),
            _ if seen.before == 0 => reply(200, json!({})),
            _ => message(401, "Bad credentials"),
        })
    })
    .await;
    // So old that no replica can be behind.
    let client = fake.client_with(&clock, Tuning { fresh_token: Duration::ZERO, ..quick() });
    get(&client, installation(7), "/x").await.unwrap();
    get(&client, installation(7), "/x").await.unwrap();
    assert_eq!((fake.count("POST", MINT), fake.count("GET", "/x")), (2, 3));
}

#[tokio::test]
async fn a_token_that_is_never_taken_ends_in_an_error() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| (seen.path == "/x").then(|| message(401, "Bad credentials"))).await;
    let started = Instant::now();
    let error = get(&fake.client(&clock), installation(7), "/x").await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    assert_eq!(fake.count("POST", MINT), 2);
    assert!(started.elapsed() >= quick().fresh_token * 2 && started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn an_installation_is_looked_up_once_by_repository() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| match seen.path.as_str() {
        "/repos/o/r/installation" => Some(reply(200, json!({ "id": 7 })).after(Duration::from_millis(50))),
        "/repos/o/r/pulls/1/files" => Some(reply(200, json!([]))),
        _ => None,
    })
    .await;
    let client = fake.client(&clock);
    let (a, b) = (client.repository("o/r", None), client.repository("o/r", None));
    let (first, second) = tokio::join!(a.pull_files(1), b.pull_files(1));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!((fake.count("GET", "/repos/o/r/installation"), fake.count("POST", MINT)), (1, 1));
    verified(fake.seen()[0].bearer());
}

#[tokio::test]
async fn no_installation_is_its_own_error() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| (seen.path == MINT).then(|| message(404, "Not Found"))).await;
    let client = fake.client(&clock);
    let error = client.repository("o/r", None).pull_files(1).await.unwrap_err();
    assert!(matches!(&error, Error::NotInstalled(name) if name == "o/r"), "{error:?}");
    let error = get(&client, installation(7), "/x").await.unwrap_err();
    assert_eq!(error.to_string(), "the App is not installed on installation 7");
    assert!(client.repository_installation("o/r").await.unwrap().is_none());
}

#[tokio::test]
async fn an_installation_made_anew_is_found_again() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| match (seen.path.as_str(), seen.before) {
        (MINT, _) => Some(message(404, "Not Found")),
        ("/repos/o/r/installation", 0) => Some(reply(200, json!({ "id": 7 }))),
        ("/repos/o/r/installation", _) => Some(reply(200, json!({ "id": 8 }))),
        ("/repos/o/r/pulls/1/files", _) => Some(reply(200, json!([]))),
        _ => None,
    })
    .await;
    let client = fake.client(&clock);
    client.repository("o/r", None).pull_files(1).await.unwrap();
    assert_eq!(fake.count("POST", "/app/installations/8/access_tokens"), 1);
    // An old payload still names the old one: asked about at most once more.
    client.repository("o/r", Some(7)).pull_files(1).await.unwrap();
    client.repository("o/r", Some(7)).pull_files(1).await.unwrap();
    assert_eq!(fake.count("POST", MINT), 2);
    assert_eq!(fake.count("GET", "/repos/o/r/installation"), 2);
}

/// Everything that can be printed, on the way through success and failure, with logs at their
/// most talkative.
#[tokio::test]
async fn nothing_ever_shows_a_key_a_jwt_or_a_token() {
    let (caught, _guard) = Logs::catch();
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| match seen.path.as_str() {
        "/app/installations/9/access_tokens" => {
            Some(reply(201, json!({ "token": "ghs_odd", "expires_at": NOW, "permissions": "ghs_odd" })))
        }
        "/app" => Some(message(401, "Bad credentials").with("date", http_date(Utc::now()))),
        "/repos/o/r/check-runs" => Some(message(403, "Resource not accessible by integration")),
        "/app-manifests/c0de/conversions" => Some(reply(
            201,
            json!({
                "id": 1, "slug": "a", "name": "a", "html_url": "h", "client_id": "Iv1",
                "client_secret": "cs_secret", "webhook_secret": "wh_secret", "pem": "pem_secret",
            }),
        )),
        "/app-manifests/used/conversions" => Some(message(404, "Not Found")),
        _ => None,
    })
    .await;
    let mut shown = String::new();
    let mut show = |what: &dyn Debug| shown.push_str(&format!("{what:?}\n{what:#?}\n"));
    let configuration = config(fake.url.clone(), &clock);
    show(&configuration);
    show(&configuration.credentials);
    let client = fake.client(&clock);
    let repository = client.repository("o/r", Some(7));
    let new = NewCheckRun {
        name: "n".into(),
        head_sha: "s".into(),
        status: "in_progress",
        conclusion: None,
        started_at: clock.now(),
        external_id: None,
        details_url: None,
        output: Output { title: "t".into(), summary: String::new(), text: None },
        actions: Vec::new(),
    };
    show(&repository.create_check_run(&new).await.unwrap_err());
    show(&client.installation_token(&Target::Id(7), &Scope::default()).await.unwrap());
    show(&client.installation_token(&Target::Id(9), &Scope::default()).await.unwrap_err());
    show(&client.app().await.unwrap_err());
    show(&client.convert_manifest("c0de").await.unwrap());
    show(&client.convert_manifest("used").await.unwrap_err());
    show(&client.jwt().unwrap());
    show(&(&client, &repository));
    let call = Call::new(Method::POST, "/app/installations/7/access_tokens", Auth::Jwt);
    show(&(client.send(&call).await.unwrap(), call));

    let logs = caught.text();
    assert!(logs.contains("github call"), "the logs were caught: {logs}");
    let jwts: Vec<String> = fake.seen().iter().map(|s| s.bearer().to_owned()).filter(|b| b.starts_with("ey")).collect();
    let key_line = key().pkcs8.lines().nth(3).unwrap().to_owned();
    let secrets = ["ghs_", "cs_secret", "wh_secret", "pem_secret", "c0de", "used/", "Bearer "];
    for secret in secrets.into_iter().map(str::to_owned).chain(jwts).chain([key_line]) {
        assert!(!shown.contains(&secret), "shown: {secret} in {shown}");
        assert!(!logs.contains(&secret), "logged: {secret} in {logs}");
    }
}
