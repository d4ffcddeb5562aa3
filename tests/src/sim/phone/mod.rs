//! A virtual SIP phone: registers, calls, is called, with transactions of its own. Sans-IO like the box, but written
//! apart from it; it protests against messages that a real phone might not take. What a person does with the phone
//! is in `agent` and `caller`.

mod receive;

use crate::sim::dialog::{Call, Stage};
use crate::sim::dice::Dice;
use crate::sim::digest::Challenge;
use crate::sim::message::{Message, Start, write_sdp};
pub use crate::sim::transaction::CallNo;
use crate::sim::transaction::{Expired, LIFE_US, Purpose, Transactions};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// What a phone has to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// To the box.
    Send(Vec<u8>),
    /// To the person in front of it.
    Tell(News),
}

/// What a person notices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// The registration holds.
    Registered,
    /// It does not, with this status code (408: no answer).
    NotRegistered(u16),
    /// It rings.
    Offered(CallNo),
    /// Our call makes progress: 180 and the like.
    Progress(CallNo, u16),
    /// Our call was answered.
    Answered(CallNo),
    /// Our call failed with this status code.
    Refused(CallNo, u16),
    /// Our answer was heard.
    Confirmed(CallNo),
    /// It stops ringing.
    Cancelled(CallNo),
    /// The other side hung up, or vanished.
    Ended(CallNo),
    /// Something did not come although the box should have repeated it.
    Missed(&'static str),
    /// The box sent what no phone should be sent.
    Protest(String),
}

/// Small tasks that wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Chore {
    Register,
    /// No final answer came after a CANCEL (RFC 3261 §9.1).
    GiveUp(CallNo),
    Forget(CallNo),
}

/// Who and where a phone is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Extension or, for a trunk, its name.
    pub user: String,
    /// Digest password.
    pub secret: String,
    /// Its own address.
    pub addr: SocketAddr,
    /// The box.
    pub server: SocketAddr,
    /// TCP instead of UDP.
    pub stream: bool,
    /// A second call rings instead of meeting busy.
    pub call_waiting: bool,
    /// Registration asked for, in seconds.
    pub expires_s: u32,
}

/// A virtual phone.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Who and where.
    pub identity: Identity,
    /// It has power.
    pub alive: bool,
    /// Its registration holds until then, as far as it knows.
    pub registered_until_us: u64,
    dice: Dice,
    transactions: Transactions,
    calls: BTreeMap<CallNo, Call>,
    by_call_id: BTreeMap<String, CallNo>,
    chores: BTreeSet<(u64, Chore)>,
    challenge: Option<(Challenge, u32)>,
    register_cseq: u32,
    register_id: String,
    next_call: u32,
    quiet: bool,
}

impl Phone {
    /// A phone with power, not registered.
    pub fn new(identity: Identity, mut dice: Dice) -> Phone {
        let transactions = Transactions::new(identity.stream);
        let register_id = dice.hex(12);
        Phone {
            identity,
            alive: true,
            registered_until_us: 0,
            dice,
            transactions,
            calls: BTreeMap::new(),
            by_call_id: BTreeMap::new(),
            chores: BTreeSet::new(),
            challenge: None,
            register_cseq: 0,
            register_id,
            next_call: 0,
            quiet: false,
        }
    }

    /// A call by its number.
    pub fn call(&self, no: CallNo) -> Option<&Call> {
        self.calls.get(&no)
    }

    /// Calls that are not over.
    pub fn live(&self) -> impl Iterator<Item = (CallNo, &Call)> {
        self.calls.iter().filter(|(_, c)| c.stage != Stage::Over).map(|(no, c)| (*no, c))
    }

    /// Whether a live call of ours has this RTP address.
    pub fn speaks_at(&self, rtp: SocketAddr) -> bool {
        self.alive && self.live().any(|(_, c)| c.rtp == rtp && c.stage != Stage::Offered)
    }

    /// When `timer` is due, in microseconds.
    pub fn deadline_us(&self) -> Option<u64> {
        let chore = self.chores.first().map(|(at, _)| *at);
        [chore, self.transactions.deadline_us()].into_iter().flatten().min()
    }

