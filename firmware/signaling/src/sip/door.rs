//! What goes into and comes out of the SIP endpoint: plain values, no behaviour.

use base::media::Digit;
use core::net::{IpAddr, SocketAddr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

use crate::sdp::Audio;

base::typed_key!(
    /// A dialog or one that may become one: from the INVITE to the end of the last transaction that its user must
    /// know about. Stale after `Refused`, `Cancelled` or `Ended`.
    DialogKey
);

/// A TCP connection, numbered by whoever opened it: the shell gives even numbers to accepted ones, the endpoint odd
/// numbers to those it asks for. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ConnId(pub u64);

/// From the network and the clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Input {
    /// One UDP datagram.
    Datagram {
        /// Our socket.
        local: SocketAddr,
        /// Its sender.
        remote: SocketAddr,
        /// As received.
        #[serde(with = "super::octets")]
        bytes: Vec<u8>,
        /// The control inbox is above its mark: new INVITEs are refused with 503.
        shed: bool,
    },
    /// A connection was accepted, or one asked for by `Output::Connect` is up.
    Opened {
        /// Its number.
        conn: ConnId,
        /// Our end.
        local: SocketAddr,
        /// The peer's end.
        remote: SocketAddr,
    },
    /// Bytes of a connection, in order, cut anywhere.
    Bytes {
        /// Which connection.
        conn: ConnId,
        /// As received.
        #[serde(with = "super::octets")]
        bytes: Vec<u8>,
        /// As in `Datagram`.
        shed: bool,
    },
    /// A connection is gone, or could not be opened.
    Closed {
        /// Which.
        conn: ConnId,
    },
    /// `deadline()` has come.
    Timer,
}

/// To the network and to the transaction user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Output {
    /// Send one datagram.
    Datagram {
        /// From this socket of ours.
        local: SocketAddr,
        /// To there.
        remote: SocketAddr,
        /// The message.
        #[serde(with = "super::octets")]
        bytes: Vec<u8>,
    },
    /// Write to a connection.
    Bytes {
        /// Which.
        conn: ConnId,
        /// Whole messages.
        #[serde(with = "super::octets")]
        bytes: Vec<u8>,
    },
    /// Open a connection; bytes for it may follow at once and wait until it is up.
    Connect {
        /// Its number from now on.
        conn: ConnId,
        /// Where to.
        remote: SocketAddr,
    },
    /// Close a connection.
    Close {
        /// Which.
        conn: ConnId,
    },
    /// For the transaction user.
    Event(Event),
}

/// How to reach a peer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Hop {
    /// By datagram from `local`.
    Udp {
        /// Our socket.
        local: SocketAddr,
        /// The peer.
        remote: SocketAddr,
    },
    /// By stream: over `conn` while it lives, else by connecting to `remote`.
    Tcp {
        /// The connection last used.
        conn: Option<ConnId>,
        /// Where to connect when it is gone.
        remote: SocketAddr,
    },
}

/// A request URI and the way there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Target {
    /// Request-URI as written by its owner.
    pub uri: String,
    /// The way.
    pub hop: Hop,
}

/// A live registration (RFC 3261 §10).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// Where to send requests for it.
    pub target: Target,
    /// When it lapses.
    pub expires: base::time::Instant,
    /// The phone's User-Agent, for people.
    pub user_agent: String,
}

/// Who is on the other side, as proven.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Origin {
    /// An extension that answered a digest challenge.
    Account(String),
    /// A trunk known by its address.
    Peer(String),
}

/// A new INVITE without To tag, authenticated, with a usable offer or none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Incoming {
    /// Names it from now on.
    pub dialog: DialogKey,
    /// Who calls.
    pub origin: Origin,
    /// User part of From (or of a trusted peer's P-Asserted-Identity), unescaped.
    pub caller: String,
    /// Display name of From; empty when there is none.
    pub caller_name: String,
    /// User part of the Request-URI, unescaped.
    pub called: String,
    /// The offer; none means that we must offer in the 2xx (delayed offer).
    pub offer: Option<Audio>,
    /// Call-ID header, for people.
    pub call_id: String,
}

/// Why a confirmed dialog ended without our asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum EndCause {
    /// The peer sent BYE.
    Bye,
    /// Our 2xx was never acknowledged (RFC 3261 §13.3.1.4).
    NoAck,
    /// A request inside the dialog got 408, 481 or no answer (RFC 3261 §12.2.1.2).
    Gone,
}

