//! Sealing at rest: AES-256-GCM (NIST SP 800-38D) for recordings and the input journal, with every data key wrapped
//! under the one master key of the chassis. It knows nothing of what it seals and where that is stored.
//!
//! Nonces: a [`Sealer`] is born with a fresh random key and counts its messages from 0, so no key ever sees a nonce
//! twice; a program that starts again makes a new `Sealer` with a new key. Only wrapping uses the master key, with
//! random 96-bit nonces, for far fewer than the 2^32 messages that SP 800-38D §8.3 allows.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use zeroize::Zeroizing;

/// Length of a key.
pub const KEY_BYTES: usize = 32;
/// Length of a nonce.
pub const NONCE_BYTES: usize = 12;
/// Length of the authentication tag that every sealed text ends with.
pub const TAG_BYTES: usize = 16;
/// Length of a [`WrappedKey`]: nonce, key, tag.
pub const WRAPPED_BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

/// Why something could not be sealed or opened.
#[derive(Debug)]
pub enum SealError {
    /// A file could not be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The master key file has the wrong length: it is not ours or was cut.
    KeyFileLength {
        /// Which.
        path: PathBuf,
        /// Bytes found.
        found: usize,
    },
    /// Other users may read the master key.
    KeyFileOpen {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The tag does not fit: changed data, another key, or another place.
    Forged,
    /// The key has sealed as many messages as it may.
    Exhausted,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SealError::File { path, error } => write!(f, "{}: {error}", path.display()),
            SealError::KeyFileLength { path, found } => write!(
                f,
                "{}: {found} bytes, a chassis key has {KEY_BYTES}; put the right key back from its backup, \
                 or move the file and the data that it sealed away",
                path.display()
            ),
            SealError::KeyFileOpen { path, mode } => {
                write!(f, "{}: mode {mode:o} lets others read the key; chmod 600 it", path.display())
            }
            SealError::Forged => {
                f.write_str("sealed data does not match its tag: changed, or sealed under another key")
            }
            SealError::Exhausted => f.write_str("a data key has sealed its last message"),
        }
    }
}

impl std::error::Error for SealError {}

/// The key of the chassis; only wraps other keys. Wiped from memory when dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// A data key, sealed under the master key; safe to store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrappedKey(pub [u8; WRAPPED_BYTES]);

impl WrappedKey {
    /// From stored bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<WrappedKey, SealError> {
        bytes.try_into().map(WrappedKey).map_err(|_| SealError::Forged)
    }
}

impl MasterKey {
    /// Reads the key file, or makes it (mode 0600, synced) at the first start of the box.
    pub fn open_or_create(path: &Path) -> Result<MasterKey, SealError> {
        match File::open(path) {
            Ok(file) => Self::read(path, file),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(SealError::File { path: path.into(), error }),
        }
    }

    /// A key given by the caller, for tests and for boxes that keep it elsewhere.
    pub fn from_bytes(key: [u8; KEY_BYTES]) -> MasterKey {
        MasterKey(Zeroizing::new(key))
    }

    fn read(path: &Path, mut file: File) -> Result<MasterKey, SealError> {
        let failed = |error| SealError::File { path: path.into(), error };
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SealError::KeyFileOpen { path: path.into(), mode });
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
        Read::by_ref(&mut file).take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        let found = bytes.len();
        let key: [u8; KEY_BYTES] =
            bytes.as_slice().try_into().map_err(|_| SealError::KeyFileLength { path: path.into(), found })?;
        Ok(MasterKey(Zeroizing::new(key)))
    }

    /// Written under another name first: a power cut leaves either no key or the whole key.
    fn create(path: &Path) -> Result<MasterKey, SealError> {
        let failed = |error| SealError::File { path: path.into(), error };
        let key = random_key()?;
        let temporary = path.with_extension("new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary).map_err(failed)?;
        file.write_all(key.as_slice()).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&temporary, path).map_err(failed)?;
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
        }
        Ok(MasterKey(key))
    }

    /// Seals a data key; `context` names what the key is for and must be given again to unwrap.
    fn wrap(&self, key: &[u8; KEY_BYTES], context: &[u8]) -> Result<WrappedKey, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce)?;
        let mut text = Zeroizing::new(Vec::with_capacity(KEY_BYTES + TAG_BYTES));
        text.extend_from_slice(key);
        cipher(&self.0).encrypt_in_place(&Nonce::from(nonce), context, &mut *text).map_err(|_| SealError::Exhausted)?;
        let mut wrapped = [0; WRAPPED_BYTES];
        wrapped[..NONCE_BYTES].copy_from_slice(&nonce);
        wrapped[NONCE_BYTES..].copy_from_slice(&text);
        Ok(WrappedKey(wrapped))
    }

    /// Opens a wrapped key for reading what it sealed.
    pub fn unwrap_key(&self, wrapped: &WrappedKey, context: &[u8]) -> Result<Opener, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&wrapped.0[..NONCE_BYTES]);
        let mut key = Zeroizing::new(wrapped.0[NONCE_BYTES..].to_vec());
        cipher(&self.0).decrypt_in_place(&Nonce::from(nonce), context, &mut *key).map_err(|_| SealError::Forged)?;
        let key: &[u8; KEY_BYTES] = key.as_slice().try_into().map_err(|_| SealError::Forged)?;
        Ok(Opener { cipher: cipher(key) })
    }
}

