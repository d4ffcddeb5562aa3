//! SIP over UDP: one socket and its reading task, and those of former addresses while calls may need them; sends never wait.

use super::inbox::Inbox;
use base::limits::SIP_MESSAGE_BYTES_MAX;
use nix::sys::socket::{setsockopt, sockopt};
use pbx::door::{Input, Trouble, TroubleKind};
use signaling::sip::door::Input as Sip;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Wanted kernel buffer of the socket in bytes: some 2,000 INVITEs, while one turn lasts.
const KERNEL_BYTES: usize = 4 << 20;

/// Rest after a failed read, so that a broken interface does not keep the thread busy.
const FAILURE_PAUSE: Duration = Duration::from_millis(100);

/// Former addresses that are still heard at most.
const FORMER_MAX: usize = 4;

/// The sending ends of the SIP sockets: the one of the configuration, and former ones as long as calls may need them.
#[derive(Debug)]
pub struct Datagrams {
    current: Ear,
    former: Vec<Ear>,
    inbox: Inbox,
    /// Datagrams that the kernel refused; the sender's transaction repeats them.
    pub failed: u64,
}

/// One socket and its reading task.
#[derive(Debug)]
struct Ear {
    local: SocketAddr,
    socket: Arc<UdpSocket>,
    /// Nobody begins a call here any more.
    retired: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

/// Addresses that sockets of this program have.
static HELD: Mutex<Vec<SocketAddr>> = Mutex::new(Vec::new());

/// A list of addresses is never half changed.
fn held() -> MutexGuard<'static, Vec<SocketAddr>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ear {
    fn open(socket: UdpSocket, local: SocketAddr, inbox: &Inbox) -> Ear {
        held().push(local);
        let (socket, retired) = (Arc::new(socket), Arc::new(AtomicBool::new(false)));
        let reader = tokio::spawn(read(Arc::clone(&socket), local, inbox.clone(), Arc::clone(&retired)));
        Ear { local, socket, retired, reader }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.reader.abort();
        let mut held = held();
        if let Some(at) = held.iter().position(|address| *address == self.local) {
            held.swap_remove(at);
        }
    }
}

/// Whether the address could be had now, for UDP and TCP; one that calls of this program need yet is had already.
///
/// # Errors
/// Why not.
pub fn can_bind(local: SocketAddr) -> io::Result<()> {
    if !held().contains(&local) {
        std::net::UdpSocket::bind(local)?;
    }
    std::net::TcpListener::bind(local).map(|_| ())
}

/// Opens the socket.
pub fn bind(local: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(local)?;
    socket.set_nonblocking(true)?;
    // The kernel gives what `net.core.rmem_max` allows; less is no failure.
    let _ = setsockopt(&socket, sockopt::RcvBuf, &KERNEL_BYTES);
    let _ = setsockopt(&socket, sockopt::SndBuf, &KERNEL_BYTES);
    UdpSocket::from_std(socket)
}

impl Datagrams {
    /// Starts the reading task.
    pub fn start(socket: UdpSocket, local: SocketAddr, inbox: Inbox) -> Datagrams {
        Datagrams { current: Ear::open(socket, local, &inbox), former: Vec::new(), inbox, failed: 0 }
    }

    /// From now on at this address. The one before is heard until [`Datagrams::forget_former`], but nobody begins a call there.
    pub fn move_to(&mut self, socket: UdpSocket, local: SocketAddr) {
        let former = std::mem::replace(&mut self.current, Ear::open(socket, local, &self.inbox));
        former.retired.store(true, Ordering::Relaxed);
        self.former.push(former);
        let over = self.former.len().saturating_sub(FORMER_MAX);
        self.former.drain(..over);
    }

    /// Back to a former address, if it is still heard.
    pub fn move_back(&mut self, local: SocketAddr) -> bool {
        let Some(at) = self.former.iter().position(|ear| ear.local == local) else { return false };
        let former = std::mem::replace(&mut self.current, self.former.remove(at));
        self.current.retired.store(false, Ordering::Relaxed);
        former.retired.store(true, Ordering::Relaxed);
        self.former.push(former);
        true
    }