/// For the transaction user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Event {
    /// Somebody calls. 100 Trying has left already.
    Incoming(Incoming),
    /// 101-199 to our INVITE.
    Progress {
        /// Which.
        dialog: DialogKey,
        /// Status code.
        code: u16,
        /// Early media.
        answer: Option<Audio>,
    },
    /// 2xx to our INVITE; the ACK has left unless the answer is missing.
    Answered {
        /// Which.
        dialog: DialogKey,
        /// The answer to our offer.
        answer: Option<Audio>,
    },
    /// Our INVITE failed for good: 3xx-6xx, 408 for no answer at all, 503 for no way there, 487 after our CANCEL.
    /// The key is stale.
    Refused {
        /// Which.
        dialog: DialogKey,
        /// Status code.
        code: u16,
        /// Reason phrase.
        reason: String,
    },
    /// The ACK of our 2xx came. Told of the INVITE that began the dialog, and of a re-INVITE only when its answer is
    /// in the ACK.
    Confirmed {
        /// Which.
        dialog: DialogKey,
        /// The answer when the offer was ours.
        answer: Option<Audio>,
    },
    /// The caller gave up before our final answer. 487 has left; the key is stale.
    Cancelled {
        /// Which.
        dialog: DialogKey,
    },
    /// A confirmed dialog is over. The key is stale.
    Ended {
        /// Which.
        dialog: DialogKey,
        /// Why.
        cause: EndCause,
    },
    /// re-INVITE or UPDATE with an offer (or none): answer with `Endpoint::accept`.
    Reoffered {
        /// Which.
        dialog: DialogKey,
        /// The new offer.
        offer: Option<Audio>,
    },
    /// A digit by INFO (application/dtmf-relay or application/dtmf).
    Digit {
        /// Which.
        dialog: DialogKey,
        /// The key.
        digit: Digit,
    },
    /// An account registered again what is known: its phone is alive.
    Refreshed {
        /// Account name.
        account: String,
    },
    /// The set of an extension's contacts changed (registered, refreshed from elsewhere, lapsed or removed).
    Registered {
        /// Extension.
        account: String,
        /// Contacts it has now.
        contacts: usize,
    },
    /// A phone subscribed to a lamp, or did so again: `Endpoint::light` with its state, or `Endpoint::unscrew`, is owed
    /// at once.
    Subscribed {
        /// Extension that watches.
        account: String,
        /// User part of the Request-URI, unescaped: what the lamp's key dials.
        target: String,
    },
    /// One message of a dialog went in or out, for the ladder.
    Trace {
        /// Whose.
        dialog: DialogKey,
        /// True when we sent it.
        sent: bool,
        /// `INVITE sip:2001@…`, `180 Ringing (INVITE)`.
        summary: String,
    },
    /// Wrong credentials.
    AuthFailed {
        /// Extension named in the request, as far as it was readable.
        account: String,
        /// Its sender.
        remote: SocketAddr,
    },
}

/// What a lamp on a phone's key shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub enum Lamp {
    /// Dark, or green.
    #[default]
    Idle,
    /// Blinks.
    Ringing,
    /// Lit, or red.
    Busy,
}

/// An INVITE of ours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Invite {
    /// Whom.
    pub target: Target,
    /// User part of our From.
    pub from: String,
    /// Display name of our From.
    pub from_name: String,
    /// Our offer; none for a delayed one.
    pub offer: Option<Audio>,
    /// Further header lines (`Alert-Info`, `X-PBX-Queue`), name and value.
    pub headers: Vec<(String, String)>,
}

/// One extension that may register and call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Account {
    /// RFC 2617 §3.2.2.2: lower-case hex of MD5(user:realm:password).
    pub ha1_md5: String,
}

impl Account {
    /// From a password as configured; only the digest is kept.
    pub fn with_secret(user: &str, realm: &str, secret: &str) -> Account {
        Account { ha1_md5: super::digest::ha1(user, realm, secret) }
    }
}

/// A trunk without registration: known by where it sends from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Its name in the configuration.
    pub name: String,
    /// Its address.
    pub ip: IpAddr,
    /// Its port; none accepts any port of the address.
    pub port: Option<u16>,
}

/// What the endpoint must know of the site.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// Our UDP and TCP address, also in Via and Contact.
    pub local: SocketAddr,
    /// Digest realm, also the host of our From.
    pub realm: String,
    /// Server and User-Agent header.
    pub product: String,
    /// Extensions by user name.
    pub accounts: BTreeMap<String, Account>,
    /// Trunks, first match wins.
    pub peers: Vec<Peer>,
    /// Shortest registration in seconds; shorter asks get 423.
    pub expires_min_s: u32,
    /// Longest registration granted, in seconds.
    pub expires_max_s: u32,
}

/// Messages that led to nothing, by reason (RFC 3261 §16.3 and our own bounds).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dropped {
    /// Not SIP, or unreadable beyond an answer.
    pub malformed: u64,
    /// Keep-alives (empty or CRLF).
    pub keepalive: u64,
    /// A response that matches no transaction.
    pub stray_response: u64,
    /// An ACK that matches nothing.
    pub stray_ack: u64,
    /// Over a bound of `base::limits`.
    pub oversized: u64,
    /// Refused with 503 because the inbox was above its mark.
    pub shed: u64,
}
