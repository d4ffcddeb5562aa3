//! One call on a virtual phone: what it must remember of the dialog (RFC 3261 §12) to write its requests.

use super::message::{Message, Speech, Start, parameter, uri_of};
use super::transaction::Key;
use std::net::SocketAddr;

/// Where a call on a phone stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// We called; nothing or something provisional came.
    Calling,
    /// We are called and ring.
    Offered,
    /// We answered and wait for the ACK.
    Accepted,
    /// Both sides agree that there is a call.
    Talking,
    /// We said BYE.
    Leaving,
    /// Nothing is left but repetitions.
    Over,
}

/// One call on a phone.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where it stands.
    pub stage: Stage,
    /// True when we were called.
    pub incoming: bool,
    /// User part of the other side's address.
    pub peer: String,
    /// Call-ID.
    pub call_id: String,
    /// Our RTP address in this call.
    pub rtp: SocketAddr,
    /// What the other side told us last.
    pub speech: Option<Speech>,
    /// We put the other side on hold.
    pub holding: bool,
    /// Hang up as soon as the rules allow.
    pub leave_soon: bool,
    /// A CANCEL of ours is out.
    pub cancelled: bool,
    /// A provisional answer came, so that a CANCEL may leave.
    pub provisional: bool,
    /// The INVITE as it was sent or received.
    pub invite: Message,
    /// Its transaction, when we were called.
    pub invite_key: Key,
    /// Our INVITE had no offer: the answer goes into the ACK (RFC 3261 §13.2.1).
    pub delayed: bool,
    /// A re-INVITE of ours is out.
    pub reinviting: bool,
    /// The last ACK of a 2xx, for when that 2xx comes again.
    pub ack: Option<Vec<u8>>,
    /// Version of our session description.
    pub sdp_version: u64,
    pub(super) local: String,
    pub(super) remote: String,
    pub(super) target: String,
    pub(super) route: Vec<String>,
    pub(super) cseq: u32,
    pub(super) remote_cseq: u32,
}

impl Call {
    /// A call of ours, by the INVITE that begins it.
    pub fn outgoing(invite: Message, rtp: SocketAddr, peer: &str) -> Call {
        let (local, remote) = (invite.text("from").to_string(), invite.text("to").to_string());
        let cseq = invite.cseq().0;
        Call {
            stage: Stage::Calling,
            incoming: false,
            peer: peer.to_string(),
            call_id: invite.text("call-id").to_string(),
            rtp,
            speech: None,
            holding: false,
            leave_soon: false,
            cancelled: false,
            provisional: false,
            invite_key: (String::new(), String::new()),
            invite,
            delayed: false,
            reinviting: false,
            ack: None,
            sdp_version: 1,
            local,
            remote,
            target: String::new(),
            route: Vec::new(),
            cseq,
            remote_cseq: 0,
        }
    }

    /// A call that comes to us; `tag` is our side's.
    pub fn incoming(invite: Message, key: Key, rtp: SocketAddr, tag: &str) -> Call {
        let from = invite.text("from").to_string();
        let mut call = Call::outgoing(invite, rtp, super::message::user_of(uri_of(&from)));
        call.stage = Stage::Offered;
        call.incoming = true;
        call.invite_key = key;
        call.remote_cseq = call.cseq;
        call.cseq = 0;
        call.local = format!("{};tag={tag}", call.invite.text("to"));
        call.target = uri_of(call.invite.text("contact")).to_string();
        call.route = call.invite.all("record-route");
        call.remote = from;
        call.speech = super::message::read_sdp(&call.invite.body);
        call
    }

    /// Our tag in this dialog.
    pub fn tag(&self) -> &str {
        parameter(&self.local, "tag").unwrap_or("")
    }

    /// Learns what a 2xx to our INVITE says of the dialog (RFC 3261 §12.1.2).
    pub fn confirmed_by(&mut self, answer: &Message) {
        self.remote = answer.text("to").to_string();
        self.target = uri_of(answer.text("contact")).to_string();
        self.route = answer.all("record-route");
        self.route.reverse();
        if let Some(speech) = super::message::read_sdp(&answer.body) {
            self.speech = Some(speech);
        }
    }

    /// A request inside the dialog (RFC 3261 §12.2.1.1). `cseq` none takes the next number.
    pub fn request(&mut self, method: &str, via: &str, cseq: Option<u32>) -> Message {
        let number = cseq.unwrap_or_else(|| {
            self.cseq += 1;
            self.cseq
        });
        let mut request = Message::request(method, &self.target);
        request.add("via", via).add("max-forwards", "70");
        for route in &self.route {
            request.add("route", route.clone());
        }
        request.add("from", self.local.clone()).add("to", self.remote.clone());
        request.add("call-id", self.call_id.clone()).add("cseq", format!("{number} {method}"));
        request
    }

    /// The CANCEL of our INVITE (RFC 3261 §9.1).
    pub fn cancel(&self) -> Message {
        let uri = match &self.invite.start {
            Start::Request(_, uri) => uri.as_str(),
            Start::Response(..) => "",
        };
        let mut cancel = Message::request("CANCEL", uri);
        for name in ["via", "from", "to", "call-id"] {
            cancel.add(name, self.invite.text(name));
        }
        cancel.add("cseq", format!("{} CANCEL", self.invite.cseq().0)).add("max-forwards", "70");
        cancel
    }
}
