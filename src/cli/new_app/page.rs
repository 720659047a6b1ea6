//! The pages that the browser shows. Each is one text without anything from elsewhere.

use super::site::Page;
use crate::github::manifest::Manifest;

const STYLE: &str = include_str!("../../../templates/new_app/style.css");
const AUTHORIZE: &str = include_str!("../../../templates/new_app/authorize.html");
const CREATED: &str = include_str!("../../../templates/new_app/created.html");
const ERROR: &str = include_str!("../../../templates/new_app/error.html");

/// Seconds until the page of the new App goes on to its installation by itself.
const GO_ON_AFTER_S: u32 = 8;

/// What stands in the place of `{{name}}`.
enum Part<'a> {
    /// Any text; escaped.
    Text(&'a str),
    /// Markup of our own.
    Markup(&'a str),
}

use Part::{Markup, Text};

/// What the first page is about.
#[derive(Clone, Debug)]
pub struct Authorize<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The manifest as it is posted.
    pub json: &'a str,
    /// Where it is posted.
    pub action: &'a str,
    /// Who will own the App.
    pub owner: &'a str,
    /// Where the credentials will go.
    pub config: &'a str,
}

/// What the page after the creation is about.
#[derive(Clone, Debug)]
pub struct Created<'a> {
    /// The App's name.
    pub name: &'a str,
    /// Its id.
    pub id: i64,
    /// Who owns it.
    pub owner: &'a str,
    /// Its page.
    pub html_url: &'a str,
    /// The page on which it is installed.
    pub install_url: &'a str,
    /// Its key's fingerprint.
    pub fingerprint: &'a str,
    /// Where the credentials are.
    pub config: &'a str,
    /// Whether the page goes on to the installation by itself.
    pub goes_on: bool,
}

/// The page with the manifest and its one button.
pub fn authorize(about: &Authorize<'_>, nonce: &str) -> Page {
    let manifest = about.manifest;
    let webhook = match &manifest.hook_attributes {
        None => "none".to_owned(),
        Some(hook) if hook.active == Some(false) => format!("{} (switched off)", hook.url),
        Some(hook) => hook.url.clone(),
    };
    let rows: String = manifest
        .default_permissions
        .iter()
        .map(|(name, level)| {
            let (name, level) = (escape(name), escape(level));
            format!("<tr><td>{name}</td><td><span class=\"level {level}\">{level}</span></td></tr>\n")
        })
        .collect();
    let permissions = match rows.as_str() {
        "" => "<p class=\"soft\">none</p>".to_owned(),
        rows => format!("<table>\n<tr><th>Permission</th><th>Access</th></tr>\n{rows}</table>"),
    };
    let chips: String = manifest.default_events.iter().map(|event| format!("<li>{}</li>", escape(event))).collect();
    let events = match chips.as_str() {
        "" => "<p class=\"soft\">none</p>".to_owned(),
        chips => format!("<ul class=\"chips\">{chips}</ul>"),
    };
    let html = fill(
        AUTHORIZE,
        &[
            ("nonce", Text(nonce)),
            ("style", Markup(STYLE)),
            ("name", Text(&manifest.name)),
            ("description", Text(manifest.description.as_deref().unwrap_or_default())),
            ("owner", Text(about.owner)),
            ("url", Text(&manifest.url)),
            ("webhook", Text(&webhook)),
            ("public", Text(if manifest.public { "everybody" } else { "its owner only" })),
            ("config", Text(about.config)),
            ("permissions", Markup(&permissions)),
            ("events", Markup(&events)),
            ("manifest", Text(about.json)),
            ("action", Text(about.action)),
        ],
    );
    Page { status: 200, html }
}

/// The page of the new App, which leads to its installation.
pub fn created(about: &Created<'_>, nonce: &str) -> Page {
    let refresh = if about.goes_on {
        format!("<meta http-equiv=\"refresh\" content=\"{GO_ON_AFTER_S};url={}\">\n", escape(about.install_url))
    } else {
        String::new()
    };
    let next = if about.goes_on {
        "GitHub's page for it opens by itself in a few seconds; the terminal waits until the App is installed."
    } else {
        "The terminal has the credentials. This window can be closed."
    };
    let html = fill(
        CREATED,
        &[
            ("refresh", Markup(&refresh)),
            ("nonce", Text(nonce)),
            ("style", Markup(STYLE)),
            ("name", Text(about.name)),
            ("id", Text(&about.id.to_string())),
            ("owner", Text(about.owner)),
            ("html_url", Text(about.html_url)),
            ("install_url", Text(about.install_url)),
            ("fingerprint", Text(about.fingerprint)),
            ("config", Text(about.config)),
            ("next", Text(next)),
        ],
    );
    Page { status: 200, html }
}

/// A page that says what went wrong.
pub fn wrong(status: u16, title: &str, what: &str, advice: &str, nonce: &str) -> Page {
    let parts = [
        ("nonce", Text(nonce)),
        ("style", Markup(STYLE)),
        ("title", Text(title)),
        ("what", Text(what)),
        ("advice", Text(advice)),
    ];
    Page { status, html: fill(ERROR, &parts) }
}

/// `template` with its parts. What a part holds is not looked at again.
fn fill(template: &str, parts: &[(&str, Part<'_>)]) -> String {
    let mut html = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        html.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        match parts.iter().find(|(known, _)| *known == name) {
            Some((_, Text(text))) => html.push_str(&escape(text)),
            Some((_, Markup(markup))) => html.push_str(markup),
            None => {}
        }
        rest = after;
    }
    html + rest
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::manifest::Deployment;

    /// The names of a template's parts.
    fn names(template: &str) -> Vec<&str> {
        template.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()).collect()
    }

    #[test]
    fn nothing_in_a_manifest_becomes_markup() {
        let mut manifest = Manifest::of(Deployment::Local, "alice");
        manifest.name = "<script>alert(1)</script>{{style}}".to_owned();
        manifest.default_events = vec!["\"><img src=x>".to_owned()];
        let json = serde_json::to_string_pretty(&manifest).expect("JSON");
        let action = "https://github.com/settings/apps/new?state=a&b=\"c";
        let about = Authorize { manifest: &manifest, json: &json, action, owner: "o", config: "c" };
        let html = authorize(&about, "n0nce").html;
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        // The name that looks like a part of the template stands there as text, wherever the name does.
        assert!(html.contains("{{style}}"), "a part is not looked at again");
        assert!(html.contains("state=a&amp;b=&quot;c"));
        assert_eq!(html.matches("<button").count(), 1);
    }

    #[test]
    fn every_part_of_a_template_is_filled_and_nothing_comes_from_elsewhere() {
        let manifest = Manifest::of(Deployment::Local, "alice");
        let about =
            Authorize { manifest: &manifest, json: "{}", action: "https://a.example/", owner: "o", config: "c" };
        let new = Created {
            name: "n",
            id: 1,
            owner: "o",
            html_url: "https://b.example/",
            install_url: "https://b.example/installations/new",
            fingerprint: "SHA256:f",
            config: "c",
            goes_on: true,
        };
        let pages = [authorize(&about, "x").html, created(&new, "x").html, wrong(400, "t", "w", "a", "x").html];
        for (template, page) in [AUTHORIZE, CREATED, ERROR].into_iter().zip(&pages) {
            assert!(!names(template).is_empty() && !page.contains("{{"), "{page}");
            for foreign in ["src=", "<link", "@import", "url(", "<script"] {
                assert!(!page.contains(foreign), "{foreign}");
            }
        }
    }
}
