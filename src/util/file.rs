//! Files that are either wholly written or not touched.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces `path` with `bytes` so that a crash leaves the old or the new content, never a part.
///
/// A symbolic link is followed, an existing file keeps its mode, a new file gets mode 0600.
///
/// # Errors
/// Any I/O error, with the path in its message; the target is then unchanged.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = resolve(path);
    replace(&target, bytes).map_err(|e| io::Error::new(e.kind(), format!("cannot write {}: {e}", target.display())))
}

/// Creates `path` with mode 0600 and `bytes`; refuses when something is there.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when the path is taken, else any I/O error.
pub fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn resolve(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn replace(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // NamedTempFile is created with mode 0600.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    if let Ok(existing) = fs::metadata(target) {
        fs::set_permissions(temporary.path(), existing.permissions())?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(target).map_err(|e| e.error)?;
    // The rename itself must survive a power cut.
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("metadata").permissions().mode() & 0o777
    }

    #[test]
    fn a_new_file_is_private_and_an_old_one_keeps_its_mode() {
        let folder = tempfile::tempdir().expect("tempdir");
        let path = folder.path().join("a");
        write_atomic(&path, b"one").expect("write");
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
        write_atomic(&path, b"two").expect("write");
        assert_eq!((mode(&path), fs::read(&path).expect("read")), (0o640, b"two".to_vec()));
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_link_is_followed() {
        let folder = tempfile::tempdir().expect("tempdir");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").expect("write");
        std::os::unix::fs::symlink(&real, &link).expect("link");
        write_atomic(&link, b"new").expect("write");
        assert_eq!(fs::read(&real).expect("read"), b"new");
        assert!(fs::symlink_metadata(&link).expect("metadata").is_symlink());
    }

    #[test]
    fn create_private_never_overwrites() {
        let folder = tempfile::tempdir().expect("tempdir");
        let path = folder.path().join("key");
        create_private(&path, b"one").expect("create");
        assert_eq!(mode(&path), 0o600);
        let error = create_private(&path, b"two").expect_err("must refuse");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("read"), b"one");
    }
}
