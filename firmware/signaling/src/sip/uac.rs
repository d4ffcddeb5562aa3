//! The calling side: our INVITE until its final response, CANCEL, forked answers (RFC 3261 §8.1.3, §9.1, §13.2).

use base::time::Now;

use super::dialog::{Dialog, State, Why, contact, via};
use super::door::{DialogKey, EndCause, Event, Hop, Invite, Output};
use super::endpoint::{Endpoint, summary, summary_of_bytes};
use super::header::{Envelope, escape_user, quoted};
use super::message::{ALLOW, Message, Method, Name, Start, Writer, parse, reason_phrase};
use super::receive::Arrival;
use super::transaction::{
    InviteClient, LONG, Machine, NonInviteClient, Purpose, Tell, TxKey, client_key, invite_client, non_invite_client,
};
use super::uas::finish;
use crate::sdp::{Audio, Others};

impl Endpoint {
    /// Calls somebody. Events name the key that is returned; when there is no way to the target `Refused` (503) is
    /// among `out` already.
    pub fn invite(&mut self, now: Now, invite: Invite, out: &mut Vec<Output>) -> DialogKey {
        let (branch, local_tag, call_id) = (self.random.token(), self.random.token(), self.random.token());
        let call_id = format!("{call_id}@{}", self.settings.local.ip());
        let hop = self.alive(&invite.target.hop);
        let user = escape_user(&invite.from);
        let at = if user.is_empty() { "" } else { "@" };
        let realm = if self.settings.realm.is_empty() { "invalid" } else { &self.settings.realm };
        let name = quoted(&invite.from_name);
        let local = format!("{name}<sip:{user}{at}{realm}>;tag={local_tag}");
        let target: String = invite.target.uri.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();

        let mut writer = Writer::request("INVITE", &target);
        via(&mut writer, self.settings.local, &branch, &hop);
        writer.field(&Name::MaxForwards, b"70");
        writer.pieces(&Name::From, &[&local]);
        writer.pieces(&Name::To, &["<", &target, ">"]);
        writer.pieces(&Name::CallId, &[&call_id]);
        writer.cseq(1, "INVITE");
        writer.pieces(&Name::Contact, &[&contact(self.settings.local, &user, &hop)]);
        writer.pieces(&Name::Allow, &[ALLOW]);
        writer.pieces(&Name::UserAgent, &[&self.settings.product]);
        for (name, value) in &invite.headers {
            let name: Vec<u8> = name.bytes().filter(|b| super::message::is_token(*b)).collect();
            if !name.is_empty() {
                writer.pieces(&Name::Other(name), &[value]);
            }
        }
        let request = finish(writer, invite.offer.as_ref(), &Others::default());

        let pinned = self.peer(remote_of(&hop)).is_none();
        let key = client_key(&branch_of(&branch), "INVITE");
        let machine = Machine::InviteClient(InviteClient::new(now.at, request.clone(), is_stream(&hop)));
        let tx = self.transactions.insert_client(machine, Purpose::Invite, Method::Invite, hop.clone(), None, key);
        let state = State::Calling { tx, delayed: invite.offer.is_none(), early: None };
        let mut dialog = Dialog::outgoing(call_id, local_tag, local, target, hop.clone(), state);
        dialog.pinned = pinned;
        dialog.contact_user = user;
        let dialog = self.enlist(dialog);
        if let Some(transaction) = self.transactions.get_mut(tx) {
            transaction.dialog = Some(dialog);
        }
        self.launch(now, tx, &hop, request, out);
        dialog
    }

    /// The first copy of a request of ours; no way there is told as `Unreachable`.
    pub(super) fn launch(&mut self, now: Now, tx: TxKey, hop: &Hop, request: Vec<u8>, out: &mut Vec<Output>) {
        let Some(transaction) = self.transactions.get(tx) else { return };
        let (dialog, words) = (transaction.dialog, summary_of_bytes(&request, &transaction.method));
        if self.transmit(hop, request, out) {
            self.trace(dialog, true, words, out);
            self.transactions.settle(tx, &mut self.timers);
        } else {
            self.broken(now, tx, out);
        }
    }

    /// A client transaction for a request inside a dialog, or of a subscription; `launch` must follow.
    pub(super) fn prepare(
        &mut self,
        now: Now,
        dialog: Option<DialogKey>,
        purpose: Purpose,
        branch: &str,
        hop: &Hop,
        request: &[u8],
    ) -> TxKey {
        let method = match purpose {
            Purpose::Invite | Purpose::Reinvite | Purpose::Serve => Method::Invite,
            Purpose::Cancel => Method::Cancel,
            Purpose::Bye => Method::Bye,
            Purpose::Notify(_) => Method::from_text("NOTIFY"),
        };
        let request = request.to_vec();
        let key = client_key(&branch_of(branch), method.as_str());
        let machine = if method == Method::Invite {
            Machine::InviteClient(InviteClient::new(now.at, request, is_stream(hop)))
        } else {
            Machine::NonInviteClient(NonInviteClient::new(now.at, request, is_stream(hop)))
        };
        self.transactions.insert_client(machine, purpose, method, self.alive(hop), dialog, key)
    }

