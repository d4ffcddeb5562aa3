//! SIP over TCP: carries bytes between connections and the inbox. Knows no framing; a message may come in any number
//! of pieces, and what is said is cut into messages by the endpoint.

use super::inbox::Inbox;
use base::limits::{
    SIP_CONNECTIONS_MAX, SIP_STREAM_FIRST_WAIT_S, SIP_STREAM_IDLE_S, SIP_STREAM_WRITE_WAIT_S, SIP_STREAM_WRITES_MAX,
};
use pbx::door::Input;
use signaling::sip::door::{ConnId, Input as Sip};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Rest after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// All connections of the SIP listener and those opened by the endpoint.
#[derive(Debug)]
pub struct Streams {
    listener: TcpListener,
    inbox: Inbox,
    local: SocketAddr,
    /// Where to put what must be written; dropping it lets the connection drain and close.
    writes: BTreeMap<ConnId, mpsc::Sender<Vec<u8>>>,
    next_accepted: u64,
    /// Connections turned away because there were too many.
    pub refused: u64,
    /// Connections closed because the peer did not read.
    pub stuck: u64,
}

impl Streams {
    /// No connection yet. `born_us` is a moment later than the former life of the program: accepted connections are
    /// numbered from twice its microseconds, so that no number comes again.
    pub fn new(listener: TcpListener, inbox: Inbox, local: SocketAddr, born_us: u64) -> Streams {
        Streams { listener, inbox, local, writes: BTreeMap::new(), next_accepted: born_us * 2, refused: 0, stuck: 0 }
    }

    /// New connections come to this address from now on; those that are open stay.
    pub fn move_to(&mut self, listener: TcpListener, local: SocketAddr) {
        (self.listener, self.local) = (listener, local);
    }

