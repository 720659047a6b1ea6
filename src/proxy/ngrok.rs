//! ngrok: a tunnel that brings deliveries to the target itself. Its agent is found or started by
//! its local API: <https://ngrok.com/docs/agent/api/>.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use url::Url;

use super::forward::chain;

mod watch;

pub use watch::Watch;

/// The agent takes the first of these ports that is free.
const PORTS: std::ops::RangeInclusive<u16> = 4040..=4045;
/// How long the local API may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an agent may take to open a tunnel.
const OPENING: Duration = Duration::from_secs(30);
/// Name of the tunnel that is ours in an agent that is not.
const NAME: &str = "pforge";

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub enum NoTunnel {
    /// There is no program of that name.
    #[error("no ngrok agent runs here, and there is no program called ngrok")]
    NotInstalled,
    /// The program cannot be started.
    #[error("ngrok cannot be started: {0}")]
    NotStarted(io::Error),
    /// It ended without a tunnel.
    #[error("ngrok opened no tunnel: {0}")]
    Refused(String),
    /// It opened none in time.
    #[error("ngrok opened no tunnel within {} s", OPENING.as_secs())]
    TooSlow,
    /// The HTTP client cannot be made.
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// How the tunnel came about.
#[derive(Debug)]
enum Held {
    /// It was there.
    Found,
    /// We asked a running agent for it.
    Added,
    /// The agent is our child, and ends with us.
    Started(Child),
}

/// A tunnel to the target.
#[derive(Debug)]
pub struct Tunnel {
    http: reqwest::Client,
    api: Url,
    public: Url,
    held: Held,
}

#[derive(Deserialize)]
struct Tunnels {
    tunnels: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    public_url: String,
    #[serde(default)]
    config: TunnelConfig,
}

#[derive(Default, Deserialize)]
struct TunnelConfig {
    #[serde(default)]
    addr: String,
}

impl Tunnel {
    /// A tunnel to `port` of this machine: one that is open, else a new one in a running agent,
    /// else that of an agent which is started as `program`. `agents` are the addresses of local
    /// APIs; none stands for the usual ones.
    ///
    /// # Errors
    /// See [`NoTunnel`].
    pub async fn open(agents: &[Url], program: &str, port: u16) -> Result<Self, NoTunnel> {
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build();
        let http = http.map_err(|error| NoTunnel::Client(chain(&error)))?;
        let usual = || PORTS.filter_map(|port| Url::parse(&format!("http://127.0.0.1:{port}")).ok()).collect();
        let agents: Vec<Url> = if agents.is_empty() { usual() } else { agents.to_vec() };
        let mut running = None;
        for api in agents {
            let Ok(tunnels) = list(&http, &api).await else { continue };
            if let Some(public) = fitting(&tunnels, port) {
                return Ok(Self { http, api, public, held: Held::Found });
            }
            running = running.or(Some(api));
        }
        match running {
            Some(api) => add(http, api, port).await,
            None => start(http, program, port).await,
        }
    }

    /// Where the tunnel begins.
    pub fn public(&self) -> &Url {
        &self.public
    }

    /// How it came about, in words.
    pub fn origin(&self) -> &'static str {
        match self.held {
            Held::Found => "found a running agent",
            Held::Added => "opened in a running agent",
            Held::Started(_) => "started ngrok",
        }
    }

    /// The deliveries that come through it, to `path` of the target.
    pub fn watch(&self, path: &str) -> Watch {
        Watch::new(self.http.clone(), self.api.clone(), &self.public, path)
    }

    /// Takes away what was opened for us.
    pub async fn close(self) {
        match self.held {
            Held::Found => {}
            Held::Added => {
                // An agent that is gone has closed it.
                if let Ok(url) = self.api.join(&format!("/api/tunnels/{NAME}")) {
                    let _ = self.http.delete(url).send().await;
                }
            }
            Held::Started(mut child) => {
                let _ = child.kill().await;
            }
        }
    }
}

async fn list(http: &reqwest::Client, api: &Url) -> Result<Vec<Listed>, reqwest::Error> {
    let mut url = api.clone();
    url.set_path("/api/tunnels");
    let answer = http.get(url).send().await?.error_for_status()?;
    Ok(answer.json::<Tunnels>().await?.tunnels)
}

