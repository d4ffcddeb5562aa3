//! Requests inside a dialog, both ways: BYE, re-INVITE, UPDATE, INFO, OPTIONS; hanging up in every state; the
//! dialog's timers (RFC 3261 §12.2, §14, §15; RFC 3311).

use base::media::Digit;
use base::time::Now;
use core::time::Duration;

use super::dialog::{Dialog, Queued, State, Why};
use super::door::{DialogKey, EndCause, Event, Hop, Output};
use super::endpoint::{Endpoint, summary};
use super::header::{Envelope, content_type};
use super::message::{ALLOW, Message, Method, Name, text};
use super::receive::{Refusal, Request};
use super::transaction::{Machine, NonInviteServer, Purpose, TxKey, invite_client, invite_server, non_invite_server};
use super::uas::finish;
use crate::sdp::Audio;

impl Endpoint {
    /// The one way into another state of a dialog: the timer queue learns of it.
    pub(super) fn enter(&mut self, key: DialogKey, next: State, why: Why) {
        if let Some(dialog) = self.dialogs.get_mut(key) {
            dialog.enter(next, why);
            self.rearm(key);
        }
    }

    /// Nothing is open any more; an offer of ours that waited leaves now.
    pub(super) fn confirmed(&mut self, now: Now, key: DialogKey, why: Why, out: &mut Vec<Output>) {
        self.enter(key, State::Confirmed, why);
        if let Some(queued) = self.dialogs.get_mut(key).and_then(|d| d.queued.take()) {
            self.reoffer(now, key, queued.offer, out);
        }
    }

    // Their requests.

    /// A request with a To tag.
    pub(super) fn inside(&mut self, now: Now, request: &Request, tx_key: String, out: &mut Vec<Output>) {
        let Some(key) = self.find_dialog(&request.envelope).filter(|key| self.is_usable(*key)) else {
            self.refuse_without_memory(request, &Refusal::new(481), out);
            return;
        };
        self.trace(Some(key), false, summary(&request.message, &request.method), out);
        let answer = self.in_order(key, request).and_then(|()| Endpoint::acceptable(request)).and_then(|()| {
            match &request.method {
                Method::Bye => {
                    self.their_bye(now, key, request, &tx_key, out);
                    Ok(())
                }
                Method::Invite => self.their_offer(now, key, request, &tx_key, false, out),
                Method::Update => self.their_offer(now, key, request, &tx_key, true, out),
                Method::Info => self.info(key, &request.message, out),
                Method::Options => Err(Endpoint::capabilities()),
                Method::Ack | Method::Cancel | Method::Register | Method::Subscribe | Method::Unserved(_) => {
                    Err(Refusal::with(405, Name::Allow, ALLOW))
                }
                Method::Unknown(_) => Err(Refusal::with(501, Name::Allow, ALLOW)),
            }
        });
        let Err(answer) = answer else { return };
        if request.method == Method::Invite {
            let tx = self.invite_server(request, &tx_key, None);
            if let Some(transaction) = self.transactions.get_mut(tx) {
                transaction.dialog = Some(key);
            }
            self.invite_failure(now, tx, &answer, out);
        } else {
            self.serve(now, request, &tx_key, Some(key), &answer, out);
        }
    }

    /// A dialog that was cancelled before it was one takes no requests.
    fn is_usable(&self, key: DialogKey) -> bool {
        !matches!(self.dialogs.get(key).map(Dialog::state), Some(State::Cancelling { .. }) | None)
    }

    /// §12.2.2: older than what was seen is out of order, gaps are legal. The dialog learns where its peer is now.
    fn in_order(&mut self, key: DialogKey, request: &Request) -> Result<(), Refusal> {
        let Some(dialog) = self.dialogs.get_mut(key) else { return Err(Refusal::new(481)) };
        let cseq = request.envelope.cseq;
        if dialog.remote_cseq.is_some_and(|last| cseq <= last) {
            return Err(Refusal::because(500, "CSeq out of order"));
        }
        dialog.remote_cseq = Some(cseq);
        if dialog.pinned {
            dialog.hop = match (&dialog.hop, request.arrival.conn) {
                (Hop::Tcp { remote, .. }, Some(conn)) => Hop::Tcp { conn: Some(conn), remote: *remote },
                (Hop::Udp { .. }, None) => request.arrival.hop(),
                (Hop::Tcp { .. }, None) | (Hop::Udp { .. }, Some(_)) => dialog.hop.clone(),
            };
        }
        Ok(())
    }

