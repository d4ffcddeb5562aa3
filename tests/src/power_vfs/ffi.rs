//! The disk as a file layer of SQLite (`sqlite3_vfs`): locks and shared memory of one process, contents in [`Disk`].
//!
//! Safety, for the whole file: SQLite calls these functions only with the structures that it got from
//! [`PowerVfs::register`] and `open`, which live until the process ends or until `close`, and with buffers of the
//! lengths that it says.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use super::disk::{Dark, Disk};

const SHM_REGION_WORDS: usize = 4096;
const NAME_BYTES_MAX: c_int = 1024;

/// One registered file layer with its disk.
#[derive(Clone, Copy)]
pub struct PowerVfs {
    name: &'static str,
    machine: &'static Mutex<Machine>,
}

/// The disk and what the kernel of the machine holds in memory.
struct Machine {
    disk: Disk,
    next_handle: u64,
    locks: BTreeMap<String, BTreeMap<u64, c_int>>,
    memory: BTreeMap<String, SharedMemory>,
}

/// The WAL index of a database.
#[derive(Default)]
struct SharedMemory {
    regions: Vec<Box<[u64; SHM_REGION_WORDS]>>,
    /// Per slot: holders, and whether exclusively.
    slots: BTreeMap<c_int, BTreeMap<u64, bool>>,
}

/// What SQLite allocates for each open file.
#[repr(C)]
struct PowerFile {
    base: sqlite3_file,
    file: *mut OpenFile,
}

struct OpenFile {
    machine: &'static Mutex<Machine>,
    name: String,
    handle: u64,
    life: u64,
    delete_on_close: bool,
}

impl PowerVfs {
    /// Registers a new file layer with an empty disk. It stays for the life of the process.
    pub fn register() -> PowerVfs {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("power-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let machine = Machine { disk: Disk::new(0), next_handle: 1, locks: BTreeMap::new(), memory: BTreeMap::new() };
        let machine: &'static Mutex<Machine> = Box::leak(Box::new(Mutex::new(machine)));
        let c_name = CString::new(name.clone()).expect("no zero in the name").into_raw();
        let mut vfs: sqlite3_vfs = unsafe { std::mem::zeroed() };
        vfs.iVersion = 2;
        vfs.szOsFile = size_of::<PowerFile>() as c_int;
        vfs.mxPathname = NAME_BYTES_MAX;
        vfs.zName = c_name;
        vfs.pAppData = std::ptr::from_ref(machine).cast_mut().cast();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        vfs.xAccess = Some(access);
        vfs.xFullPathname = Some(full_pathname);
        vfs.xRandomness = Some(randomness);
        vfs.xSleep = Some(sleep);
        vfs.xCurrentTimeInt64 = Some(current_time);
        let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) };
        assert_eq!(code, ffi::SQLITE_OK);
        PowerVfs { name: name.leak(), machine }
    }

    /// What to open databases with.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A new, empty disk.
    pub fn insert(&self, disk: Disk) {
        let mut machine = lock(self.machine);
        machine.disk = disk;
        machine.forget();
    }

    /// Does something with the disk.
    pub fn with<T>(&self, act: impl FnOnce(&mut Disk) -> T) -> T {
        act(&mut lock(self.machine).disk)
    }

    /// Power comes back; locks and shared memory are gone. All connections must be closed.
    pub fn power_up(&self) {
        let mut machine = lock(self.machine);
        machine.disk.power_up();
        machine.forget();
    }
}

impl Machine {
    fn forget(&mut self) {
        self.locks.clear();
        self.memory.clear();
    }
}

fn lock(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe fn machine_of(vfs: *mut sqlite3_vfs) -> &'static Mutex<Machine> {
    unsafe { &*(*vfs).pAppData.cast::<Mutex<Machine>>() }
}

unsafe fn file_of<'a>(file: *mut sqlite3_file) -> &'a OpenFile {
    unsafe { &*(*file.cast::<PowerFile>()).file }
}

