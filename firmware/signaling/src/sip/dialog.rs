//! Dialogs (RFC 3261 §12) with the state of their session: who, which way, which sequence numbers, and whose turn it
//! is in offer and answer. What happens on an input is told in `uas.rs`, `uac.rs` and `in_dialog.rs`.

use base::time::Instant;
use core::net::SocketAddr;
use core::time::Duration;
use serde::{Deserialize, Serialize};

use super::door::{Hop, Settings};
use super::header::{Address, Contacts, Envelope, MAGIC, Place};
use super::message::{Message, Name, Writer, text};
use super::transaction::{LONG, T1, T2, TxKey};
use crate::sdp::{Audio, Others};

/// Our 2xx until its ACK comes (RFC 3261 §13.3.1.4).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AckWait {
    /// The INVITE's server transaction.
    pub tx: TxKey,
    /// The INVITE's CSeq.
    pub cseq: u32,
    /// The 2xx.
    pub response: Vec<u8>,
    /// When to send it again.
    pub resend_at: Instant,
    /// Doubles from T1 to T2.
    pub interval: Duration,
    /// When to end the session instead.
    pub give_up: Instant,
    /// The 2xx held an offer, so the ACK holds the answer.
    pub our_offer: bool,
    /// It answers the INVITE that began the dialog.
    pub initial: bool,
}

impl AckWait {
    /// The 2xx leaves now.
    pub fn new(at: Instant, tx: TxKey, cseq: u32, response: Vec<u8>, our_offer: bool, initial: bool) -> AckWait {
        AckWait { tx, cseq, response, resend_at: at + T1, interval: T1, give_up: at + LONG, our_offer, initial }
    }

    fn deadline(&self) -> Instant {
        self.resend_at.min(self.give_up)
    }

    /// The 2xx leaves again; the next time is later.
    pub fn resent(&mut self, at: Instant) {
        self.interval = (self.interval * 2).min(T2);
        self.resend_at = at + self.interval;
    }
}

/// Where a dialog stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum State {
    /// Their INVITE waits for our final response.
    Incoming {
        /// Its transaction.
        tx: TxKey,
        /// It had an offer.
        offered: bool,
        /// When to repeat the last provisional response (RFC 3261 §13.3.1.1).
        nudge_at: Instant,
    },
    /// Our INVITE waits for their final response.
    Calling {
        /// Its transaction.
        tx: TxKey,
        /// It had no offer.
        delayed: bool,
        /// Answer in a provisional response, with its To tag.
        early: Option<(String, Audio)>,
    },
    /// Our INVITE is no longer wanted.
    Cancelling {
        /// Its transaction.
        tx: TxKey,
        /// CANCEL has left; until then wait for an answer. None: wait for a provisional response first (§9.1).
        give_up: Option<Instant>,
        /// Reason field.
        reason: Option<String>,
    },
    /// Our 2xx waits for its ACK.
    Answered {
        /// The wait.
        wait: AckWait,
    },
    /// As `Answered`, but BYE follows the ACK (§15).
    Leaving {
        /// The wait.
        wait: AckWait,
        /// Reason field.
        reason: Option<String>,
    },
    /// Nothing is open.
    Confirmed,
    /// Their re-INVITE or UPDATE waits for our answer.
    Reoffered {
        /// Its transaction.
        tx: TxKey,
        /// It had an offer.
        offered: bool,
        /// It is UPDATE (RFC 3311).
        update: bool,
    },
    /// Our re-INVITE waits for their answer.
    Reoffering {
        /// Its transaction.
        tx: TxKey,
        /// Its offer.
        offer: Option<Audio>,
    },
    /// Their 2xx held an offer; our user owes the answer, which goes into the ACK.
    AckOwed {
        /// The INVITE's transaction.
        tx: TxKey,
        /// Its CSeq.
        cseq: u32,
    },
    /// Both offered at once: ours goes again later (§14.1).
    Glare {
        /// When.
        at: Instant,
        /// The offer.
        offer: Option<Audio>,
    },
}

/// Why a dialog went into its state; shown by the debug printer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Why {
    /// It was made.
    Created,
    /// Our user answered.
    Accepted,
    /// Our user refused the new offer.
    Refused,
    /// Our user hung up.
    HungUp,
    /// CANCEL has left.
    CancelSent,
    /// They answered.
    Answer,
    /// They failed our new offer; the session stays as it was.
    OfferFailed,
    /// The ACK came or went.
    Acknowledged,
    /// They offered anew.
    TheirOffer,
    /// We offer anew.
    OurOffer,
    /// 491.
    Pending,
    /// A provisional response.
    Progress,
}

/// An offer of ours that waits for its turn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Queued {
    /// As given to `reoffer`.
    pub offer: Option<Audio>,
}