    /// §15.1.2.
    fn their_bye(&mut self, now: Now, key: DialogKey, request: &Request, tx_key: &str, out: &mut Vec<Output>) {
        self.serve(now, request, tx_key, Some(key), &Refusal::new(200), out);
        let Some(dialog) = self.dialogs.get(key) else { return };
        let released = dialog.is_released();
        match dialog.state() {
            State::Incoming { tx, .. } => {
                let tx = *tx;
                self.cancelled(now, tx, Some(key), out);
                return;
            }
            State::Reoffered { tx, update, .. } => {
                let (tx, update) = (*tx, *update);
                self.refuse_reoffer(now, key, tx, update, 487, out);
            }
            State::AckOwed { tx, cseq } => {
                let (tx, cseq) = (*tx, *cseq);
                self.acknowledge(now, key, tx, cseq, None, out);
            }
            State::Calling { .. }
            | State::Cancelling { .. }
            | State::Answered { .. }
            | State::Leaving { .. }
            | State::Confirmed
            | State::Reoffering { .. }
            | State::Glare { .. } => {}
        }
        self.abandon_reinvite(now, key);
        self.forget(key);
        if !released {
            out.push(Output::Event(Event::Ended { dialog: key, cause: EndCause::Bye }));
        }
    }

    /// re-INVITE or UPDATE (§14.2, RFC 3311 §5.2).
    fn their_offer(
        &mut self,
        now: Now,
        key: DialogKey,
        request: &Request,
        tx_key: &str,
        update: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let Some(dialog) = self.dialogs.get_mut(key) else { return Err(Refusal::new(481)) };
        let offers = !update || !request.message.body.is_empty();
        match dialog.state().clone() {
            State::Reoffering { .. } | State::Calling { .. } if offers => return Err(Refusal::new(491)),
            State::Incoming { .. } | State::Answered { .. } | State::Reoffered { .. } | State::AckOwed { .. }
                if offers =>
            {
                return Err(Refusal::with(500, Name::RetryAfter, self.random.below(10).to_string()));
            }
            State::Leaving { .. } | State::Cancelling { .. } => return Err(Refusal::new(481)),
            State::Glare { offer, .. } => dialog.queued = Some(Queued { offer }),
            State::Confirmed
            | State::Reoffering { .. }
            | State::Calling { .. }
            | State::Incoming { .. }
            | State::Answered { .. }
            | State::Reoffered { .. }
            | State::AckOwed { .. } => {}
        }
        let (offer, others) = Endpoint::offer_of(&request.message)?.unzip();
        if let Some(dialog) = self.dialogs.get_mut(key) {
            dialog.retarget(&request.message);
            dialog.others = others.unwrap_or_else(|| dialog.others.clone());
        }
        if update && offer.is_none() {
            let contact = self.dialogs.get(key).map(|d| d.contact(&self.settings, &request.arrival.hop()));
            return Err(Refusal::with(200, Name::Contact, contact.unwrap_or_default()));
        }
        let tx = if update {
            let reply = request.reply();
            let machine = Machine::NonInviteServer(NonInviteServer::new(matches!(reply.hop, Hop::Tcp { .. })));
            self.transactions.insert_server(machine, reply, Some(key), tx_key.to_owned(), None)
        } else {
            let tx = self.invite_server(request, tx_key, None);
            if let Some(transaction) = self.transactions.get_mut(tx) {
                transaction.dialog = Some(key);
            }
            self.invite_provisional(now, tx, &Refusal::new(100), "", None, out);
            tx
        };
        self.enter(key, State::Reoffered { tx, offered: offer.is_some(), update }, Why::TheirOffer);
        out.push(Output::Event(Event::Reoffered { dialog: key, offer }));
        Ok(())
    }

