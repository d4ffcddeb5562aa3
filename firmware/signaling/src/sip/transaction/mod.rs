//! The transaction layer (RFC 3261 §17 with RFC 6026): four machines, one file each, and the table that finds them.
//! A machine says what to send and what to tell its user; it owns no socket and no dialog.

use base::slab::Slab;
use base::time::Instant;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::door::{DialogKey, Hop};
use super::header::Envelope;
use super::message::{Field, Method};
use super::subscription::SubscriptionKey;
use super::timers::{Due, Timers};

pub mod invite_client;
pub mod invite_server;
pub mod non_invite_client;
pub mod non_invite_server;
#[cfg(test)]
mod tests;

pub use invite_client::InviteClient;
pub use invite_server::InviteServer;
pub use non_invite_client::NonInviteClient;
pub use non_invite_server::NonInviteServer;

/// Round-trip estimate (RFC 3261 §17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);
/// Longest interval between retransmissions of anything but INVITE.
pub const T2: Duration = Duration::from_secs(4);
/// Longest life of a message in the network.
pub const T4: Duration = Duration::from_secs(5);
/// 64 T1: timers B, D, F, H, J, L, M.
pub const LONG: Duration = Duration::from_secs(32);

base::typed_key!(
    /// One transaction.
    TxKey
);

/// Why a machine went into its state; shown by the debug printer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Why {
    /// It was made.
    Created,
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 3xx-6xx to INVITE, or any final to another request.
    Final,
    /// ACK came.
    Acknowledged,
    /// No answer within timer B, F or H.
    TimedOut,
    /// Timer D, I, J, K, L or M fired, or is zero on a stream.
    Lingered,
    /// The message could not be sent.
    Unreachable,
}

/// What a machine wants done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Step {
    /// Send this.
    pub send: Option<Vec<u8>>,
    /// Tell the user.
    pub tell: Option<Tell>,
}

/// What a client transaction's user is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tell {
    /// The response at hand is for you.
    Response,
    /// Nobody answered; treat as 408 (RFC 3261 §8.1.3.1).
    TimedOut,
    /// It could not be sent; treat as 503.
    Unreachable,
}

impl Step {
    /// Nothing to do.
    pub fn none() -> Step {
        Step::default()
    }

    /// Send this.
    pub fn send(bytes: Vec<u8>) -> Step {
        Step { send: Some(bytes), tell: None }
    }

    /// Tell this.
    pub fn tell(tell: Tell) -> Step {
        Step { send: None, tell: Some(tell) }
    }
}

/// One of the four.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Machine {
    /// RFC 3261 §17.1.1.
    InviteClient(InviteClient),
    /// RFC 3261 §17.1.2.
    NonInviteClient(NonInviteClient),
    /// RFC 3261 §17.2.1.
    InviteServer(InviteServer),
    /// RFC 3261 §17.2.2.
    NonInviteServer(NonInviteServer),
}

/// What a client transaction is for; decides who reads its responses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Purpose {
    /// The INVITE that begins a dialog.
    Invite,
    /// An INVITE inside one.
    Reinvite,
    /// CANCEL.
    Cancel,
    /// BYE.
    Bye,
    /// NOTIFY of this subscription; the key is stale after the last one.
    Notify(SubscriptionKey),
    /// A server transaction.
    Serve,
}

/// What a response repeats from its request (RFC 3261 §8.2.6.2), and where it goes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReplyTo {
    /// Via fields (the topmost stamped), From, To, Call-ID and CSeq as received; Record-Route behind them.
    pub fields: Vec<Field>,
    /// To has a tag already.
    pub tagged: bool,
    /// Method of the request, for the trace.
    pub method: Method,
    /// Where responses go.
    pub hop: Hop,
}

/// One transaction with what surrounds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transaction {
    /// Its machine.
    pub machine: Machine,
    /// What it is for.
    pub purpose: Purpose,
    /// Where its messages go.
    pub hop: Hop,
    /// Its dialog; may be stale, then only the trace uses it.
    pub dialog: Option<DialogKey>,
    /// For a server transaction, how to build responses.
    pub reply: Option<ReplyTo>,
    /// `METHOD` of the request, for the trace.
    pub method: Method,
    /// Key in the table.
    key: String,
    /// Key of the merged-request check.
    merge: Option<String>,
    /// Deadline in the timer queue.
    armed: Option<Instant>,
}

impl Transaction {
    fn deadline(&self) -> Option<Instant> {
        match &self.machine {
            Machine::InviteClient(m) => m.deadline(),
            Machine::NonInviteClient(m) => m.deadline(),
            Machine::InviteServer(m) => m.deadline(),
            Machine::NonInviteServer(m) => m.deadline(),
        }
    }

    fn is_over(&self) -> bool {
        match &self.machine {
            Machine::InviteClient(m) => m.is_over(),
            Machine::NonInviteClient(m) => m.is_over(),
            Machine::InviteServer(m) => m.is_over(),
            Machine::NonInviteServer(m) => m.is_over(),
        }
    }

    fn line(&self) -> String {
        let state = match &self.machine {
            Machine::InviteClient(m) => format!("INVITE client {m}"),
            Machine::NonInviteClient(m) => format!("{} client {m}", self.method.as_str()),
            Machine::InviteServer(m) => format!("INVITE server {m}"),
            Machine::NonInviteServer(m) => format!("{} server {m}", self.method.as_str()),
        };
        let dialog = self.dialog.map(|d| format!(" of {d:?}")).unwrap_or_default();
        let due = self.armed.map(|at| format!(", timer at {at:?}")).unwrap_or_default();
        format!("{state}{dialog}{due} [{}]", self.key.replace('\0', " "))
    }
}

