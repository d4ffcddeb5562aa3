//! ALSA plugin `cordboard`: a PCM whose sound card is the simulated world. Loaded by libasound from a configuration
//! such as
//!
//! ```text
//! pcm_type.cordboard { lib "/path/libvtdm.so" }
//! pcm.cordboard0 { type cordboard  socket "/path/tdm.sock"  card 1 }
//! ```
//!
//! 8 channels, S16_LE, 8000 Hz, periods of 160 frames, read and write access, blocking or not, one poll descriptor. The
//! pointer moves by one period per message of the world; the plugin has no timer. Overruns and underruns follow the stop
//! threshold as with a kernel driver. When the world ends, the PCM is disconnected: `-ENODEV`.
//!
//! This file is the glue, with all the `unsafe`: libasound calls us with its own pointers. Everything else is in
//! [`stream`].
#![allow(unsafe_code)]

mod ioplug;
mod stream;
/// The world's own file: one wire format, and a plugin that does not depend on the board.
#[path = "../../../board/src/sim/wire.rs"]
pub mod wire;

use std::ffi::{CStr, c_char, c_int, c_long, c_ushort, c_void};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use alsa_sys as alsa;
use nix::libc::{EBUSY, EINVAL, EIO, ENODEV, EPIPE, POLLERR, POLLIN, POLLOUT, pollfd};

use ioplug::{Callbacks, Ioplug};
use stream::{Health, OpenError, Stream};
use wire::{CHANNELS, Direction, PERIOD_BYTES};

const RATE: u32 = 8_000;
/// Fewest and most periods of a buffer.
const PERIODS: (u32, u32) = (2, 16);

/// The plugin's object: what libasound knows, and ours.
struct Plugin {
    ioplug: Ioplug,
    stream: Stream,
}

static CALLBACKS: Callbacks = Callbacks {
    start: Some(start),
    stop: Some(stop),
    pointer: Some(pointer),
    transfer: Some(transfer),
    close: Some(close),
    sw_params: Some(sw_params),
    prepare: Some(prepare),
    poll_revents: Some(poll_revents),
    ..Callbacks::NONE
};

/// libasound asks for this symbol to see that the plugin was built for its interface.
#[unsafe(no_mangle)]
pub static __snd_pcm_cordboard_open_dlsym_pcm_001: c_char = 0;

/// Opens a PCM of type `cordboard`.
///
/// # Safety
/// Called by libasound with a valid configuration node and a place for the PCM handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _snd_pcm_cordboard_open(
    pcm: *mut *mut alsa::snd_pcm_t,
    name: *const c_char,
    _root: *mut alsa::snd_config_t,
    conf: *mut alsa::snd_config_t,
    direction: alsa::snd_pcm_stream_t,
    mode: c_int,
) -> c_int {
    // SAFETY: `conf` is a compound node of libasound, valid during this call.
    let (socket, card) = match unsafe { read_configuration(conf) } {
        Ok(found) => found,
        Err(problem) => {
            eprintln!("cordboard PCM: {problem}");
            return -EINVAL;
        }
    };
    let way = if direction == alsa::SND_PCM_STREAM_CAPTURE { Direction::Capture } else { Direction::Playback };
    let stream = match Stream::open(&socket, card, way) {
        Ok(stream) => stream,
        Err(OpenError::NoWorld) => return -ENODEV,
        Err(OpenError::Refused(why)) => {
            eprintln!("cordboard PCM, {way:?}: {why}");
            return if why.starts_with("busy") { -EBUSY } else { -ENODEV };
        }
    };
    let ioplug = Ioplug::new(c"Cordboard TDM highway", stream.poll_fd().as_raw_fd(), &CALLBACKS);
    let plugin = Box::into_raw(Box::new(Plugin { ioplug, stream }));
    // SAFETY: `plugin` is ours and lives until `close`; libasound keeps pointers to `ioplug` inside it, which never
    // moves. `name` and `pcm` come from libasound.
    unsafe {
        (*plugin).ioplug.private_data = plugin.cast();
        let mut result = ioplug::snd_pcm_ioplug_create(&raw mut (*plugin).ioplug, name, direction, mode);
        if result < 0 {
            drop(Box::from_raw(plugin));
            return result;
        }
        result = constrain(&mut (*plugin).ioplug);
        if result < 0 {
            // Calls `close`, which frees the plugin.
            ioplug::snd_pcm_ioplug_delete(&raw mut (*plugin).ioplug);
            return result;
        }
        *pcm = (*plugin).ioplug.pcm;
    }
    0
}