    /// INFO: a digit, or nothing that we know. Answers always.
    fn info(&mut self, key: DialogKey, message: &Message, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let released = self.dialogs.get(key).is_none_or(Dialog::is_released);
        let kind = content_type(message).unwrap_or_default();
        let digit = match kind.as_str() {
            "application/dtmf-relay" => relayed_digit(&text(&message.body)),
            "application/dtmf" => text(&message.body).trim().chars().next().and_then(Digit::from_char),
            _ if message.body.is_empty() => return Err(Refusal::new(200)),
            _ => {
                return Err(Refusal::with(
                    415,
                    Name::Accept,
                    "application/sdp, application/dtmf-relay, application/dtmf",
                ));
            }
        };
        if let Some(digit) = digit.filter(|_| !released) {
            out.push(Output::Event(Event::Digit { dialog: key, digit }));
        }
        Err(Refusal::new(200))
    }

    /// Their answer to our re-INVITE.
    #[allow(clippy::too_many_arguments, reason = "a response with what is known of it")]
    pub(super) fn reinvite_response(
        &mut self,
        now: Now,
        tx: TxKey,
        dialog: Option<DialogKey>,
        code: u16,
        message: &Message,
        envelope: &Envelope,
        out: &mut Vec<Output>,
    ) {
        let ours = dialog.and_then(|key| match self.dialogs.get(key).map(Dialog::state) {
            Some(State::Reoffering { tx: t, offer }) if *t == tx => Some((key, offer.clone())),
            Some(_) | None => None,
        });
        match (ours, code) {
            (_, ..200) => {}
            (Some((key, offer)), 200..300) => {
                if let Some(dialog) = self.dialogs.get_mut(key) {
                    dialog.retarget(message);
                }
                let (answer, others) = Endpoint::streams_of(message);
                if offer.is_none() {
                    if let Some(dialog) = self.dialogs.get_mut(key) {
                        dialog.others = others;
                    }
                    self.enter(key, State::AckOwed { tx, cseq: envelope.cseq }, Why::Answer);
                    out.push(Output::Event(Event::Answered { dialog: key, answer }));
                } else {
                    self.acknowledge(now, key, tx, envelope.cseq, None, out);
                    out.push(Output::Event(Event::Answered { dialog: key, answer }));
                    self.confirmed(now, key, Why::Answer, out);
                }
            }
            (None, 200..300) => {
                let owed = matches!(dialog.and_then(|k| self.dialogs.get(k)).map(Dialog::state),
                    Some(State::AckOwed { tx: t, .. }) if *t == tx);
                if !owed {
                    self.end_branch(now, tx, dialog, message, envelope, false, out);
                }
            }
            (Some((key, offer)), 491) => {
                let at = now.at + self.glare_wait(key);
                self.enter(key, State::Glare { at, offer }, Why::Pending);
            }
            (Some((key, _)), 408 | 481) => self.gone(now, key, code == 408, out),
            (Some((key, _)), 300..) => self.confirmed(now, key, Why::OfferFailed, out),
            (None, 300..) => {}
        }
    }

    /// §14.1: 2.1 to 4 s for the one who made the Call-ID, else 0 to 2 s, in steps of 10 ms.
    fn glare_wait(&mut self, key: DialogKey) -> Duration {
        let ours = self.dialogs.get(key).is_some_and(|d| {
            let suffix = format!("@{}", self.settings.local.ip());
            d.call_id.ends_with(&suffix)
        });
        let tens = if ours { 210 + self.random.below(191) } else { self.random.below(201) };
        Duration::from_millis(10 * tens)
    }

    // Our requests.

    /// re-INVITE of ours, with an offer or with none (then theirs comes with `Answered` and `accept` answers it). While
    /// another exchange is open it waits for its end; the newest offer counts. 491 is tried again by itself; any other
    /// failure leaves the session as it was, without an event.
    pub fn reoffer(&mut self, now: Now, dialog: DialogKey, offer: Option<Audio>, out: &mut Vec<Output>) {
        let Some(d) = self.dialogs.get_mut(dialog) else { return };
        match d.state_mut() {
            State::Confirmed => self.send_reinvite(now, dialog, offer, out),
            State::Glare { offer: waiting, .. } => *waiting = offer,
            State::Answered { .. } | State::Reoffered { .. } | State::Reoffering { .. } | State::AckOwed { .. } => {
                d.queued = Some(Queued { offer });
            }
            State::Incoming { .. } | State::Calling { .. } | State::Cancelling { .. } | State::Leaving { .. } => {}
        }
    }

