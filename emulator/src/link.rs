use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// How a lock file begins; the number of the link's file and its target follow. Nothing else is
/// written into one.
const MAGIC: &[u8] = b"atmq link ";

/// Attempts to lock a file that others remove at the same time. Ours.
const ATTEMPTS: usize = 10;

/// A symbolic link with a stable name to a device whose name is not. Removed when dropped.
///
/// The numbers of pseudo terminals are used again, so where a link leads does not tell whose it
/// is. A file beside it does, `PATH.lock`: it is locked while the link is in use, and says which
/// link it is about.
#[derive(Debug)]
pub struct Link {
    path: PathBuf,
    lock: Lock,
}

impl Link {
    /// Makes `path` lead to `target`. Replaces a link that an emulator has left that was killed,
    /// and nothing else.
    ///
    /// # Errors
    /// There is something else at `path`, another program uses the link, or the system refuses.
    pub fn create(path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> io::Result<Self> {
        let (path, target) = (path.into(), target.into());
        let mut lock = Lock::take(&path)?;
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(_) if lock.is_about(&path)? => fs::remove_file(&path)?,
            Ok(metadata) => {
                if lock.is_new {
                    lock.remove();
                }
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    match metadata.is_symlink() {
                        true => "there is a symbolic link of this name, which atmq has not made",
                        false => "there is a file of this name, and it is no symbolic link",
                    },
                ));
            }
            Err(error) => return Err(error),
        }
        let made = symlink(&target, &path).and_then(|()| {
            // A link that is not written down would count as somebody else's.
            lock.write(&path)
                .inspect_err(|_| drop(fs::remove_file(&path)))
        });
        if let Err(error) = made {
            lock.remove();
            return Err(error);
        }
        Ok(Self { path, lock })
    }

    /// Where the link stands.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Somebody else may have taken the name over meanwhile.
        if self.lock.is_about(&self.path).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
        self.lock.remove();
    }
}

/// The file beside a link, locked.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    file: File,
    /// It was empty.
    is_new: bool,
}

impl Lock {
    fn take(link: &Path) -> io::Result<Self> {
        let mut path = OsString::from(link);
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // What another has put in its place is not written to.
        let flags = rustix::fs::OFlags::NOFOLLOW.bits();
        options.mode(0o600).custom_flags(flags.cast_signed());
        for _ in 0..ATTEMPTS {
            let mut file = options.open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(
                        io::ErrorKind::AlreadyExists,
                        "another program that runs has made it",
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Who had it before may have removed it meanwhile.
            let is_there = fs::symlink_metadata(&path).map(|there| there.ino());
            if is_there.ok() != Some(file.metadata()?.ino()) {
                continue;
            }
            let about = contents(&mut file)?;
            if !about.is_empty() && !about.starts_with(MAGIC) {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    format!("{} is no lock file of atmq", path.display()),
                ));
            }
            let is_new = about.is_empty();
            return Ok(Self { path, file, is_new });
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Whether it says that the link is atmq's.
    fn is_about(&mut self, link: &Path) -> io::Result<bool> {
        let about = contents(&mut self.file)?;
        Ok(!about.is_empty() && Some(about) == description(link))
    }

    /// The link is atmq's from now on.
    fn write(&mut self, link: &Path) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        let description = description(link).unwrap_or_default();
        self.file.write_all(&description)
    }

    /// It goes, and its lock with it.
    fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn contents(file: &mut File) -> io::Result<Vec<u8>> {
    /// Longer than a path.
    const LIMIT: u64 = 8192;
    let mut bytes = Vec::new();
    file.rewind()?;
    io::Read::by_ref(file).take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a lock file says of a link that stands; `None` if there is none.
fn description(link: &Path) -> Option<Vec<u8>> {
    let number = fs::symlink_metadata(link).ok()?.ino().to_string();
    let target = fs::read_link(link).ok()?.into_os_string().into_vec();
    Some([MAGIC, number.as_bytes(), b" ", &target, b"\n"].concat())
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::*;

    fn place() -> (TempDir, PathBuf) {
        let directory = tempdir().unwrap();
        let path = directory.path().join("device");
        (directory, path)
    }

    fn is_refused(path: &Path, why: &str) {
        let refused = Link::create(path, "/dev/null").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert!(refused.to_string().contains(why), "{refused}");
    }

    fn files(directory: &TempDir) -> usize {
        fs::read_dir(directory.path()).unwrap().count()
    }

    #[test]
    fn a_link_and_its_lock_go_when_it_is_dropped() {
        let (directory, path) = place();
        let link = Link::create(&path, "/dev/null").unwrap();
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/null"));
        assert_eq!(link.path(), path);
        drop(link);
        assert_eq!(files(&directory), 0);
    }

    #[test]
    fn a_link_that_was_left_behind_is_replaced() {
        let (directory, path) = place();
        let left = Link::create(&path, "/dev/pts/7").unwrap();
        // As if the program had been killed.
        left.lock.file.unlock().unwrap();
        std::mem::forget(left);
        let link = Link::create(&path, "/dev/null").unwrap();
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/null"));
        drop(link);
        assert_eq!(files(&directory), 0);
    }

    #[test]
    fn the_link_of_a_running_emulator_is_left_alone() {
        let (_directory, path) = place();
        let _link = Link::create(&path, "/dev/pts/7").unwrap();
        is_refused(&path, "another program");
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/pts/7"));
    }

    #[test]
    fn what_somebody_else_has_made_is_left_alone() {
        let (directory, path) = place();
        symlink("/nowhere", &path).unwrap();
        is_refused(&path, "which atmq has not made");
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/nowhere"));
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        is_refused(&path, "no symbolic link");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        assert_eq!(files(&directory), 1, "no lock file is left");
        fs::remove_file(&path).unwrap();

        let lock = directory.path().join("device.lock");
        fs::write(&lock, "precious").unwrap();
        is_refused(&path, "no lock file of atmq");
        assert_eq!(fs::read(&lock).unwrap(), b"precious");
        fs::remove_file(&lock).unwrap();
        let elsewhere = directory.path().join("elsewhere");
        symlink(&elsewhere, &lock).unwrap();
        assert!(Link::create(&path, "/dev/null").is_err());
        assert!(!elsewhere.exists(), "no link is followed");
    }

    /// The number of the terminal is used again: the same name, and the same target.
    #[test]
    fn a_link_that_another_has_put_in_its_place_is_left_alone() {
        let (_directory, path) = place();
        let link = Link::create(&path, "/dev/null").unwrap();
        let other = path.with_extension("other");
        symlink("/dev/null", &other).unwrap();
        fs::rename(&other, &path).unwrap();
        drop(link);
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/null"));
        is_refused(&path, "which atmq has not made");
    }
}
