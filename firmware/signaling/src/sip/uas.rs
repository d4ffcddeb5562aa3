//! The called side: a new INVITE until its final response, CANCEL, ACK (RFC 3261 §9.2, §13.3).

use base::time::Now;
use core::time::Duration;

use super::dialog::{AckWait, Dialog, State, Why};
use super::door::{DialogKey, Event, Incoming, Origin, Output};
use super::endpoint::{Endpoint, summary};
use super::header::{Address, Contacts, Place, content_type, tokens};
use super::message::{ALLOW, Message, Method, Name, Writer};
use super::receive::{Refusal, Request};
use super::transaction::{InviteServer, Machine, TxKey, invite_server, merge_key, server_key};
use crate::sdp::{self, Audio, Others, SdpError};

/// RFC 3261 §13.3.1.1: a provisional response at least every minute.
const NUDGE: Duration = Duration::from_secs(60);
const SDP: &str = "application/sdp";

impl Endpoint {
    /// A new INVITE: checked, authenticated, put into the tables, told.
    pub(super) fn incoming(
        &mut self,
        now: Now,
        request: &Request,
        key: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        if request.arrival.shed {
            self.dropped.shed += 1;
            return Err(Refusal::with(503, Name::RetryAfter, "5"));
        }
        let merge = merge_key(&request.envelope);
        if self.transactions.is_merged(&merge) {
            return Err(Refusal::new(482));
        }
        let (offer, others) = Endpoint::offer_of(&request.message)?.unzip();
        let contact = match Contacts::read(&request.message) {
            Some(Contacts::List(list)) => list.into_iter().next(),
            Some(Contacts::Wildcard) | None => return Err(Refusal::because(400, "Bad Contact")),
        };
        let origin = match self.peer(request.arrival.remote) {
            Some(name) => Origin::Peer(name.to_owned()),
            None => Origin::Account(self.authenticate(now, request, request.envelope.from.user(), out)?),
        };
        let called = Place::parse(&request.uri).map(|p| p.user).unwrap_or_default();
        let hop = match &origin {
            Origin::Account(_) => request.arrival.contact_hop(contact.as_ref().and_then(|c| c.place.as_ref())),
            Origin::Peer(_) => request.arrival.hop(),
        };
        let tag = self.random.token();
        let tx = self.invite_server(request, key, Some(merge));
        let state = State::Incoming { tx, offered: offer.is_some(), nudge_at: now.at + NUDGE };
        let mut dialog = Dialog::incoming(&request.message, &request.envelope, tag, hop, state);
        dialog.pinned = matches!(origin, Origin::Account(_));
        dialog.contact_user = super::header::escape_user(&called);
        dialog.others = others.unwrap_or_default();
        let dialog = self.enlist(dialog);
        if let Some(transaction) = self.transactions.get_mut(tx) {
            transaction.dialog = Some(dialog);
        }
        self.trace(Some(dialog), false, summary(&request.message, &Method::Invite), out);
        self.invite_provisional(now, tx, &Refusal::new(100), "", None, out);
        let (caller, caller_name) = caller(request, &origin);
        let call_id = request.envelope.call_id.clone();
        let incoming = Incoming { dialog, origin, caller, caller_name, called, offer, call_id };
        out.push(Output::Event(Event::Incoming(incoming)));
        Ok(())
    }

    /// A server transaction for an INVITE.
    pub(super) fn invite_server(&mut self, request: &Request, key: &str, merge: Option<String>) -> TxKey {
        let reply = request.reply();
        let reliable = matches!(reply.hop, super::door::Hop::Tcp { .. });
        let machine = Machine::InviteServer(InviteServer::new(reliable));
        self.transactions.insert_server(machine, reply, None, key.to_owned(), merge)
    }

    /// The offer in an INVITE, UPDATE or re-INVITE, or why it cannot be served (§8.2.3, §13.3.1, §21.4.7).
    pub(super) fn offer_of(message: &Message) -> Result<Option<(Audio, Others)>, Refusal> {
        let accepted = tokens(message, &Name::Accept);
        if !accepted.is_empty()
            && !accepted.iter().any(|a| matches!(a.to_ascii_lowercase().as_str(), SDP | "application/*" | "*/*"))
        {
            return Err(Refusal::with(406, Name::Accept, SDP));
        }
        if message.body.is_empty() {
            return Ok(None);
        }
        let encoded = tokens(message, &Name::ContentEncoding).iter().any(|e| !e.eq_ignore_ascii_case("identity"));
        if encoded || content_type(message).is_some_and(|t| t != SDP) {
            let optional = message
                .value(&Name::ContentDisposition)
                .is_some_and(|d| d.to_ascii_lowercase().contains("handling=optional"));
            return if optional { Ok(None) } else { Err(Refusal::with(415, Name::Accept, SDP)) };
        }
        match sdp::parse_offer(&message.body) {
            Ok((audio, _)) if audio.formats.is_empty() => Err(Refusal::new(488)),
            Ok(offer) => Ok(Some(offer)),
            Err(SdpError::Malformed) => Err(Refusal::because(400, "Bad session description")),
            Err(SdpError::NoAudio | SdpError::NoAddress) => Err(Refusal::new(488)),
        }
    }