/// The tunnel to `port`; one by https is preferred, because GitHub's pages suggest it.
fn fitting(tunnels: &[Listed], port: u16) -> Option<Url> {
    let ours = tunnels.iter().filter(|tunnel| leads_to(&tunnel.config.addr, port));
    let mut urls: Vec<Url> = ours
        .filter_map(|tunnel| Url::parse(&tunnel.public_url).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .collect();
    urls.sort_by_key(|url| url.scheme() != "https");
    urls.into_iter().next()
}

/// Whether an address such as `http://localhost:8000`, `localhost:8000` or `8000` has this port.
fn leads_to(address: &str, port: u16) -> bool {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let given = authority.rsplit(':').next().and_then(|port| port.parse().ok());
    given.or(if address.starts_with("https:") { Some(443) } else { Some(80) }) == Some(port)
}

async fn add(http: reqwest::Client, api: Url, port: u16) -> Result<Tunnel, NoTunnel> {
    let mut url = api.clone();
    url.set_path("/api/tunnels");
    let wanted = json!({ "name": NAME, "proto": "http", "addr": port.to_string() });
    let refused = |error: reqwest::Error| NoTunnel::Refused(chain(&error));
    let answer = http.post(url).timeout(OPENING).json(&wanted).send().await.map_err(refused)?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    let public = body["public_url"].as_str().and_then(|url| Url::parse(url).ok());
    let said = || {
        let said = body["details"]["err"].as_str().or_else(|| body["msg"].as_str()).unwrap_or("it does not say why");
        NoTunnel::Refused(format!("{status}: {}", first_line(said)))
    };
    let public = public.filter(|_| status.is_success()).ok_or_else(said)?;
    Ok(Tunnel { http, api, public, held: Held::Added })
}

async fn start(http: reqwest::Client, program: &str, port: u16) -> Result<Tunnel, NoTunnel> {
    let mut command = Command::new(program);
    command.args(["http", &port.to_string(), "--log", "stdout", "--log-format", "json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // Ctrl-C is for us: the webhook URL goes back before the tunnel ends.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NoTunnel::NotInstalled,
        _ => NoTunnel::NotStarted(error),
    })?;
    let Some(out) = child.stdout.take() else { return Err(NoTunnel::Refused("it says nothing".to_owned())) };
    let err = child.stderr.take();
    let opening = async {
        let (mut lines, mut api, mut said) = (BufReader::new(out).lines(), None, String::new());
        while let Ok(Some(line)) = lines.next_line().await {
            let Ok(entry) = serde_json::from_str::<Value>(&line) else { continue };
            let text = |key: &str| entry[key].as_str();
            match text("msg") {
                Some("starting web service") => {
                    api = text("addr").and_then(|addr| Url::parse(&format!("http://{addr}")).ok());
                }
                Some("started tunnel") => {
                    if let Some(public) = text("url").and_then(|url| Url::parse(url).ok()) {
                        // The agent must never wait for somebody who reads its log.
                        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                        return Ok((public, api));
                    }
                }
                _ => {}
            }
            if let Some(error) = text("err").filter(|error| !matches!(*error, "<nil>" | "nil")) {
                first_line(error).clone_into(&mut said);
            }
        }
        if said.is_empty()
            && let Some(err) = err
            && let Ok(Some(line)) = BufReader::new(err).lines().next_line().await
        {
            said = line;
        }
        Err(NoTunnel::Refused(if said.is_empty() { "it ended".to_owned() } else { said }))
    };
    let (public, api) = timeout(OPENING, opening).await.map_err(|_| NoTunnel::TooSlow)??;
    let api = api.or_else(|| Url::parse("http://127.0.0.1:4040").ok());
    let api = api.ok_or_else(|| NoTunnel::Refused("its local API has no address".to_owned()))?;
    Ok(Tunnel { http, api, public, held: Held::Started(child) })
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Listed, TunnelConfig, fitting, leads_to};

    #[test]
    fn ports_of_addresses() {
        for (address, port, fits) in [
            ("http://localhost:8000", 8000, true),
            ("localhost:8000", 8000, true),
            ("8000", 8000, true),
            ("http://localhost:8001", 8000, false),
            ("https://localhost", 443, true),
            ("http://localhost", 80, true),
            ("http://[::1]:8000/x", 8000, true),
            ("", 8000, false),
        ] {
            assert_eq!(leads_to(address, port), fits, "{address}");
        }
    }

    #[test]
    fn https_comes_first() {
        let listed = |url: &str, addr: &str| Listed {
            public_url: url.to_owned(),
            config: TunnelConfig { addr: addr.to_owned() },
        };
        let tunnels = [
            listed("https://other.ngrok.app", "http://localhost:3000"),
            listed("tcp://0.tcp.ngrok.io:1", "localhost:8000"),
            listed("http://a.ngrok.app", "http://localhost:8000"),
            listed("https://a.ngrok.app", "http://localhost:8000"),
        ];
        assert_eq!(fitting(&tunnels, 8000).expect("one").as_str(), "https://a.ngrok.app/");
        assert!(fitting(&tunnels, 9000).is_none());
    }
}
