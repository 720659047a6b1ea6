//! Judges the facts. Pure: nothing is asked or touched here.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};

use super::facts::{AppFacts, Facts};
use super::mend::Mend;
use super::{Finding, Severity};
use crate::cli::error::Kind;
use crate::cli::hook_url;
use crate::github::events;
use crate::util::text::plural;

/// Every check, in the order in which they are told.
const CHECKS: [fn(&Facts) -> Vec<Finding>; 14] = [
    config,
    clock,
    app,
    permissions,
    installations,
    webhook,
    lease,
    secret,
    deliveries,
    limits,
    database,
    server,
    files,
    tools,
];

/// All findings.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(facts)).collect()
}

fn config(facts: &Facts) -> Vec<Finding> {
    let check = "config";
    match &facts.config {
        Err(error) => vec![Finding::of(check, error)],
        Ok(file) => {
            let kind = if file.encrypted { "encrypted" } else { "in clear" };
            let path = file.deployment.path.display();
            let mut findings = vec![Finding::ok(check, format!("{path} ({kind})"))];
            if let Err(error) = file.need_app() {
                findings.push(Finding::of("app", &error));
            }
            if let Err(error) = file.need_api_key() {
                findings.push(Finding::of("api key", &error));
            }
            findings
        }
    }
}

/// GitHub refuses a JWT whose `exp` is more than ten minutes ahead of its own clock, and one whose
/// `iat` lies in its future.
fn clock(facts: &Facts) -> Vec<Finding> {
    let check = "clock";
    let skew = match &facts.clock {
        None => return Vec::new(),
        Some(Err(error)) => return vec![Finding::of(check, error)],
        Some(Ok(None)) => return vec![Finding::note(check, "GitHub's answers have no date")],
        Some(Ok(Some(skew))) => *skew,
    };
    let side = if skew.ms >= 0 { "behind" } else { "ahead of" };
    let fact = format!("{} ms {side} GitHub (± {} ms)", skew.ms.unsigned_abs(), skew.uncertainty_ms);
    let fix = "timedatectl set-ntp true";
    vec![match skew.ms.unsigned_abs() {
        0..5_000 => Finding::ok(check, fact),
        5_000..60_000 => Finding::warning(check, fact).hint(fix),
        _ => {
            Finding::error(check, Kind::Failure, format!("{fact}: pforge corrects it, other tools will not")).hint(fix)
        }
    }]
}

/// The App that speaks, or why it cannot.
fn known<'a>(facts: &'a Facts, check: &'static str) -> Result<Option<&'a AppFacts>, Finding> {
    match &facts.app {
        None => Ok(None),
        Some(Ok(app)) => Ok(Some(app)),
        Some(Err(error)) => Err(Finding::of(check, error)),
    }
}

fn app(facts: &Facts) -> Vec<Finding> {
    let check = "app";
    let found = match known(facts, check) {
        Ok(Some(found)) => found,
        Ok(None) => return Vec::new(),
        Err(finding) => return vec![finding.hint("pforge app import")],
    };
    if u64::try_from(found.app.id).ok() != Some(found.configured_id) {
        let fact = format!("the key belongs to #{}, but the config says #{}", found.app.id, found.configured_id);
        return vec![Finding::error(check, Kind::Config, fact).hint("pforge app import")];
    }
    vec![Finding::ok(check, format!("{} (#{}), key {}", found.app.name, found.app.id, found.fingerprint))]
}