/// Seals messages under a key of its own, each with the next nonce.
pub struct Sealer {
    cipher: Aes256Gcm,
    next: u64,
}

impl Sealer {
    /// A new random key, and the same key wrapped for storage. `context` names what it is for.
    pub fn fresh(master: &MasterKey, context: &[u8]) -> Result<(Sealer, WrappedKey), SealError> {
        let key = random_key()?;
        let wrapped = master.wrap(&key, context)?;
        Ok((Sealer { cipher: cipher(&key), next: 0 }, wrapped))
    }

    /// The number that the next message gets.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Seals `text` in place (the tag is appended) and returns the message's number, needed to open it.
    pub fn seal(&mut self, context: &[u8], text: &mut Vec<u8>) -> Result<u64, SealError> {
        let number = self.next;
        self.next = number.checked_add(1).ok_or(SealError::Exhausted)?;
        self.cipher.encrypt_in_place(&nonce(number), context, text).map_err(|_| SealError::Exhausted)?;
        Ok(number)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer(next {})", self.next)
    }
}

/// Opens what one key sealed.
pub struct Opener {
    cipher: Aes256Gcm,
}

impl Opener {
    /// Opens the message with this number in place.
    pub fn open(&self, number: u64, context: &[u8], sealed: &mut Vec<u8>) -> Result<(), SealError> {
        self.cipher.decrypt_in_place(&nonce(number), context, sealed).map_err(|_| SealError::Forged)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener(…)")
    }
}

fn cipher(key: &[u8; KEY_BYTES]) -> Aes256Gcm {
    Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
}

fn nonce(number: u64) -> Nonce<aes_gcm::aes::cipher::consts::U12> {
    let mut nonce = [0; NONCE_BYTES];
    nonce[NONCE_BYTES - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::from(nonce)
}

fn random_key() -> Result<Zeroizing<[u8; KEY_BYTES]>, SealError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    random(key.as_mut_slice())?;
    Ok(key)
}

/// Fills `bytes` from the operating system. `/dev/random` waits for the first seeding after power-on and, since Linux
/// 5.6, never again: `/dev/urandom` would not wait, and this program starts early.
pub fn random(bytes: &mut [u8]) -> Result<(), SealError> {
    let path = Path::new("/dev/random");
    File::open(path)
        .and_then(|mut source| source.read_exact(bytes))
        .map_err(|error| SealError::File { path: path.into(), error })
}

/// A random number.
///
/// # Errors
/// When the operating system gives none.
pub fn random_u64() -> Result<u64, SealError> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_in_its_place() {
        let master = MasterKey::from_bytes([7; KEY_BYTES]);
        let (mut sealer, wrapped) = Sealer::fresh(&master, b"journal 1").unwrap();
        let mut text = b"hello".to_vec();
        assert_eq!(sealer.seal(b"a", &mut text).unwrap(), 0);
        let mut second = b"hello".to_vec();
        assert_eq!(sealer.seal(b"a", &mut second).unwrap(), 1);
        assert_ne!(text, second);

        let opener = master.unwrap_key(&wrapped, b"journal 1").unwrap();
        assert!(opener.open(1, b"a", &mut text.clone()).is_err(), "another number");
        assert!(opener.open(0, b"b", &mut text.clone()).is_err(), "another context");
        opener.open(0, b"a", &mut text).unwrap();
        assert_eq!(text, b"hello");

        assert!(master.unwrap_key(&wrapped, b"journal 2").is_err());
        assert!(MasterKey::from_bytes([8; KEY_BYTES]).unwrap_key(&wrapped, b"journal 1").is_err());
    }

    #[test]
    fn the_master_key_is_made_once_and_guarded() {
        let dir = std::env::temp_dir().join(format!("cordboard-seal-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("chassis.key");
        let first = MasterKey::open_or_create(&path).unwrap();
        let again = MasterKey::open_or_create(&path).unwrap();
        assert_eq!(*first.0, *again.0);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(MasterKey::open_or_create(&path), Err(SealError::KeyFileOpen { mode: 0o644, .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, b"short").unwrap();
        assert!(matches!(MasterKey::open_or_create(&path), Err(SealError::KeyFileLength { found: 5, .. })));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
