//! Nothing is lost and nothing comes twice, whatever happens to the relay or to a listener.

use std::collections::HashMap;
use std::io::Write;

use pforge::util::id::guid;

use super::bodies::body;
use super::support::{Listener, Relay, http, key, post, storm};

/// A thousand nasty deliveries while the relay is restarted ten times, half of them by SIGKILL.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_deliveries_survive_ten_restarts_byte_for_byte() {
    const COUNT: usize = 1000;
    let relay = Relay::start(&[]);
    let url = relay.channel("thousand");
    let mut listener = Listener::ready(&format!("{url}?bodyB=1")).await;
    let storm = storm(relay, url, COUNT);
    let (mut got, mut last) = (HashMap::<String, usize>::new(), 0);
    while got.len() < COUNT {
        let (id, delivery) = listener.delivery().await;
        assert!(id > last, "out of order or twice");
        last = id;
        assert_eq!(delivery.verify(&[key()]), Some(true), "{:?}", delivery.body);
        *got.entry(delivery.guid().unwrap().to_owned()).or_default() += 1;
    }
    let (sent, relay) = storm.await.unwrap();
    for (guid, (n, failed)) in &sent {
        let times = got[guid];
        assert!((1..=1 + failed).contains(&times), "delivery {n} came {times} times after {failed} failed posts");
    }
    assert_eq!(got.len(), sent.len());
    // All of it once more, in the same order, for who asks for it.
    let mut again = Listener::ready(&format!("{}?bodyB=1&last=100000", relay.channel("thousand"))).await;
    let (mut seen, mut id) = (0, 0);
    while id < last {
        id = again.delivery().await.0;
        seen += 1;
    }
    assert_eq!(seen, got.values().sum::<usize>());
}

#[tokio::test]
async fn a_listener_gets_what_it_missed_and_a_new_one_only_what_is_new() {
    let mut relay = Relay::start(&[]);
    let (url, http) = (relay.channel("missed"), http());
    let send = async |n: usize| assert_eq!(post(&http, &url, &guid(), body(n).0).await.unwrap(), 200);
    let ids = async |mut listener: Listener, count: usize| {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(listener.delivery().await.0);
        }
        ids
    };
    let first = Listener::ready(&url).await;
    let greeted = first.last_id.clone().unwrap();
    for n in 0..5 {
        send(n).await;
    }
    let all = ids(first, 5).await;
    assert!(all.is_sorted_by(|a, b| a < b));
    // Who lost the connection before the first event resumes from the greeting.
    assert_eq!(ids(Listener::after(&url, &greeted).await, 5).await, all);
    relay.kill();
    relay.again();
    assert_eq!(ids(Listener::after(&url, &all[1].to_string()).await, 3).await, all[2..]);
    assert_eq!(ids(Listener::ready(&format!("{url}?last=2")).await, 2).await, all[3..]);
    assert_eq!(ids(Listener::ready(&format!("{url}?since={}", all[2])).await, 2).await, all[3..]);
    assert_eq!(ids(Listener::ready(&format!("{url}?since=1000")).await, 5).await, all);
    // What it saw last outweighs its URL, and an id from elsewhere hides nothing.
    assert_eq!(ids(Listener::after(&format!("{url}?last=5"), &all[3].to_string()).await, 1).await, all[4..]);
    let (fresh, foreign) = (Listener::ready(&url).await, Listener::after(&url, "9007199254740991").await);
    send(5).await;
    let (fresh, foreign) = (ids(fresh, 1).await, ids(foreign, 1).await);
    assert_eq!(fresh, foreign);
    assert!(fresh[0] > all[4]);
}

#[tokio::test]
async fn a_torn_tail_is_dropped_and_a_gap_is_told() {
    let mut relay = Relay::start(&["--max-events", "3"]);
    let (url, http) = (relay.channel("torn"), http());
    let mut listener = Listener::ready(&url).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        assert_eq!(post(&http, &url, &guid(), body(n).0).await.unwrap(), 200);
        ids.push(listener.delivery().await.0);
    }
    relay.kill();
    let segment = relay.segments().pop().unwrap();
    let whole = std::fs::metadata(&segment).unwrap().len();
    let mut file = std::fs::File::options().append(true).open(&segment).unwrap();
    file.write_all(&[9, 0, 0, 0, 1, 2, 3]).unwrap();
    relay.again();
    // Reconnects by itself, and continues behind what was torn.
    assert_eq!(post(&http, &url, &guid(), body(5).0).await.unwrap(), 200);
    assert!(listener.delivery().await.0 > ids[4]);
    assert!(std::fs::metadata(&segment).unwrap().len() >= whole);
    // Three are kept: who has seen only the first missed one for good, and hears of it.
    let mut late = Listener::after(&url, &ids[0].to_string()).await;
    let gap = late.message().await;
    assert_eq!(gap.name, "gap");
    assert_eq!(gap.data, format!("{{\"after\":\"{}\",\"until\":\"{}\"}}", ids[0], ids[2]));
    assert_eq!(late.delivery().await.0, ids[3]);
}