/// Whether each event that the App is told of has its permission.
fn permissions(facts: &Facts) -> Vec<Finding> {
    let check = "permissions";
    let Ok(Some(found)) = known(facts, check) else { return Vec::new() };
    let page = format!("{}/settings/apps/{}/permissions", found.web_url, found.app.slug.as_deref().unwrap_or_default());
    let mut findings = Vec::new();
    for event in &found.app.events {
        let missing = events::missing(event, &found.app.permissions);
        if !missing.is_empty() {
            let fact = format!("the event {event} needs the permission {}", missing.join(" or "));
            findings.push(Finding::error(check, Kind::Auth, fact).hint(page.clone()));
        }
    }
    if found.app.events.is_empty() {
        findings.push(Finding::warning(check, "the App subscribes to no events").hint(page));
    }
    if findings.is_empty() {
        let count = |number: usize, noun: &str| plural(number as u64, noun);
        let fact = format!(
            "{} for {}",
            count(found.app.permissions.len(), "permission"),
            count(found.app.events.len(), "event")
        );
        findings.push(Finding::ok(check, fact));
    }
    findings
}

fn installations(facts: &Facts) -> Vec<Finding> {
    let check = "installed";
    let Ok(Some(found)) = known(facts, check) else { return Vec::new() };
    let all = match &found.installations {
        Ok(all) => all,
        Err(error) => return vec![Finding::of(check, error)],
    };
    if all.is_empty() {
        let slug = found.app.slug.as_deref().unwrap_or_default();
        return vec![
            Finding::error(check, Kind::NotFound, "nowhere: no repository sends it anything")
                .hint(format!("{}/apps/{slug}/installations/new", found.web_url)),
        ];
    }
    let mut findings = Vec::new();
    for one in all {
        let account = one.account.as_ref().map_or("?", |account| account.login.as_str());
        let page = one.html_url.clone().unwrap_or_else(|| format!("{}/settings/installations", found.web_url));
        let lags = found.app.permissions.iter().find(|(name, level)| one.permissions.get(*name) != Some(level));
        findings.push(if one.suspended_at.is_some() {
            Finding::error(check, Kind::Auth, format!("{account} has suspended it")).hint(page)
        } else if let Some((name, level)) = lags {
            let fact = format!("{account} has not accepted the permission {name}:{level} yet");
            Finding::warning(check, fact).hint(page)
        } else {
            let repositories = one.repository_selection.as_deref().unwrap_or("all");
            Finding::ok(check, format!("{account} ({repositories} repositories)"))
        });
    }
    findings
}

fn webhook(facts: &Facts) -> Vec<Finding> {
    let check = "webhook";
    let Ok(Some(found)) = known(facts, check) else { return Vec::new() };
    let hook = match &found.hook {
        Ok(hook) => hook,
        Err(error) => return vec![Finding::of(check, error)],
    };
    let Some(url) = &hook.url else {
        return vec![Finding::error(check, Kind::Config, "has no URL: GitHub sends nothing").hint(TO_LAPTOP)];
    };
    let Ok(address) = url.parse() else {
        return vec![Finding::error(check, Kind::Config, format!("{url} is no URL")).hint(TO_LAPTOP)];
    };
    if let Some(mistake) = hook_url::mistakes(&address).into_iter().next() {
        return vec![Finding::error(check, Kind::Config, format!("{url}: {mistake}")).hint(TO_LAPTOP)];
    }
    let mut findings = vec![match &found.probe {
        None => Finding::note(check, url.clone()),
        Some(Err(why)) => {
            Finding::error(check, Kind::Upstream, format!("{url} does not answer: {why}")).hint(TO_LAPTOP)
        }
        Some(Ok(probe)) if probe.tunnel_is_down => {
            Finding::error(check, Kind::Upstream, format!("{url}: no ngrok agent is connected"))
                .hint("pforge proxy start --via ngrok")
        }
        Some(Ok(probe)) if (502..=504).contains(&probe.status) => {
            let fact = format!("{url} answers {}: nobody is behind it", probe.status);
            Finding::error(check, Kind::Upstream, fact).hint(TO_LAPTOP)
        }
        Some(Ok(_)) => Finding::ok(check, format!("{url} answers")),
    }];
    if hook.content_type.as_deref() == Some("form") {
        findings.push(Finding::note(check, "sends forms; JSON is what most receivers expect"));
    }
    findings
}

/// How deliveries get to a laptop.
const TO_LAPTOP: &str = "pforge proxy start --via smee";

