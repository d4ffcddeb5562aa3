//! Every bound of the box in one place, with the relations between them checked at compile time.

/// Calls at once, talking or waiting.
pub const CALLS_MAX: usize = 5_000;
/// Highest cap of calls that an agent takes in an hour.
pub const CALLS_PER_HOUR_MAX: usize = 240;
/// Callers of whom it is remembered which agent they spoke to last.
pub const ACQUAINTANCES_MAX: usize = 20_000;
/// Legs at once: a call has at most an inbound leg, a talking leg and a few that ring.
pub const LEGS_MAX: usize = 4 * CALLS_MAX;
/// Contacts registered for one extension.
pub const CONTACTS_PER_EXTENSION_MAX: usize = 10;
/// Inputs waiting for the control task. From 80 % new INVITEs are refused, at 100 % datagrams are dropped and counted.
pub const CONTROL_INBOX_MAX: usize = 4_096;
/// Fill of the control inbox from which new INVITEs get 503.
pub const CONTROL_INBOX_SHED: usize = CONTROL_INBOX_MAX * 8 / 10;
/// Commands waiting for a media worker; when full the control task waits, a command is never lost.
pub const MEDIA_COMMANDS_MAX: usize = 4_096;
/// Recorded frames waiting for the recorder (20 ms each); when full, audio is dropped and an alarm raised.
pub const RECORDER_FRAMES_MAX: usize = 16_384;
/// Requests waiting for the store.
pub const STORE_REQUESTS_MAX: usize = 65_536;
/// One SIP message, headers and body.
pub const SIP_MESSAGE_BYTES_MAX: usize = 65_535;
/// Header lines in one SIP message.
pub const SIP_HEADERS_MAX: usize = 256;
/// Bytes of a TCP stream held while a message is incomplete.
pub const SIP_STREAM_BYTES_MAX: usize = 2 * SIP_MESSAGE_BYTES_MAX;
/// Subscriptions to lamps at once: every seat of a big site with an expansion module; when full new ones get 503.
pub const SIP_SUBSCRIPTIONS_MAX: usize = 8_192;
/// Subscriptions of one extension: all keys of its phones, with some left over from phones that lost their power.
pub const SIP_SUBSCRIPTIONS_PER_EXTENSION_MAX: usize = 256;
/// Bytes kept of what a subscriber says of itself (Call-ID, tags, Contact, Request-URI, routes); above it gets 513.
pub const SIP_SUBSCRIPTION_BYTES_MAX: usize = 4_096;
/// Shortest subscription in seconds; shorter asks get 423.
pub const SIP_SUBSCRIPTION_S_MIN: u32 = 60;
/// Longest subscription granted, in seconds.
pub const SIP_SUBSCRIPTION_S_MAX: u32 = 3_600;
/// TCP connections at once.
pub const SIP_CONNECTIONS_MAX: usize = 2_048;
/// Messages waiting to be written to one TCP connection; when full the connection is closed.
pub const SIP_STREAM_WRITES_MAX: usize = 256;
/// Seconds until an accepted TCP connection must have said something (64 × T1 of RFC 3261).
pub const SIP_STREAM_FIRST_WAIT_S: u64 = 32;
/// Seconds of silence after which a TCP connection is closed; longer than a registration of one hour.
pub const SIP_STREAM_IDLE_S: u64 = 3_900;
/// Seconds that a peer may leave what we write to it unread, and that connecting may take.
pub const SIP_STREAM_WRITE_WAIT_S: u64 = 10;
/// Inputs that one turn of the control task takes at most.
pub const TURN_INPUTS_MAX: usize = 64;
/// One RTP packet that we take.
pub const RTP_PACKET_BYTES_MAX: usize = 1_500;
/// Samples of one 20 ms frame at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;
/// The media tick in microseconds.
pub const TICK_US: u64 = 20_000;
/// Supervisors that monitor the two legs of one bridge at once.
pub const MONITORS_PER_BRIDGE_MAX: usize = 4;
/// TDM timeslots of one card.
pub const TIMESLOTS_PER_CARD: usize = 8;

const _: () = assert!(LEGS_MAX >= 2 * CALLS_MAX);
const _: () = assert!(CONTROL_INBOX_SHED < CONTROL_INBOX_MAX);
const _: () = assert!(SIP_STREAM_BYTES_MAX > SIP_MESSAGE_BYTES_MAX);
const _: () = assert!(SIP_SUBSCRIPTIONS_PER_EXTENSION_MAX < SIP_SUBSCRIPTIONS_MAX);
const _: () = assert!(SIP_SUBSCRIPTION_S_MIN < SIP_SUBSCRIPTION_S_MAX);
const _: () = assert!((SIP_SUBSCRIPTION_S_MAX as u64) < SIP_STREAM_IDLE_S);
const _: () = assert!(FRAME_SAMPLES as u64 * 125 == TICK_US);
