//! Receives a body within the bounds: its size, the size of all bodies together, and the time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::reply::Refused;

/// The unit in which room for bodies is given out, in bytes.
const UNIT: usize = 1 << 10;

/// Room for bodies.
#[derive(Clone, Debug)]
pub struct Room {
    units: Arc<Semaphore>,
    largest: usize,
    patience: Duration,
}

/// A body; its room is given back when this is dropped.
#[derive(Debug)]
pub struct Received {
    /// The bytes.
    pub bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for `all` bytes, `largest` of them for one body.
    pub fn new(all: usize, largest: usize, patience: Duration) -> Self {
        Self { units: Arc::new(Semaphore::new(all.max(largest) / UNIT + 1)), largest, patience }
    }

    /// Receives a body.
    ///
    /// # Errors
    /// 413, 408, 503 without room, 400 when it breaks off.
    pub async fn receive(&self, headers: &HeaderMap, mut body: Body) -> Result<Received, Refused> {
        let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let receiving = async {
            let received = match told {
                Some(length) if length > self.largest => Err(self.too_large()),
                _ => self.collect(&mut body).await,
            };
            if received.is_err() {
                self.discard(&mut body).await;
            }
            received
        };
        match tokio::time::timeout(self.patience, receiving).await {
            Ok(received) => received,
            Err(_) => Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")),
        }
    }

    async fn collect(&self, body: &mut Body) -> Result<Received, Refused> {
        let (mut bytes, mut room) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "the body broke off"))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > self.largest {
                return Err(self.too_large());
            }
            // As much as came, not as much as was announced: nobody holds room by a promise.
            let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let missing = ((bytes.len() + data.len()) / UNIT + 1).saturating_sub(held);
            if missing > 0 {
                let more = u32::try_from(missing)
                    .ok()
                    .and_then(|count| Arc::clone(&self.units).try_acquire_many_owned(count).ok());
                let more = more.ok_or_else(|| {
                    Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too many events arrive at this moment")
                        .after(Duration::from_secs(1))
                })?;
                match &mut room {
                    Some(room) => room.merge(more),
                    None => room = Some(more),
                }
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Received { bytes: bytes.freeze(), _room: room })
    }

    /// Takes the rest of a refused body, within bounds: who still sends does not read the answer.
    async fn discard(&self, body: &mut Body) {
        let mut left = self.largest.saturating_mul(2);
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(less) => left = less,
                None => return,
            }
        }
    }

    fn too_large(&self) -> Refused {
        let text = format!("the body is larger than the {} bytes that this relay takes", self.largest);
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, text)
    }
}
