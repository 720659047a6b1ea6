//! Files that are either wholly written or not touched.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces `path` with `bytes` so that a crash leaves the old or the new content, never a part.
///
/// A symbolic link is followed. An existing file keeps its mode and, where that is permitted, its
/// owner; a new file gets mode 0600.
///
/// # Errors
/// Any I/O error, with the path in its message; the target is then unchanged.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = resolve(path);
    replace(&target, bytes).map_err(|e| io::Error::new(e.kind(), format!("cannot write {}: {e}", target.display())))
}

/// Creates `path` with mode 0600 and `bytes`; refuses when something is there. There is never a
/// part of the file.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when the path is taken, else any I/O error.
pub fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(file) = unnamed(folder(path)) {
        let file = fill(file?, bytes)?;
        match name(&file, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
            done => return done,
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    fill(options.open(path)?, bytes).map(drop).inspect_err(|_| drop(fs::remove_file(path)))
}

fn resolve(path: &Path) -> PathBuf {
    // `canonicalize` fails for a link to what is not there yet.
    let mut path = path.to_path_buf();
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(to) => path = folder(&path).join(to),
            Err(_) => break,
        }
    }
    fs::canonicalize(&path).unwrap_or(path)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn replace(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(target, bytes)?;
    if let Ok(existing) = fs::metadata(target) {
        // Last, so that what is left by a crash before this line is private.
        keep_owner(&existing, &temporary);
        fs::set_permissions(&temporary, existing.permissions())?;
    }
    temporary.persist(target).map_err(|error| error.error)?;
    // The rename itself must survive a power cut.
    #[cfg(unix)]
    File::open(folder(target))?.sync_all()?;
    Ok(())
}

/// A complete private file beside `target`.
fn temporary(target: &Path, bytes: &[u8]) -> io::Result<tempfile::TempPath> {
    if let Some(file) = unnamed(folder(target)) {
        let file = fill(file?, bytes)?;
        // The kernel frees it should the process be killed up to here.
        let named = tempfile::Builder::new().make_in(folder(target), |path| name(&file, path));
        if let Ok(named) = named {
            return Ok(named.into_temp_path());
        }
    }
    // It is created with mode 0600.
    let mut temporary = tempfile::NamedTempFile::new_in(folder(target))?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    Ok(temporary.into_temp_path())
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<File> {
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// A private file in `folder` that has no name yet; `None` where the file system has no such.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> Option<io::Result<File>> {
    use rustix::fs::{Mode, OFlags, open};
    use rustix::io::Errno;
    match open(folder, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR) {
        Ok(file) => Some(Ok(file.into())),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => None,
        Err(error) => Some(Err(error.into())),
    }
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> Option<io::Result<File>> {
    None
}

/// Gives the file of [`unnamed`] a name, which must be free.
#[cfg(target_os = "linux")]
fn name(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, CWD, linkat};
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn name(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Who replaces another's file (as root, say) leaves it to them.
#[cfg(unix)]
fn keep_owner(existing: &fs::Metadata, path: &Path) {
    use std::os::unix::fs::{MetadataExt, chown};
    if fs::metadata(path).is_ok_and(|own| (own.uid(), own.gid()) != (existing.uid(), existing.gid())) {
        let _ = chown(path, Some(existing.uid()), Some(existing.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &fs::Metadata, _: &Path) {}

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
    fn a_link_to_what_is_not_there_yet_is_followed() {
        let folder = tempfile::tempdir().expect("tempdir");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("real", &link).expect("link");
        write_atomic(&link, b"new").expect("write");
        assert_eq!(fs::read(folder.path().join("real")).expect("read"), b"new");
        assert!(fs::symlink_metadata(&link).expect("metadata").is_symlink());
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().expect("tempdir");
        let path = folder.path().join("folder");
        fs::create_dir(&path).expect("mkdir");
        write_atomic(&path, b"text").expect_err("a folder is no file");
        create_private(&path, b"text").expect_err("it is taken");
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1, "no temporary file is left");
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