    fn send_reinvite(&mut self, now: Now, key: DialogKey, offer: Option<Audio>, out: &mut Vec<Output>) {
        let branch = self.random.token();
        let Some(dialog) = self.dialogs.get_mut(key) else { return };
        dialog.local_cseq += 1;
        let hop = dialog.next_hop(&self.settings);
        let mut writer = dialog.request(&self.settings, "INVITE", dialog.local_cseq, &branch, &hop);
        writer.pieces(&Name::Contact, &[&dialog.contact(&self.settings, &hop)]);
        writer.pieces(&Name::Allow, &[ALLOW]);
        let request = finish(writer, offer.as_ref(), &dialog.others);
        // The state stands before the request leaves: no way there ends the dialog.
        let tx = self.prepare(now, Some(key), Purpose::Reinvite, &branch, &hop, &request);
        self.enter(key, State::Reoffering { tx, offer }, Why::OurOffer);
        self.launch(now, tx, &hop, request, out);
    }

    /// Ends a dialog whatever its state; `reason` is the value of a Reason field (RFC 3326). The key is stale for the
    /// caller at once, no event but `Trace` names it any more.
    pub fn hangup(&mut self, now: Now, dialog: DialogKey, reason: Option<&str>, out: &mut Vec<Output>) {
        let reason = reason.map(str::to_owned);
        let Some(state) = self.dialogs.get(dialog).map(|d| d.state().clone()) else { return };
        match state {
            State::Incoming { tx, .. } => {
                let mut answer = Refusal::new(480);
                answer.extra.extend(reason.map(|r| (Name::Reason, r)));
                self.invite_failure(now, tx, &answer, out);
                self.forget(dialog);
            }
            State::Calling { tx, .. } => {
                let proceeding = self.transactions.get(tx).is_some_and(|t| match &t.machine {
                    Machine::InviteClient(m) => m.is_proceeding(),
                    Machine::NonInviteClient(_) | Machine::InviteServer(_) | Machine::NonInviteServer(_) => false,
                });
                if proceeding {
                    self.send_cancel(now, dialog, tx, reason, out);
                } else {
                    // §9.1 forbids CANCEL now. The INVITE is repeated as if nothing had happened: it may ring already and
                    // its 180 be lost, and only another copy makes the phone say so again. The first provisional response
                    // is answered by CANCEL, a 2xx by ACK and BYE.
                    self.enter(dialog, State::Cancelling { tx, give_up: None, reason }, Why::HungUp);
                    self.nobody_waits(now, tx, invite_client::Input::GiveUp);
                }
            }
            State::Answered { wait } if wait.initial => {
                self.enter(dialog, State::Leaving { wait, reason }, Why::HungUp);
            }
            State::Reoffered { tx, update, .. } => {
                self.refuse_reoffer(now, dialog, tx, update, 487, out);
                self.bye(now, dialog, reason, out);
            }
            State::AckOwed { tx, cseq } => {
                self.acknowledge(now, dialog, tx, cseq, None, out);
                self.bye(now, dialog, reason, out);
            }
            State::Answered { .. } | State::Confirmed | State::Reoffering { .. } | State::Glare { .. } => {
                self.bye(now, dialog, reason, out);
            }
            State::Cancelling { .. } | State::Leaving { .. } => {}
        }
    }

    /// BYE, and the dialog is forgotten; the BYE's transaction goes on alone.
    pub(super) fn bye(&mut self, now: Now, key: DialogKey, reason: Option<String>, out: &mut Vec<Output>) {
        self.abandon_reinvite(now, key);
        if let Some(dialog) = self.forget(key) {
            self.send_bye(now, Some(key), dialog, reason, out);
        }
    }

    /// The dialog ends while a re-INVITE of ours is open: its transaction may wait for an answer, but not for ever.
    fn abandon_reinvite(&mut self, now: Now, key: DialogKey) {
        let Some(State::Reoffering { tx, .. }) = self.dialogs.get(key).map(Dialog::state) else { return };
        self.nobody_waits(now, *tx, invite_client::Input::Abandon);
    }