    /// The session description of a message whose sender cannot be asked for a better one.
    pub(super) fn streams_of(message: &Message) -> (Option<Audio>, Others) {
        if content_type(message).is_some_and(|t| t != SDP) {
            return (None, Others::default());
        }
        match sdp::parse_offer(&message.body) {
            Ok((audio, others)) => (Some(audio), others),
            Err(_) => (None, Others::default()),
        }
    }

    /// §9.2.
    pub(super) fn cancel(&mut self, now: Now, request: &Request, key: String, out: &mut Vec<Output>) {
        let invite = server_key(&request.envelope, &request.uri, &Method::Invite);
        let Some(tx) = self.transactions.server(&invite) else {
            self.refuse_without_memory(request, &Refusal::new(481), out);
            return;
        };
        let Some(transaction) = self.transactions.get(tx) else { return };
        let dialog = transaction.dialog;
        let proceeding = matches!(&transaction.machine, Machine::InviteServer(m) if m.is_proceeding());
        self.trace(dialog, false, summary(&request.message, &Method::Cancel), out);
        self.serve(now, request, &key, dialog, &Refusal::new(200), out);
        if proceeding {
            self.cancelled(now, tx, dialog, out);
        }
    }

    /// An INVITE of theirs ends with 487 because they want it to.
    pub(super) fn cancelled(&mut self, now: Now, tx: TxKey, dialog: Option<DialogKey>, out: &mut Vec<Output>) {
        self.invite_failure(now, tx, &Refusal::new(487), out);
        let Some(key) = dialog else { return };
        match self.dialogs.get(key).map(Dialog::state) {
            Some(State::Incoming { .. }) => {
                self.forget(key);
                out.push(Output::Event(Event::Cancelled { dialog: key }));
            }
            // A cancelled re-INVITE leaves the session as it was.
            Some(State::Reoffered { .. }) => self.confirmed(now, key, Why::OfferFailed, out),
            Some(_) | None => {}
        }
    }

    /// An ACK that no transaction wants: of a 2xx, or of an answer that we gave without memory.
    pub(super) fn ack(&mut self, now: Now, request: &Request, out: &mut Vec<Output>) {
        let Some(key) = self.find_dialog(&request.envelope) else {
            if request.envelope.to.tag.as_deref() != Some(self.stateless_tag(&request.envelope).as_str()) {
                self.dropped.stray_ack += 1;
            }
            return;
        };
        self.trace(Some(key), false, summary(&request.message, &Method::Ack), out);
        let Some(dialog) = self.dialogs.get(key) else { return };
        match dialog.state() {
            State::Answered { wait } if wait.cseq == request.envelope.cseq => {
                let (tell, our_offer) = (wait.initial || wait.our_offer, wait.our_offer);
                let answer = if our_offer { Endpoint::streams_of(&request.message).0 } else { None };
                if tell {
                    out.push(Output::Event(Event::Confirmed { dialog: key, answer }));
                }
                self.confirmed(now, key, Why::Acknowledged, out);
            }
            State::Leaving { wait, reason } if wait.cseq == request.envelope.cseq => {
                let reason = reason.clone();
                self.bye(now, key, reason, out);
            }
            // Copies of an ACK that was seen.
            State::Answered { .. }
            | State::Leaving { .. }
            | State::Incoming { .. }
            | State::Calling { .. }
            | State::Cancelling { .. }
            | State::Confirmed
            | State::Reoffered { .. }
            | State::Reoffering { .. }
            | State::AckOwed { .. }
            | State::Glare { .. } => {}
        }
    }

    // What our user decides.

