//! The person's browser.

use std::time::Duration;

use super::cx::Cx;

/// How long a launcher may take until it counts as having opened something.
const PATIENCE: Duration = Duration::from_secs(1);

/// Opens `url` in the browser, if there is one to be expected; whether it could. The caller tells
/// the address in any case: what opened may be on a screen that nobody looks at.
pub fn open(cx: &Cx, url: &str) -> bool {
    cx.ui.interactive() && has_screen(cx) && ::open::that_detached_with_timeout(url, PATIENCE).is_ok()
}

/// Whether a browser would have a screen. Without one, launchers start a text browser in the
/// terminal that pforge needs.
fn has_screen(cx: &Cx) -> bool {
    let set = |name: &str| cx.env.get(name).is_some();
    !cfg!(all(unix, not(target_os = "macos")))
        || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER"].into_iter().any(set)
}
