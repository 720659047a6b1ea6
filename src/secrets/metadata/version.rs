//! Version numbers, as SOPS checks them.

/// Checks that `version` is one that SOPS accepts: a semantic version, perhaps after a `v`, or
/// anything of the 1.x line, which did not have those.
///
/// # Errors
/// With the end of a sentence that begins with the version.
pub(super) fn check(version: &str) -> Result<(), &'static str> {
    if version.starts_with("1.") {
        return Ok(());
    }
    let version = version.strip_prefix('v').unwrap_or(version);
    let mut parts = version.splitn(3, '.');
    let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("does not have three numbers");
    };
    let (rest, build) = rest.split_once('+').map_or((rest, None), |(rest, build)| (rest, Some(build)));
    let (patch, pre) = rest.split_once('-').map_or((rest, None), |(patch, pre)| (patch, Some(pre)));
    if ![major, minor, patch].iter().all(|number| is_number(number)) {
        return Err("has a part that is not a number, or has leading zeros");
    }
    let labels = |text: &str| text.split('.').all(|label| !label.is_empty() && label.bytes().all(is_label));
    let numbers =
        |text: &str| text.split('.').all(|label| !label.bytes().all(|c| c.is_ascii_digit()) || is_number(label));
    if !pre.is_none_or(|pre| labels(pre) && numbers(pre)) || !build.is_none_or(labels) {
        return Err("has a wrong suffix");
    }
    Ok(())
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'))
        && text.parse::<u64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn versions_that_sops_accepts_and_rejects() {
        for (version, accepted) in [
            ("3.11.0", true),
            ("v3.11.0", true),
            ("1.2", true),
            ("2.0.0", true),
            ("99.0.0", true),
            ("3.11.0-rc.1", true),
            ("3.11.0+x", true),
            ("3.11", false),
            ("1", false),
            ("03.11.0", false),
            ("3.11.x", false),
            ("3.11.0.1", false),
            (" 3.11.0", false),
            ("3.11.0-", false),
            ("3.11.0-01", false),
            ("garbage", false),
            ("", false),
        ] {
            assert_eq!(check(version).is_ok(), accepted, "{version:?}");
        }
    }
}
