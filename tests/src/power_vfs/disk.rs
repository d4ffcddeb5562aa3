//! The model of the disk. Safe code; the C interface is in `ffi`.

use std::collections::BTreeMap;
use std::path::Path;

/// The unit that a disk writes as a whole, or tears.
const SECTOR_BYTES: usize = 512;

/// A small seeded stream (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// True once in `of` times.
    pub fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// One file.
#[derive(Debug, Default)]
struct Content {
    /// As readers see it.
    live: Vec<u8>,
    /// As of the last sync; none: the directory entry itself is not durable yet.
    durable: Option<Vec<u8>>,
    /// Changes since.
    unsynced: Vec<Change>,
}

/// How much was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wear {
    /// Bytes given to writes.
    pub written_bytes: u64,
    /// Number of syncs.
    pub syncs: u64,
}

/// The power is off: nothing is written or read any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dark;

/// All files of one machine.
#[derive(Debug)]
pub struct Disk {
    files: BTreeMap<String, Content>,
    /// Deleted without a sync of the directory: may come back.
    ghosts: BTreeMap<String, Vec<u8>>,
    random: Random,
    operations: u64,
    cut_at: u64,
    dark: bool,
    /// Counts cuts; what was opened before a cut stays dead.
    life: u64,
    wear: Wear,
}

impl Disk {
    /// An empty disk; chance follows `seed`.
    pub fn new(seed: u64) -> Disk {
        Disk {
            files: BTreeMap::new(),
            ghosts: BTreeMap::new(),
            random: Random::new(seed),
            operations: 0,
            cut_at: u64::MAX,
            dark: false,
            life: 0,
            wear: Wear::default(),
        }
    }

    /// Cuts the power at the operation (write, truncate, sync, delete) that comes after `operations` more.
    pub fn cut_after(&mut self, operations: u64) {
        self.cut_at = self.operations.saturating_add(operations);
    }

    /// Cuts the power now.
    pub fn cut(&mut self) {
        self.dark = true;
    }

    /// Whether the power is off.
    pub fn is_dark(&self) -> bool {
        self.dark
    }

    /// Operations so far.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// How much was written so far.
    pub fn wear(&self) -> Wear {
        self.wear
    }

    /// Which life a file opened now belongs to.
    pub(super) fn life(&self) -> u64 {
        self.life
    }

    /// Power comes back: each file is what survived. Names on the real file system follow, so that code which lists
    /// a directory sees the same files.
    pub fn power_up(&mut self) {
        self.dark = false;
        self.cut_at = u64::MAX;
        self.life += 1;
        let mut survivors = BTreeMap::new();
        let random = &mut self.random;
        for (name, content) in std::mem::take(&mut self.files) {
            match survive(content, random) {
                Some(bytes) => {
                    survivors.insert(name, Content { live: bytes.clone(), durable: Some(bytes), unsynced: Vec::new() });
                }
                None => remove_name(&name),
            }
        }
        for (name, bytes) in std::mem::take(&mut self.ghosts) {
            if !survivors.contains_key(&name) && random.one_in(2) {
                make_name(&name);
                survivors.insert(name, Content { live: bytes.clone(), durable: Some(bytes), unsynced: Vec::new() });
            }
        }
        self.files = survivors;
    }

    fn operation(&mut self) -> Result<(), Dark> {
        self.operations += 1;
        self.dark |= self.operations > self.cut_at;
        self.lit()
    }

    fn lit(&self) -> Result<(), Dark> {
        if self.dark { Err(Dark) } else { Ok(()) }
    }

    pub(super) fn exists(&self, name: &str) -> Result<bool, Dark> {
        self.lit()?;
        Ok(self.files.contains_key(name))
    }