    /// Power cut: everything is forgotten, nothing is said.
    pub fn vanish(&mut self) {
        self.alive = false;
        self.transactions = Transactions::new(self.identity.stream);
        self.calls.clear();
        self.by_call_id.clear();
        self.chores.clear();
        self.challenge = None;
        self.registered_until_us = 0;
    }

    /// Power is back.
    pub fn reboot(&mut self, now_us: u64, out: &mut Vec<Act>) {
        self.vanish();
        self.alive = true;
        self.register_id = self.dice.hex(12);
        self.register_cseq = 0;
        self.register(now_us, out);
    }

    /// The connection to the box is gone: opens another by registering again.
    pub fn connection_lost(&mut self, now_us: u64) {
        if self.alive && !self.identity.secret.is_empty() {
            let pause_us = self.dice.between(200_000, 3_000_000);
            self.plan_register(now_us + pause_us);
        }
    }

    /// The registration is not refreshed any more.
    pub fn register_no_more(&mut self) {
        self.quiet = true;
        self.chores.retain(|(_, chore)| *chore != Chore::Register);
    }

    fn plan_register(&mut self, at_us: u64) {
        self.chores.retain(|(_, chore)| *chore != Chore::Register);
        if !self.quiet {
            self.chores.insert((at_us, Chore::Register));
        }
    }

    /// Registers, or refreshes (RFC 3261 §10.2).
    pub fn register(&mut self, now_us: u64, out: &mut Vec<Act>) {
        let (user, server) = (self.identity.user.clone(), self.identity.server);
        self.register_cseq += 1;
        let mut request = Message::request("REGISTER", &format!("sip:{server}"));
        request.add("via", self.via()).add("max-forwards", "70");
        request.add("from", format!("<sip:{user}@{server}>;tag={}", self.dice.hex(8)));
        request.add("to", format!("<sip:{user}@{server}>"));
        request.add("call-id", format!("{}@{}", self.register_id, self.identity.addr.ip()));
        request.add("cseq", format!("{} REGISTER", self.register_cseq));
        request.add("contact", self.contact()).add("expires", self.identity.expires_s.to_string());
        request.add("user-agent", "virtual phone");
        self.authorize(&mut request, "authorization");
        self.plan_register(now_us + LIFE_US + 1_000_000);
        self.send(now_us, request, Purpose::Register, 0, out);
    }

    fn via(&mut self) -> String {
        let transport = if self.identity.stream { "TCP" } else { "UDP" };
        format!("SIP/2.0/{transport} {};branch=z9hG4bK{};rport", self.identity.addr, self.dice.hex(16))
    }

    fn contact(&self) -> String {
        let transport = if self.identity.stream { ";transport=tcp" } else { "" };
        format!("<sip:{}@{}{transport}>", self.identity.user, self.identity.addr)
    }

    fn authorize(&mut self, request: &mut Message, header: &str) {
        let cnonce = self.dice.hex(8);
        let Some((challenge, count)) = &mut self.challenge else { return };
        let Start::Request(method, uri) = &request.start else { return };
        *count += 1;
        let value = challenge.answer(&self.identity.user, &self.identity.secret, method, uri, *count, &cnonce);
        request.add(header, value);
    }

    fn send(&mut self, now_us: u64, request: Message, purpose: Purpose, challenges: u32, out: &mut Vec<Act>) {
        let mut bytes = Vec::new();
        self.transactions.send(now_us, request, purpose, challenges, &mut bytes);
        out.extend(bytes.into_iter().map(Act::Send));
    }

    fn respond(&mut self, now_us: u64, request: &Message, code: u16, reason: &str, out: &mut Vec<Act>) {
        let tag = match self.by_call_id.get(request.text("call-id")).and_then(|no| self.calls.get(no)) {
            Some(call) if call.incoming => call.tag().to_string(),
            _ => self.dice.hex(8),
        };
        let answer = Message::response(request, code, reason, &tag);
        self.respond_with(now_us, request, answer, out);
    }

