//! What a virtual phone does with the messages that reach it: answers to its own requests, and requests of the box.

use super::{Act, News, Phone};
use crate::sim::dialog::{Call, Stage};
use crate::sim::digest::Challenge;
use crate::sim::message::{Message, Start, parameter, read_sdp, uri_of, user_of, write_sdp};
use crate::sim::transaction::{CallNo, Heard, Purpose, Transactions};

impl Phone {
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
            Purpose::Bye(_) | Purpose::Cancel(_) | Purpose::Info(_) => {}
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
            Purpose::Reinvite(no) | Purpose::Bye(no) | Purpose::Cancel(no) | Purpose::Info(no) => {
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
        let mut ack = call.request("ACK", &via, Some(answer.cseq().0));
        if std::mem::take(&mut call.delayed) {
            ack.add("content-type", "application/sdp");
            ack.body = write_sdp(call.rtp, call.sdp_version, "sendrecv");
        }
        let ack = ack.write();
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
}
