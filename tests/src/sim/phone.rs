//! A virtual SIP phone: registers, calls, is called, with transactions of its own. Sans-IO like the box, but written
//! apart from it; it protests against messages that a real phone might not take. What a person does with the phone
//! is in `agent` and `caller`.

use super::dialog::{Call, Stage};
use super::dice::Dice;
use super::digest::Challenge;
use super::message::{Message, Start, parameter, read_sdp, uri_of, user_of, write_sdp};
pub use super::transaction::CallNo;
use super::transaction::{Expired, Heard, LIFE_US, Purpose, Transactions};
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
    /// The box sent what no phone should be sent.
    Protest(String),
}

/// Small tasks that wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Chore {
    Register,
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
        self.chores.retain(|(_, chore)| *chore != Chore::Register);
    }

    fn plan_register(&mut self, at_us: u64) {
        self.chores.retain(|(_, chore)| *chore != Chore::Register);
        self.chores.insert((at_us, Chore::Register));
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

    /// Calls `number`; `caller` is what we claim to be.
    pub fn dial(&mut self, now_us: u64, number: &str, caller: &str, out: &mut Vec<Act>) -> CallNo {
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
        invite.add("allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE").add("content-type", "application/sdp");
        invite.body = write_sdp(rtp, 1, "sendrecv");
        self.by_call_id.insert(invite.text("call-id").to_string(), no);
        self.calls.insert(no, Call::outgoing(invite.clone(), rtp, number));
        self.send(now_us, invite, Purpose::Invite(no), 0, out);
        no
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
            Expired::NoAnswer(Purpose::Cancel(_)) | Expired::NoAck(_, false) => {}
            Expired::NoAck(key, true) => {
                let found = self.calls.iter().find(|(_, c)| c.invite_key == key).map(|(no, c)| (*no, c.stage));
                if let Some((no, Stage::Accepted)) = found {
                    self.bye(now_us, no, out);
                    out.push(Act::Tell(News::Ended(no)));
                }
            }
        }
    }

    /// One message of the box.
    pub fn receive(&mut self, now_us: u64, bytes: &[u8], out: &mut Vec<Act>) {
        if !self.alive {
            return;
        }
        let message = match Message::read(bytes) {
            Ok(message) => message,
            Err(why) => {
                let text = String::from_utf8_lossy(bytes);
                out.push(Act::Tell(News::Protest(format!("{why} in {text}"))));
                return;
            }
        };
        let mut again = Vec::new();
        if let Start::Response(code, _) = message.start {
            let heard = self.transactions.answer(now_us, &message, &mut again);
            out.extend(again.into_iter().map(Act::Send));
            match heard {
                Heard::Again | Heard::Stray => {}
                Heard::SuccessAgain(Purpose::Invite(no) | Purpose::Reinvite(no)) => {
                    out.extend(self.calls.get(&no).and_then(|c| c.ack.clone()).map(Act::Send));
                }
                Heard::SuccessAgain(_) => {}
                Heard::Answer(purpose) => self.answered(now_us, purpose, code, &message, out),
            }
            return;
        }
        let new = self.transactions.request(now_us, &message, &mut again);
        out.extend(again.into_iter().map(Act::Send));
        if new {
            self.requested(now_us, &message, out);
        }
    }

    fn answered(&mut self, now_us: u64, purpose: Purpose, code: u16, message: &Message, out: &mut Vec<Act>) {
        if matches!(code, 401 | 407) && self.try_again(now_us, purpose, code, message, out) {
            return;
        }
        match purpose {
            Purpose::Register => self.register_answered(now_us, code, message, out),
            Purpose::Invite(no) => self.invite_answered(now_us, no, code, message, out),
            Purpose::Reinvite(no) => self.reinvite_answered(now_us, no, code, message, out),
            Purpose::Bye(no) if code >= 200 => {
                let first = self.calls.get(&no).is_some_and(|c| c.stage == Stage::Leaving);
                self.over(now_us, no);
                if first {
                    out.push(Act::Tell(News::Ended(no)));
                }
            }
            Purpose::Bye(_) | Purpose::Cancel(_) => {}
        }
    }

    /// Answers a challenge; false when that did not help before.
    fn try_again(&mut self, now_us: u64, purpose: Purpose, code: u16, message: &Message, out: &mut Vec<Act>) -> bool {
        let (asks, answers) = match code {
            401 => ("www-authenticate", "authorization"),
            _ => ("proxy-authenticate", "proxy-authorization"),
        };
        let Some(challenge) = message.get(asks).and_then(Challenge::read) else { return false };
        let Some((mut request, challenges)) = self.transactions.request_of(message) else { return false };
        if challenges >= 2 {
            return false;
        }
        self.challenge = Some((challenge, 0));
        let (number, method) = (request.cseq().0 + 1, request.method().to_string());
        request
            .headers
            .retain(|(n, _)| !matches!(n.as_str(), "via" | "cseq" | "authorization" | "proxy-authorization"));
        let via = self.via();
        request.headers.insert(0, ("via".to_string(), via));
        request.add("cseq", format!("{number} {method}"));
        self.authorize(&mut request, answers);
        match purpose {
            Purpose::Register => self.register_cseq = number,
            Purpose::Invite(no) => {
                if let Some(call) = self.calls.get_mut(&no) {
                    call.invite = request.clone();
                    call.cseq = number;
                    call.provisional = false;
                }
            }
            Purpose::Reinvite(no) | Purpose::Bye(no) | Purpose::Cancel(no) => {
                if let Some(call) = self.calls.get_mut(&no) {
                    call.cseq = number;
                }
            }
        }
        self.send(now_us, request, purpose, challenges + 1, out);
        true
    }

    fn register_answered(&mut self, now_us: u64, code: u16, message: &Message, out: &mut Vec<Act>) {
        if code < 200 {
            return;
        }
        if !(200..300).contains(&code) {
            let pause_us = self.dice.between(2_000_000, 8_000_000);
            self.plan_register(now_us + pause_us);
            out.push(Act::Tell(News::NotRegistered(code)));
            return;
        }
        let ours = self.contact();
        let own = message.all("contact").join(",");
        let own = own.split(',').find(|c| uri_of(c) == uri_of(&ours)).unwrap_or("").to_string();
        let granted = parameter(&own, "expires").or(message.get("expires")).and_then(|e| e.parse::<u64>().ok());
        let Some(granted_s) = granted else {
            out.push(Act::Tell(News::Protest(format!("200 to REGISTER without our contact: {own:?}"))));
            return;
        };
        self.registered_until_us = now_us + granted_s * 1_000_000;
        self.plan_register(now_us + granted_s * 500_000);
        out.push(Act::Tell(News::Registered));
    }

    fn invite_answered(&mut self, now_us: u64, no: CallNo, code: u16, message: &Message, out: &mut Vec<Act>) {
        let Some(call) = self.calls.get_mut(&no) else { return };
        if code < 200 {
            call.provisional = true;
            let leave = call.leave_soon && !call.cancelled;
            out.push(Act::Tell(News::Progress(no, code)));
            if leave {
                self.hang_up(now_us, no, out);
            }
            return;
        }
        if code >= 300 {
            let known = call.stage == Stage::Over;
            self.over(now_us, no);
            if !known {
                out.push(Act::Tell(News::Refused(no, code)));
            }
            return;
        }
        call.confirmed_by(message);
        call.stage = Stage::Talking;
        let leave = call.cancelled || call.leave_soon;
        self.acknowledge(no, message, out);
        out.push(Act::Tell(News::Answered(no)));
        if leave {
            self.bye(now_us, no, out);
        }
    }

    fn acknowledge(&mut self, no: CallNo, answer: &Message, out: &mut Vec<Act>) {
        let via = self.via();
        let Some(call) = self.calls.get_mut(&no) else { return };
        let ack = call.request("ACK", &via, Some(answer.cseq().0)).write();
        call.ack = Some(ack.clone());
        out.push(Act::Send(ack));
    }

    fn reinvite_answered(&mut self, now_us: u64, no: CallNo, code: u16, message: &Message, out: &mut Vec<Act>) {
        let Some(call) = self.calls.get_mut(&no) else { return };
        if code < 200 {
            return;
        }
        call.reinviting = false;
        if (200..300).contains(&code) {
            call.target = uri_of(message.text("contact")).to_string();
            if let Some(speech) = read_sdp(&message.body) {
                call.speech = Some(speech);
            }
            self.acknowledge(no, message, out);
        } else if matches!(code, 408 | 481) && call.stage == Stage::Talking {
            // RFC 3261 §12.2.1.2: the dialog is gone.
            self.bye(now_us, no, out);
        }
    }

    fn requested(&mut self, now_us: u64, message: &Message, out: &mut Vec<Act>) {
        let no = self.by_call_id.get(message.text("call-id")).copied();
        let inside = parameter(message.text("to"), "tag").is_some();
        match (message.method(), no) {
            ("ACK", Some(no)) => self.acked(now_us, no, message, out),
            ("ACK", None) => {}
            ("CANCEL", _) => self.cancelled(now_us, no, message, out),
            ("INVITE", None) if !inside => self.offered(now_us, message, out),
            ("INVITE", Some(no)) if inside => self.reinvited(now_us, no, message, out),
            ("INVITE", Some(_)) => self.respond(now_us, message, 482, "Loop Detected", out),
            ("BYE", Some(no)) if inside => self.left(now_us, no, message, out),
            ("OPTIONS" | "INFO" | "NOTIFY" | "UPDATE", _) => self.respond(now_us, message, 200, "OK", out),
            (_, None) => self.respond(now_us, message, 481, "Call Does Not Exist", out),
            (_, Some(_)) => self.respond(now_us, message, 405, "Method Not Allowed", out),
        }
    }

    fn acked(&mut self, now_us: u64, no: CallNo, message: &Message, out: &mut Vec<Act>) {
        let Some(call) = self.calls.get_mut(&no) else { return };
        let key = call.invite_key.clone();
        if call.invite.cseq().0 == message.cseq().0 && call.incoming {
            self.transactions.acknowledged(&key);
        }
        if call.stage == Stage::Accepted {
            call.stage = Stage::Talking;
            let leave = call.leave_soon;
            out.push(Act::Tell(News::Confirmed(no)));
            if leave {
                self.bye(now_us, no, out);
            }
        }
    }

    fn cancelled(&mut self, now_us: u64, no: Option<CallNo>, message: &Message, out: &mut Vec<Act>) {
        let call = no.and_then(|no| self.calls.get(&no));
        let Some(call) = call.filter(|c| c.incoming && c.invite.branch() == message.branch()) else {
            self.respond(now_us, message, 481, "Call Does Not Exist", out);
            return;
        };
        let (invite, ringing) = (call.invite.clone(), call.stage == Stage::Offered);
        self.respond(now_us, message, 200, "OK", out);
        if let (true, Some(no)) = (ringing, no) {
            self.respond(now_us, &invite, 487, "Request Terminated", out);
            self.over(now_us, no);
            out.push(Act::Tell(News::Cancelled(no)));
        }
    }

    fn offered(&mut self, now_us: u64, message: &Message, out: &mut Vec<Act>) {
        let Start::Request(_, uri) = &message.start else { return };
        if user_of(uri) != self.identity.user {
            self.respond(now_us, message, 404, "Not Found", out);
            return;
        }
        if !self.identity.call_waiting && self.live().next().is_some() {
            self.respond(now_us, message, 486, "Busy Here", out);
            return;
        }
        let no = CallNo(self.next_call);
        self.next_call += 1;
        let (tag, rtp) = (self.dice.hex(8), self.rtp_of(no));
        let call = Call::incoming(message.clone(), Transactions::key(message), rtp, &tag);
        self.by_call_id.insert(call.call_id.clone(), no);
        self.calls.insert(no, call);
        self.respond(now_us, message, 180, "Ringing", out);
        out.push(Act::Tell(News::Offered(no)));
    }

    fn reinvited(&mut self, now_us: u64, no: CallNo, message: &Message, out: &mut Vec<Act>) {
        let Some(call) = self.calls.get_mut(&no) else { return };
        let number = message.cseq().0;
        if matches!(call.stage, Stage::Over | Stage::Leaving) {
            self.respond(now_us, message, 481, "Call Does Not Exist", out);
        } else if number <= call.remote_cseq {
            self.respond(now_us, message, 500, "Out of Order", out);
        } else if call.reinviting || call.stage != Stage::Talking {
            self.respond(now_us, message, 491, "Request Pending", out);
        } else {
            call.remote_cseq = number;
            call.invite_key = Transactions::key(message);
            call.invite = message.clone();
            call.incoming = true;
            if let Some(speech) = read_sdp(&message.body) {
                call.speech = Some(speech);
            }
            call.sdp_version += 1;
            let mut answer = Message::response(message, 200, "OK", "");
            answer.add("content-type", "application/sdp");
            answer.body = write_sdp(call.rtp, call.sdp_version, "sendrecv");
            self.respond_with(now_us, message, answer, out);
        }
    }

    fn left(&mut self, now_us: u64, no: CallNo, message: &Message, out: &mut Vec<Act>) {
        let stage = self.calls.get(&no).map(|c| c.stage);
        match stage {
            Some(Stage::Talking | Stage::Accepted | Stage::Calling) => {
                self.respond(now_us, message, 200, "OK", out);
                if let Some(call) = self.calls.get(&no) {
                    let key = call.invite_key.clone();
                    self.transactions.acknowledged(&key);
                }
                self.over(now_us, no);
                out.push(Act::Tell(News::Ended(no)));
            }
            Some(Stage::Leaving) => self.respond(now_us, message, 200, "OK", out),
            Some(Stage::Offered | Stage::Over) | None => {
                self.respond(now_us, message, 481, "Call Does Not Exist", out);
            }
        }
    }

    /// Whether transactions and calls are forgotten, as far as a phone without calls can be.
    pub fn at_rest(&self) -> bool {
        self.live().next().is_none()
    }
}
