//! Transactions of the virtual phones (RFC 3261 §17, RFC 6026), written apart from the code under test: what is sent
//! again and when, and what was heard already. A 2xx to an INVITE is sent again from here, too, until the phone says
//! that its ACK came.

use super::message::{Message, Start};
use std::collections::{BTreeMap, BTreeSet};

/// RFC 3261 §17.1.1.1, in microseconds.
pub const T1_US: u64 = 500_000;
/// RFC 3261 §17.1.2.2.
pub const T2_US: u64 = 4_000_000;
/// 64 × T1: timers B, F, H, L, M.
pub const LIFE_US: u64 = 64 * T1_US;

/// Number of a call on one phone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CallNo(pub u32);

/// What a request of ours is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Registration.
    Register,
    /// First INVITE of a call.
    Invite(CallNo),
    /// INVITE inside a call.
    Reinvite(CallNo),
    /// The end of a call.
    Bye(CallNo),
    /// A key.
    Info(CallNo),
    /// Taking an INVITE back.
    Cancel(CallNo),
}

/// Branch and method; the ACK of a refusal carries those of its INVITE.
pub type Key = (String, String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ClientState {
    /// Calling or Trying: nothing came yet.
    Trying,
    /// A provisional answer came.
    Proceeding,
    /// A final answer came; its repetitions are caught.
    Completed,
}

#[derive(Clone, Debug)]
struct Client {
    request: Message,
    bytes: Vec<u8>,
    purpose: Purpose,
    state: ClientState,
    interval_us: u64,
    due_us: u64,
    ends_us: u64,
    ack: Option<Vec<u8>>,
    challenges: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ServerState {
    /// No final answer yet.
    Proceeding,
    /// Final answer out; an INVITE's is repeated until its ACK.
    Completed,
    /// ACK came, or none is due.
    Confirmed,
}

#[derive(Clone, Debug)]
struct Server {
    answer: Option<Vec<u8>>,
    state: ServerState,
    interval_us: u64,
    due_us: u64,
    ends_us: u64,
    invite: bool,
    success: bool,
}

/// What an answer means to the phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Nothing: a repetition, already dealt with.
    Again,
    /// The answer of no request of ours.
    Stray,
    /// Provisional or first final answer.
    Answer(Purpose),
    /// A 2xx of an INVITE once more: it wants its ACK again.
    SuccessAgain(Purpose),
}

/// What came of time passing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expired {
    /// No final answer to a request of ours.
    NoAnswer(Purpose),
    /// No ACK to our final answer to an INVITE; true when it was a 2xx.
    NoAck(Key, bool),
}

/// All transactions of one phone.
#[derive(Clone, Debug, Default)]
pub struct Transactions {
    /// Over a stream nothing but a 2xx is repeated.
    pub reliable: bool,
    clients: BTreeMap<Key, Client>,
    servers: BTreeMap<Key, Server>,
    due: BTreeSet<(u64, bool, Key)>,
}

impl Transactions {
    /// None yet. `reliable`: over a stream.
    pub fn new(reliable: bool) -> Transactions {
        Transactions { reliable, ..Transactions::default() }
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.servers.is_empty()
    }

    /// When time must pass next.
    pub fn deadline_us(&self) -> Option<u64> {
        self.due.first().map(|(at, ..)| *at)
    }

    /// Key of a request or of the answer to it.
    pub fn key(message: &Message) -> Key {
        let method = if message.method() == "ACK" { "INVITE" } else { message.method() };
        (message.branch().to_string(), method.to_string())
    }

    /// Sends a request of ours; `challenges` counts how often it was challenged before.
    pub fn send(&mut self, now_us: u64, request: Message, purpose: Purpose, challenges: u32, out: &mut Vec<Vec<u8>>) {
        let key = Self::key(&request);
        let bytes = request.write();
        out.push(bytes.clone());
        let ends_us = now_us + LIFE_US;
        let due_us = if self.reliable { ends_us } else { now_us + T1_US };
        let state = ClientState::Trying;
        self.due.insert((due_us, true, key.clone()));
        let client =
            Client { request, bytes, purpose, state, interval_us: T1_US, due_us, ends_us, ack: None, challenges };
        self.clients.insert(key, client);
    }

    /// An answer came.
    pub fn answer(&mut self, now_us: u64, message: &Message, out: &mut Vec<Vec<u8>>) -> Heard {
        let Start::Response(code, _) = message.start else { return Heard::Stray };
        let key = Self::key(message);
        let Some(client) = self.clients.get_mut(&key) else { return Heard::Stray };
        let invite = key.1 == "INVITE";
        let purpose = client.purpose;
        let before = (client.due_us, true, key.clone());
        let heard = match client.state {
            ClientState::Completed if invite && (200..300).contains(&code) => return Heard::SuccessAgain(purpose),
            ClientState::Completed => {
                out.extend(client.ack.clone());
                return Heard::Again;
            }
            ClientState::Trying | ClientState::Proceeding if code < 200 => {
                client.state = ClientState::Proceeding;
                if invite {
                    // RFC 3261 §17.1.1.2: no timer in Proceeding. The phone's user ends the wait, at the latest.
                    client.ends_us = now_us + 600_000_000;
                    client.due_us = client.ends_us;
                }
                Heard::Answer(purpose)
            }
            ClientState::Trying | ClientState::Proceeding => {
                client.state = ClientState::Completed;
                client.ends_us = now_us + LIFE_US;
                client.due_us = client.ends_us;
                if invite && code >= 300 {
                    let ack = ack_of_refusal(&client.request, message).write();
                    out.push(ack.clone());
                    client.ack = Some(ack);
                }
                Heard::Answer(purpose)
            }
        };
        let after = (client.due_us, true, key);
        self.due.remove(&before);
        self.due.insert(after);
        heard
    }