    /// Provisional response 180 or 183 to an incoming INVITE, with early media when there is an answer. Any other
    /// code between 101 and 199 goes as well; a dialog in another state is left alone.
    pub fn progress(&mut self, now: Now, dialog: DialogKey, code: u16, answer: Option<Audio>, out: &mut Vec<Output>) {
        let Some(d) = self.dialogs.get_mut(dialog) else { return };
        let tag = d.local_tag.clone();
        let State::Incoming { tx, nudge_at, .. } = d.state_mut() else { return };
        *nudge_at = now.at + NUDGE;
        let tx = *tx;
        self.rearm(dialog);
        let code = if (101..200).contains(&code) { code } else { 180 };
        let mut response = Refusal::new(code);
        response.extra.push((Name::Contact, self.contact_of(dialog, tx)));
        self.invite_provisional(now, tx, &response, &tag, answer.as_ref(), out);
    }

    /// 2xx to an INVITE, re-INVITE or UPDATE; after a 2xx of theirs that held an offer, the ACK with our answer. When
    /// the INVITE had no offer, `answer` is our offer and the answer comes with `Confirmed`.
    pub fn accept(&mut self, now: Now, dialog: DialogKey, answer: Option<Audio>, out: &mut Vec<Output>) {
        match self.dialogs.get(dialog).map(Dialog::state) {
            Some(State::Incoming { tx, offered, .. }) => {
                let (tx, offered) = (*tx, *offered);
                self.invite_success(now, dialog, tx, answer, !offered, true, out);
            }
            Some(State::Reoffered { tx, offered, update: false }) => {
                let (tx, offered) = (*tx, *offered);
                self.invite_success(now, dialog, tx, answer, !offered, false, out);
            }
            Some(State::Reoffered { tx, update: true, .. }) => {
                let tx = *tx;
                self.update_success(now, dialog, tx, answer, out);
            }
            Some(State::AckOwed { tx, cseq }) => {
                let (tx, cseq) = (*tx, *cseq);
                self.acknowledge(now, dialog, tx, cseq, answer.as_ref(), out);
                self.confirmed(now, dialog, Why::Acknowledged, out);
            }
            Some(
                State::Calling { .. }
                | State::Cancelling { .. }
                | State::Answered { .. }
                | State::Leaving { .. }
                | State::Confirmed
                | State::Reoffering { .. }
                | State::Glare { .. },
            )
            | None => {}
        }
    }

    /// Final failure. Of the INVITE that begins the dialog: the key is stale afterwards. Of a re-INVITE or UPDATE: the
    /// session stays as it was. `code` is 300-699, anything else becomes 500.
    pub fn refuse(&mut self, now: Now, dialog: DialogKey, code: u16, out: &mut Vec<Output>) {
        let code = if (300..700).contains(&code) { code } else { 500 };
        match self.dialogs.get(dialog).map(Dialog::state) {
            Some(State::Incoming { tx, .. }) => {
                let tx = *tx;
                self.invite_failure(now, tx, &Refusal::new(code), out);
                self.forget(dialog);
            }
            Some(State::Reoffered { tx, update, .. }) => {
                let (tx, update) = (*tx, *update);
                self.refuse_reoffer(now, dialog, tx, update, code, out);
                self.confirmed(now, dialog, Why::Refused, out);
            }
            Some(State::AckOwed { .. }) => self.hangup(now, dialog, None, out),
            Some(
                State::Calling { .. }
                | State::Cancelling { .. }
                | State::Answered { .. }
                | State::Leaving { .. }
                | State::Confirmed
                | State::Reoffering { .. }
                | State::Glare { .. },
            )
            | None => {}
        }
    }

    pub(super) fn refuse_reoffer(
        &mut self,
        now: Now,
        dialog: DialogKey,
        tx: TxKey,
        update: bool,
        code: u16,
        out: &mut Vec<Output>,
    ) {
        if update {
            let tag = self.dialogs.get(dialog).map(|d| d.local_tag.clone()).unwrap_or_default();
            self.serve_final(now, tx, &Refusal::new(code), &tag, out);
        } else {
            self.invite_failure(now, tx, &Refusal::new(code), out);
        }
    }

    // Responses to INVITE.

    fn contact_of(&self, dialog: DialogKey, tx: TxKey) -> String {
        match (self.dialogs.get(dialog), self.transactions.get(tx)) {
            (Some(d), Some(t)) => d.contact(&self.settings, &t.hop),
            (Some(_) | None, Some(_) | None) => String::new(),
        }
    }

    fn others(&self, tx: TxKey) -> Others {
        let dialog = self.transactions.get(tx).and_then(|t| t.dialog).and_then(|d| self.dialogs.get(d));
        dialog.map(|d| d.others.clone()).unwrap_or_default()
    }

