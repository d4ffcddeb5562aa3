//! Which build this is: the GNU build id that the linker put into the program, so that two builds of the same source
//! with different compilers or crates are told apart, without hashing the file at each start.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// `PT_NOTE` of the ELF specification, program header types.
const PT_NOTE: u32 = 4;
/// `NT_GNU_BUILD_ID`, in a note whose name is `GNU`.
const NT_GNU_BUILD_ID: u32 = 3;

/// Hexadecimal; the build id, or a hash of the program when the linker left none.
pub fn identity() -> String {
    identity_of(Path::new("/proc/self/exe"))
}

/// The same of another program; `unknown` when it cannot be read.
pub fn identity_of(program: &Path) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    match from_notes(program) {
        Ok(Some(id)) => hex(&id),
        _ => std::fs::read(program).map_or_else(|_| "unknown".into(), |exe| hex(&Sha256::digest(exe))),
    }
}

fn word<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    word(bytes, at).map(u64::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    word(bytes, at).map(u32::from_ne_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    word(bytes, at).map(u16::from_ne_bytes)
}

/// Walks the note segments of a 64-bit ELF file.
fn from_notes(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let mut head = [0; 64];
    file.read_exact(&mut head)?;
    let (Some(table), Some(size), Some(count)) = (u64_at(&head, 32), u16_at(&head, 54), u16_at(&head, 56)) else {
        return Ok(None);
    };
    for i in 0..u64::from(count) {
        let mut entry = vec![0; usize::from(size)];
        file.seek(SeekFrom::Start(table + i * u64::from(size)))?;
        file.read_exact(&mut entry)?;
        if u32_at(&entry, 0) != Some(PT_NOTE) {
            continue;
        }
        let (Some(at), Some(length)) = (u64_at(&entry, 8), u64_at(&entry, 32)) else { continue };
        let mut notes = vec![0; usize::try_from(length.min(1 << 16)).unwrap_or(0)];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut notes)?;
        if let Some(id) = build_id(&notes) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Finds the build id among notes: sizes of name and content, type, name, content, each padded to four bytes.
fn build_id(notes: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    loop {
        let name = u32_at(notes, at)? as usize;
        let content = u32_at(notes, at + 4)? as usize;
        let kind = u32_at(notes, at + 8)?;
        let content_at = at + 12 + name.next_multiple_of(4);
        if kind == NT_GNU_BUILD_ID && notes.get(at + 12..at + 12 + name)? == b"GNU\0" {
            return notes.get(content_at..content_at + content).map(<[u8]>::to_vec);
        }
        at = content_at + content.next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_has_one_identity() {
        let id = identity();
        assert!(id.len() >= 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        assert_eq!(id, identity());
    }

    #[test]
    fn broken_notes_are_no_identity() {
        assert_eq!(build_id(&[1, 2, 3]), None);
        assert_eq!(build_id(&[255; 64]), None);
    }
}