/// One dialog, early or confirmed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// Our From or To value, with tag.
    pub local: Vec<u8>,
    /// Their tag; none while it is not known, and for RFC 2543 peers.
    pub remote_tag: Option<String>,
    /// Their From or To value, with tag when known.
    pub remote: Vec<u8>,
    /// CSeq of our last request.
    pub local_cseq: u32,
    /// CSeq of their last request.
    pub remote_cseq: Option<u32>,
    /// Remote target: Request-URI of our requests.
    pub target: String,
    /// Route set in the order of our Route fields.
    pub routes: Vec<String>,
    /// Where they were reached or came from last.
    pub hop: Hop,
    /// Requests go to `hop` whatever the target says: a phone is reached the way it came.
    pub pinned: bool,
    /// User part of our Contact.
    pub contact_user: String,
    /// Streams of their offers beside the one that we take; every body of ours refuses them again (RFC 3264 §6, §8).
    pub others: Others,
    /// See [`State`].
    state: State,
    why: Why,
    /// An offer of ours that waits.
    pub queued: Option<Queued>,
    /// Deadline in the timer queue.
    pub armed: Option<Instant>,
}

impl Dialog {
    /// One that begins with an INVITE of ours.
    pub fn outgoing(
        call_id: String,
        local_tag: String,
        local: String,
        target: String,
        hop: Hop,
        state: State,
    ) -> Dialog {
        Dialog {
            call_id,
            local_tag,
            local: local.into_bytes(),
            remote_tag: None,
            remote: format!("<{target}>").into_bytes(),
            local_cseq: 1,
            remote_cseq: None,
            target,
            routes: Vec::new(),
            hop,
            pinned: false,
            contact_user: String::new(),
            others: Others::default(),
            state,
            why: Why::Created,
            queued: None,
            armed: None,
        }
    }

    /// One that begins with an INVITE of theirs (§12.1.1). `hop` is where it came from.
    pub fn incoming(message: &Message, envelope: &Envelope, local_tag: String, hop: Hop, state: State) -> Dialog {
        let raw = |name: &Name| message.field(name).map(|f| f.value.clone()).unwrap_or_default();
        let mut local = raw(&Name::To);
        local.extend(b";tag=");
        local.extend(local_tag.bytes());
        Dialog {
            call_id: envelope.call_id.clone(),
            local_tag,
            local,
            remote_tag: envelope.from.tag.clone(),
            remote: raw(&Name::From),
            local_cseq: 0,
            remote_cseq: Some(envelope.cseq),
            target: contact_uri(message).unwrap_or_else(|| envelope.from.uri.clone()),
            routes: record_routes(message),
            hop,
            pinned: false,
            contact_user: String::new(),
            others: Others::default(),
            state,
            why: Why::Created,
            queued: None,
            armed: None,
        }
    }

    /// One branch of a forked INVITE of ours, from its 2xx alone.
    pub fn branch(message: &Message, envelope: &Envelope, hop: Hop) -> Dialog {
        let raw = |name: &Name| message.field(name).map(|f| f.value.clone()).unwrap_or_default();
        let local_tag = envelope.from.tag.clone().unwrap_or_default();
        let target = envelope.to.uri.clone();
        let call_id = envelope.call_id.clone();
        let mut dialog = Dialog::outgoing(call_id, local_tag, String::new(), target, hop, State::Confirmed);
        dialog.local = raw(&Name::From);
        dialog.local_cseq = envelope.cseq;
        dialog.answered_by(message, envelope);
        dialog
    }

    /// Their 2xx to our INVITE makes the dialog (§12.1.2).
    pub fn answered_by(&mut self, message: &Message, envelope: &Envelope) {
        if let Some(to) = message.field(&Name::To) {
            self.remote = to.value.clone();
        }
        self.remote_tag = envelope.to.tag.clone();
        self.routes = record_routes(message);
        self.routes.reverse();
        self.retarget(message);
    }

    /// A target refresh (§12.2).
    pub fn retarget(&mut self, message: &Message) {
        if let Some(uri) = contact_uri(message) {
            self.target = uri;
        }
    }

    /// See [`State`].
    pub fn state(&self) -> &State {
        &self.state
    }

    /// See [`State`]; for deadlines and counters inside it only, a change of state goes through `enter`.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// The only way into another state.
    pub fn enter(&mut self, next: State, why: Why) {
        self.state = next;
        self.why = why;
    }

    /// The user has let go of it: no event may name it.
    pub fn is_released(&self) -> bool {
        matches!(self.state, State::Cancelling { .. } | State::Leaving { .. })
    }

