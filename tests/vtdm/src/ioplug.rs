//! Types and functions of `<alsa/pcm_ioplug.h>`, protocol 1.0.2, which the `alsa-sys` crate leaves out. Layout and
//! numbers are the header's.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ushort, c_void};

use alsa_sys::{
    snd_pcm_channel_area_t, snd_pcm_sframes_t, snd_pcm_state_t, snd_pcm_stream_t, snd_pcm_sw_params_t, snd_pcm_t,
    snd_pcm_uframes_t,
};
use nix::libc::pollfd;

use crate::Unused;

const VERSION: c_uint = 1 << 16 | 2;
/// Timestamps are monotonic.
const FLAG_MONOTONIC: c_uint = 1 << 1;
/// The pointer wraps at the boundary, not at the buffer: a late application cannot mistake a full turn for none.
const FLAG_BOUNDARY_WA: c_uint = 1 << 2;

/// Parameter numbers of the constraints.
pub const HW_ACCESS: c_int = 0;
/// See [`HW_ACCESS`].
pub const HW_FORMAT: c_int = 1;
/// See [`HW_ACCESS`].
pub const HW_CHANNELS: c_int = 2;
/// See [`HW_ACCESS`].
pub const HW_RATE: c_int = 3;
/// See [`HW_ACCESS`].
pub const HW_PERIOD_BYTES: c_int = 4;
/// See [`HW_ACCESS`].
pub const HW_BUFFER_BYTES: c_int = 5;
/// See [`HW_ACCESS`].
pub const HW_PERIODS: c_int = 6;

/// `struct snd_pcm_ioplug`.
#[repr(C)]
pub struct Ioplug {
    version: c_uint,
    name: *const c_char,
    flags: c_uint,
    poll_fd: c_int,
    poll_events: c_uint,
    mmap_rw: c_uint,
    callback: *const Callbacks,
    pub private_data: *mut c_void,
    pub pcm: *mut snd_pcm_t,
    stream: snd_pcm_stream_t,
    state: snd_pcm_state_t,
    appl_ptr: snd_pcm_uframes_t,
    hw_ptr: snd_pcm_uframes_t,
    nonblock: c_int,
    access: c_uint,
    format: c_int,
    channels: c_uint,
    rate: c_uint,
    period_size: snd_pcm_uframes_t,
    pub buffer_size: snd_pcm_uframes_t,
}

impl Ioplug {
    /// As `snd_pcm_ioplug_create` wants it.
    pub fn new(name: &'static CStr, poll_fd: c_int, callback: &'static Callbacks) -> Ioplug {
        Ioplug {
            version: VERSION,
            name: name.as_ptr(),
            flags: FLAG_MONOTONIC | FLAG_BOUNDARY_WA,
            poll_fd,
            poll_events: nix::libc::POLLIN as c_uint,
            mmap_rw: 0,
            callback,
            private_data: std::ptr::null_mut(),
            pcm: std::ptr::null_mut(),
            stream: 0,
            state: 0,
            appl_ptr: 0,
            hw_ptr: 0,
            nonblock: 0,
            access: 0,
            format: 0,
            channels: 0,
            rate: 0,
            period_size: 0,
            buffer_size: 0,
        }
    }
}

type Plain = Option<unsafe extern "C" fn(*mut Ioplug) -> c_int>;

/// `struct snd_pcm_ioplug_callback`, in its order.
#[repr(C)]
pub struct Callbacks {
    pub start: Plain,
    pub stop: Plain,
    pub pointer: Option<unsafe extern "C" fn(*mut Ioplug) -> snd_pcm_sframes_t>,
    pub transfer: Option<
        unsafe extern "C" fn(
            *mut Ioplug,
            *const snd_pcm_channel_area_t,
            snd_pcm_uframes_t,
            snd_pcm_uframes_t,
        ) -> snd_pcm_sframes_t,
    >,
    pub close: Plain,
    pub hw_params: Unused,
    pub hw_free: Unused,
    pub sw_params: Option<unsafe extern "C" fn(*mut Ioplug, *mut snd_pcm_sw_params_t) -> c_int>,
    pub prepare: Plain,
    pub drain: Unused,
    pub pause: Unused,
    pub resume: Unused,
    pub poll_descriptors_count: Unused,
    pub poll_descriptors: Unused,
    pub poll_revents: Option<unsafe extern "C" fn(*mut Ioplug, *mut pollfd, c_uint, *mut c_ushort) -> c_int>,
    pub dump: Unused,
    pub delay: Unused,
    pub query_chmaps: Unused,
    pub get_chmap: Unused,
    pub set_chmap: Unused,
}

impl Callbacks {
    /// Nothing filled in.
    pub const NONE: Callbacks = Callbacks {
        start: None,
        stop: None,
        pointer: None,
        transfer: None,
        close: None,
        hw_params: None,
        hw_free: None,
        sw_params: None,
        prepare: None,
        drain: None,
        pause: None,
        resume: None,
        poll_descriptors_count: None,
        poll_descriptors: None,
        poll_revents: None,
        dump: None,
        delay: None,
        query_chmaps: None,
        get_chmap: None,
        set_chmap: None,
    };
}

unsafe extern "C" {
    /// Makes the PCM.
    pub fn snd_pcm_ioplug_create(io: *mut Ioplug, name: *const c_char, stream: snd_pcm_stream_t, mode: c_int) -> c_int;
    /// Closes it.
    pub fn snd_pcm_ioplug_delete(io: *mut Ioplug) -> c_int;
    /// Constrains a parameter to a range.
    pub fn snd_pcm_ioplug_set_param_minmax(io: *mut Ioplug, parameter: c_int, min: c_uint, max: c_uint) -> c_int;
    /// Constrains a parameter to a list.
    pub fn snd_pcm_ioplug_set_param_list(
        io: *mut Ioplug,
        parameter: c_int,
        count: c_uint,
        list: *const c_uint,
    ) -> c_int;
    /// Changes the state of the PCM.
    pub fn snd_pcm_ioplug_set_state(io: *mut Ioplug, state: snd_pcm_state_t) -> c_int;
}