    /// No call needs a former address any more.
    pub fn forget_former(&mut self) {
        self.former.clear();
    }

    /// Sends at once or counts; from the socket that has this address, when there is one.
    pub fn send(&mut self, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) {
        let ear = self.former.iter().find(|ear| ear.local == local).unwrap_or(&self.current);
        if ear.socket.try_send_to(bytes, remote).is_err() {
            self.failed += 1;
        }
    }
}

async fn read(socket: Arc<UdpSocket>, local: SocketAddr, inbox: Inbox, retired: Arc<AtomicBool>) {
    let mut buffer = vec![0; SIP_MESSAGE_BYTES_MAX];
    let mut ill = false;
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, remote)) => {
                if std::mem::take(&mut ill) {
                    let detail = String::new();
                    let well = Trouble { kind: TroubleKind::SipSocket, raised: false, detail };
                    inbox.stream(Input::Trouble(well)).await;
                }
                let bytes = buffer[..length].to_vec();
                let shed = inbox.sheds() || retired.load(Ordering::Relaxed);
                inbox.datagram(Input::Sip(Sip::Datagram { local, remote, bytes, shed }));
            }
            Err(why) => {
                if !std::mem::replace(&mut ill, true) {
                    let detail = format!("UDP {local}: {why}");
                    let trouble = Trouble { kind: TroubleKind::SipSocket, raised: true, detail };
                    inbox.stream(Input::Trouble(trouble)).await;
                }
                tokio::time::sleep(FAILURE_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::inbox::inbox;
    use super::*;

    #[test]
    fn datagrams_come_in_and_go_out() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let (inbox, mut arrivals) = inbox();
            let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("bind");
            let local = socket.local_addr().expect("local");
            let mut datagrams = Datagrams::start(socket, local, inbox);
            let phone = UdpSocket::bind("127.0.0.1:0").await.expect("phone");
            let remote = phone.local_addr().expect("remote");
            phone.send_to(b"hello", local).await.expect("send");
            let expected = Input::Sip(Sip::Datagram { local, remote, bytes: b"hello".to_vec(), shed: false });
            assert_eq!(arrivals.recv().await, Some(expected));
            datagrams.send(local, remote, b"answer");
            let mut heard = [0; 16];
            let (length, from) = phone.recv_from(&mut heard).await.expect("receive");
            assert_eq!((&heard[..length], from), (&b"answer"[..], local));
            assert_eq!(datagrams.failed, 0);
        });
    }

    #[test]
    fn a_former_address_is_heard_until_it_is_forgotten_but_begins_nothing() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let (inbox, mut arrivals) = inbox();
            let fresh = || bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("bind");
            let (first, second) = (fresh(), fresh());
            let (one, two) = (first.local_addr().expect("local"), second.local_addr().expect("local"));
            let phone = UdpSocket::bind("127.0.0.1:0").await.expect("phone");
            let remote = phone.local_addr().expect("remote");
            let mut datagrams = Datagrams::start(first, one, inbox);
            datagrams.move_to(second, two);
            for (local, shed) in [(one, true), (two, false)] {
                phone.send_to(b"hello", local).await.expect("send");
                let expected = Input::Sip(Sip::Datagram { local, remote, bytes: b"hello".to_vec(), shed });
                assert_eq!(arrivals.recv().await, Some(expected));
            }
            let mut heard = [0; 16];
            datagrams.send(one, remote, b"bye");
            assert_eq!(phone.recv_from(&mut heard).await.expect("receive").1, one);
            assert!(can_bind(one).is_ok(), "what calls of our own need yet can be had again");
            assert!(datagrams.move_back(one) && !datagrams.move_back(one));
            phone.send_to(b"again", one).await.expect("send");
            let expected = Input::Sip(Sip::Datagram { local: one, remote, bytes: b"again".to_vec(), shed: false });
            assert_eq!(arrivals.recv().await, Some(expected));
            datagrams.forget_former();
            datagrams.send(two, remote, b"bye");
            assert_eq!(phone.recv_from(&mut heard).await.expect("receive").1, one, "the current one answers for it");
        });
    }
}
