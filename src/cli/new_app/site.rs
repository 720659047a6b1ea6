//! The site on this machine, for one App and one person: two pages, loopback only.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tiny_http::{Header, Method, Request, Response, Server};
use tokio::sync::mpsc::UnboundedSender;
use url::{Url, form_urlencoded};

use super::page;
use crate::util::Secret;

/// A page with its HTTP status.
#[derive(Clone, Debug)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// The document.
    pub html: String,
}

/// How a code was taken.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// For good: this page, however often it is asked for.
    Final(Page),
    /// Not now, but the same code may still do.
    Again(Page),
}

/// A code that came back from GitHub, to be exchanged.
#[derive(Debug)]
pub struct Code {
    /// The code.
    pub code: Secret,
    /// Takes what to show.
    pub verdict: mpsc::Sender<Verdict>,
    /// Told when the browser has it.
    pub shown: mpsc::Receiver<()>,
}

/// What the site shows, and what it lets pass.
#[derive(Clone, Debug)]
pub struct Content {
    /// The page with the manifest.
    pub authorize: Page,
    /// What GitHub must bring back.
    pub state: Secret,
    /// Where the form may go: GitHub's origin.
    pub form_target: Url,
    /// The nonce of the pages' styles.
    pub nonce: String,
}

/// The addresses that were taken for the site.
#[derive(Debug)]
pub struct Listeners {
    sockets: Vec<TcpListener>,
    port: u16,
}