/// All transactions, by key, by branch and by deadline.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Table {
    slab: Slab<TxKey, Transaction>,
    servers: BTreeMap<String, TxKey>,
    clients: BTreeMap<String, TxKey>,
    merges: BTreeMap<String, TxKey>,
}

/// RFC 3261 §17.1.3: branch and CSeq method.
pub fn client_key(branch: &str, method: &str) -> String {
    [branch, method].join("\0")
}

/// RFC 3261 §17.2.3: branch, sent-by and method, ACK counting as INVITE; without the magic cookie the RFC 2543 rule,
/// from which the To tag is left out so that the ACK of our tagged response matches, too.
pub fn server_key(envelope: &Envelope, uri: &str, method: &Method) -> String {
    let method = if *method == Method::Ack { Method::Invite.as_str() } else { method.as_str() };
    let via = &envelope.via;
    match via.unique_branch() {
        Some(branch) => [branch, &via.sent_by, method].join("\0"),
        None => {
            let cseq = envelope.cseq.to_string();
            let from_tag = envelope.from.tag.as_deref().unwrap_or_default();
            let branch = via.branch.as_deref().unwrap_or_default();
            [uri, from_tag, &envelope.call_id, &cseq, &via.sent_by, branch, method].join("\0")
        }
    }
}

/// RFC 3261 §8.2.2.2: From tag, Call-ID and CSeq.
pub fn merge_key(envelope: &Envelope) -> String {
    let cseq = envelope.cseq.to_string();
    [envelope.from.tag.as_deref().unwrap_or_default(), &envelope.call_id, &cseq].join("\0")
}

impl Table {
    /// A new client transaction under `client_key`.
    pub fn insert_client(
        &mut self,
        machine: Machine,
        purpose: Purpose,
        method: Method,
        hop: Hop,
        dialog: Option<DialogKey>,
        key: String,
    ) -> TxKey {
        let tx = Transaction {
            machine,
            purpose,
            hop,
            dialog,
            reply: None,
            method,
            key: key.clone(),
            merge: None,
            armed: None,
        };
        let name = self.slab.insert(tx);
        self.clients.insert(key, name);
        name
    }

    /// A new server transaction under `server_key`.
    pub fn insert_server(
        &mut self,
        machine: Machine,
        reply: ReplyTo,
        dialog: Option<DialogKey>,
        key: String,
        merge: Option<String>,
    ) -> TxKey {
        let tx = Transaction {
            machine,
            purpose: Purpose::Serve,
            hop: reply.hop.clone(),
            dialog,
            method: reply.method.clone(),
            reply: Some(reply),
            key: key.clone(),
            merge: merge.clone(),
            armed: None,
        };
        let name = self.slab.insert(tx);
        self.servers.insert(key, name);
        if let Some(merge) = merge {
            self.merges.insert(merge, name);
        }
        name
    }

    /// The server transaction a request belongs to.
    pub fn server(&self, key: &str) -> Option<TxKey> {
        self.servers.get(key).copied()
    }

    /// The client transaction a response belongs to.
    pub fn client(&self, key: &str) -> Option<TxKey> {
        self.clients.get(key).copied()
    }

    /// Another transaction serves the same request that came on another way (RFC 3261 §8.2.2.2).
    pub fn is_merged(&self, merge: &str) -> bool {
        self.merges.contains_key(merge)
    }

    /// By key.
    pub fn get(&self, tx: TxKey) -> Option<&Transaction> {
        self.slab.get(tx)
    }

    /// By key, to change; `settle` must follow.
    pub fn get_mut(&mut self, tx: TxKey) -> Option<&mut Transaction> {
        self.slab.get_mut(tx)
    }

    /// A final failure was sent: the same request may come again on its own.
    pub fn unmerge(&mut self, tx: TxKey) {
        if let Some(merge) = self.slab.get_mut(tx).and_then(|t| t.merge.take()) {
            self.merges.remove(&merge);
        }
    }

    /// After a step: the timer queue learns the new deadline, a machine that is over goes.
    pub fn settle(&mut self, tx: TxKey, timers: &mut Timers) {
        let Some(transaction) = self.slab.get_mut(tx) else { return };
        if transaction.is_over() {
            self.remove(tx, timers);
        } else {
            let deadline = transaction.deadline();
            timers.arm(Due::Transaction(tx), &mut transaction.armed, deadline);
        }
    }

    /// Forgets one without a word.
    pub fn remove(&mut self, tx: TxKey, timers: &mut Timers) {
        let Some(mut transaction) = self.slab.remove(tx) else { return };
        timers.arm(Due::Transaction(tx), &mut transaction.armed, None);
        let index = if transaction.purpose == Purpose::Serve { &mut self.servers } else { &mut self.clients };
        if index.get(&transaction.key) == Some(&tx) {
            index.remove(&transaction.key);
        }
        if let Some(merge) = transaction.merge.filter(|m| self.merges.get(m) == Some(&tx)) {
            self.merges.remove(&merge);
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (TxKey, &Transaction)> {
        self.slab.iter()
    }

    /// No transaction.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// One line each for people.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.slab.iter().map(|(_, t)| t.line())
    }
}
