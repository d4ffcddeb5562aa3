//! Between the box and the phones: datagrams with their fate, and connections that deliver in order or break.

use super::world::{Event, World};
use signaling::sip::door::{ConnId, Input as SipInput, Output as SipOutput};
use std::collections::BTreeMap;

/// One TCP connection.
#[derive(Clone, Debug)]
pub struct Link {
    phone: usize,
    to_box_us: u64,
    to_phone_us: u64,
}

/// All connections.
#[derive(Debug, Default)]
pub struct Links {
    open: BTreeMap<ConnId, Link>,
    of_phone: BTreeMap<usize, ConnId>,
    accepted: u64,
}

impl Links {
    /// Every open connection.
    pub fn all(&self) -> Vec<ConnId> {
        self.open.keys().copied().collect()
    }

    /// Takes a connection away; the phone that had it.
    fn remove(&mut self, conn: ConnId) -> Option<usize> {
        let link = self.open.remove(&conn)?;
        if self.of_phone.get(&link.phone) == Some(&conn) {
            self.of_phone.remove(&link.phone);
        }
        Some(link.phone)
    }

    fn add(&mut self, conn: ConnId, phone: usize, now_us: u64) {
        self.open.insert(conn, Link { phone, to_box_us: now_us, to_phone_us: now_us });
        self.of_phone.insert(phone, conn);
    }
}

impl World {
    /// A phone sends.
    pub(super) fn phone_sends(&mut self, index: usize, bytes: Vec<u8>) {
        let identity = &self.phones[index].identity;
        let (local, remote) = (identity.server, identity.addr);
        if identity.stream {
            return self.stream_to_box(index, bytes);
        }
        let (first, second) = self.network.fate();
        for delay_us in [first, second].into_iter().flatten() {
            let input = SipInput::Datagram { local, remote, bytes: bytes.clone(), shed: false };
            self.plan_event(delay_us, Event::ToBox(input));
        }
    }

    fn stream_to_box(&mut self, index: usize, bytes: Vec<u8>) {
        let conn = match self.links.of_phone.get(&index) {
            Some(conn) => *conn,
            None if self.away.is_some() => return self.phones[index].connection_lost(self.now_us),
            None => self.open_link(index),
        };
        let cut = if self.dice.permille(200) { self.dice.below(bytes.len() as u64) as usize } else { 0 };
        let (head, tail) = bytes.split_at(cut);
        for part in [head, tail] {
            if !part.is_empty() {
                let input = SipInput::Bytes { conn, bytes: part.to_vec(), shed: false };
                self.plan_in_order(conn, input);
            }
        }
    }

    fn open_link(&mut self, index: usize) -> ConnId {
        self.links.accepted += 2;
        let conn = ConnId(self.links.accepted);
        let identity = &self.phones[index].identity;
        let (local, remote) = (identity.server, identity.addr);
        self.links.add(conn, index, self.now_us);
        self.plan_in_order(conn, SipInput::Opened { conn, local, remote });
        conn
    }

    fn plan_in_order(&mut self, conn: ConnId, input: SipInput) {
        let delay_us = self.network.stream_delay_us();
        let at_us = self.now_us + delay_us;
        if let Some(link) = self.links.open.get_mut(&conn) {
            link.to_box_us = link.to_box_us.max(at_us);
            let at_us = link.to_box_us;
            self.plan_event_at(at_us, Event::ToBox(input));
        }
    }

    /// Something reaches the box's socket.
    pub(super) fn reaches_box(&mut self, input: SipInput) {
        let conn = match &input {
            SipInput::Opened { conn, .. } | SipInput::Bytes { conn, .. } => Some(*conn),
            SipInput::Datagram { .. } | SipInput::Closed { .. } | SipInput::Timer => None,
        };
        if conn.is_none_or(|conn| self.links.open.contains_key(&conn)) {
            self.feed(pbx::door::Input::Sip(input));
        }
    }

    /// The box sends.
    pub(super) fn box_sends(&mut self, output: SipOutput) {
        match output {
            SipOutput::Datagram { remote, bytes, .. } => {
                self.check.leaves(self.now_us, &bytes);
                match self.phone_at.get(&remote).copied() {
                    Some(index) => {
                        let (first, second) = self.network.fate();
                        for delay_us in [first, second].into_iter().flatten() {
                            self.plan_event(delay_us, Event::ToPhone(index, bytes.clone()));
                        }
                    }
                    None => self.check.say(self.now_us, format!("a datagram to {remote}, where nobody is")),
                }
            }
            SipOutput::Bytes { conn, bytes } => {
                self.check.leaves(self.now_us, &bytes);
                let at_us = self.now_us + self.network.stream_delay_us();
                if let Some(link) = self.links.open.get_mut(&conn) {
                    link.to_phone_us = link.to_phone_us.max(at_us);
                    let at_us = link.to_phone_us;
                    self.plan_event_at(at_us, Event::ByStream(conn, bytes));
                }
            }
            SipOutput::Connect { conn, remote } => self.box_connects(conn, remote),
            SipOutput::Close { conn } => {
                if let Some(index) = self.links.remove(conn) {
                    self.with_phone(index, |phone, now_us, _| phone.connection_lost(now_us));
                }
            }
            SipOutput::Event(event) => self.check.say(self.now_us, format!("SIP event left the box: {event:?}")),
        }
    }

    fn box_connects(&mut self, conn: ConnId, remote: std::net::SocketAddr) {
        let phone = self.phone_at.get(&remote).copied().filter(|n| self.phones[*n].alive);
        let delay_us = self.network.stream_delay_us();
        match phone {
            Some(index) => {
                self.links.add(conn, index, self.now_us);
                let local = self.phones[index].identity.server;
                self.plan_in_order(conn, SipInput::Opened { conn, local, remote });
            }
            None => self.plan_event(delay_us, Event::ToBox(SipInput::Closed { conn })),
        }
    }

    /// Bytes reach a phone over a connection.
    pub(super) fn by_stream(&mut self, conn: ConnId, bytes: &[u8]) {
        let Some(index) = self.links.open.get(&conn).map(|l| l.phone) else { return };
        self.heard_ringing(index, bytes);
        for message in super::message::split_stream(bytes) {
            self.with_phone(index, |phone, now_us, out| phone.receive(now_us, message, out));
        }
    }

    /// A connection breaks; both sides notice.
    pub(super) fn cut_link(&mut self, conn: ConnId) {
        if let Some(index) = self.links.remove(conn) {
            self.with_phone(index, |phone, now_us, _| phone.connection_lost(now_us));
            self.feed(pbx::door::Input::Sip(SipInput::Closed { conn }));
        }
    }

    /// The phone lost power: its connection, if any, is reset.
    pub(super) fn cut_links_of(&mut self, index: usize) {
        for conn in self.links.all() {
            if self.links.open.get(&conn).is_some_and(|l| l.phone == index) {
                self.cut_link(conn);
            }
        }
    }

    /// The program was killed: its connections are reset.
    pub(super) fn forget_links(&mut self) {
        for conn in self.links.all() {
            if let Some(index) = self.links.remove(conn) {
                self.with_phone(index, |phone, now_us, _| phone.connection_lost(now_us));
            }
        }
    }
}
