//! SIP over UDP: one socket, one reading task, sends that never wait.

use super::inbox::Inbox;
use base::limits::SIP_MESSAGE_BYTES_MAX;
use nix::sys::socket::{setsockopt, sockopt};
use pbx::door::{Input, Trouble, TroubleKind};
use signaling::sip::door::Input as Sip;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Wanted kernel buffer of the socket in bytes: some 2,000 INVITEs, while one turn lasts.
const KERNEL_BYTES: usize = 4 << 20;

/// Rest after a failed read, so that a broken interface does not keep the thread busy.
const FAILURE_PAUSE: Duration = Duration::from_millis(100);

/// The sending end of the SIP socket.
#[derive(Debug)]
pub struct Datagrams {
    socket: Arc<UdpSocket>,
    /// Datagrams that the kernel refused; the sender's transaction repeats them.
    pub failed: u64,
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
        let socket = Arc::new(socket);
        tokio::spawn(read(Arc::clone(&socket), local, inbox));
        Datagrams { socket, failed: 0 }
    }

    /// Sends at once or counts.
    pub fn send(&mut self, remote: SocketAddr, bytes: &[u8]) {
        if self.socket.try_send_to(bytes, remote).is_err() {
            self.failed += 1;
        }
    }
}

async fn read(socket: Arc<UdpSocket>, local: SocketAddr, inbox: Inbox) {
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
                let shed = inbox.sheds();
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
            datagrams.send(remote, b"answer");
            let mut heard = [0; 16];
            let (length, from) = phone.recv_from(&mut heard).await.expect("receive");
            assert_eq!((&heard[..length], from), (&b"answer"[..], local));
            assert_eq!(datagrams.failed, 0);
        });
    }
}