    // Responses.

    /// A response that belongs to a client transaction.
    pub(super) fn client_response(
        &mut self,
        now: Now,
        arrival: Arrival,
        tx: TxKey,
        message: &Message,
        envelope: &Envelope,
        out: &mut Vec<Output>,
    ) {
        let Start::Response { code, .. } = message.start else { return };
        let Some(transaction) = self.transactions.get_mut(tx) else { return };
        let (purpose, dialog) = (transaction.purpose, transaction.dialog);
        let words = summary(message, &transaction.method);
        if let (Hop::Tcp { conn, .. }, Some(arrived)) = (&mut transaction.hop, arrival.conn) {
            *conn = Some(arrived);
        }
        let step = match &mut transaction.machine {
            Machine::InviteClient(m) => {
                let input = match code {
                    100..200 => invite_client::Input::Provisional,
                    200..300 => invite_client::Input::Success { to_tag: envelope.to.tag.clone().unwrap_or_default() },
                    _ => invite_client::Input::Failure { ack: ack_of_failure(m.request(), message) },
                };
                m.handle(now.at, input)
            }
            Machine::NonInviteClient(m) if code < 200 => m.handle(now.at, non_invite_client::Input::Provisional),
            Machine::NonInviteClient(m) => m.handle(now.at, non_invite_client::Input::Final),
            Machine::InviteServer(_) | Machine::NonInviteServer(_) => return,
        };
        self.trace(dialog, false, words, out);
        let tell = self.carry_out(tx, step, out);
        if tell == Some(Tell::Response) {
            match purpose {
                Purpose::Invite => self.invite_response(now, tx, dialog, code, message, envelope, out),
                Purpose::Reinvite => self.reinvite_response(now, tx, dialog, code, message, envelope, out),
                Purpose::Notify(subscription) if code >= 200 => self.notified(now, tx, subscription, code, out),
                Purpose::Notify(_) | Purpose::Cancel | Purpose::Bye | Purpose::Serve => {}
            }
        }
    }

    /// The way of a client transaction is closed.
    pub(super) fn broken(&mut self, now: Now, tx: TxKey, out: &mut Vec<Output>) {
        let Some(transaction) = self.transactions.get_mut(tx) else { return };
        let (purpose, dialog) = (transaction.purpose, transaction.dialog);
        let step = match &mut transaction.machine {
            Machine::InviteClient(m) => m.handle(now.at, invite_client::Input::Broken),
            Machine::NonInviteClient(m) => m.handle(now.at, non_invite_client::Input::Broken),
            Machine::InviteServer(_) | Machine::NonInviteServer(_) => return,
        };
        if let Some(tell) = self.carry_out(tx, step, out) {
            self.no_answer(now, tx, purpose, dialog, tell, out);
        }
    }