fn lease(facts: &Facts) -> Vec<Finding> {
    match &facts.lease {
        Some((lease, false)) => {
            let back = lease.previous.as_deref().unwrap_or("none");
            let fact = format!("a run that ended left its own URL behind; before it was {back}");
            vec![Finding::warning("webhook", fact).hint("pforge proxy restore").mended_by(Mend::RestoreHook)]
        }
        _ => Vec::new(),
    }
}

/// Statuses with which receivers refuse a signature.
const REFUSED: [i64; 2] = [401, 403];

fn secret(facts: &Facts) -> Vec<Finding> {
    let check = "secret";
    let Ok(Some(found)) = known(facts, check) else { return Vec::new() };
    if found.hook.as_ref().is_ok_and(|hook| hook.secret.is_none()) {
        let fact = "GitHub has none: deliveries are not signed, and are refused";
        return vec![Finding::error(check, Kind::Auth, fact).hint(SET_SECRET)];
    }
    let Ok(log) = &found.log else { return Vec::new() };
    let refused = log.iter().find(|delivery| REFUSED.contains(&delivery.status_code));
    let good = log.iter().find(|delivery| delivery.is_good());
    vec![match (refused, good) {
        (Some(refused), good) if good.is_none_or(|good| good.delivered_at < refused.delivered_at) => {
            let fact = format!(
                "the receiver refused the last delivery with {} ({}): the secrets differ",
                refused.status_code,
                age(facts, refused.delivered_at)
            );
            Finding::error(check, Kind::Auth, fact).hint(SET_SECRET)
        }
        (_, Some(good)) => Finding::ok(check, format!("a delivery was taken {}", age(facts, good.delivered_at))),
        (_, None) => Finding::note(check, "set at GitHub; nothing was delivered with it yet"),
    }]
}

/// The value of the config goes to GitHub, and is shown nowhere.
const SET_SECRET: &str =
    "pforge secrets get github_app.webhook_secret | pforge gh-as-app -X PATCH /app/hook/config -F secret=@-";

fn age(facts: &Facts, at: DateTime<chrono::Utc>) -> String {
    let age = (facts.now - at).max(TimeDelta::zero()).to_std().unwrap_or_default();
    format!("{} ago", crate::util::text::duration(age))
}

fn deliveries(facts: &Facts) -> Vec<Finding> {
    let check = "deliveries";
    let Ok(Some(found)) = known(facts, check) else { return Vec::new() };
    let log = match &found.log {
        Ok(log) => log,
        Err(error) => return vec![Finding::of(check, error)],
    };
    let mut good: BTreeMap<&str, bool> = BTreeMap::new();
    for delivery in log {
        *good.entry(&delivery.guid).or_default() |= delivery.is_good();
    }
    let failed = good.values().filter(|good| !**good).count();
    vec![if failed == 0 {
        Finding::ok(check, format!("{} in three days, none failed", good.len()))
    } else {
        Finding::warning(check, format!("{failed} of {} in three days were never taken", good.len()))
            .hint("pforge deliveries redeliver --failed --since 72h")
    }]
}

fn limits(facts: &Facts) -> Vec<Finding> {
    let check = "rate limit";
    let Ok(Some(found)) = known(facts, check) else { return Vec::new() };
    let limit = match &found.limit {
        None => return Vec::new(),
        Some(Err(error)) => return vec![Finding::of(check, error)],
        Some(Ok(limit)) => limit,
    };
    let fact = format!("{} of {} calls are left in this hour", limit.remaining, limit.limit);
    vec![if limit.remaining == 0 {
        Finding::error(check, Kind::Upstream, fact)
    } else if limit.remaining * 10 < limit.limit {
        Finding::warning(check, fact)
    } else {
        Finding::ok(check, fact)
    }]
}

