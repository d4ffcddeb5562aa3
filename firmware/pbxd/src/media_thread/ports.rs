//! The sockets: for each RTP leg one for RTP and, on the next port, one for RTCP.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use base::id::LegKey;
use base::media::LegFailure;
use base::slab::Key;
use media::{Channel, Packet};
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};

/// Event numbers below this are not sockets.
pub const FIRST_EVENT: u64 = 16;

struct Pair {
    leg: LegKey,
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

/// All sockets, by index of their leg.
pub struct Ports {
    bind: IpAddr,
    pairs: Vec<Option<Pair>>,
    /// Packets that the kernel did not take.
    pub unsent: u64,
}

impl Ports {
    /// No sockets yet; they will be bound to `bind`.
    pub fn new(bind: IpAddr) -> Ports {
        Ports { bind, pairs: Vec::new(), unsent: 0 }
    }

    /// Sockets opened from now on are bound to this address.
    pub fn bind_to(&mut self, bind: IpAddr) {
        self.bind = bind;
    }

    /// Binds both ports of a leg and waits for them in `epoll`.
    pub fn open(&mut self, epoll: &Epoll, leg: LegKey, port: u16) -> Result<(), LegFailure> {
        let bind = |port: Option<u16>| {
            let port = port.ok_or(LegFailure::PortTaken)?;
            let socket = UdpSocket::bind(SocketAddr::new(self.bind, port)).map_err(|why| failure(&why))?;
            socket.set_nonblocking(true).map_err(|why| failure(&why))?;
            Ok(socket)
        };
        let pair = Pair { leg, rtp: bind(Some(port))?, rtcp: bind(port.checked_add(1))? };
        let number = FIRST_EVENT + 2 * u64::from(leg.index());
        epoll.add(&pair.rtp, EpollEvent::new(EpollFlags::EPOLLIN, number)).map_err(|_| LegFailure::Exhausted)?;
        epoll.add(&pair.rtcp, EpollEvent::new(EpollFlags::EPOLLIN, number + 1)).map_err(|_| LegFailure::Exhausted)?;
        let index = leg.index() as usize;
        if index >= self.pairs.len() {
            self.pairs.resize_with(index + 1, || None);
        }
        self.pairs[index] = Some(pair);
        Ok(())
    }

    /// Closes both ports of a leg; the kernel forgets them in its epoll, too.
    pub fn close(&mut self, leg: LegKey) {
        if let Some(pair) = self.pairs.get_mut(leg.index() as usize) {
            pair.take_if(|pair| pair.leg == leg);
        }
    }

    /// One datagram of the socket that an event names: whose, which port, from where, how long.
    pub fn receive(&self, event: u64, buffer: &mut [u8]) -> Option<(LegKey, Channel, SocketAddr, usize)> {
        let number = event.checked_sub(FIRST_EVENT)?;
        let pair = self.pairs.get(usize::try_from(number / 2).ok()?)?.as_ref()?;
        let (channel, socket) =
            if number.is_multiple_of(2) { (Channel::Rtp, &pair.rtp) } else { (Channel::Rtcp, &pair.rtcp) };
        // Nothing there, or an error that belongs to a packet sent before: both are no datagram.
        let (length, from) = socket.recv_from(buffer).ok()?;
        Some((pair.leg, channel, from, length))
    }

    /// Sends a packet; one that the kernel does not take is counted, as if the network had lost it.
    pub fn send(&mut self, packet: &Packet) {
        let pair = self.pairs.get(packet.leg.index() as usize).and_then(Option::as_ref);
        let Some(pair) = pair.filter(|pair| pair.leg == packet.leg) else { return };
        let socket = match packet.channel {
            Channel::Rtp => &pair.rtp,
            Channel::Rtcp => &pair.rtcp,
        };
        if socket.send_to(packet.bytes(), packet.to).is_err() {
            self.unsent += 1;
        }
    }
}

fn failure(why: &io::Error) -> LegFailure {
    match why.kind() {
        ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable | ErrorKind::PermissionDenied => LegFailure::PortTaken,
        _ => LegFailure::Exhausted,
    }
}
