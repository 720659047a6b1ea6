//! A server's `/events` as a stream of JSON objects.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value};

use super::api::Api;
use super::error::Result;
use crate::util::sse::{Decoder, Event};

/// The largest event, in bytes; the server's own are far smaller.
const LIMIT: usize = 1 << 20;

/// A subscription: what happens after it was made is in it.
pub struct Events {
    stream: BoxStream<'static, Bytes>,
    decoder: Decoder,
    unread: VecDeque<Value>,
}

impl Events {
    /// Subscribes.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn subscribe(api: &Api) -> Result<Self> {
        let stream = api.follow("/events").await?;
        Ok(Self { stream, decoder: Decoder::new(LIMIT), unread: VecDeque::new() })
    }

    /// The next event, with its name as `type`; `None` when the stream ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.unread.pop_front() {
                return Some(event);
            }
            let bytes = self.stream.next().await?;
            let unread = &mut self.unread;
            let read_on = self.decoder.feed(&bytes, |event| unread.extend(read(event)));
            if read_on.is_err() && self.unread.is_empty() {
                return None;
            }
        }
    }
}

/// The event as an object; `None` for the stream's own greeting and for what is not JSON.
fn read(event: Event) -> Option<Value> {
    let fields = match serde_json::from_str(&event.data).ok()? {
        _ if event.name == "ready" => return None,
        Value::Object(fields) => fields,
        // How many events a listener missed that was too slow.
        missed => Map::from_iter([("missed".to_owned(), missed)]),
    };
    let mut object = Map::from_iter([("type".to_owned(), Value::String(event.name))]);
    object.extend(fields);
    Some(Value::Object(object))
}

#[cfg(test)]
mod tests {
    use super::{Decoder, LIMIT, Value, read};

    #[test]
    fn events_become_objects_with_their_type_first() {
        let text = ": hello\nevent: ready\ndata: {}\n\nevent: delivery\ndata: {\"guid\":\"g\"}\n\ndata: nonsense\n\n\
                    event:job\ndata:{}\n\nevent: lagged\ndata: 7\n\n";
        let mut events: Vec<Value> = Vec::new();
        Decoder::new(LIMIT).feed(text.as_bytes(), |event| events.extend(read(event))).expect("small");
        let texts: Vec<String> = events.iter().map(Value::to_string).collect();
        assert_eq!(
            texts,
            [r#"{"type":"delivery","guid":"g"}"#, r#"{"type":"job"}"#, r#"{"type":"lagged","missed":7}"#]
        );
    }
}