    fn nobody_waits(&mut self, now: Now, tx: TxKey, input: invite_client::Input) {
        if let Some(Machine::InviteClient(m)) = self.transactions.get_mut(tx).map(|t| &mut t.machine) {
            m.handle(now.at, input);
            self.transactions.settle(tx, &mut self.timers);
        }
    }

    pub(super) fn send_bye(
        &mut self,
        now: Now,
        traced: Option<DialogKey>,
        mut dialog: Dialog,
        reason: Option<String>,
        out: &mut Vec<Output>,
    ) {
        let branch = self.random.token();
        dialog.local_cseq += 1;
        let hop = dialog.next_hop(&self.settings);
        let mut writer = dialog.request(&self.settings, "BYE", dialog.local_cseq, &branch, &hop);
        if let Some(reason) = &reason {
            writer.pieces(&Name::Reason, &[reason]);
        }
        let request = writer.finish(None, b"");
        if let Some(traced) = traced {
            let tx = self.prepare(now, Some(traced), Purpose::Bye, &branch, &hop, &request);
            self.launch(now, tx, &hop, request, out);
        }
    }

    pub(super) fn update_success(
        &mut self,
        now: Now,
        key: DialogKey,
        tx: TxKey,
        answer: Option<Audio>,
        out: &mut Vec<Output>,
    ) {
        let Some(transaction) = self.transactions.get(tx) else { return };
        let (Some(reply), Some(dialog)) = (transaction.reply.as_ref(), self.dialogs.get(key)) else { return };
        let contact = dialog.contact(&self.settings, &transaction.hop);
        let response = Refusal::with(200, Name::Contact, contact);
        let bytes = finish(self.respond(reply, &response, &dialog.local_tag), answer.as_ref(), &dialog.others);
        if let Some(Machine::NonInviteServer(m)) = self.transactions.get_mut(tx).map(|t| &mut t.machine) {
            let step = m.handle(now.at, non_invite_server::Input::Final(bytes));
            self.carry_out(tx, step, out);
        }
        self.confirmed(now, key, Why::Accepted, out);
    }

    // Timers.

    /// A dialog's deadline has come.
    pub(super) fn dialog_timer(&mut self, now: Now, key: DialogKey, out: &mut Vec<Output>) {
        let Some(state) = self.dialogs.get(key).map(|d| d.state().clone()) else { return };
        match state {
            State::Incoming { tx, .. } => self.nudge(now, key, tx, out),
            State::Cancelling { tx, .. } => {
                // §9.1: no final response within 64 T1 of the CANCEL counts as cancelled.
                self.transactions.remove(tx, &mut self.timers);
                self.forget(key);
            }
            State::Answered { wait } if wait.give_up <= now.at => {
                self.bye(now, key, None, out);
                out.push(Output::Event(Event::Ended { dialog: key, cause: EndCause::NoAck }));
            }
            State::Leaving { wait, reason } if wait.give_up <= now.at => self.bye(now, key, reason, out),
            State::Answered { wait } | State::Leaving { wait, .. } => {
                let again = invite_server::Input::Success(wait.response.clone());
                self.invite_step(now, wait.tx, again, out);
                if let Some(State::Answered { wait } | State::Leaving { wait, .. }) =
                    self.dialogs.get_mut(key).map(Dialog::state_mut)
                {
                    wait.resent(now.at);
                }
                self.rearm(key);
            }
            State::Glare { offer, .. } => self.send_reinvite(now, key, offer, out),
            State::Calling { .. }
            | State::Confirmed
            | State::Reoffered { .. }
            | State::Reoffering { .. }
            | State::AckOwed { .. } => {}
        }
    }
}

/// `Signal=5` among the lines of application/dtmf-relay.
fn relayed_digit(body: &str) -> Option<Digit> {
    let value = body.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("Signal").then(|| value.trim())
    })?;
    match value {
        "10" => Digit::from_char('*'),
        "11" => Digit::from_char('#'),
        _ if value.chars().count() == 1 => value.chars().next().and_then(Digit::from_char),
        _ => None,
    }
}
