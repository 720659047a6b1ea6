//! An encrypted channel: only its listener can read it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pforge::proxy::envelope::{Identity, open};
use pforge::proxy::smee::message;
use pforge::util::id::guid;
use serde_json::{Value, json};

use super::support::{Listener, Relay, http, key, post};

#[tokio::test]
async fn only_the_listener_reads_an_encrypted_channel() {
    let mut relay = Relay::start(&[]);
    let http = http();
    let (owner, other) = (Identity::generate(), Identity::generate());
    let new = format!("{}?recipient={}", relay.channel("new"), owner.recipient());
    let answer = http.head(new).send().await.unwrap();
    let url = answer.headers()["location"].to_str().unwrap().to_owned();
    let mut listener = Listener::new(&format!("{url}?recipient={}", owner.recipient()));
    let greeting = listener.next().await;
    let expected = json!({ "recipient": owner.recipient().to_string() });
    assert_eq!((greeting.name.as_str(), serde_json::from_str::<Value>(&greeting.data).unwrap()), ("ready", expected));
    let body = Bytes::from_static(b"{\"needle\":\"in the haystack\",\"one\":1.0}\n");
    let guid = guid();
    assert_eq!(post(&http, &url, &guid, body.clone()).await.unwrap(), 200);
    let event = listener.message().await;
    // Named, so that a client that cannot open it does not forward nonsense.
    assert_eq!(event.name, "sealed");
    let data: Value = serde_json::from_str(&event.data).unwrap();
    let names: Vec<_> = data.as_object().unwrap().keys().collect();
    assert_eq!(names, ["x-github-event", "timestamp", "age"]);
    let age = STANDARD.decode(data["age"].as_str().unwrap()).unwrap();
    let delivery = message::read(std::str::from_utf8(&open(&owner, &age).unwrap()).unwrap()).unwrap();
    assert_eq!((delivery.guid(), &delivery.body), (Some(guid.as_str()), &body));
    assert_eq!(delivery.verify(&[key()]), Some(true));
    assert!(open(&other, &age).is_err());
    // Sent once more, it is the same; a restart does not forget the key.
    let id = listener.last_id.clone().unwrap();
    assert_eq!(http.post(format!("{url}/redeliver")).json(&json!({ "id": id })).send().await.unwrap().status(), 200);
    assert_eq!(listener.message().await.name, "sealed");
    let lines = relay.stop();
    relay.again();
    assert_eq!(post(&http, &url, &guid, body).await.unwrap(), 200);
    assert_eq!(listener.message().await.name, "sealed");
    // Nobody else takes it over.
    let put = async |identity: &Identity| {
        let request = http.put(format!("{url}/recipient")).body(identity.recipient().to_string());
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((put(&owner).await, put(&other).await), (200, 409));
    let theirs = http.get(format!("{url}?recipient={}", other.recipient())).header("accept", "text/event-stream");
    assert_eq!(theirs.send().await.unwrap().status(), 409);
    let nonsense = http.put(format!("{url}/recipient")).body("age1nonsense").send().await.unwrap();
    assert_eq!(nonsense.status(), 400);
    let fresh = http.put(format!("{}/recipient", relay.channel("fresh"))).body(other.recipient().to_string());
    assert_eq!(fresh.send().await.unwrap().status(), 201);
    // Neither disk nor output holds what was posted.
    assert!(!lines.contains(&guid) && lines.contains("\"encrypted\":true"), "{lines}");
    let stored: Vec<u8> = relay.segments().iter().flat_map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!stored.is_empty());
    for needle in ["needle", "haystack", guid.as_str(), "sha256="] {
        assert!(!stored.windows(needle.len()).any(|window| window == needle.as_bytes()), "{needle}");
    }
    // What was stored in the clear would stay so: such a channel is not taken for an encrypted one.
    assert_eq!(post(&http, &relay.channel("plain"), "guid", Bytes::from_static(b"{}")).await.unwrap(), 200);
    let late = http.put(format!("{}/recipient", relay.channel("plain"))).body(owner.recipient().to_string());
    assert_eq!(late.send().await.unwrap().status(), 409);
}
