//! TCP connections: bytes in any cut to whole messages (RFC 3261 §18.3), keep-alives (RFC 5626 §3.5.1), and which
//! connection leads to whom. Opens and closes nothing itself.

use base::limits::{SIP_CONNECTIONS_MAX, SIP_MESSAGE_BYTES_MAX, SIP_STREAM_BYTES_MAX};
use core::net::SocketAddr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::door::ConnId;
use super::message::{Length, Message, Unreadable, head_end, parse_head};

/// What the bytes of one connection hold next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// CR LF CR LF: answer with CR LF.
    Ping,
    /// CR LF between messages.
    Blank,
    /// A whole message.
    Message(Box<Message>),
    /// Nothing more can be found in this stream: say this of the message when there is one, then close.
    Lost(Unreadable, Option<Box<Message>>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Connection {
    local: Option<SocketAddr>,
    remote: SocketAddr,
    buffer: Vec<u8>,
    /// No end of a header before this index.
    searched: usize,
}

/// All connections that live or are being opened.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Streams {
    connections: BTreeMap<ConnId, Connection>,
    by_remote: BTreeMap<SocketAddr, ConnId>,
    asked: u64,
}

impl Streams {
    /// A connection is up. False when there are too many: close it.
    pub fn opened(&mut self, conn: ConnId, local: SocketAddr, remote: SocketAddr) -> bool {
        if let Some(known) = self.connections.get_mut(&conn) {
            known.local = Some(local);
            return true;
        }
        if self.connections.len() >= SIP_CONNECTIONS_MAX {
            return false;
        }
        self.connections.insert(conn, Connection { local: Some(local), remote, buffer: Vec::new(), searched: 0 });
        self.by_remote.insert(remote, conn);
        true
    }

    /// A connection that the shell should open. None when there are too many.
    pub fn ask(&mut self, remote: SocketAddr) -> Option<ConnId> {
        if self.connections.len() >= SIP_CONNECTIONS_MAX {
            return None;
        }
        let conn = ConnId(2 * self.asked + 1);
        self.asked += 1;
        self.connections.insert(conn, Connection { local: None, remote, buffer: Vec::new(), searched: 0 });
        self.by_remote.insert(remote, conn);
        Some(conn)
    }

    /// A connection is gone.
    pub fn closed(&mut self, conn: ConnId) {
        if let Some(gone) = self.connections.remove(&conn).filter(|c| self.by_remote.get(&c.remote) == Some(&conn)) {
            self.by_remote.remove(&gone.remote);
        }
    }

    /// Every connection is gone; numbers are still never used twice.
    pub fn all_closed(&mut self) {
        self.connections.clear();
        self.by_remote.clear();
    }

    /// Whether it lives or is being opened.
    pub fn is_open(&self, conn: ConnId) -> bool {
        self.connections.contains_key(&conn)
    }

    /// The connection to that address.
    pub fn to(&self, remote: SocketAddr) -> Option<ConnId> {
        self.by_remote.get(&remote).copied()
    }

    /// The peer's end.
    pub fn remote(&self, conn: ConnId) -> Option<SocketAddr> {
        self.connections.get(&conn).map(|c| c.remote)
    }

    /// Received bytes are put behind those that wait.
    pub fn push(&mut self, conn: ConnId, bytes: &[u8]) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.buffer.extend(bytes);
        }
    }

    /// Takes the next piece out of what waits; none when more bytes are needed.
    pub fn next_piece(&mut self, conn: ConnId) -> Option<Piece> {
        let connection = self.connections.get_mut(&conn)?;
        let piece = connection.next_piece();
        if matches!(piece, Some(Piece::Lost(..))) {
            connection.buffer = Vec::new();
            connection.searched = 0;
        }
        piece
    }
}

