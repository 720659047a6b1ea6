//! What is to be sent, read from the command line.

use std::fs;
use std::io::Read;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Map, Value};
use url::Url;

use super::fields;
use super::graphql;
use super::here::Here;
use crate::cli::error::{Error, Result};
use crate::github::{Auth, Call};

/// What of a request stands on the command line.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct RequestFlags {
    /// HTTP method [default: GET, or POST when there are fields or a body]
    #[arg(value_name = "METHOD", conflicts_with = "method")]
    verb: Option<String>,
    /// The endpoint: /repos/{owner}/{repo}/pulls, its whole address, or graphql
    #[arg(value_name = "PATH")]
    path: String,
    /// HTTP method, as gh api takes it
    #[arg(short = 'X', long, value_name = "METHOD")]
    method: Option<String>,
    /// Add a field of text: key=value, key[sub]=value, key[]=value; repeat for more
    #[arg(short = 'f', long = "raw-field", value_name = "KEY=VALUE")]
    raw_fields: Vec<String>,
    /// Add a field: true, false, null, a number, @FILE, @- or text with {owner}, {repo}, {branch}
    #[arg(short = 'F', long = "field", value_name = "KEY=VALUE")]
    fields: Vec<String>,
    /// Add a header; repeat for more
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Ask for a preview of GitHub's API by its name; repeat for more
    #[arg(short = 'p', long = "preview", value_name = "NAME", value_delimiter = ',')]
    previews: Vec<String>,
    /// Send this file as the body, - for standard input; fields go to the query
    #[arg(long, value_name = "FILE")]
    input: Option<String>,
}

/// What is to be sent. As whom is not decided here.
#[derive(Clone, Debug)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// The endpoint, relative to the API: with a slash in front, without host, perhaps with a
    /// query. For GraphQL the whole address.
    pub path: String,
    /// Whether it is a GraphQL query.
    pub graphql: bool,
    /// What goes to the query.
    pub query: Vec<(String, String)>,
    /// What is in the body.
    pub body: Body,
    /// Further headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    None,
    /// Fields, as JSON.
    Fields(Map<String, Value>),
    /// A file as it is.
    Bytes(Bytes),
}

impl RequestFlags {
    /// Reads files and standard input, fills in the placeholders, and decides where things go.
    ///
    /// # Errors
    /// A usage error for what makes no request.
    pub fn read(&self, api_url: &Url, here: &Here) -> Result<Request> {
        let (method, path) = (self.method()?, self.path.as_str());
        let mut input = Input::default();
        let fields = self.read_fields(here, &mut input)?;
        let body = self.input.as_deref().map(|path| input.bytes(path)).transpose()?;
        let method = match method {
            Some(method) => method,
            None if fields.is_some() || body.is_some() => Method::POST,
            None => Method::GET,
        };
        let graphql = matches!(path, "graphql" | "/graphql");
        let path = if graphql { graphql::address(api_url) } else { relative(&here.fill(path)?, api_url)? };
        let fields = fields.unwrap_or_default();
        let (query, body) = match body {
            Some(bytes) => (fields::query(&fields), Body::Bytes(bytes)),
            None if matches!(method, Method::GET | Method::HEAD) => (fields::query(&fields), Body::None),
            None if fields.is_empty() => (Vec::new(), Body::None),
            None if graphql => (Vec::new(), Body::Fields(graphql::body(fields))),
            None => (Vec::new(), Body::Fields(fields)),
        };
        Ok(Request { method, path, graphql, query, body, headers: self.read_headers()? })
    }

    fn method(&self) -> Result<Option<Method>> {
        let given = self.verb.as_deref().or(self.method.as_deref());
        let method = given.map(|text| {
            let upper = text.to_ascii_uppercase();
            let word = upper.chars().all(|c| c.is_ascii_alphabetic());
            Method::from_bytes(upper.as_bytes()).ok().filter(|_| word).ok_or_else(|| {
                let told = Error::usage(format!("{text} is no HTTP method"));
                if text.contains('/') {
                    told.because("-q means --quiet here").hint("pforge gh-as-app PATH --jq FILTER")
                } else {
                    told
                }
            })
        });
        method.transpose()
    }

    /// The fields, or nothing when there are none: even an empty list of fields makes a POST.
    fn read_fields(&self, here: &Here, input: &mut Input) -> Result<Option<Map<String, Value>>> {
        if self.raw_fields.is_empty() && self.fields.is_empty() {
            return Ok(None);
        }
        let mut map = Map::new();
        for text in &self.raw_fields {
            fields::add(&mut map, text, |value| Ok::<_, String>(value.into())).map_err(Error::usage)?;
        }
        for text in &self.fields {
            let mut typed = |value: &str| match value.strip_prefix('@') {
                Some(path) => input.text(path).map(Value::String),
                None => match fields::typed(value) {
                    Some(value) => Ok(value),
                    None => here.fill(value).map(Value::String),
                },
            };
            fields::add(&mut map, text, |value| typed(value).map_err(Told)).map_err(|Told(error)| error)?;
        }
        Ok(Some(map))
    }

    fn read_headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>> {
        let mut headers = Vec::new();
        for text in &self.headers {
            let (name, value) = text
                .split_once(':')
                .ok_or_else(|| Error::usage(format!("the header {text:?} has no value: write NAME: VALUE")))?;
            let name = HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|_| Error::usage(format!("{name:?} is not the name of a header")))?;
            let mut value = HeaderValue::from_str(value.trim())
                .map_err(|_| Error::usage(format!("the value of the header {name} cannot be sent")))?;
            value.set_sensitive(name == AUTHORIZATION);
            if name != CONTENT_LENGTH {
                headers.push((name, value));
            }
        }
        if !self.previews.is_empty() {
            let types: Vec<String> =
                self.previews.iter().map(|name| format!("application/vnd.github.{name}-preview+json")).collect();
            let value = HeaderValue::from_str(&types.join(", "));
            headers.push((ACCEPT, value.map_err(|_| Error::usage("--preview must be the name of a preview"))?));
        }
        Ok(headers)
    }
}

