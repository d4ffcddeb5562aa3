//! A phone, or a trunk's caller: a real SIP endpoint that talks bytes, and what its owner still wants to do. It rings as
//! soon as it is called. What it sends and hears is carried by the world.

use base::time::Now;
use core::net::SocketAddr;
use md5::{Digest, Md5};
use serde::Serialize;
use signaling::sdp::{Audio, Direction, Format};
use signaling::sip::Endpoint;
use signaling::sip::door::{self as sip, DialogKey, EndCause, Event, Hop, Invite, Settings, Target};
use std::collections::BTreeMap;

/// The box.
pub const BOX: &str = "127.0.0.1:5060";
/// Every extension's.
pub const SECRET: &str = "a long secret";

/// What the owner may still do, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Will {
    pub answers: u8,
    pub declines: u8,
    /// Hangs up, or gives up dialling.
    pub hangs_up: u8,
    /// Dials this.
    pub dials: Option<&'static str>,
    /// Presses this while a call is up.
    pub presses: Option<char>,
}

/// How far a call is, as the phone sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Stage {
    /// Dialled.
    Calling,
    /// Is called.
    Rings,
    /// Answered, and the ACK has not come.
    Answered,
    /// Both sides say that there is a call.
    Up,
}

/// One call of the phone.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Call {
    pub dialog: DialogKey,
    pub stage: Stage,
    /// Port of its audio; no other call has the same.
    pub port: u16,
}

/// See the module text.
#[derive(Clone, Debug, Serialize)]
pub struct Phone {
    pub user: String,
    pub addr: SocketAddr,
    endpoint: Endpoint,
    pub calls: Vec<Call>,
    pub will: Will,
    calls_so_far: u16,
    nonce: String,
    /// Answered, and was hung up on before an ACK came; may happen when datagrams are lost.
    pub is_unacknowledged: bool,
    /// What must not happen to a phone, in words.
    pub complaint: Option<String>,
}

/// What the owner does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    Answer,
    Decline,
    HangUp,
    Dial,
}

impl Phone {
    pub fn new(user: &str, addr: SocketAddr, will: Will) -> Phone {
        let mut endpoint = Endpoint::new();
        endpoint.seed([addr.port() as u8; 32]);
        endpoint.configure(Settings {
            local: addr,
            realm: "phone".into(),
            product: "phone".into(),
            accounts: BTreeMap::new(),
            peers: vec![sip::Peer { name: "box".into(), ip: [127, 0, 0, 1].into(), port: None }],
            expires_min_s: 30,
            expires_max_s: 3600,
        });
        let (calls, nonce) = (vec![], String::new());
        let (is_unacknowledged, complaint) = (false, None);
        Phone { user: user.into(), addr, endpoint, calls, will, calls_so_far: 0, nonce, is_unacknowledged, complaint }
    }

    /// One input of its endpoint; what it sends.
    pub fn handle(&mut self, now: Now, input: sip::Input) -> Vec<Vec<u8>> {
        self.with(now, |endpoint, out| endpoint.handle(now, input, out)).1
    }

    /// When its endpoint waits for the time.
    pub fn deadline(&self) -> Option<base::time::Instant> {
        self.endpoint.deadline()
    }

