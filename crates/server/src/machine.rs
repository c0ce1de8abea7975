//! What the program does for its administrator: backups into its own data directory, and the last lines of its log.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use parlor_core::{
    clock::Time,
    machine::{Backup, Backups, LogFilter, LogLine, Machine},
};
use parlor_store::{
    Location,
    backup::{self, Place},
};

use crate::config::Config;

/// Backups that are kept: the oldest goes when another one is finished.
const MOST: usize = 5;
/// Characters kept of why one failed.
const LONGEST: usize = 500;
/// Bytes that stay free on the disk when a backup is finished.
const SPARE: u64 = 256 << 20;

#[derive(Default)]
struct State {
    since: Option<Time>,
    failed: Option<(Time, String)>,
}

/// What the handle and the thread that makes a backup share.
struct Inner {
    place: Place,
    folder: PathBuf,
    without_files: bool,
    state: Mutex<State>,
}

fn now() -> Time {
    Time(jiff::Timestamp::now().as_millisecond())
}

impl Inner {
    fn new(config: &Config) -> Self {
        let data = &config.data;
        let location = match &config.database {
            Some(url) => Location::Postgres(url.clone()),
            None => Location::Sqlite(data.join("parlor.sqlite")),
        };
        let place = Place { location, blobs: Some(data.join("files")), files: vec![data.join("secret.key")] };
        let without_files = config.s3.is_some();
        Self { place, folder: data.join("backups"), without_files, state: Mutex::default() }
    }

    fn make(&self) -> Result<(), String> {
        private(&self.folder).map_err(|why| format!("{}: {why}", self.folder.display()))?;
        self.tidy(usize::MAX);
        self.room()?;
        let name = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S.%3fZ").to_string();
        let target = self.folder.join(name);
        private(&target).map_err(|why| format!("{}: {why}", target.display()))?;
        if let Err(why) = backup::create(&self.place, &target) {
            let _ = fs::remove_dir_all(&target);
            return Err(why.to_string());
        }
        self.tidy(MOST);
        Ok(())
    }

    /// Whether the disk has room for another backup and for the server's own work meanwhile: a full disk stops the
    /// server. What a database of its own machine takes is not known here.
    fn room(&self) -> Result<(), String> {
        let database = match &self.place.location {
            Location::Sqlite(path) => fs::metadata(path).map_or(0, |about| about.len()),
            Location::Postgres(_) => 0,
        };
        let wanted = database + self.place.blobs.as_deref().map_or(0, bytes_below) + SPARE;
        let free = rustix::fs::statvfs(&self.folder).map_err(|why| why.to_string())?;
        let free = free.f_bavail.saturating_mul(free.f_frsize);
        if free < wanted {
            let mib = |bytes: u64| bytes >> 20;
            return Err(format!("the disk has {} MiB left, and {} MiB are needed", mib(free), mib(wanted)));
        }
        Ok(())
    }

    /// All directories of backups, finished or not, the newest first.
    fn directories(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut all: Vec<_> =
            entries.map(|entry| entry.path()).filter(|path| path.is_dir() && is_ours(path)).collect();
        all.sort();
        all.reverse();
        all
    }

    /// Removes what was not finished, and all but the newest `most`.
    fn tidy(&self, most: usize) {
        let (finished, broken): (Vec<_>, Vec<_>) =
            self.directories().into_iter().partition(|path| !unfinished(path));
        for path in broken.iter().chain(finished.iter().skip(most)) {
            if let Err(why) = fs::remove_dir_all(path) {
                tracing::warn!(path = %path.display(), %why, "an old backup could not be removed");
            }
        }
    }

    fn backups(&self) -> Backups {
        let all = self.directories().iter().filter_map(|path| described(path)).collect();
        let state = self.state.lock();
        Backups {
            all,
            folder: self.folder.display().to_string(),
            most: MOST,
            running_since: state.since,
            failed: state.failed.clone(),
            without_files: self.without_files,
        }
    }
}

/// Surely without a manifest: one that can't be read just now may be a good backup.
fn unfinished(path: &Path) -> bool {
    matches!(path.join("manifest.json").try_exists(), Ok(false))
}

/// Bytes of the files in a directory and those below it; what can't be read counts nothing.
fn bytes_below(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let each = |entry: fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() => bytes_below(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    };
    entries.map(each).sum()
}

/// Made by this program: nothing else in the directory is ever touched.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let shape: String = name.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    shape == "0000-00-00T00-00-00.000Z"
}

fn described(path: &Path) -> Option<Backup> {
    let report = backup::said(path).ok()?;
    let made = fs::metadata(path.join("manifest.json")).and_then(|about| about.modified()).ok()?;
    let since = made.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Some(Backup {
        name: path.file_name()?.to_string_lossy().into_owned(),
        made_at: Time(i64::try_from(since.as_millis()).unwrap_or_default()),
        bytes: report.bytes,
        uploads: report.uploads,
        missing: report.missing,
    })
}

/// A directory that only this program's user may look into: a backup holds everything.
fn private(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The program, as the chat knows it.
pub struct Here(Arc<Inner>);

impl Here {
    /// A program that keeps its data as `config` says.
    pub fn new(config: &Config) -> Self {
        Self(Arc::new(Inner::new(config)))
    }
}

impl Machine for Here {
    fn backups(&self) -> Backups {
        self.0.backups()
    }

    fn start_backup(&self) -> bool {
        {
            let mut state = self.0.state.lock();
            if state.since.is_some() {
                return false;
            }
            *state = State { since: Some(now()), failed: None };
        }
        let here = self.0.clone();
        let work = move || {
            let made = here.make();
            if let Err(why) = &made {
                tracing::error!(why, "a backup failed");
            } else {
                tracing::info!("a backup was made");
            }
            let failed = made.err().map(|why| (now(), why.chars().take(LONGEST).collect()));
            *here.state.lock() = State { since: None, failed };
        };
        let started = std::thread::Builder::new().name("backup".into()).spawn(work);
        if let Err(why) = &started {
            *self.0.state.lock() = State { since: None, failed: Some((now(), why.to_string())) };
        }
        started.is_ok()
    }

    fn log(&self, wanted: LogFilter) -> Vec<LogLine> {
        crate::logs::lately(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_backups_that_are_not_finished_and_the_oldest_go() {
        let data = std::env::temp_dir().join(format!("parlor-backups-{}", std::process::id()));
        let inner = Inner {
            place: Place { location: Location::Sqlite(data.join("none")), blobs: None, files: Vec::new() },
            folder: data.clone(),
            without_files: false,
            state: Mutex::default(),
        };
        let name = |second: usize| data.join(format!("2026-11-21T10-00-{second:02}.000Z"));
        for second in 0..7 {
            fs::create_dir_all(name(second)).expect("a directory");
            if second != 5 {
                fs::write(name(second).join("manifest.json"), "unreadable is not unfinished")
                    .expect("a file");
            }
        }
        fs::create_dir_all(data.join("mine")).expect("a directory");
        inner.tidy(MOST);
        let left: Vec<bool> = (0..7).map(|second| name(second).exists()).collect();
        assert_eq!(left, [false, true, true, true, true, false, true]);
        assert!(data.join("mine").exists(), "what somebody else put there stays");
        assert_eq!(inner.room(), Ok(()), "there is room for nothing");
        assert_eq!(bytes_below(&data), 5 * 28);
        fs::remove_dir_all(&data).expect("removed");
    }
}