/// # Safety
/// `conf` is a valid compound node.
unsafe fn read_configuration(conf: *mut alsa::snd_config_t) -> Result<(PathBuf, u8), String> {
    let (mut socket, mut card) = (None, 1);
    // SAFETY: the iterator functions are libasound's own; each entry is valid while the tree is.
    unsafe {
        let end = alsa::snd_config_iterator_end(conf);
        let mut entry = alsa::snd_config_iterator_first(conf);
        while entry != end {
            let node = alsa::snd_config_iterator_entry(entry);
            entry = alsa::snd_config_iterator_next(entry);
            let mut id: *const c_char = std::ptr::null();
            if alsa::snd_config_get_id(node, &mut id) < 0 || id.is_null() {
                continue;
            }
            match CStr::from_ptr(id).to_bytes() {
                b"type" | b"comment" | b"hint" => {}
                b"socket" => {
                    let mut text: *const c_char = std::ptr::null();
                    if alsa::snd_config_get_string(node, &mut text) < 0 || text.is_null() {
                        return Err("`socket` must be a path in quotes".into());
                    }
                    socket = Some(PathBuf::from(CStr::from_ptr(text).to_string_lossy().into_owned()));
                }
                b"card" => {
                    let mut number: c_long = 0;
                    if alsa::snd_config_get_integer(node, &mut number) < 0 {
                        return Err("`card` must be a number".into());
                    }
                    card = u8::try_from(number).map_err(|_| format!("no card {number}"))?;
                }
                other => return Err(format!("unknown field `{}`", String::from_utf8_lossy(other))),
            }
        }
    }
    let socket = socket.ok_or("`socket` is missing: name the world's tdm.sock")?;
    Ok((socket, card))
}

/// The only format there is.
///
/// # Safety
/// `io` was created by libasound.
unsafe fn constrain(io: &mut Ioplug) -> c_int {
    let access = [alsa::SND_PCM_ACCESS_RW_INTERLEAVED];
    let format = [alsa::SND_PCM_FORMAT_S16_LE as u32];
    let period = PERIOD_BYTES as u32;
    let ranges = [
        (ioplug::HW_CHANNELS, CHANNELS as u32, CHANNELS as u32),
        (ioplug::HW_RATE, RATE, RATE),
        (ioplug::HW_PERIOD_BYTES, period, period),
        (ioplug::HW_BUFFER_BYTES, PERIODS.0 * period, PERIODS.1 * period),
        (ioplug::HW_PERIODS, PERIODS.0, PERIODS.1),
    ];
    // SAFETY: plain values and slices that outlive the calls.
    unsafe {
        let mut result = ioplug::snd_pcm_ioplug_set_param_list(io, ioplug::HW_ACCESS, 1, access.as_ptr());
        if result >= 0 {
            result = ioplug::snd_pcm_ioplug_set_param_list(io, ioplug::HW_FORMAT, 1, format.as_ptr());
        }
        for (parameter, min, max) in ranges {
            if result >= 0 {
                result = ioplug::snd_pcm_ioplug_set_param_minmax(io, parameter, min, max);
            }
        }
        result
    }
}

/// The plugin behind an `io` that libasound gives back to us.
///
/// # Safety
/// `io` is the one in a [`Plugin`] that is not closed; libasound holds the PCM's lock or has a single user.
unsafe fn stream_of<'a>(io: *mut Ioplug) -> &'a mut Stream {
    // SAFETY: `private_data` points to the `Plugin` around `io`; `stream` and `ioplug` are different fields.
    unsafe { &mut (*(*io).private_data.cast::<Plugin>()).stream }
}

unsafe extern "C" fn start(io: *mut Ioplug) -> c_int {
    // SAFETY: see `stream_of`.
    if unsafe { stream_of(io) }.start() { 0 } else { -ENODEV }
}

unsafe extern "C" fn stop(io: *mut Ioplug) -> c_int {
    // SAFETY: see `stream_of`.
    unsafe { stream_of(io) }.halt();
    0
}

