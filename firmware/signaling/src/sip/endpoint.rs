//! The SIP user agent core as one value: inputs with a time stamp go in, outputs are appended. This file holds the
//! value, its public verbs, the way out to the network and the timers; `receive.rs` takes messages in, `uas.rs`,
//! `uac.rs` and `in_dialog.rs` are its two roles and the dialogs between, `subscription.rs` its lamps.

use base::slab::Slab;
use base::time::{Instant, Now};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::dialog::Dialog;
use super::digest::Guard;
use super::door::{Account, ConnId, Contact, DialogKey, Dropped, Event, Hop, Input, Output, Settings};
use super::header::Envelope;
use super::message::{Message, Method, Start, Unreadable, parse};
use super::random::Random;
use super::receive::Arrival;
use super::registrar::Registrar;
use super::stream::{Piece, Streams};
use super::subscription::Subscriptions;
use super::timers::{Due, Timers};
use super::transaction::{
    Machine, Step, Table, Tell, TxKey, client_key, invite_client, invite_server, non_invite_client, non_invite_server,
    server_key,
};

/// The SIP user agent core: UAS, UAC, registrar and notifier. All of it is plain data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    pub(super) settings: Settings,
    pub(super) random: Random,
    pub(super) guard: Guard,
    pub(super) registrar: Registrar,
    pub(super) subscriptions: Subscriptions,
    pub(super) transactions: Table,
    pub(super) dialogs: Slab<DialogKey, Dialog>,
    /// By our tag.
    pub(super) by_tag: BTreeMap<String, DialogKey>,
    pub(super) timers: Timers,
    pub(super) streams: Streams,
    pub(super) dropped: Dropped,
}

impl Default for Endpoint {
    fn default() -> Self {
        Endpoint::new()
    }
}

