//! The signals that ask for the end, for who passes them on instead of ending.

#[cfg(unix)]
use std::future::poll_fn;
#[cfg(unix)]
use std::task::Poll;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code, reason = "only Ctrl-C is heard there"))]
pub enum Heard {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// The terminal went away.
    HangUp,
}

/// Listens from the moment in which it is made; must be made inside a runtime.
#[cfg(unix)]
pub struct Signals(Vec<(Heard, Signal)>);

#[cfg(unix)]
impl Signals {
    /// Begins to listen. A signal that cannot be listened to never comes.
    pub fn new() -> Self {
        let kinds = [
            (Heard::Interrupt, SignalKind::interrupt()),
            (Heard::Terminate, SignalKind::terminate()),
            (Heard::HangUp, SignalKind::hangup()),
        ];
        Self(kinds.into_iter().filter_map(|(heard, kind)| Some((heard, signal(kind).ok()?))).collect())
    }

    /// The next signal.
    pub async fn next(&mut self) -> Heard {
        let signals = &mut self.0;
        poll_fn(|cx| {
            let heard = signals
                .iter_mut()
                .find_map(|(heard, signal)| matches!(signal.poll_recv(cx), Poll::Ready(Some(()))).then_some(*heard));
            heard.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Listens to Ctrl-C.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen.
    pub fn new() -> Self {
        Self
    }

    /// The next signal.
    pub async fn next(&mut self) -> Heard {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Heard::Interrupt
    }
}
