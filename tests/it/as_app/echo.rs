//! A server that remembers what it was asked and answers what it was told, also as a proxy.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub method: String,
    /// Without scheme, host and query.
    pub path: String,
    /// Decoded, sorted.
    pub query: Vec<(String, String)>,
    /// With lower-case names, in order.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Told {
    pub status: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Told {
    pub fn json(body: &str) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())];
        Self { status: "200 OK", headers, body: body.as_bytes().to_vec() }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Answer = dyn Fn(&Asked) -> Option<Told> + Send + Sync;

/// The server; it ends with the process.
pub struct Echo {
    pub url: String,
    asked: Arc<Mutex<VecDeque<Asked>>>,
}

impl Echo {
    /// Answers `{}` to everything.
    pub fn start() -> Self {
        Self::answering(|_| None)
    }

    /// Answers what `answer` says, else `{}`.
    pub fn answering(answer: impl Fn(&Asked) -> Option<Told> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<VecDeque<Asked>>> = Arc::default();
        let (log, answer): (_, Arc<Answer>) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &log, &*answer));
            }
        });
        Self { url, asked }
    }

    /// What was asked since the last look.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().drain(..).collect()
    }
}

fn serve(stream: TcpStream, log: &Mutex<VecDeque<Asked>>, answer: &Answer) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        let told = answer(&asked).unwrap_or_else(|| Told::json("{}"));
        log.lock().unwrap().push_back(asked);
        let mut head = format!("HTTP/1.1 {}\r\nContent-Length: {}\r\n", told.status, told.body.len());
        for (name, value) in &told.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let sent = writer.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| writer.write_all(&told.body));
        if sent.is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let (name, value) = (name.to_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        assert_ne!((name.as_str(), value.as_str()), ("transfer-encoding", "chunked"), "bodies have a length");
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    // A proxy is asked for whole addresses.
    let url = url::Url::parse("http://here/").unwrap().join(&target).ok()?;
    let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    query.sort();
    Some(Asked { method, path: url.path().to_owned(), query, headers, body })
}