    /// When the dialog's timer is due.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Incoming { nudge_at, .. } => Some(*nudge_at),
            State::Cancelling { give_up, .. } => *give_up,
            State::Answered { wait } | State::Leaving { wait, .. } => Some(wait.deadline()),
            State::Glare { at, .. } => Some(*at),
            State::Calling { .. }
            | State::Confirmed
            | State::Reoffered { .. }
            | State::Reoffering { .. }
            | State::AckOwed { .. } => None,
        }
    }

    /// Where the next request goes (§12.2.1.1, §8.1.2): the way a phone came, else the first route or the target when
    /// its host is an address, else where they were reached last.
    pub fn next_hop(&self, settings: &Settings) -> Hop {
        if self.pinned {
            return self.hop.clone();
        }
        let uri = self.routes.first().and_then(|r| Address::parse(r)).map(|a| a.uri);
        let place = Place::parse(uri.as_deref().unwrap_or(&self.target));
        let Some((addr, tcp)) = place.and_then(|p| Some((p.addr()?, p.tcp))) else { return self.hop.clone() };
        match &self.hop {
            Hop::Tcp { conn, remote } if remote.ip() == addr.ip() => Hop::Tcp { conn: *conn, remote: addr },
            Hop::Udp { local, .. } if !tcp => Hop::Udp { local: *local, remote: addr },
            Hop::Tcp { .. } | Hop::Udp { .. } if tcp => Hop::Tcp { conn: None, remote: addr },
            Hop::Tcp { .. } | Hop::Udp { .. } => Hop::Udp { local: settings.local, remote: addr },
        }
    }

    /// Begins a request inside the dialog (§12.2.1.1). CSeq is the caller's, so that ACK can repeat it.
    pub fn request(&self, settings: &Settings, method: &str, cseq: u32, branch: &str, hop: &Hop) -> Writer {
        // A first route without `lr` is a strict router (§16.12.1.2).
        let strict = self.routes.first().and_then(|r| Address::parse(r)).filter(|a| {
            let loose = a.place.as_ref().is_none_or(|p| p.loose);
            !loose
        });
        let uri = strict.as_ref().map_or(self.target.as_str(), |a| a.uri.as_str());
        let mut writer = Writer::request(method, uri);
        via(&mut writer, settings.local, branch, hop);
        let skip = usize::from(strict.is_some());
        for route in self.routes.iter().skip(skip) {
            writer.pieces(&Name::Route, &[route]);
        }
        if strict.is_some() {
            writer.pieces(&Name::Route, &["<", &self.target, ">"]);
        }
        writer.field(&Name::MaxForwards, b"70");
        writer.field(&Name::From, &self.local);
        writer.field(&Name::To, &self.remote);
        writer.pieces(&Name::CallId, &[&self.call_id]);
        writer.cseq(cseq, method);
        writer.pieces(&Name::UserAgent, &[&settings.product]);
        writer
    }

    /// Our Contact field.
    pub fn contact(&self, settings: &Settings, hop: &Hop) -> String {
        contact(settings.local, &self.contact_user, hop)
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let state = match &self.state {
            State::Incoming { .. } => "Incoming",
            State::Calling { .. } => "Calling",
            State::Cancelling { .. } => "Cancelling",
            State::Answered { .. } => "Answered",
            State::Leaving { .. } => "Leaving",
            State::Confirmed => "Confirmed",
            State::Reoffered { .. } => "Reoffered",
            State::Reoffering { .. } => "Reoffering",
            State::AckOwed { .. } => "AckOwed",
            State::Glare { .. } => "Glare",
        };
        let due = self.armed.map(|at| format!(", timer at {at:?}")).unwrap_or_default();
        format!(
            "{state} ({:?}) with {}, our tag {}{due} [{}]",
            self.why,
            text(&self.remote),
            self.local_tag,
            self.call_id
        )
    }
}

/// `SIP/2.0/UDP host:port;branch=…;rport`.
pub fn via(writer: &mut Writer, local: SocketAddr, branch: &str, hop: &Hop) {
    let (transport, rport) = match hop {
        Hop::Udp { .. } => ("SIP/2.0/UDP ", ";rport"),
        Hop::Tcp { .. } => ("SIP/2.0/TCP ", ";rport"),
    };
    writer.pieces(&Name::Via, &[transport, &local.to_string(), ";branch=", MAGIC, branch, rport]);
}

/// `<sip:user@host:port>`, with the transport when it is a stream.
pub fn contact(local: SocketAddr, user: &str, hop: &Hop) -> String {
    let at = if user.is_empty() { "" } else { "@" };
    let transport = match hop {
        Hop::Udp { .. } => "",
        Hop::Tcp { .. } => ";transport=tcp",
    };
    format!("<sip:{user}{at}{local}{transport}>")
}

fn contact_uri(message: &Message) -> Option<String> {
    match Contacts::read(message)? {
        Contacts::Wildcard => None,
        Contacts::List(list) => list.into_iter().next().filter(|a| a.place.is_some()).map(|a| a.uri),
    }
}

fn record_routes(message: &Message) -> Vec<String> {
    let addresses = Address::all(message, &Name::RecordRoute).unwrap_or_default();
    addresses.into_iter().map(|a| format!("<{}>", a.uri)).collect()
}