    pub(super) fn create(&mut self, name: &str) -> Result<(), Dark> {
        self.lit()?;
        if !self.files.contains_key(name) {
            make_name(name);
            self.files.insert(name.into(), Content::default());
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, name: &str, synced: bool) -> Result<bool, Dark> {
        self.operation()?;
        let Some(content) = self.files.remove(name) else { return Ok(false) };
        remove_name(name);
        match content.durable {
            _ if synced => self.sync_directory(name),
            Some(durable) => drop(self.ghosts.insert(name.into(), durable)),
            None => {}
        }
        Ok(true)
    }

    /// What was deleted in the directory of this file stays deleted.
    fn sync_directory(&mut self, name: &str) {
        let dir = Path::new(name).parent();
        self.ghosts.retain(|ghost, _| Path::new(ghost).parent() != dir);
    }

    pub(super) fn len(&self, name: &str) -> Result<usize, Dark> {
        self.lit()?;
        Ok(self.files.get(name).map_or(0, |content| content.live.len()))
    }

    /// Reads what is there and returns how much it was; the rest of `into` is zeroed.
    pub(super) fn read(&self, name: &str, at: usize, into: &mut [u8]) -> Result<usize, Dark> {
        self.lit()?;
        let live = self.files.get(name).map_or(&[][..], |content| &content.live);
        let rest = live.get(at..).unwrap_or_default();
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        into[len..].fill(0);
        Ok(len)
    }

    pub(super) fn write(&mut self, name: &str, at: usize, bytes: &[u8]) -> Result<(), Dark> {
        let result = self.operation();
        // The write that the power failed in may have reached the disk in part.
        if result.is_ok() || self.operations == self.cut_at.saturating_add(1) {
            self.wear.written_bytes += bytes.len() as u64;
            self.change(name, Change::Write { at, bytes: bytes.to_vec() });
        }
        result
    }

    pub(super) fn truncate(&mut self, name: &str, len: usize) -> Result<(), Dark> {
        self.operation()?;
        self.change(name, Change::Truncate(len));
        Ok(())
    }

    fn change(&mut self, name: &str, change: Change) {
        if let Some(content) = self.files.get_mut(name) {
            apply(&mut content.live, &change);
            content.unsynced.push(change);
        }
    }

    /// Makes the file and its name durable: at the first sync of a new file SQLite syncs the directory, too.
    pub(super) fn sync(&mut self, name: &str) -> Result<(), Dark> {
        self.operation()?;
        self.wear.syncs += 1;
        if let Some(content) = self.files.get_mut(name) {
            let new_name = content.durable.is_none();
            let durable = content.durable.get_or_insert_default();
            for change in content.unsynced.drain(..) {
                apply(durable, &change);
            }
            if new_name {
                self.sync_directory(name);
            }
        }
        Ok(())
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes: new } => {
            if bytes.len() < at + new.len() {
                bytes.resize(at + new.len(), 0);
            }
            bytes[*at..at + new.len()].copy_from_slice(new);
        }
        Change::Truncate(len) => bytes.truncate(*len),
    }
}

/// What is left of a file; `None` when even its name is gone.
fn survive(content: Content, random: &mut Random) -> Option<Vec<u8>> {
    let mut bytes = match content.durable {
        Some(bytes) => bytes,
        None if random.one_in(2) => return None,
        None => Vec::new(),
    };
    // Now and then everything or nothing arrived; mostly each sector for itself.
    let mood = random.below(8);
    for change in content.unsynced {
        match change {
            Change::Write { at, bytes: new } => write_sectors(&mut bytes, at, &new, mood, random),
            Change::Truncate(len) => {
                if random.one_in(2) {
                    bytes.truncate(len);
                }
            }
        }
    }
    Some(bytes)
}

fn write_sectors(bytes: &mut Vec<u8>, at: usize, new: &[u8], mood: u64, random: &mut Random) {
    let mut from = 0;
    while from < new.len() {
        let to = new.len().min(from + SECTOR_BYTES - (at + from) % SECTOR_BYTES);
        let kept = match (mood, random.below(3)) {
            (0, _) => to,
            (1, _) => from,
            (_, 0) => to,
            (_, 1) => from,
            _ => from + random.below((to - from) as u64) as usize,
        };
        if kept > from {
            apply(bytes, &Change::Write { at: at + from, bytes: new[from..kept].to_vec() });
        }
        from = to;
    }
}

fn make_name(name: &str) {
    let path = Path::new(name);
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).expect("scratch directory");
    }
    std::fs::File::create(path).expect("name in the scratch directory");
}

fn remove_name(name: &str) {
    // It may be gone already.
    let _ = std::fs::remove_file(name);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> String {
        let dir = std::env::temp_dir().join(format!("cordboard-disk-{}", std::process::id()));
        dir.join(name).to_string_lossy().into_owned()
    }

    #[test]
    fn synced_bytes_survive_and_others_may_not() {
        let (mut kept, mut lost) = (0, 0);
        for seed in 0..64 {
            let mut disk = Disk::new(seed);
            let name = scratch(&format!("a{seed}"));
            disk.create(&name).unwrap();
            disk.write(&name, 0, &[1; 2048]).unwrap();
            disk.sync(&name).unwrap();
            disk.write(&name, 1024, &[2; 2048]).unwrap();
            disk.cut();
            assert_eq!(disk.write(&name, 0, &[3; 10]), Err(Dark));
            disk.power_up();
            let mut found = vec![9; 3072];
            let len = disk.read(&name, 0, &mut found).unwrap();
            assert!(len >= 2048 && found[..1024].iter().all(|byte| *byte == 1));
            assert!(found[1024..2048].iter().all(|byte| [1, 2].contains(byte)));
            kept += usize::from(found[1024] == 2);
            lost += usize::from(found[1024] == 1);
            disk.delete(&name, true).unwrap();
        }
        assert!(kept > 8 && lost > 8, "{kept} {lost}");
    }
}