unsafe extern "C" fn prepare(io: *mut Ioplug) -> c_int {
    // SAFETY: see `stream_of`.
    if unsafe { stream_of(io) }.prepare() { 0 } else { -ENODEV }
}

unsafe extern "C" fn pointer(io: *mut Ioplug) -> alsa::snd_pcm_sframes_t {
    // SAFETY: see `stream_of`.
    let stream = unsafe { stream_of(io) };
    match stream.update() {
        Health::Good => {}
        Health::Xrun => return -alsa::snd_pcm_sframes_t::from(EPIPE),
        Health::Gone => {
            // A negative answer would be taken for an xrun; this state makes every later call fail with -ENODEV.
            // SAFETY: `io` is libasound's.
            unsafe { ioplug::snd_pcm_ioplug_set_state(io, alsa::SND_PCM_STATE_DISCONNECTED) };
        }
    }
    stream.pointer() as alsa::snd_pcm_sframes_t
}

unsafe extern "C" fn transfer(
    io: *mut Ioplug,
    areas: *const alsa::snd_pcm_channel_area_t,
    offset: alsa::snd_pcm_uframes_t,
    size: alsa::snd_pcm_uframes_t,
) -> alsa::snd_pcm_sframes_t {
    // SAFETY: see `stream_of`; `areas` has one entry per channel, and our only format has 8 channels of 16 bits, so
    // that the sample of channel `c` in frame `f` lies `first + f * step` bits behind `addr`, aligned to two bytes.
    unsafe {
        let stream = stream_of(io);
        let areas = std::slice::from_raw_parts(areas, CHANNELS);
        let place = |channel: usize, frame: u64| -> *mut i16 {
            let area = &areas[channel];
            let bits = area.first as usize + frame as usize * area.step as usize;
            area.addr.cast::<u8>().add(bits / 8).cast()
        };
        for frame in offset..offset + size {
            match stream.direction() {
                Direction::Capture => {
                    for (channel, sample) in stream.take_frame().into_iter().enumerate() {
                        place(channel, frame).write_unaligned(sample.to_le());
                    }
                }
                Direction::Playback => {
                    stream.put_frame(std::array::from_fn(|c| i16::from_le(place(c, frame).read_unaligned())));
                }
            }
        }
        stream.settle();
    }
    size as alsa::snd_pcm_sframes_t
}

unsafe extern "C" fn close(io: *mut Ioplug) -> c_int {
    // SAFETY: the last call for this `io`; the box was made in `_snd_pcm_cordboard_open`.
    drop(unsafe { Box::from_raw((*io).private_data.cast::<Plugin>()) });
    0
}

unsafe extern "C" fn sw_params(io: *mut Ioplug, params: *mut alsa::snd_pcm_sw_params_t) -> c_int {
    let (mut avail_min, mut stop_threshold, mut boundary) = (0, 0, 0);
    // SAFETY: `params` is libasound's, the places are ours.
    unsafe {
        if alsa::snd_pcm_sw_params_get_avail_min(params, &mut avail_min) < 0
            || alsa::snd_pcm_sw_params_get_stop_threshold(params, &mut stop_threshold) < 0
            || alsa::snd_pcm_sw_params_get_boundary(params, &mut boundary) < 0
        {
            return -EIO;
        }
        let buffer = (*io).buffer_size;
        stream_of(io).set_parameters(buffer, avail_min, stop_threshold, boundary);
    }
    0
}

unsafe extern "C" fn poll_revents(io: *mut Ioplug, _fds: *mut pollfd, _count: u32, revents: *mut c_ushort) -> c_int {
    // SAFETY: see `stream_of`; `revents` is a place of the caller.
    unsafe {
        let stream = stream_of(io);
        let way = if stream.direction() == Direction::Capture { POLLIN } else { POLLOUT };
        let trouble = if stream.update() == Health::Good { 0 } else { POLLERR };
        *revents = if stream.is_ready() { (way | trouble) as c_ushort } else { 0 };
    }
    0
}

/// Never called: a member of the callback table that we do not fill has this shape.
pub(crate) type Unused = Option<unsafe extern "C" fn(*mut c_void) -> c_int>;