impl Request {
    /// The call, spoken as `auth`.
    ///
    /// # Errors
    /// When the body has no JSON form.
    pub fn call(&self, auth: Auth) -> Result<Call> {
        let mut call = Call::new(self.method.clone(), self.path.as_str(), auth);
        for (name, value) in &self.query {
            call = call.query(name, value);
        }
        for (name, value) in &self.headers {
            call = call.header(name.clone(), value.clone());
        }
        match &self.body {
            Body::None => Ok(call),
            Body::Bytes(bytes) => Ok(call.body(bytes.clone())),
            Body::Fields(fields) => Ok(call.json(fields)?),
        }
    }

    /// Whether the caller brings their own credentials.
    pub fn has_authorization(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == AUTHORIZATION)
    }

    /// Whether the query, wherever it stands, has a field `name`.
    pub fn asks(&self, name: &str) -> bool {
        let in_path = self
            .path
            .split_once('?')
            .is_some_and(|(_, query)| url::form_urlencoded::parse(query.as_bytes()).any(|(field, _)| field == name));
        in_path || self.query.iter().any(|(field, _)| field == name)
    }
}

/// An error of a field, as [`fields::add`] wants it.
struct Told(Error);

impl From<String> for Told {
    fn from(text: String) -> Self {
        Self(Error::usage(text))
    }
}

/// Files and standard input, which can be read once.
#[derive(Default)]
struct Input {
    read: bool,
}

impl Input {
    fn bytes(&mut self, path: &str) -> Result<Bytes> {
        if path != "-" {
            let bytes = fs::read(path);
            return bytes.map(Bytes::from).map_err(|error| {
                Error::failure(format!("cannot read {path}")).caused_by(&error).hint(format!("ls -l {path}"))
            });
        }
        if std::mem::replace(&mut self.read, true) {
            return Err(Error::usage("standard input can be read once: it is given twice"));
        }
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    fn text(&mut self, path: &str) -> Result<String> {
        let bytes = self.bytes(path)?;
        String::from_utf8(bytes.into()).map_err(|_| {
            let name = if path == "-" { "standard input" } else { path };
            Error::failure(format!("{name} is not UTF-8, so that it fits no JSON")).hint("base64 -w0 FILE")
        })
    }
}

/// `path` as the API's own: with a slash in front and without the address of the API.
fn relative(path: &str, api_url: &Url) -> Result<String> {
    if path.as_bytes().get(1) == Some(&b':') {
        return Err(Error::usage(format!("{path} is a file of Windows, no endpoint"))
            .because("the shell makes files of words that begin with a slash: leave the slash away"));
    }
    if !path.contains("://") {
        return Ok(format!("/{}", path.trim_start_matches('/')));
    }
    let url = Url::parse(path).map_err(|error| Error::usage(format!("{path} is no address")).caused_by(&error))?;
    if url.origin() != api_url.origin() {
        return Err(Error::usage(format!("{} is not GitHub's API", url.origin().ascii_serialization()))
            .because(format!("nothing that proves who we are is sent anywhere but to {api_url}"))
            .hint("pforge gh-as-app --github-url URL PATH"));
    }
    let base = api_url.path().trim_end_matches('/');
    let Some(rest) = url.path().strip_prefix(base).filter(|rest| rest.starts_with('/')) else {
        return Ok(url.into());
    };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{rest}{query}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use url::Url;

    use super::{RequestFlags, relative};

    #[derive(clap::Parser)]
    #[command(allow_missing_positional = true)]
    struct Line {
        #[command(flatten)]
        flags: RequestFlags,
    }

    #[test]
    fn every_way_to_write_an_endpoint_is_one() {
        for (base, path, expected) in [
            ("https://api.github.com/", "app", Some("/app")),
            ("https://api.github.com/", "/app?x=1", Some("/app?x=1")),
            ("https://api.github.com/", "https://api.github.com/app?x=1#y", Some("/app?x=1")),
            ("https://ghes.example/api/v3/", "https://ghes.example/api/v3/app", Some("/app")),
            (
                "https://ghes.example/api/v3/",
                "https://ghes.example/api/v30/app",
                Some("https://ghes.example/api/v30/app"),
            ),
            ("https://api.github.com/", "https://evil.example/app", None),
            ("https://api.github.com/", "http://api.github.com/app", None),
            ("https://api.github.com/", "C:/Program Files/Git/app", None),
        ] {
            let base = Url::parse(base).expect("url");
            assert_eq!(relative(path, &base).ok().as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn the_method_stands_in_front_or_behind_x() {
        let read = |line: &str| {
            let words = ["x"].into_iter().chain(line.split(' '));
            let matches = Line::try_parse_from(words).ok()?;
            let method = matches.flags.method().ok()?;
            Some((method.map(|method| method.to_string()), matches.flags.path))
        };
        let method = |name: &str, path: &str| Some((Some(name.to_owned()), path.to_owned()));
        assert_eq!(read("patch /x"), method("PATCH", "/x"));
        assert_eq!(read("/x -X delete"), method("DELETE", "/x"));
        assert_eq!(read("-X delete /x -f a=b"), method("DELETE", "/x"));
        assert_eq!(read("/x"), Some((None, "/x".into())));
        assert_eq!(read("GET /x -X PUT"), None);
        assert_eq!(read("/app .id"), None);
        assert_eq!(read("-X GET"), None);
    }
}