/// The machine, unless the file was opened before its power failed.
unsafe fn lit<'a>(file: *mut sqlite3_file) -> Option<(&'a OpenFile, MutexGuard<'a, Machine>)> {
    let open = unsafe { file_of(file) };
    let machine = lock(open.machine);
    (machine.disk.life() == open.life).then_some((open, machine))
}

fn code(result: Result<(), Dark>, failure: c_int) -> c_int {
    if result.is_ok() { ffi::SQLITE_OK } else { failure }
}

fn text(name: *const c_char) -> String {
    if name.is_null() {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        return format!(
            "{}/cordboard-temporary-{}",
            std::env::temp_dir().display(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
    }
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let file = file.cast::<PowerFile>();
    unsafe { (*file).base.pMethods = std::ptr::null() };
    let shared = unsafe { machine_of(vfs) };
    let mut machine = lock(shared);
    let name = text(name);
    let there = machine.disk.exists(&name);
    if there == Err(Dark) || (there == Ok(false) && flags & ffi::SQLITE_OPEN_CREATE == 0) {
        return ffi::SQLITE_CANTOPEN;
    }
    if machine.disk.create(&name) == Err(Dark) {
        return ffi::SQLITE_CANTOPEN;
    }
    let handle = machine.next_handle;
    machine.next_handle += 1;
    let open = OpenFile {
        machine: shared,
        name,
        handle,
        life: machine.disk.life(),
        delete_on_close: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
    };
    unsafe {
        (*file).file = Box::into_raw(Box::new(open));
        (*file).base.pMethods = &METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    unsafe { shm_unmap(file, 0) };
    unsafe { unlock(file, ffi::SQLITE_LOCK_NONE) };
    if let Some((open, mut machine)) = unsafe { lit(file) }
        && open.delete_on_close
    {
        let _ = machine.disk.delete(&open.name, true);
    }
    let file = file.cast::<PowerFile>();
    unsafe {
        drop(Box::from_raw((*file).file));
        (*file).base.pMethods = std::ptr::null();
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, len: c_int, at: i64) -> c_int {
    let Some((open, machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_IOERR_READ };
    let into = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), len as usize) };
    match machine.disk.read(&open.name, at as usize, into) {
        Ok(found) if found == into.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(Dark) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, len: c_int, at: i64) -> c_int {
    let Some((open, mut machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_IOERR_WRITE };
    let from = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), len as usize) };
    code(machine.disk.write(&open.name, at as usize, from), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: i64) -> c_int {
    let Some((open, mut machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_IOERR_TRUNCATE };
    code(machine.disk.truncate(&open.name, len as usize), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    let Some((open, mut machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_IOERR_FSYNC };
    code(machine.disk.sync(&open.name), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    let Some((open, machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_IOERR_FSTAT };
    let Ok(len) = machine.disk.len(&open.name) else { return ffi::SQLITE_IOERR_FSTAT };
    unsafe { *size = len as i64 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn take_lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    let Some((open, mut machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_IOERR_LOCK };
    let holders = machine.locks.entry(open.name.clone()).or_default();
    let others = holders.iter().filter(|(handle, _)| **handle != open.handle).map(|(_, level)| *level).max();
    let others = others.unwrap_or(ffi::SQLITE_LOCK_NONE);
    let free = match level {
        ffi::SQLITE_LOCK_SHARED => others < ffi::SQLITE_LOCK_PENDING,
        ffi::SQLITE_LOCK_RESERVED => others < ffi::SQLITE_LOCK_RESERVED,
        _ => others < ffi::SQLITE_LOCK_SHARED,
    };
    if !free {
        return ffi::SQLITE_BUSY;
    }
    let held = holders.entry(open.handle).or_insert(ffi::SQLITE_LOCK_NONE);
    *held = level.max(*held);
    ffi::SQLITE_OK
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    let Some((open, mut machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_OK };
    if let Some(holders) = machine.locks.get_mut(&open.name) {
        match level {
            ffi::SQLITE_LOCK_NONE => drop(holders.remove(&open.handle)),
            _ => drop(holders.insert(open.handle, level)),
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, held: *mut c_int) -> c_int {
    let Some((open, machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_IOERR_CHECKRESERVEDLOCK };
    let reserved = machine
        .locks
        .get(&open.name)
        .is_some_and(|holders| holders.values().any(|level| *level >= ffi::SQLITE_LOCK_RESERVED));
    unsafe { *held = c_int::from(reserved) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_file: *mut sqlite3_file, _operation: c_int, _argument: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut sqlite3_file) -> c_int {
    4096
}

/// As SQLite's own layer for Unix says: writing some bytes leaves the others of their sector alone.
unsafe extern "C" fn device_characteristics(_file: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    assert!(bytes as usize <= SHM_REGION_WORDS * 8, "SQLite maps regions of 32 KiB");
    let Some((open, mut machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_IOERR_SHMMAP };
    let memory = machine.memory.entry(open.name.clone()).or_default();
    while extend != 0 && memory.regions.len() <= region as usize {
        memory.regions.push(Box::new([0; SHM_REGION_WORDS]));
    }
    let address = memory.regions.get_mut(region as usize).map_or(std::ptr::null_mut(), |region| region.as_mut_ptr());
    unsafe { *out = address.cast() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    let Some((open, mut machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_IOERR_SHMLOCK };
    let memory = machine.memory.entry(open.name.clone()).or_default();
    let slots = offset..offset + count;
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        for slot in slots {
            memory.slots.entry(slot).or_default().remove(&open.handle);
        }
        return ffi::SQLITE_OK;
    }
    let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    let taken = slots.clone().any(|slot| {
        let others = memory.slots.get(&slot).into_iter().flatten().filter(|(handle, _)| **handle != open.handle);
        others.into_iter().any(|(_, theirs)| exclusive || *theirs)
    });
    if taken {
        return ffi::SQLITE_BUSY;
    }
    for slot in slots {
        memory.slots.entry(slot).or_default().insert(open.handle, exclusive);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_barrier(_file: *mut sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    let Some((open, mut machine)) = (unsafe { lit(file) }) else { return ffi::SQLITE_OK };
    if delete != 0 {
        machine.memory.remove(&open.name);
    } else if let Some(memory) = machine.memory.get_mut(&open.name) {
        for holders in memory.slots.values_mut() {
            holders.remove(&open.handle);
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    match lock(unsafe { machine_of(vfs) }).disk.delete(&text(name), sync_dir != 0) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(Dark) => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(vfs: *mut sqlite3_vfs, name: *const c_char, _flags: c_int, out: *mut c_int) -> c_int {
    let Ok(there) = lock(unsafe { machine_of(vfs) }).disk.exists(&text(name)) else { return ffi::SQLITE_IOERR_ACCESS };
    unsafe { *out = c_int::from(there) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(_vfs: *mut sqlite3_vfs, name: *const c_char, len: c_int, out: *mut c_char) -> c_int {
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if bytes.len() > len as usize {
        return ffi::SQLITE_CANTOPEN;
    }
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_vfs: *mut sqlite3_vfs, len: c_int, out: *mut c_char) -> c_int {
    let out = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), len as usize) };
    for (index, byte) in out.iter_mut().enumerate() {
        *byte = index as u8;
    }
    len
}

/// Nobody holds a lock for long here.
unsafe extern "C" fn sleep(_vfs: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

/// Julian day in ms; always the same day.
unsafe extern "C" fn current_time(_vfs: *mut sqlite3_vfs, out: *mut i64) -> c_int {
    unsafe { *out = 212_000_000_000_000 };
    ffi::SQLITE_OK
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(take_lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