    /// A client transaction ended without a response: as if 408 or 503 had come (§8.1.3.1).
    pub(super) fn no_answer(
        &mut self,
        now: Now,
        tx: TxKey,
        purpose: Purpose,
        dialog: Option<DialogKey>,
        tell: Tell,
        out: &mut Vec<Output>,
    ) {
        let code = match tell {
            Tell::TimedOut => 408,
            Tell::Unreachable => 503,
            Tell::Response => return,
        };
        match (purpose, dialog) {
            (Purpose::Invite, Some(key)) => self.failed(key, code, reason_phrase(code), out),
            (Purpose::Reinvite, Some(key)) if self.dialogs.get(key).is_some() => self.gone(now, key, true, out),
            (Purpose::Notify(subscription), _) => self.notified(now, tx, subscription, code, out),
            (Purpose::Invite | Purpose::Reinvite | Purpose::Cancel | Purpose::Bye | Purpose::Serve, _) => {}
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a response with what is known of it")]
    fn invite_response(
        &mut self,
        now: Now,
        tx: TxKey,
        dialog: Option<DialogKey>,
        code: u16,
        message: &Message,
        envelope: &Envelope,
        out: &mut Vec<Output>,
    ) {
        let live = dialog.filter(|key| self.dialogs.get(*key).is_some());
        match (live, code) {
            (Some(key), ..200) => self.invite_progress(now, key, code, message, envelope, out),
            (None, ..200) => {}
            (Some(key), 200..300) => self.invite_answered(now, tx, key, message, envelope, out),
            (None, 200..300) => self.end_branch(now, tx, dialog, message, envelope, true, out),
            (Some(key), 300..) => {
                let Start::Response { reason, .. } = &message.start else { return };
                self.failed(key, code, reason, out);
            }
            (None, 300..) => {}
        }
    }

    fn invite_progress(
        &mut self,
        now: Now,
        key: DialogKey,
        code: u16,
        message: &Message,
        envelope: &Envelope,
        out: &mut Vec<Output>,
    ) {
        let Some(dialog) = self.dialogs.get_mut(key) else { return };
        match dialog.state_mut() {
            State::Calling { early, .. } if code > 100 => {
                let (answer, _) = Endpoint::streams_of(message);
                if let (Some(audio), Some(tag)) = (&answer, &envelope.to.tag) {
                    *early = Some((tag.clone(), audio.clone()));
                }
                out.push(Output::Event(Event::Progress { dialog: key, code, answer }));
            }
            State::Cancelling { give_up: None, tx, reason } => {
                let (tx, reason) = (*tx, reason.clone());
                self.send_cancel(now, key, tx, reason, out);
            }
            State::Calling { .. }
            | State::Cancelling { .. }
            | State::Incoming { .. }
            | State::Answered { .. }
            | State::Leaving { .. }
            | State::Confirmed
            | State::Reoffered { .. }
            | State::Reoffering { .. }
            | State::AckOwed { .. }
            | State::Glare { .. } => {}
        }
    }

    /// A 2xx to the INVITE that begins the dialog: the first makes the dialog, one of another branch is ended.
    fn invite_answered(
        &mut self,
        now: Now,
        tx: TxKey,
        key: DialogKey,
        message: &Message,
        envelope: &Envelope,
        out: &mut Vec<Output>,
    ) {
        let Some(dialog) = self.dialogs.get_mut(key) else { return };
        match dialog.state().clone() {
            State::Calling { delayed, early, .. } => {
                dialog.answered_by(message, envelope);
                let early = early.filter(|(tag, _)| envelope.to.tag.as_deref() == Some(tag)).map(|(_, audio)| audio);
                let (answer, others) = Endpoint::streams_of(message);
                let answer = answer.or(early);
                if delayed {
                    dialog.others = others;
                    self.enter(key, State::AckOwed { tx, cseq: envelope.cseq }, Why::Answer);
                    out.push(Output::Event(Event::Answered { dialog: key, answer }));
                } else {
                    self.acknowledge(now, key, tx, envelope.cseq, None, out);
                    out.push(Output::Event(Event::Answered { dialog: key, answer }));
                    self.confirmed(now, key, Why::Answer, out);
                }
            }
            State::Cancelling { reason, .. } => {
                dialog.answered_by(message, envelope);
                self.acknowledge(now, key, tx, envelope.cseq, None, out);
                self.bye(now, key, reason, out);
            }
            // The same 2xx again while our answer is owed.
            State::AckOwed { .. } if dialog.remote_tag == envelope.to.tag => {}
            State::AckOwed { .. }
            | State::Incoming { .. }
            | State::Answered { .. }
            | State::Leaving { .. }
            | State::Confirmed
            | State::Reoffered { .. }
            | State::Reoffering { .. }
            | State::Glare { .. } => self.end_branch(now, tx, Some(key), message, envelope, true, out),
        }
    }

    /// Acknowledges a 2xx that nobody wants, and ends its dialog (§13.2.2.4).
    #[allow(clippy::too_many_arguments, reason = "a response with what is known of it")]
    pub(super) fn end_branch(
        &mut self,
        now: Now,
        tx: TxKey,
        traced: Option<DialogKey>,
        message: &Message,
        envelope: &Envelope,
        bye: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(hop) = self.transactions.get(tx).map(|t| t.hop.clone()) else { return };
        let mut dialog = Dialog::branch(message, envelope, hop);
        dialog.pinned = self.peer(remote_of(&dialog.hop)).is_none();
        self.send_ack(now, &dialog, tx, envelope.cseq, None, out);
        if bye {
            self.send_bye(now, traced, dialog, None, out);
        }
    }

    /// The INVITE that begins the dialog failed for good.
    fn failed(&mut self, key: DialogKey, code: u16, reason: &str, out: &mut Vec<Output>) {
        let Some(dialog) = self.forget(key) else { return };
        if !dialog.is_released() {
            out.push(Output::Event(Event::Refused { dialog: key, code, reason: reason.to_owned() }));
        }
    }

    // ACK and CANCEL.

    /// The ACK of their 2xx, kept by the INVITE's transaction for copies of the 2xx.
    pub(super) fn acknowledge(
        &mut self,
        now: Now,
        key: DialogKey,
        tx: TxKey,
        cseq: u32,
        answer: Option<&Audio>,
        out: &mut Vec<Output>,
    ) {
        if let Some(dialog) = self.dialogs.get(key).cloned() {
            self.send_ack(now, &dialog, tx, cseq, answer, out);
        }
    }

    fn send_ack(
        &mut self,
        now: Now,
        dialog: &Dialog,
        tx: TxKey,
        cseq: u32,
        answer: Option<&Audio>,
        out: &mut Vec<Output>,
    ) {
        let branch = self.random.token();
        let hop = dialog.next_hop(&self.settings);
        let ack = finish(dialog.request(&self.settings, "ACK", cseq, &branch, &hop), answer, &dialog.others);
        let Some(transaction) = self.transactions.get_mut(tx) else { return };
        transaction.hop = hop;
        let to_tag = dialog.remote_tag.clone().unwrap_or_default();
        if let Machine::InviteClient(m) = &mut transaction.machine {
            let step = m.handle(now.at, invite_client::Input::Acknowledge { to_tag, ack });
            self.carry_out(tx, step, out);
        }
    }

    /// §9.1: the CANCEL of an INVITE that has got a provisional response.
    pub(super) fn send_cancel(
        &mut self,
        now: Now,
        key: DialogKey,
        tx: TxKey,
        reason: Option<String>,
        out: &mut Vec<Output>,
    ) {
        let Some(transaction) = self.transactions.get(tx) else { return };
        let Machine::InviteClient(m) = &transaction.machine else { return };
        let Ok(invite) = parse(m.request()) else { return };
        let Start::Request { uri, .. } = &invite.start else { return };
        let hop = transaction.hop.clone();
        let mut writer = Writer::request("CANCEL", uri);
        for field in &invite.fields {
            match field.name {
                Name::Via | Name::Route | Name::MaxForwards | Name::From | Name::To | Name::CallId => {
                    writer.field(&field.name, &field.value);
                }
                _ => {}
            }
        }
        let Ok(envelope) = Envelope::read(&invite) else { return };
        writer.cseq(envelope.cseq, "CANCEL");
        if let Some(reason) = &reason {
            writer.pieces(&Name::Reason, &[reason]);
        }
        let branch = envelope.via.branch.unwrap_or_default();
        let request = writer.finish(None, b"");
        self.enter(key, State::Cancelling { tx, give_up: Some(now.at + LONG), reason }, Why::CancelSent);
        let cookieless = branch.strip_prefix(super::header::MAGIC).unwrap_or(&branch);
        let cancel = self.prepare(now, Some(key), Purpose::Cancel, cookieless, &hop, &request);
        self.launch(now, cancel, &hop, request, out);
    }

    /// A request inside the dialog came to nothing (§12.2.1.2): it is over.
    pub(super) fn gone(&mut self, now: Now, key: DialogKey, bye: bool, out: &mut Vec<Output>) {
        let Some(released) = self.dialogs.get(key).map(Dialog::is_released) else { return };
        if bye {
            self.bye(now, key, None, out);
        } else {
            self.forget(key);
        }
        if !released {
            out.push(Output::Event(Event::Ended { dialog: key, cause: EndCause::Gone }));
        }
    }
}

/// RFC 3261 §17.1.1.3.
fn ack_of_failure(invite: &[u8], response: &Message) -> Vec<u8> {
    let Ok(invite) = parse(invite) else { return Vec::new() };
    let Start::Request { uri, .. } = &invite.start else { return Vec::new() };
    let mut writer = Writer::request("ACK", uri);
    for field in &invite.fields {
        match field.name {
            Name::Via | Name::Route | Name::MaxForwards | Name::From | Name::CallId => {
                writer.field(&field.name, &field.value);
            }
            Name::To => writer.field(&Name::To, response.field(&Name::To).map_or(&field.value, |f| &f.value)),
            Name::CSeq => {
                let number = field.text().split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(1);
                writer.cseq(number, "ACK");
            }
            _ => {}
        }
    }
    writer.finish(None, b"")
}

/// A branch as it is on the wire.
fn branch_of(branch: &str) -> String {
    [super::header::MAGIC, branch].concat()
}

fn is_stream(hop: &Hop) -> bool {
    matches!(hop, Hop::Tcp { .. })
}

fn remote_of(hop: &Hop) -> core::net::SocketAddr {
    match hop {
        Hop::Udp { remote, .. } | Hop::Tcp { remote, .. } => *remote,
    }
}