    pub(super) fn invite_provisional(
        &mut self,
        now: Now,
        tx: TxKey,
        response: &Refusal,
        to_tag: &str,
        answer: Option<&Audio>,
        out: &mut Vec<Output>,
    ) {
        let Some(reply) = self.transactions.get(tx).and_then(|t| t.reply.as_ref()) else { return };
        let others = self.others(tx);
        let bytes = finish(self.respond(reply, response, to_tag), answer, &others);
        self.invite_step(now, tx, invite_server::Input::Provisional(bytes), out);
    }

    #[allow(clippy::too_many_arguments, reason = "each says another thing of one response")]
    fn invite_success(
        &mut self,
        now: Now,
        dialog: DialogKey,
        tx: TxKey,
        body: Option<Audio>,
        our_offer: bool,
        initial: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(reply) = self.transactions.get(tx).and_then(|t| t.reply.as_ref()) else { return };
        let Some(d) = self.dialogs.get(dialog) else { return };
        let mut response = Refusal::with(200, Name::Allow, ALLOW);
        response.extra.push((Name::Contact, self.contact_of(dialog, tx)));
        let bytes = finish(self.respond(reply, &response, &d.local_tag), body.as_ref(), &d.others);
        let cseq = d.remote_cseq.unwrap_or(0);
        self.invite_step(now, tx, invite_server::Input::Success(bytes.clone()), out);
        let wait = AckWait::new(now.at, tx, cseq, bytes, our_offer, initial);
        self.enter(dialog, State::Answered { wait }, Why::Accepted);
    }

    pub(super) fn invite_failure(&mut self, now: Now, tx: TxKey, response: &Refusal, out: &mut Vec<Output>) {
        let Some(transaction) = self.transactions.get(tx) else { return };
        let Some(reply) = transaction.reply.as_ref() else { return };
        let tag = transaction.dialog.and_then(|d| self.dialogs.get(d)).map(|d| d.local_tag.clone());
        let tag = tag.unwrap_or_else(|| self.guard.stateless_tag(&format!("{tx:?}"), ""));
        let bytes = self.respond(reply, response, &tag).finish(None, b"");
        self.transactions.unmerge(tx);
        self.invite_step(now, tx, invite_server::Input::Failure(bytes), out);
    }

    pub(super) fn invite_step(&mut self, now: Now, tx: TxKey, input: invite_server::Input, out: &mut Vec<Output>) {
        let Some(transaction) = self.transactions.get_mut(tx) else { return };
        if let Machine::InviteServer(m) = &mut transaction.machine {
            let step = m.handle(now.at, input);
            self.carry_out(tx, step, out);
        }
    }

    /// The last provisional response again, so that proxies wait on.
    pub(super) fn nudge(&mut self, now: Now, dialog: DialogKey, tx: TxKey, out: &mut Vec<Output>) {
        let last = self.transactions.get(tx).and_then(|t| match &t.machine {
            Machine::InviteServer(m) => m.last_provisional().map(<[u8]>::to_vec),
            Machine::InviteClient(_) | Machine::NonInviteClient(_) | Machine::NonInviteServer(_) => None,
        });
        if let Some(State::Incoming { nudge_at, .. }) = self.dialogs.get_mut(dialog).map(Dialog::state_mut) {
            *nudge_at = now.at + NUDGE;
        }
        self.rearm(dialog);
        if let Some(bytes) = last {
            self.invite_step(now, tx, invite_server::Input::Provisional(bytes), out);
        }
    }
}

/// User and name of the caller: a trunk may assert them (RFC 3325), a phone says them in From.
fn caller(request: &Request, origin: &Origin) -> (String, String) {
    let from = &request.envelope.from;
    let asserted = match origin {
        Origin::Peer(_) => Address::all(&request.message, &Name::PAssertedIdentity),
        Origin::Account(_) => None,
    };
    let asserted = asserted.and_then(|list| list.into_iter().find(|a| !a.user().is_empty()));
    match asserted {
        Some(a) => {
            let name = if a.display.is_empty() { from.display.clone() } else { a.display.clone() };
            (a.user().to_owned(), name)
        }
        None => (from.user().to_owned(), from.display.clone()),
    }
}

/// Ends a message with a session description or without.
pub(super) fn finish(writer: Writer, audio: Option<&Audio>, others: &Others) -> Vec<u8> {
    match audio {
        Some(audio) => writer.finish(Some(SDP), &sdp::write_answer(audio, others)),
        None => writer.finish(None, b""),
    }
}
