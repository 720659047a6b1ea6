//! A slow line: requests pass at once, answers take their time.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A TCP proxy. Ends with the runtime.
pub struct Line {
    /// Where to call instead.
    pub url: String,
    delay: watch::Sender<Duration>,
    cut: CancellationToken,
}

impl Line {
    /// A line to the server at the URL `to`, whose answers take `delay`.
    pub async fn start(to: &str, delay: Duration) -> Self {
        let to: SocketAddr = to.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let line = Self { url, delay: watch::Sender::new(delay), cut: CancellationToken::new() };
        let (delay, cut) = (line.delay.subscribe(), line.cut.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(cut.clone().run_until_cancelled_owned(connect(near, to, delay.clone())));
            }
        });
        line
    }

    /// Nothing passes any more; answers that are under way are lost.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    /// From now on answers take so long, also those that are under way.
    pub fn delay(&self, delay: Duration) {
        self.delay.send_replace(delay);
    }

    /// No answer arrives until [`Line::delay`] is told.
    pub fn hold(&self) {
        self.delay(Duration::MAX);
    }
}

/// A request of a caller that died meanwhile is carried out all the same.
async fn connect(near: TcpStream, to: SocketAddr, mut delay: watch::Receiver<Duration>) -> std::io::Result<()> {
    let far = TcpStream::connect(to).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    tokio::spawn(async move {
        let _ = tokio::io::copy(&mut near_in, &mut far_out).await;
        far_out.shutdown().await
    });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = far_in.read(&mut buffer).await?;
        if count == 0 {
            return near_out.shutdown().await;
        }
        pause(&mut delay).await;
        near_out.write_all(&buffer[..count]).await?;
    }
}

async fn pause(delay: &mut watch::Receiver<Duration>) {
    loop {
        let wait = *delay.borrow_and_update();
        tokio::select! {
            () = tokio::time::sleep(wait) => return,
            changed = delay.changed() => if changed.is_err() { return },
        }
    }
}