impl Endpoint {
    /// Knows no site yet: until `configure` nobody can register or call, until `seed` its tags can be guessed.
    pub fn new() -> Endpoint {
        let mut random = Random::new([0; 32]);
        let guard = Guard::new(random.block());
        Endpoint {
            settings: Settings {
                local: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5060),
                realm: String::new(),
                product: String::new(),
                accounts: BTreeMap::new(),
                peers: Vec::new(),
                expires_min_s: 60,
                expires_max_s: 3_600,
            },
            random,
            guard,
            registrar: Registrar::default(),
            subscriptions: Subscriptions::default(),
            transactions: Table::default(),
            dialogs: Slab::default(),
            by_tag: BTreeMap::new(),
            timers: Timers::default(),
            streams: Streams::default(),
            dropped: Dropped::default(),
        }
    }

    /// Takes over what the site says. Registrations, subscriptions and dialogs stay; an extension that is gone cannot
    /// refresh.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// What an extension authenticates itself with.
    pub fn account(&self, user: &str) -> Option<&Account> {
        self.settings.accounts.get(user)
    }

    /// Keys the stream behind every tag, branch, Call-ID and nonce secret. Earlier nonces become stale, which phones
    /// answer without asking anybody.
    pub fn seed(&mut self, seed: [u8; 32]) {
        self.random = Random::new(seed);
        let secret = self.random.block();
        self.guard.rekey(secret);
    }

    /// After a restart of the process: every connection is dead, all else goes on. Requests of ours that wait for an
    /// answer on a stream leave again over a new one; everything else is up to its timers.
    pub fn restarted(&mut self, now: Now, out: &mut Vec<Output>) {
        self.streams.all_closed();
        let waiting: Vec<(Hop, Vec<u8>)> = self
            .transactions
            .iter()
            .filter(|(_, t)| matches!(t.hop, Hop::Tcp { .. }))
            .filter_map(|(_, t)| match &t.machine {
                Machine::InviteClient(m) if m.is_calling() => Some((t.hop.clone(), m.request().to_vec())),
                Machine::NonInviteClient(m) if m.is_waiting() => Some((t.hop.clone(), m.request().to_vec())),
                Machine::InviteClient(_)
                | Machine::NonInviteClient(_)
                | Machine::InviteServer(_)
                | Machine::NonInviteServer(_) => None,
            })
            .collect();
        for (hop, request) in waiting {
            self.transmit(&hop, request, out);
        }
        self.fire(now, out);
    }

    /// One input. Outputs are appended in the order in which they must happen.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Datagram { local, remote, bytes, shed } => {
                self.datagram(now, Arrival { local, remote, conn: None, shed }, &bytes, out);
            }
            Input::Opened { conn, local, remote } => {
                if !self.streams.opened(conn, local, remote) {
                    out.push(Output::Close { conn });
                }
            }
            Input::Bytes { conn, bytes, shed } => {
                let Some(remote) = self.streams.remote(conn) else { return };
                self.streams.push(conn, &bytes);
                let arrival = Arrival { local: self.settings.local, remote, conn: Some(conn), shed };
                self.pieces(now, arrival, conn, out);
            }
            Input::Closed { conn } => self.closed(now, conn, out),
            Input::Timer => self.fire(now, out),
        }
    }

    /// When `handle(now, Input::Timer, ..)` is due.
    pub fn deadline(&self) -> Option<Instant> {
        match (self.timers.first(), self.registrar.deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Live registrations of an extension.
    pub fn contacts(&self, account: &str) -> &[Contact] {
        self.registrar.contacts(account)
    }

    /// All extensions with live registrations.
    pub fn accounts_registered(&self) -> impl Iterator<Item = (&str, &[Contact])> {
        self.registrar.iter()
    }

    /// Messages that led to nothing.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// No dialogs and no transactions. Registrations and subscriptions do not count.
    pub fn is_empty(&self) -> bool {
        self.dialogs.is_empty() && self.transactions.is_empty()
    }

    /// Which live dialog a raw message belongs to.
    pub fn dialog_of(&self, bytes: &[u8]) -> Option<DialogKey> {
        let message = parse(bytes).ok()?;
        let envelope = Envelope::read(&message).ok()?;
        let tx = match &message.start {
            Start::Response { .. } => {
                self.transactions.client(&client_key(envelope.via.branch.as_deref()?, envelope.method.as_str()))
            }
            Start::Request { method, uri } => {
                let invite = if *method == Method::Cancel { &Method::Invite } else { method };
                self.transactions.server(&server_key(&envelope, uri, invite))
            }
        };
        let dialog = tx.and_then(|tx| self.transactions.get(tx)).and_then(|t| t.dialog);
        dialog.or_else(|| self.find_dialog(&envelope)).filter(|d| self.dialogs.get(*d).is_some())
    }

    /// Forgets a dialog and its transactions; nothing is sent and no event follows.
    pub fn abandon(&mut self, dialog: DialogKey) {
        let gone: Vec<TxKey> =
            self.transactions.iter().filter(|(_, t)| t.dialog == Some(dialog)).map(|(key, _)| key).collect();
        for tx in gone {
            self.transactions.remove(tx, &mut self.timers);
        }
        self.forget(dialog);
    }

    /// Every live transaction, dialog, contact and subscription, one line each, with state and timer.
    pub fn lines(&self) -> Vec<String> {
        let dialogs = self.dialogs.iter().map(|(key, d)| format!("{key:?} {}", d.line()));
        let standing = self.registrar.lines().chain(self.subscriptions.lines());
        dialogs.chain(self.transactions.lines()).chain(standing).collect()
    }

    // The way in.

    fn datagram(&mut self, now: Now, arrival: Arrival, bytes: &[u8], out: &mut Vec<Output>) {
        if bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            self.dropped.keepalive += 1;
            return;
        }
        match parse(bytes) {
            Ok(message) => self.receive(now, arrival, message, out),
            Err(why) => self.unreadable(why),
        }
    }

    fn unreadable(&mut self, why: Unreadable) {
        match why {
            Unreadable::NotSip => self.dropped.malformed += 1,
            Unreadable::Oversized => self.dropped.oversized += 1,
        }
    }

    fn pieces(&mut self, now: Now, arrival: Arrival, conn: ConnId, out: &mut Vec<Output>) {
        while let Some(piece) = self.streams.next_piece(conn) {
            match piece {
                Piece::Ping => {
                    self.dropped.keepalive += 1;
                    out.push(Output::Bytes { conn, bytes: b"\r\n".to_vec() });
                }
                Piece::Blank => {}
                Piece::Message(message) => self.receive(now, arrival, *message, out),
                Piece::Lost(why, message) => {
                    self.unreadable(why);
                    if let Some(message) = message {
                        self.receive(now, arrival, *message, out);
                    }
                    out.push(Output::Close { conn });
                    self.closed(now, conn, out);
                }
            }
        }
    }

    fn closed(&mut self, now: Now, conn: ConnId, out: &mut Vec<Output>) {
        let remote = self.streams.remote(conn);
        self.streams.closed(conn);
        let broken: Vec<TxKey> = self
            .transactions
            .iter()
            .filter(|(_, t)| {
                matches!(&t.hop, Hop::Tcp { conn: c, remote: r } if *c == Some(conn) || (c.is_none() && Some(*r) == remote))
            })
            .map(|(key, _)| key)
            .collect();
        for tx in broken {
            self.broken(now, tx, out);
        }
    }

    // The way out.

    /// Sends one message; over a stream by the connection given, else by one that leads there, else by a new one.
    /// False when there is no way.
    pub(super) fn transmit(&mut self, hop: &Hop, bytes: Vec<u8>, out: &mut Vec<Output>) -> bool {
        match hop {
            Hop::Udp { local, remote } => {
                out.push(Output::Datagram { local: *local, remote: *remote, bytes });
                true
            }
            Hop::Tcp { conn, remote } => {
                let open = conn.filter(|c| self.streams.is_open(*c)).or_else(|| self.streams.to(*remote));
                let conn = open.or_else(|| {
                    let conn = self.streams.ask(*remote)?;
                    out.push(Output::Connect { conn, remote: *remote });
                    Some(conn)
                });
                let Some(conn) = conn else { return false };
                out.push(Output::Bytes { conn, bytes });
                true
            }
        }
    }

    /// The same way without a connection that is gone, so that the end of the one opened in its place is noticed.
    pub(super) fn alive(&self, hop: &Hop) -> Hop {
        match hop {
            Hop::Tcp { conn: Some(conn), remote } if !self.streams.is_open(*conn) => {
                Hop::Tcp { conn: None, remote: *remote }
            }
            Hop::Tcp { .. } | Hop::Udp { .. } => hop.clone(),
        }
    }

    /// One message of a dialog, for the ladder.
    pub(super) fn trace(&self, dialog: Option<DialogKey>, sent: bool, summary: String, out: &mut Vec<Output>) {
        if let Some(dialog) = dialog {
            out.push(Output::Event(Event::Trace { dialog, sent, summary }));
        }
    }

    /// Does what a machine wants and brings the table up to date; says what its user must be told.
    pub(super) fn carry_out(&mut self, tx: TxKey, step: Step, out: &mut Vec<Output>) -> Option<Tell> {
        if let Some(bytes) = step.send
            && let Some(transaction) = self.transactions.get(tx)
        {
            let (hop, dialog) = (transaction.hop.clone(), transaction.dialog);
            let summary = summary_of_bytes(&bytes, &transaction.method);
            if self.transmit(&hop, bytes, out) {
                self.trace(dialog, true, summary, out);
            }
        }
        self.transactions.settle(tx, &mut self.timers);
        step.tell
    }

    // Timers.

    fn fire(&mut self, now: Now, out: &mut Vec<Output>) {
        for due in self.timers.due(now.at) {
            match due {
                Due::Transaction(tx) => self.transaction_timer(now, tx, out),
                Due::Dialog(dialog) => self.dialog_timer(now, dialog, out),
                Due::Subscription(subscription) => self.subscription_timer(now, subscription, out),
            }
        }
        for (account, contacts) in self.registrar.lapse(now.at) {
            out.push(Output::Event(Event::Registered { account, contacts }));
        }
    }

    fn transaction_timer(&mut self, now: Now, tx: TxKey, out: &mut Vec<Output>) {
        let Some(transaction) = self.transactions.get_mut(tx) else { return };
        let step = match &mut transaction.machine {
            Machine::InviteClient(m) => m.handle(now.at, invite_client::Input::Timer),
            Machine::NonInviteClient(m) => m.handle(now.at, non_invite_client::Input::Timer),
            Machine::InviteServer(m) => m.handle(now.at, invite_server::Input::Timer),
            Machine::NonInviteServer(m) => m.handle(now.at, non_invite_server::Input::Timer),
        };
        let (purpose, dialog) = (transaction.purpose, transaction.dialog);
        if let Some(tell) = self.carry_out(tx, step, out) {
            self.no_answer(now, tx, purpose, dialog, tell, out);
        }
    }

    // Dialogs.

    /// A dialog found by our tag in To, their tag and the Call-ID (RFC 3261 §12.2.2).
    pub(super) fn find_dialog(&self, envelope: &Envelope) -> Option<DialogKey> {
        let key = *self.by_tag.get(envelope.to.tag.as_deref()?)?;
        let dialog = self.dialogs.get(key)?;
        let theirs = dialog.remote_tag.is_none() || dialog.remote_tag == envelope.from.tag;
        (theirs && dialog.call_id == envelope.call_id).then_some(key)
    }

    /// Puts a new dialog into the tables.
    pub(super) fn enlist(&mut self, dialog: Dialog) -> DialogKey {
        let tag = dialog.local_tag.clone();
        let key = self.dialogs.insert(dialog);
        self.by_tag.insert(tag, key);
        self.rearm(key);
        key
    }

    /// Takes a dialog out of the tables; its key is stale from now on.
    pub(super) fn forget(&mut self, key: DialogKey) -> Option<Dialog> {
        let mut dialog = self.dialogs.remove(key)?;
        self.timers.arm(Due::Dialog(key), &mut dialog.armed, None);
        self.by_tag.remove(&dialog.local_tag);
        Some(dialog)
    }

    /// Tells the timer queue the dialog's deadline.
    pub(super) fn rearm(&mut self, key: DialogKey) {
        if let Some(dialog) = self.dialogs.get_mut(key) {
            let deadline = dialog.deadline();
            self.timers.arm(Due::Dialog(key), &mut dialog.armed, deadline);
        }
    }
}

/// What a message is, in a few words: `INVITE sip:2001@…` or `180 Ringing (INVITE)`.
pub(super) fn summary(message: &Message, method: &Method) -> String {
    match &message.start {
        Start::Request { method, uri } => brief(format!("{} {uri}", method.as_str())),
        Start::Response { code, reason } => brief(format!("{code} {reason} ({})", method.as_str())),
    }
}

/// The same of bytes that we wrote.
pub(super) fn summary_of_bytes(bytes: &[u8], method: &Method) -> String {
    let line = bytes.split(|b| *b == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    match line.strip_prefix("SIP/2.0 ") {
        Some(status) => brief(format!("{status} ({})", method.as_str())),
        None => brief(line.strip_suffix(" SIP/2.0").unwrap_or(&line).to_owned()),
    }
}

fn brief(mut text: String) -> String {
    const MAX: usize = 160;
    if text.len() > MAX {
        let cut = (0..=MAX).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(cut);
    }
    text
}