    fn respond_with(&mut self, now_us: u64, request: &Message, mut answer: Message, out: &mut Vec<Act>) {
        if matches!(answer.start, Start::Response(101.., _)) && request.method() == "INVITE" {
            answer.add("contact", self.contact());
        }
        let mut bytes = Vec::new();
        self.transactions.respond(now_us, &Transactions::key(request), &answer, &mut bytes);
        out.extend(bytes.into_iter().map(Act::Send));
    }

    /// Calls `number`; `caller` is what we claim to be. A `delayed` call leaves the offer to the box.
    pub fn dial(&mut self, now_us: u64, number: &str, caller: &str, delayed: bool, out: &mut Vec<Act>) -> CallNo {
        let no = CallNo(self.next_call);
        self.next_call += 1;
        let rtp = self.rtp_of(no);
        let server = self.identity.server;
        let mut invite = Message::request("INVITE", &format!("sip:{number}@{server}"));
        invite.add("via", self.via()).add("max-forwards", "70");
        invite.add("from", format!("<sip:{caller}@{server}>;tag={}", self.dice.hex(8)));
        invite.add("to", format!("<sip:{number}@{server}>"));
        invite.add("call-id", format!("{}@{}", self.dice.hex(16), self.identity.addr.ip()));
        invite.add("cseq", "1 INVITE").add("contact", self.contact());
        invite.add("allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE");
        if !delayed {
            invite.add("content-type", "application/sdp");
            invite.body = write_sdp(rtp, 1, "sendrecv");
        }
        self.by_call_id.insert(invite.text("call-id").to_string(), no);
        let mut call = Call::outgoing(invite.clone(), rtp, number);
        call.delayed = delayed;
        self.calls.insert(no, call);
        self.send(now_us, invite, Purpose::Invite(no), 0, out);
        no
    }

    /// Presses a key, told by INFO (application/dtmf-relay).
    pub fn press(&mut self, now_us: u64, no: CallNo, key: char, out: &mut Vec<Act>) {
        let via = self.via();
        let Some(call) = self.calls.get_mut(&no).filter(|c| c.stage == Stage::Talking) else { return };
        let mut info = call.request("INFO", &via, None);
        info.add("content-type", "application/dtmf-relay");
        info.body = format!("Signal={key}\r\nDuration=160\r\n");
        self.send(now_us, info, Purpose::Info(no), 0, out);
    }

    fn rtp_of(&self, no: CallNo) -> SocketAddr {
        SocketAddr::new(self.identity.addr.ip(), 10_000 + 2 * (no.0 % 25_000) as u16)
    }

    /// Picks up.
    pub fn answer(&mut self, now_us: u64, no: CallNo, out: &mut Vec<Act>) {
        let Some(call) = self.calls.get_mut(&no) else { return };
        if call.stage != Stage::Offered {
            return;
        }
        call.stage = Stage::Accepted;
        let invite = call.invite.clone();
        let mut answer = Message::response(&invite, 200, "OK", call.tag());
        answer.add("content-type", "application/sdp");
        answer.body = write_sdp(call.rtp, call.sdp_version, "sendrecv");
        self.respond_with(now_us, &invite, answer, out);
    }

    /// Refuses a call that rings.
    pub fn reject(&mut self, now_us: u64, no: CallNo, code: u16, out: &mut Vec<Act>) {
        let Some(call) = self.calls.get_mut(&no) else { return };
        if call.stage != Stage::Offered {
            return;
        }
        let invite = call.invite.clone();
        self.respond(now_us, &invite, code, "Refused", out);
        self.over(now_us, no);
    }

    /// Hangs up, in whatever way the stage of the call asks for.
    pub fn hang_up(&mut self, now_us: u64, no: CallNo, out: &mut Vec<Act>) {
        let Some(call) = self.calls.get_mut(&no) else { return };
        match call.stage {
            Stage::Calling if call.provisional && !call.cancelled => {
                call.cancelled = true;
                self.chores.insert((now_us + LIFE_US, Chore::GiveUp(no)));
                let cancel = call.cancel();
                self.send(now_us, cancel, Purpose::Cancel(no), 0, out);
            }
            Stage::Calling | Stage::Accepted => call.leave_soon = true,
            Stage::Offered => self.reject(now_us, no, 603, out),
            Stage::Talking => self.bye(now_us, no, out),
            Stage::Leaving | Stage::Over => {}
        }
    }

