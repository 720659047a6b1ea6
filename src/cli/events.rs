//! A server's `/events` as a stream of JSON objects.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value};

use super::api::Api;
use super::error::Result;

/// A subscription: what happens after it was made is in it.
pub struct Events {
    stream: BoxStream<'static, Bytes>,
    unread: Vec<u8>,
    name: String,
}

impl Events {
    /// Subscribes.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn subscribe(api: &Api) -> Result<Self> {
        Ok(Self { stream: api.follow("/events").await?, unread: Vec::new(), name: String::new() })
    }

    /// The next event, with its name as `type`; `None` when the stream ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                if let Some(event) = read(&mut self.name, String::from_utf8_lossy(&line).trim_end()) {
                    return Some(event);
                }
            }
            self.unread.extend_from_slice(&self.stream.next().await?);
        }
    }
}

/// Reads one line; the server writes an event as `event:` and one `data:` line of JSON.
fn read(name: &mut String, line: &str) -> Option<Value> {
    if let Some(given) = line.strip_prefix("event:") {
        given.trim_start().clone_into(name);
    }
    let data = line.strip_prefix("data:")?;
    let name = std::mem::take(name);
    let fields = match serde_json::from_str(data).ok()? {
        // The stream's own greeting.
        _ if name == "ready" => return None,
        Value::Object(fields) => fields,
        // How many events a listener missed that was too slow.
        missed => Map::from_iter([("missed".to_owned(), missed)]),
    };
    let mut event = Map::from_iter([("type".to_owned(), Value::String(name))]);
    event.extend(fields);
    Some(Value::Object(event))
}

#[cfg(test)]
mod tests {
    use super::{Value, read};

    #[test]
    fn lines_become_objects_with_their_type_first() {
        let mut name = String::new();
        let text = ": hello\nevent: ready\ndata: {}\n\nevent: delivery\ndata: {\"guid\":\"g\"}\n\ndata: nonsense\n\n\
                    event:job\ndata:{}\n\nevent: lagged\ndata: 7\n";
        let events: Vec<Value> = text.lines().filter_map(|line| read(&mut name, line)).collect();
        let texts: Vec<String> = events.iter().map(Value::to_string).collect();
        assert_eq!(
            texts,
            [r#"{"type":"delivery","guid":"g"}"#, r#"{"type":"job"}"#, r#"{"type":"lagged","missed":7}"#]
        );
    }
}