impl Connection {
    fn next_piece(&mut self) -> Option<Piece> {
        match self.buffer.as_slice() {
            [] => return None,
            [b'\r', b'\n', b'\r', b'\n', ..] => return Some(self.taken(4, Piece::Ping)),
            // Perhaps the first half of a ping.
            [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return None,
            [b'\r', b'\n', ..] => return Some(self.taken(2, Piece::Blank)),
            [b'\n', ..] => return Some(self.taken(1, Piece::Blank)),
            [_, ..] => {}
        }
        let Some(end) = head_end(&self.buffer, self.searched) else {
            if self.buffer.len() > SIP_MESSAGE_BYTES_MAX {
                return Some(Piece::Lost(Unreadable::Oversized, None));
            }
            // The last line may be the first part of the end.
            self.searched = self.buffer.len().saturating_sub(3);
            return None;
        };
        let head = match parse_head(self.buffer.get(..end).unwrap_or_default()) {
            Ok(head) => head,
            Err(why) => return Some(Piece::Lost(why, None)),
        };
        let body = match head.length {
            // RFC 3261 §18.3 demands the field on streams; without it there is no body.
            Length::Absent => 0,
            Length::Bytes(n) => n,
            Length::Excessive => {
                return Some(Piece::Lost(Unreadable::Oversized, Some(Box::new(head.defective("Message Too Large")))));
            }
            Length::Invalid => {
                return Some(Piece::Lost(Unreadable::NotSip, Some(Box::new(head.defective("Bad Content-Length")))));
            }
        };
        match end.checked_add(body) {
            Some(total) if total <= SIP_MESSAGE_BYTES_MAX => {
                let bytes = self.buffer.get(end..total)?;
                let message = Piece::Message(Box::new(head.with_body(bytes)));
                Some(self.taken(total, message))
            }
            Some(_) | None => {
                Some(Piece::Lost(Unreadable::Oversized, Some(Box::new(head.defective("Message Too Large")))))
            }
        }
    }

    fn taken(&mut self, bytes: usize, piece: Piece) -> Piece {
        self.buffer.drain(..bytes);
        self.searched = 0;
        piece
    }
}

const _: () = assert!(SIP_STREAM_BYTES_MAX > SIP_MESSAGE_BYTES_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Streams {
        let mut streams = Streams::default();
        assert!(streams.opened(ConnId(2), "127.0.0.1:5060".parse().unwrap(), "127.0.0.2:40000".parse().unwrap()));
        streams
    }

    fn drain(streams: &mut Streams) -> Vec<Piece> {
        std::iter::from_fn(|| streams.next_piece(ConnId(2))).collect()
    }

    const MESSAGE: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nCall-ID: x\r\nContent-Length: 4\r\n\r\nbody";

    #[test]
    fn a_message_is_found_however_it_is_cut() {
        let two = [MESSAGE, b"\r\n", MESSAGE].concat();
        for cut in 1..two.len() {
            let mut streams = opened();
            let mut found = Vec::new();
            for part in two.chunks(cut) {
                streams.push(ConnId(2), part);
                found.extend(drain(&mut streams));
            }
            let messages = found.iter().filter(|p| matches!(p, Piece::Message(m) if m.body == b"body")).count();
            assert_eq!((messages, found.len()), (2, 3), "cut every {cut}");
        }
    }

    #[test]
    fn ping_is_two_line_ends_and_one_is_a_blank() {
        let mut streams = opened();
        streams.push(ConnId(2), b"\r\n\r");
        assert_eq!(drain(&mut streams), []);
        streams.push(ConnId(2), b"\n");
        assert_eq!(drain(&mut streams), [Piece::Ping]);
        streams.push(ConnId(2), &[b"\r\n", MESSAGE].concat());
        assert!(matches!(drain(&mut streams)[..], [Piece::Blank, Piece::Message(_)]));
    }

    #[test]
    fn impossible_lengths_lose_the_stream_not_the_program() {
        for length in ["18446744073709551615", "18446744073709551616", "65535", "99999"] {
            let mut streams = opened();
            let text = format!("OPTIONS sip:a@b SIP/2.0\r\nContent-Length: {length}\r\n\r\n");
            streams.push(ConnId(2), text.as_bytes());
            assert!(matches!(drain(&mut streams)[..], [Piece::Lost(Unreadable::Oversized, Some(_))]), "{length}");
        }
        let mut streams = opened();
        streams.push(ConnId(2), b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -999\r\n\r\n");
        assert!(matches!(drain(&mut streams)[..], [Piece::Lost(Unreadable::NotSip, Some(_))]));
        let mut streams = opened();
        streams.push(ConnId(2), &[b'a'; SIP_MESSAGE_BYTES_MAX + 1]);
        assert!(matches!(drain(&mut streams)[..], [Piece::Lost(Unreadable::Oversized, None)]));
    }

    #[test]
    fn our_numbers_are_odd_and_never_come_again() {
        let mut streams = opened();
        let remote = "127.0.0.9:5060".parse().unwrap();
        assert_eq!(streams.ask(remote), Some(ConnId(1)));
        assert_eq!(streams.to(remote), Some(ConnId(1)));
        streams.all_closed();
        assert_eq!(streams.ask(remote), Some(ConnId(3)));
    }
}