    /// No call, dialog or transaction.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.endpoint.is_empty()
    }

    /// The call to which an act of the owner would go, if it can be done now.
    pub fn call_for(&self, act: Act) -> Option<Call> {
        let rings = || self.calls.iter().find(|c| c.stage == Stage::Rings).copied();
        match act {
            Act::Answer if self.will.answers > 0 => rings(),
            Act::Decline if self.will.declines > 0 => rings(),
            Act::HangUp if self.will.hangs_up > 0 => self.live_call(),
            Act::Answer | Act::Decline | Act::HangUp | Act::Dial => None,
        }
    }

    /// A call that the owner began or took.
    pub fn live_call(&self) -> Option<Call> {
        self.calls.iter().find(|c| c.stage != Stage::Rings).copied()
    }

    /// Does it, whether it is still wanted or not; what the phone sends.
    pub fn act(&mut self, now: Now, act: Act) -> Vec<Vec<u8>> {
        let first = |stage: fn(Stage) -> bool, phone: &Phone| phone.calls.iter().position(|c| stage(c.stage));
        match act {
            Act::Answer => {
                self.will.answers = self.will.answers.saturating_sub(1);
                let Some(at) = first(|s| s == Stage::Rings, self) else { return vec![] };
                self.calls[at].stage = Stage::Answered;
                let (dialog, answer) = (self.calls[at].dialog, self.audio(self.calls[at].port));
                self.with(now, |endpoint, out| endpoint.accept(now, dialog, Some(answer), out)).1
            }
            Act::Decline => {
                self.will.declines = self.will.declines.saturating_sub(1);
                let Some(at) = first(|s| s == Stage::Rings, self) else { return vec![] };
                let dialog = self.calls.remove(at).dialog;
                self.with(now, |endpoint, out| endpoint.refuse(now, dialog, 603, out)).1
            }
            Act::HangUp => {
                self.will.hangs_up = self.will.hangs_up.saturating_sub(1);
                let Some(at) = first(|s| s != Stage::Rings, self) else { return vec![] };
                let dialog = self.calls.remove(at).dialog;
                self.with(now, |endpoint, out| endpoint.hangup(now, dialog, None, out)).1
            }
            Act::Dial => match self.will.dials.take() {
                Some(number) => self.dial(now, number),
                None => vec![],
            },
        }
    }

    fn dial(&mut self, now: Now, number: &str) -> Vec<Vec<u8>> {
        let port = self.next_port();
        let uri = format!("sip:{number}@{BOX}");
        let headers = match self.nonce.is_empty() {
            true => vec![],
            false => vec![("Authorization".to_string(), self.proof("INVITE", &uri, 2))],
        };
        let target = Target { uri, hop: Hop::Udp { local: self.addr, remote: BOX.parse().unwrap() } };
        let offer = Some(self.audio(port));
        let invite = Invite { target, from: self.user.clone(), from_name: String::new(), offer, headers };
        let (dialog, sent) = self.with(now, |endpoint, out| endpoint.invite(now, invite, out));
        self.calls.push(Call { dialog, stage: Stage::Calling, port });
        sent
    }

    fn next_port(&mut self) -> u16 {
        self.calls_so_far += 1;
        self.addr.port() + 10_000 + 2 * self.calls_so_far
    }

    fn audio(&self, port: u16) -> Audio {
        Audio {
            session: (1, 1),
            addr: SocketAddr::new(self.addr.ip(), port),
            formats: vec![Format { payload_type: 8, codec: base::media::Codec::Pcma }],
            dtmf: Some(101),
            direction: Direction::SendRecv,
        }
    }

    fn with<R>(&mut self, now: Now, act: impl FnOnce(&mut Endpoint, &mut Vec<sip::Output>) -> R) -> (R, Vec<Vec<u8>>) {
        let mut out = vec![];
        let result = act(&mut self.endpoint, &mut out);
        let mut sent = vec![];
        for output in out {
            match output {
                sip::Output::Datagram { bytes, .. } => sent.push(bytes),
                sip::Output::Event(event) => self.hears(now, event, &mut sent),
                other => panic!("a phone does not {other:?}"),
            }
        }
        (result, sent)
    }

    fn hears(&mut self, now: Now, event: Event, sent: &mut Vec<Vec<u8>>) {
        match event {
            Event::Incoming(incoming) => {
                let port = self.next_port();
                self.calls.push(Call { dialog: incoming.dialog, stage: Stage::Rings, port });
                let ringing = self.with(now, |endpoint, out| endpoint.progress(now, incoming.dialog, 180, None, out));
                sent.extend(ringing.1);
            }
            Event::Answered { dialog, .. } | Event::Confirmed { dialog, .. } => {
                if let Some(call) = self.calls.iter_mut().find(|c| c.dialog == dialog) {
                    call.stage = Stage::Up;
                }
            }
            Event::Refused { dialog, .. } | Event::Cancelled { dialog } => self.calls.retain(|c| c.dialog != dialog),
            Event::Ended { dialog, cause } => self.ended(dialog, cause),
            Event::Progress { .. }
            | Event::Reoffered { .. }
            | Event::Digit { .. }
            | Event::Registered { .. }
            | Event::Refreshed { .. }
            | Event::Subscribed { .. }
            | Event::Trace { .. }
            | Event::AuthFailed { .. } => {}
        }
    }

    fn ended(&mut self, dialog: DialogKey, cause: EndCause) {
        let stage = self.calls.iter().find(|c| c.dialog == dialog).map(|c| c.stage);
        self.calls.retain(|c| c.dialog != dialog);
        match (stage, cause) {
            (Some(Stage::Answered), EndCause::Bye) => {
                self.is_unacknowledged = true;
            }
            (_, EndCause::NoAck) => self.complaint = Some("answered, and nobody acknowledged".into()),
            (_, EndCause::Gone) => self.complaint = Some("hung up, and nobody knew the call".into()),
            (_, EndCause::Bye) => {}
        }
    }

    // Registration, by hand.

    /// A REGISTER; with a proof once a challenge was heard.
    pub fn register(&self, count: u32) -> Vec<u8> {
        let (user, addr) = (&self.user, self.addr);
        let proof = match self.nonce.is_empty() {
            true => String::new(),
            false => format!("Authorization: {}\r\n", self.proof("REGISTER", &format!("sip:{BOX}"), 1)),
        };
        let port = addr.port();
        format!(
            "REGISTER sip:{BOX} SIP/2.0\r\nVia: SIP/2.0/UDP {addr};branch=z9hG4bKr{port}{count}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{BOX}>;tag=t{port}\r\nTo: <sip:{user}@{BOX}>\r\nCall-ID: reg-{port}\r\n\
             CSeq: {count} REGISTER\r\nContact: <sip:{user}@{addr}>\r\nExpires: 3600\r\n{proof}Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    /// The answer to the first REGISTER.
    pub fn challenged(&mut self, answer: &[u8]) {
        let text = String::from_utf8_lossy(answer);
        let nonce = text.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next());
        self.nonce = nonce.expect("a challenge").to_string();
    }

    fn proof(&self, method: &str, uri: &str, count: u32) -> String {
        let hex = |text: String| Md5::digest(text).iter().map(|b| format!("{b:02x}")).collect::<String>();
        let (user, nonce) = (&self.user, &self.nonce);
        let ha1 = hex(format!("{user}:cordboard:{SECRET}"));
        let ha2 = hex(format!("{method}:{uri}"));
        let response = hex(format!("{ha1}:{nonce}:{count:08x}:c:auth:{ha2}"));
        format!(
            "Digest username=\"{user}\", realm=\"cordboard\", nonce=\"{nonce}\", uri=\"{uri}\", qop=auth, nc={count:08x}, \
             cnonce=\"c\", response=\"{response}\""
        )
    }
}