    fn bye(&mut self, now_us: u64, no: CallNo, out: &mut Vec<Act>) {
        let via = self.via();
        let Some(call) = self.calls.get_mut(&no) else { return };
        call.stage = Stage::Leaving;
        let bye = call.request("BYE", &via, None);
        self.send(now_us, bye, Purpose::Bye(no), 0, out);
    }

    /// Puts the other side on hold, or takes it back.
    pub fn hold(&mut self, now_us: u64, no: CallNo, hold: bool, out: &mut Vec<Act>) {
        let (via, contact) = (self.via(), self.contact());
        let Some(call) = self.calls.get_mut(&no) else { return };
        if call.stage != Stage::Talking || call.reinviting || call.holding == hold {
            return;
        }
        call.holding = hold;
        call.reinviting = true;
        call.sdp_version += 1;
        let mut invite = call.request("INVITE", &via, None);
        invite.add("contact", contact).add("content-type", "application/sdp");
        invite.body = write_sdp(call.rtp, call.sdp_version, if hold { "sendonly" } else { "sendrecv" });
        self.send(now_us, invite, Purpose::Reinvite(no), 0, out);
    }

    fn over(&mut self, now_us: u64, no: CallNo) {
        if let Some(call) = self.calls.get_mut(&no) {
            call.stage = Stage::Over;
            self.chores.insert((now_us + LIFE_US, Chore::Forget(no)));
        }
    }

    /// Time passed.
    pub fn timer(&mut self, now_us: u64, out: &mut Vec<Act>) {
        while let Some((at, chore)) = self.chores.first().copied() {
            if at > now_us {
                break;
            }
            self.chores.remove(&(at, chore));
            match chore {
                Chore::Register => self.register(now_us, out),
                Chore::GiveUp(no) => {
                    if self.calls.get(&no).is_some_and(|c| c.stage == Stage::Calling) {
                        self.over(now_us, no);
                        self.missed("no final answer to a cancelled INVITE", out);
                        out.push(Act::Tell(News::Refused(no, 487)));
                    }
                }
                Chore::Forget(no) => {
                    if let Some(call) = self.calls.remove(&no) {
                        self.by_call_id.remove(&call.call_id);
                    }
                }
            }
        }
        let mut bytes = Vec::new();
        let expired = self.transactions.timer(now_us, &mut bytes);
        out.extend(bytes.into_iter().map(Act::Send));
        for what in expired {
            self.expired(now_us, what, out);
        }
    }

    /// Something should have been repeated until it came. Over a connection that broke it is lost.
    fn missed(&self, what: &'static str, out: &mut Vec<Act>) {
        if !self.identity.stream {
            out.push(Act::Tell(News::Missed(what)));
        }
    }

    fn expired(&mut self, now_us: u64, what: Expired, out: &mut Vec<Act>) {
        match what {
            Expired::NoAnswer(Purpose::Register) => out.push(Act::Tell(News::NotRegistered(408))),
            Expired::NoAnswer(Purpose::Invite(no)) => {
                self.over(now_us, no);
                out.push(Act::Tell(News::Refused(no, 408)));
            }
            Expired::NoAnswer(Purpose::Reinvite(no)) => {
                if let Some(call) = self.calls.get_mut(&no) {
                    call.reinviting = false;
                }
            }
            Expired::NoAnswer(Purpose::Bye(no)) => {
                self.over(now_us, no);
                out.push(Act::Tell(News::Ended(no)));
            }
            Expired::NoAnswer(Purpose::Cancel(_) | Purpose::Info(_)) | Expired::NoAck(_, false) => {}
            Expired::NoAck(key, true) => {
                let found = self.calls.iter().find(|(_, c)| c.invite_key == key).map(|(no, c)| (*no, c.stage));
                if let Some((no, Stage::Accepted)) = found {
                    self.missed("no ACK to our 200", out);
                    self.bye(now_us, no, out);
                    out.push(Act::Tell(News::Ended(no)));
                }
            }
        }
    }

    /// Whether transactions and calls are forgotten, as far as a phone without calls can be.
    pub fn at_rest(&self) -> bool {
        self.live().next().is_none()
    }
}