    /// Waits for one connection and takes it over. May be dropped while it waits.
    pub async fn accept(&mut self) {
        match self.listener.accept().await {
            Ok((stream, remote)) => self.accepted(stream, remote),
            // Out of descriptors, or the peer was gone before we looked: others wait in the kernel's queue meanwhile.
            Err(_) => {
                self.refused += 1;
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    fn accepted(&mut self, stream: TcpStream, remote: SocketAddr) {
        if self.writes.len() >= SIP_CONNECTIONS_MAX {
            self.refused += 1;
            return;
        }
        let conn = ConnId(self.next_accepted);
        self.next_accepted += 2;
        let outgoing = self.open(conn);
        let carrier = Carrier { conn, inbox: self.inbox.clone() };
        let local = stream.local_addr().unwrap_or(self.local);
        tokio::spawn(carrier.carry(stream, local, remote, outgoing));
    }

    /// Opens a connection for the endpoint.
    pub fn connect(&mut self, conn: ConnId, remote: SocketAddr) {
        let outgoing = self.open(conn);
        let carrier = Carrier { conn, inbox: self.inbox.clone() };
        let ours = self.local;
        tokio::spawn(async move {
            match timeout(Duration::from_secs(SIP_STREAM_WRITE_WAIT_S), dial(ours, remote)).await {
                Ok(Ok(stream)) => {
                    let local = stream.local_addr().unwrap_or(ours);
                    carrier.carry(stream, local, remote, outgoing).await;
                }
                Ok(Err(_)) | Err(_) => carrier.gone().await,
            }
        });
    }

    fn open(&mut self, conn: ConnId) -> mpsc::Receiver<Vec<u8>> {
        let (writes, outgoing) = mpsc::channel(SIP_STREAM_WRITES_MAX);
        self.writes.insert(conn, writes);
        outgoing
    }

    /// Queues bytes. False when the connection is not there (any more): the endpoint must be told that it is closed.
    pub fn write(&mut self, conn: ConnId, bytes: Vec<u8>) -> bool {
        match self.writes.get(&conn).map(|w| w.try_send(bytes)) {
            Some(Ok(())) => true,
            Some(Err(_)) => {
                self.stuck += 1;
                self.close(conn);
                false
            }
            None => false,
        }
    }

    /// Lets a connection write what is queued and closes it.
    pub fn close(&mut self, conn: ConnId) {
        self.writes.remove(&conn);
    }

    /// Connections open or opening.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

async fn dial(local: SocketAddr, remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if local.is_ipv4() == remote.is_ipv4() {
        socket.bind(SocketAddr::new(local.ip(), 0))?;
    }
    socket.connect(remote).await
}

/// The listener of SIP over TCP. The address may be taken again at once after a restart of the program.
pub fn listen(local: SocketAddr) -> io::Result<TcpListener> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(local)?;
    socket.listen(128)
}

/// How one direction of a connection ended.
#[derive(PartialEq, Eq)]
enum End {
    /// The endpoint asked for it; it knows.
    Ours,
    /// The peer or the network did it.
    Theirs,
}

/// The task of one connection.
struct Carrier {
    conn: ConnId,
    inbox: Inbox,
}

impl Carrier {
    async fn carry(self, stream: TcpStream, local: SocketAddr, remote: SocketAddr, outgoing: mpsc::Receiver<Vec<u8>>) {
        // Small messages must not wait for each other; without it they are only slower.
        let _ = stream.set_nodelay(true);
        if !self.inbox.stream(Input::Sip(Sip::Opened { conn: self.conn, local, remote })).await {
            return;
        }
        let (read, write) = stream.into_split();
        let end = tokio::select! {
            end = self.read(read) => end,
            end = drain(write, outgoing) => end,
        };
        if end == End::Theirs {
            self.gone().await;
        }
    }

    async fn gone(&self) {
        self.inbox.stream(Input::Sip(Sip::Closed { conn: self.conn })).await;
    }

    /// Until the peer closes, says nothing for too long, or the control task ends.
    async fn read(&self, mut from: OwnedReadHalf) -> End {
        let mut patience = Duration::from_secs(SIP_STREAM_FIRST_WAIT_S);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let length = match timeout(patience, from.read(&mut buffer)).await {
                Ok(Ok(length)) if length > 0 => length,
                Ok(Ok(_)) | Ok(Err(_)) | Err(_) => return End::Theirs,
            };
            patience = Duration::from_secs(SIP_STREAM_IDLE_S);
            let bytes = buffer[..length].to_vec();
            let shed = self.inbox.sheds();
            if !self.inbox.stream(Input::Sip(Sip::Bytes { conn: self.conn, bytes, shed })).await {
                return End::Ours;
            }
        }
    }
}

/// Writes until the queue is dropped and empty, or the peer takes nothing for too long.
async fn drain(mut to: OwnedWriteHalf, mut outgoing: mpsc::Receiver<Vec<u8>>) -> End {
    while let Some(bytes) = outgoing.recv().await {
        match timeout(Duration::from_secs(SIP_STREAM_WRITE_WAIT_S), to.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return End::Theirs,
        }
    }
    // The peer may be gone already; then there is nothing left to close.
    let _ = to.shutdown().await;
    End::Ours
}

#[cfg(test)]
mod tests {
    use super::super::inbox::inbox;
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime")
    }

    #[test]
    fn an_accepted_connection_reports_its_life_in_order() {
        runtime().block_on(async {
            let (inbox, mut arrivals) = inbox();
            let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("listen");
            let local = listener.local_addr().expect("local");
            let mut streams = Streams::new(listener, inbox, local, 21);
            let mut phone = TcpStream::connect(local).await.expect("connect");
            streams.accept().await;
            let remote = phone.local_addr().expect("remote");
            let conn = ConnId(42);
            assert_eq!(arrivals.recv().await, Some(Input::Sip(Sip::Opened { conn, local, remote })));
            phone.write_all(b"half a mess").await.expect("write");
            let expected = Input::Sip(Sip::Bytes { conn, bytes: b"half a mess".to_vec(), shed: false });
            assert_eq!(arrivals.recv().await, Some(expected));
            assert!(streams.write(conn, b"answer".to_vec()));
            let mut heard = [0; 6];
            phone.read_exact(&mut heard).await.expect("read");
            assert_eq!(&heard, b"answer");
            drop(phone);
            assert_eq!(arrivals.recv().await, Some(Input::Sip(Sip::Closed { conn })));
            streams.close(conn);
            assert!(!streams.write(conn, vec![1]) && streams.is_empty());
        });
    }

    #[test]
    fn a_connection_that_cannot_be_opened_is_reported_closed() {
        runtime().block_on(async {
            let (inbox, mut arrivals) = inbox();
            let nobody = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("listen");
            let remote = nobody.local_addr().expect("local");
            drop(nobody);
            let ours = SocketAddr::from(([127, 0, 0, 1], 0));
            let mut streams = Streams::new(listen(ours).expect("listen"), inbox, ours, 0);
            streams.connect(ConnId(3), remote);
            assert!(streams.write(ConnId(3), b"waits".to_vec()));
            assert_eq!(arrivals.recv().await, Some(Input::Sip(Sip::Closed { conn: ConnId(3) })));
        });
    }

    #[test]
    fn closing_lets_queued_words_out() {
        runtime().block_on(async {
            let (inbox, mut arrivals) = inbox();
            let peer = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("listen");
            let remote = peer.local_addr().expect("local");
            let ours = SocketAddr::from(([127, 0, 0, 1], 0));
            let mut streams = Streams::new(listen(ours).expect("listen"), inbox, ours, 0);
            streams.connect(ConnId(5), remote);
            assert!(streams.write(ConnId(5), b"last words".to_vec()));
            streams.close(ConnId(5));
            let (mut heard, _) = peer.accept().await.expect("accept");
            let mut all = Vec::new();
            heard.read_to_end(&mut all).await.expect("read");
            assert_eq!(all, b"last words");
            assert!(matches!(arrivals.recv().await, Some(Input::Sip(Sip::Opened { .. }))));
            assert!(arrivals.try_recv().is_err(), "the endpoint knows that it closed");
        });
    }
}