fn database(facts: &Facts) -> Vec<Finding> {
    let check = "database";
    let rows = match &facts.schema {
        None => {
            let fact = "none is named: `pforge dev` makes a file, `pforge serve` asks for one";
            return vec![Finding::note(check, fact).hint("export DATABASE_URL=sqlite:///$PWD/database.sqlite")];
        }
        Some(Err(error)) => return vec![Finding::of(check, error)],
        Some(Ok(rows)) => rows,
    };
    let count = |states: &[&str]| rows.iter().filter(|row| states.contains(&row.state)).count() as u64;
    let (pending, foreign) = (count(&["pending"]), count(&["changed", "unknown"]));
    vec![if foreign > 0 {
        let fact = format!("{} not of this pforge", plural(foreign, "migration"));
        Finding::error(check, Kind::Config, fact).hint("pforge db status")
    } else if pending > 0 {
        Finding::warning(check, format!("{} not applied; serve applies them", plural(pending, "migration")))
            .hint("pforge db migrate")
            .mended_by(Mend::Migrate)
    } else {
        Finding::ok(check, format!("{} applied", plural(rows.len() as u64, "migration")))
    }]
}

fn server(facts: &Facts) -> Vec<Finding> {
    let check = "server";
    vec![match &facts.server {
        None => Finding::note(check, "none runs here").hint("pforge serve"),
        Some(Ok(_)) => Finding::ok(check, "ready"),
        Some(Err(error)) => Finding::of(check, error),
    }]
}

fn files(facts: &Facts) -> Vec<Finding> {
    let check = "files";
    let shown = |path: &std::path::PathBuf| path.display().to_string();
    let mut findings = Vec::new();
    for path in &facts.files.loose {
        let fact = format!("others on this machine can read {}", shown(path));
        findings.push(
            Finding::warning(check, fact)
                .hint(format!("chmod 600 {}", shown(path)))
                .mended_by(Mend::Private(path.clone())),
        );
    }
    for path in &facts.files.exposed {
        let fact = format!("git add would take {} along, in clear", shown(path));
        let is_identity = path.extension().is_some_and(|end| end == "txt");
        let fix = if is_identity {
            format!("echo {} >> .gitignore", path.file_name().unwrap_or_default().to_string_lossy())
        } else {
            format!("pforge secrets encrypt -i {}", shown(path))
        };
        findings.push(Finding::error(check, Kind::Config, fact).hint(fix));
    }
    if findings.is_empty() && facts.files.looked_at > 0 {
        let fact = format!("{} with secrets: private, and none in clear in git", facts.files.looked_at);
        findings.push(Finding::ok(check, fact));
    }
    findings
}

/// sops of this version cannot decrypt a YAML file with a comment inside a list, not even its own:
/// <https://github.com/getsops/sops/issues/2243>.
const BROKEN_SOPS: &str = "3.13.2";

fn tools(facts: &Facts) -> Vec<Finding> {
    let check = "tools";
    let there = |tool: &super::tools::Tool| tool.version.as_ref().map(|version| format!("{} {version}", tool.name));
    let found: Vec<String> = facts.tools.iter().filter_map(there).collect();
    let mut findings = Vec::new();
    if facts.tools.iter().any(|tool| tool.name == "sops" && tool.version.as_deref() == Some(BROKEN_SOPS)) {
        let fact = format!("sops {BROKEN_SOPS} cannot open YAML files with a comment in a list; 3.13.3 can again");
        findings.push(Finding::warning(check, fact));
    }
    let fact = if found.is_empty() { "none of others; pforge needs none".to_owned() } else { found.join(", ") };
    findings.push(Finding::note(check, fact));
    findings
}

/// The worst of `findings`.
pub fn worst(findings: &[Finding]) -> Option<&Finding> {
    findings.iter().filter(|finding| finding.severity == Severity::Error).max_by_key(|finding| match finding.kind {
        // What has to be mended first decides.
        Kind::Config => 4,
        Kind::Integrity => 3,
        Kind::Auth => 2,
        Kind::Upstream | Kind::NotFound => 1,
        _ => 0,
    })
}