impl Listeners {
    /// Takes `port` on both loopback addresses, or any free one for 0. A machine without IPv6 does
    /// without.
    ///
    /// # Errors
    /// When the port is taken on either: a browser may try both for `localhost`.
    pub fn bind(port: u16) -> io::Result<Self> {
        let four = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let port = four.local_addr()?.port();
        let six = match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            six => six.ok(),
        };
        Ok(Self { sockets: [Some(four), six].into_iter().flatten().collect(), port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// The running site; it ends when dropped.
pub struct Site {
    servers: Vec<Arc<Server>>,
}

impl Site {
    /// Serves `content`; codes with the right state go to `codes`.
    ///
    /// # Errors
    /// When a listener cannot be served.
    pub fn serve(listeners: Listeners, content: Content, codes: UnboundedSender<Code>) -> io::Result<Self> {
        let desk = Arc::new(Desk { port: listeners.port, content, codes, verdict: Mutex::default() });
        let mut servers = Vec::new();
        for socket in listeners.sockets {
            let server = Arc::new(Server::from_listener(socket, None).map_err(io::Error::other)?);
            let (desk, serving) = (Arc::clone(&desk), Arc::clone(&server));
            thread::Builder::new().name("new-app".to_owned()).spawn(move || {
                for request in serving.incoming_requests() {
                    desk.answer(request);
                }
            })?;
            servers.push(server);
        }
        Ok(Self { servers })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for server in &self.servers {
            server.unblock();
        }
    }
}

/// What answers requests.
struct Desk {
    port: u16,
    content: Content,
    codes: UnboundedSender<Code>,
    /// The last word, once it is spoken.
    verdict: Mutex<Option<Page>>,
}

impl Desk {
    fn answer(&self, request: Request) {
        let reply = self.reply(&request);
        // The browser may be gone; there is nobody else to tell.
        let _ = request.respond(self.response(reply.page));
        if let Some(shown) = reply.shown {
            let _ = shown.send(());
        }
    }

    fn reply(&self, request: &Request) -> Reply {
        if !self.is_own_host(request) {
            return self
                .wrong(
                    403,
                    "Not for this address",
                    "This page answers to localhost only.",
                    "Open the address that the terminal shows.",
                )
                .into();
        }
        if !matches!(request.method(), Method::Get | Method::Head) {
            return self.wrong(405, "Not that way", "These pages can only be read.", "").into();
        }
        let (path, query) = request.url().split_once('?').unwrap_or((request.url(), ""));
        match path {
            "/" | "/authorize.html" => self.spoken().unwrap_or_else(|| self.content.authorize.clone()).into(),
            "/redirect.html" => self.redirected(query),
            _ => self
                .wrong(404, "Nothing here", "There is no such page.", "Open the address that the terminal shows.")
                .into(),
        }
    }

    fn redirected(&self, query: &str) -> Reply {
        let value = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let state = value("state").unwrap_or_default();
        if !self.content.state.matches(state.as_bytes()) {
            return self
                .wrong(
                    400,
                    "This did not start here",
                    "The state in the address is not the one that this pforge sent to GitHub, so the code in it was not used.",
                    "It may be from an earlier run, or somebody else made the link. Start again from the address that the terminal shows.",
                )
                .into();
        }
        let Some(code) = value("code").filter(|code| !code.is_empty()) else {
            return self
                .wrong(
                    400,
                    "GitHub sent no code",
                    "The address has no code in it.",
                    "Start again from the address that the terminal shows.",
                )
                .into();
        };
        // Held while the code is exchanged: whoever reloads meanwhile waits for the same verdict.
        let mut spoken = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = spoken.as_ref() {
            return page.clone().into();
        }
        let ((verdict, answered), (shown, seen)) = (mpsc::channel(), mpsc::channel());
        let asked = self.codes.send(Code { code: Secret::new(code), verdict, shown: seen });
        match asked.ok().and_then(|()| answered.recv().ok()) {
            Some(Verdict::Final(page)) => {
                *spoken = Some(page.clone());
                Reply { page, shown: Some(shown) }
            }
            Some(Verdict::Again(page)) => Reply { page, shown: Some(shown) },
            None => {
                self.wrong(503, "pforge has ended", "The terminal gave up waiting.", "Run the command again.").into()
            }
        }
    }

    fn spoken(&self) -> Option<Page> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wrong(&self, status: u16, title: &str, what: &str, advice: &str) -> Page {
        page::wrong(status, title, what, advice, &self.content.nonce)
    }

    /// Whether the browser asked for this machine by its own name: a page elsewhere whose name was
    /// made to lead here may not read ours.
    fn is_own_host(&self, request: &Request) -> bool {
        let mut hosts = request.headers().iter().filter(|header| header.field.equiv("host"));
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        is_own_host(host.value.as_str(), self.port)
    }

    fn response(&self, page: Page) -> Response<io::Cursor<Vec<u8>>> {
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{}'; form-action {}; base-uri 'none'; frame-ancestors 'none'",
            self.content.nonce,
            self.content.form_target.origin().ascii_serialization(),
        );
        let headers = [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy.as_str()),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            // The code in the address goes nowhere else.
            ("referrer-policy", "strict-origin"),
        ];
        let headers = headers.iter().filter_map(|(name, value)| Header::from_bytes(*name, *value).ok());
        headers.fold(Response::from_string(page.html).with_status_code(page.status), Response::with_header)
    }
}

/// A page, and who waits until the browser has it.
struct Reply {
    page: Page,
    shown: Option<mpsc::Sender<()>>,
}

impl From<Page> for Reply {
    fn from(page: Page) -> Self {
        Self { page, shown: None }
    }
}

impl Code {
    /// Shows the browser what became of its code, and waits a moment until it has it.
    pub fn conclude(self, verdict: Verdict) {
        // The browser may be gone.
        let _ = self.verdict.send(verdict);
        let _ = self.shown.recv_timeout(Duration::from_secs(5));
    }
}

fn is_own_host(host: &str, port: u16) -> bool {
    let (name, given) = match host.rsplit_once(':') {
        Some((name, given)) if !given.ends_with(']') => (name, given.parse().ok()),
        _ => (host, Some(80)),
    };
    given == Some(port) && (name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::is_own_host;

    #[test]
    fn only_the_loopback_names_with_our_port_are_ours() {
        for (host, port, expected) in [
            ("localhost:3000", 3000, true),
            ("LOCALHOST:3000", 3000, true),
            ("127.0.0.1:3000", 3000, true),
            ("[::1]:3000", 3000, true),
            ("localhost", 80, true),
            ("[::1]", 80, true),
            ("localhost", 3000, false),
            ("localhost:3001", 3000, false),
            ("localhost:", 3000, false),
            ("::1:3000", 3000, false),
            ("127.0.0.2:3000", 3000, false),
            ("localhost.evil.example:3000", 3000, false),
            ("evil.example:3000", 3000, false),
            ("localhost:3000@evil.example", 3000, false),
            ("", 80, false),
        ] {
            assert_eq!(is_own_host(host, port), expected, "{host:?}");
        }
    }
}