    /// The request that `answer` answers, and how often it was challenged.
    pub fn request_of(&self, answer: &Message) -> Option<(Message, u32)> {
        self.clients.get(&Self::key(answer)).map(|c| (c.request.clone(), c.challenges))
    }

    /// A request came: true when it is new, false when it was caught here.
    pub fn request(&mut self, now_us: u64, message: &Message, out: &mut Vec<Vec<u8>>) -> bool {
        let key = Self::key(message);
        let ack = message.method() == "ACK";
        if let Some(server) = self.servers.get_mut(&key) {
            if ack && !server.success {
                server.state = ServerState::Confirmed;
            } else if ack {
                return true;
            } else {
                out.extend(server.answer.clone());
            }
            return false;
        }
        if ack {
            return true;
        }
        let invite = key.1 == "INVITE";
        let ends_us = now_us + 600_000_000;
        self.due.insert((ends_us, false, key.clone()));
        let state = ServerState::Proceeding;
        let server =
            Server { answer: None, state, interval_us: T1_US, due_us: ends_us, ends_us, invite, success: false };
        self.servers.insert(key, server);
        true
    }

    /// Answers the request of this key.
    pub fn respond(&mut self, now_us: u64, key: &Key, answer: &Message, out: &mut Vec<Vec<u8>>) {
        let Start::Response(code, _) = answer.start else { return };
        let bytes = answer.write();
        out.push(bytes.clone());
        let reliable = self.reliable;
        let Some(server) = self.servers.get_mut(key) else { return };
        server.answer = Some(bytes);
        if code < 200 {
            return;
        }
        self.due.remove(&(server.due_us, false, key.clone()));
        server.success = code < 300;
        server.ends_us = now_us + LIFE_US;
        let repeats = server.invite && (server.success || !reliable);
        server.state = if server.invite { ServerState::Completed } else { ServerState::Confirmed };
        server.due_us = if repeats { now_us + T1_US } else { server.ends_us };
        self.due.insert((server.due_us, false, key.clone()));
    }

    /// The ACK of our 2xx came.
    pub fn acknowledged(&mut self, key: &Key) {
        if let Some(server) = self.servers.get_mut(key) {
            server.state = ServerState::Confirmed;
        }
    }

    /// Time passed: repeats and forgets.
    pub fn timer(&mut self, now_us: u64, out: &mut Vec<Vec<u8>>) -> Vec<Expired> {
        let mut expired = Vec::new();
        while let Some((at, client, key)) = self.due.first().cloned() {
            if at > now_us {
                break;
            }
            self.due.remove(&(at, client, key.clone()));
            let next = if client {
                self.client_due(now_us, &key, out, &mut expired)
            } else {
                self.server_due(now_us, &key, out, &mut expired)
            };
            match next {
                Some(due_us) => {
                    self.due.insert((due_us, client, key));
                }
                None if client => {
                    self.clients.remove(&key);
                }
                None => {
                    self.servers.remove(&key);
                }
            }
        }
        expired
    }

    fn client_due(
        &mut self,
        now_us: u64,
        key: &Key,
        out: &mut Vec<Vec<u8>>,
        expired: &mut Vec<Expired>,
    ) -> Option<u64> {
        let client = self.clients.get_mut(key)?;
        if now_us >= client.ends_us {
            if client.state != ClientState::Completed {
                expired.push(Expired::NoAnswer(client.purpose));
            }
            return None;
        }
        out.push(client.bytes.clone());
        let cap = if key.1 == "INVITE" { u64::MAX } else { T2_US };
        client.interval_us = (client.interval_us * 2).min(cap);
        if client.state == ClientState::Proceeding {
            client.interval_us = T2_US;
        }
        client.due_us = (now_us + client.interval_us).min(client.ends_us);
        Some(client.due_us)
    }

    fn server_due(
        &mut self,
        now_us: u64,
        key: &Key,
        out: &mut Vec<Vec<u8>>,
        expired: &mut Vec<Expired>,
    ) -> Option<u64> {
        let server = self.servers.get_mut(key)?;
        if now_us >= server.ends_us {
            if server.state == ServerState::Completed {
                expired.push(Expired::NoAck(key.clone(), server.success));
            }
            return None;
        }
        server.due_us = server.ends_us;
        if server.state == ServerState::Completed {
            out.extend(server.answer.clone());
            server.interval_us = (server.interval_us * 2).min(T2_US);
            server.due_us = (now_us + server.interval_us).min(server.ends_us);
        }
        Some(server.due_us)
    }
}

/// RFC 3261 §17.1.1.3: same branch, same CSeq number, To of the answer.
fn ack_of_refusal(request: &Message, answer: &Message) -> Message {
    let Start::Request(_, uri) = &request.start else { return Message::request("ACK", "") };
    let mut ack = Message::request("ACK", uri);
    for name in ["via", "from", "call-id", "route"] {
        for value in request.all(name) {
            ack.add(name, value);
        }
    }
    ack.add("to", answer.text("to")).add("cseq", format!("{} ACK", request.cseq().0)).add("max-forwards", "70");
    ack
}
