//! One program per data directory: an advisory lock on `DATA/pbxd.lock`, whose content is the owner's process id.
//! The kernel drops the lock when the process ends, however it ends.

use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held for the life of the program.
#[derive(Debug)]
pub struct DataLock {
    _file: Flock<File>,
}

/// Why the data directory is not ours.
#[derive(Debug)]
pub enum LockError {
    /// Another `pbxd` works on it; its process id as far as readable.
    Taken(String),
    /// The directory or file cannot be made or opened.
    Io(PathBuf, std::io::Error),
}

/// Makes the directory when it is missing and takes its lock.
pub fn lock(data: &Path) -> Result<DataLock, LockError> {
    let path = data.join("pbxd.lock");
    let io = |e| LockError::Io(path.clone(), e);
    std::fs::create_dir_all(data).map_err(|e| LockError::Io(data.to_path_buf(), e))?;
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
    let mut owner = String::new();
    // Unreadable content only makes the message poorer.
    let _ = file.read_to_string(&mut owner);
    let mut file =
        Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| LockError::Taken(owner.trim().to_string()))?;
    file.set_len(0).map_err(io)?;
    file.rewind().map_err(io)?;
    writeln!(file, "{}", std::process::id()).map_err(io)?;
    Ok(DataLock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_instance_is_told_the_first_ones_process_id() {
        let data = std::env::temp_dir().join(format!("pbxd-lock-{}", std::process::id()));
        let held = lock(&data).expect("free");
        match lock(&data) {
            Err(LockError::Taken(owner)) => assert_eq!(owner, std::process::id().to_string()),
            other => panic!("not refused: {other:?}"),
        }
        drop(held);
        drop(lock(&data).expect("free again"));
        std::fs::remove_dir_all(&data).expect("own directory");
    }
}
