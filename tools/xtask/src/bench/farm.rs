//! The audio of all phones: one thread sends a G.711 frame for each leg every 20 ms, spread over the 20 ms, and takes what
//! the box sends back. All phones of a side share a socket; the box's port tells whose a packet is.

use super::stage::{CALLEES, CALLERS, CARRIER, RTP};
use ::tests::peer::{At, Outcome, Trouble};
use nix::sys::socket::{setsockopt, sockopt};
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Who holds a leg's other end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// Phones that call.
    Callers,
    /// The carrier.
    Carrier,
    /// Phones that are called.
    Callees,
}

const SIDES: [Side; 3] = [Side::Callers, Side::Carrier, Side::Callees];
/// The frames of a leg are one of these slots of 1 ms apart from their neighbours'.
const SLOTS: usize = 20;
const SLOT: Duration = Duration::from_millis(1);
const FRAME_SAMPLES: u32 = 160;
const HEADER_BYTES: usize = 12;
/// So much may lie unread while somebody else has the processor.
const BUFFER_BYTES: usize = 8 << 20;

/// What one leg saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Packets sent to the box.
    pub sent: u64,
    /// Packets taken from the box.
    pub received: u64,
    /// The first packet since the last mark.
    pub first: Option<Instant>,
    /// The longest time without a packet since the last mark.
    pub hole: Duration,
}

enum Order {
    Legs(Vec<(Side, SocketAddr)>),
    Mark,
    Tell(Sender<Vec<Seen>>),
    Stop,
}

/// The thread.
pub struct Farm {
    orders: Sender<Order>,
    thread: JoinHandle<()>,
}

impl Farm {
    /// Takes the sockets; sends nothing yet.
    pub fn start() -> Outcome<Farm> {
        let bind = |side: Side| {
            let address = SocketAddr::from((place(side), RTP));
            let socket = UdpSocket::bind(address).at(address)?;
            socket.set_nonblocking(true).at(address)?;
            if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_BYTES).is_err() {
                setsockopt(&socket, sockopt::RcvBuf, &BUFFER_BYTES).at(address)?;
            }
            Ok(socket)
        };
        let sockets = SIDES.into_iter().map(bind).collect::<Outcome<Vec<UdpSocket>>>()?;
        let (orders, taken) = channel();
        let field = Field { sockets, legs: Vec::new(), of: BTreeMap::new() };
        let thread =
            std::thread::Builder::new().name("farm".into()).spawn(move || field.run(&taken)).at("no thread")?;
        Ok(Farm { orders, thread })
    }

    /// From now on these legs, and no others.
    pub fn legs(&self, legs: Vec<(Side, SocketAddr)>) -> Outcome {
        self.orders.send(Order::Legs(legs)).at("farm")
    }

    /// What arrived until now is of the past: holes and first packets count from now on.
    pub fn mark(&self) -> Outcome {
        self.orders.send(Order::Mark).at("farm")
    }

    /// What each leg saw so far.
    pub fn seen(&self) -> Outcome<Vec<Seen>> {
        let (tell, told) = channel();
        self.orders.send(Order::Tell(tell)).at("farm")?;
        told.recv().at("farm")
    }

    /// Ends it.
    pub fn stop(self) -> Outcome {
        self.orders.send(Order::Stop).at("farm")?;
        self.thread.join().map_err(|_| Trouble("the farm's thread died".into()))
    }
}

fn place(side: Side) -> std::net::Ipv4Addr {
    match side {
        Side::Callers => CALLERS.0,
        Side::Carrier => CARRIER.0,
        Side::Callees => CALLEES.0,
    }
}

struct Leg {
    side: Side,
    to: SocketAddr,
    packet: [u8; HEADER_BYTES + FRAME_SAMPLES as usize],
    sequence: u16,
    timestamp: u32,
    last: Option<Instant>,
    seen: Seen,
}

struct Field {
    sockets: Vec<UdpSocket>,
    legs: Vec<Leg>,
    of: BTreeMap<(Side, SocketAddr), usize>,
}

impl Field {
    fn run(mut self, orders: &Receiver<Order>) {
        let (mut due, mut slot) = (Instant::now(), 0);
        loop {
            while let Ok(order) = orders.try_recv() {
                match order {
                    Order::Legs(legs) => self.plant(legs),
                    Order::Mark => {
                        self.take();
                        self.legs.iter_mut().for_each(Leg::mark);
                    }
                    Order::Tell(tell) => {
                        // Who asked may have given up.
                        let _ = tell.send(self.legs.iter().map(|leg| leg.seen).collect());
                    }
                    Order::Stop => return,
                }
            }
            self.send(slot);
            self.take();
            slot = (slot + 1) % SLOTS;
            due += SLOT;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }

    fn plant(&mut self, legs: Vec<(Side, SocketAddr)>) {
        self.of = legs.iter().enumerate().map(|(place, leg)| (*leg, place)).collect();
        self.legs = legs.into_iter().zip(1..).map(|((side, to), ssrc)| Leg::new(side, to, ssrc)).collect();
    }

    fn send(&mut self, slot: usize) {
        for leg in self.legs.iter_mut().skip(slot).step_by(SLOTS) {
            leg.next();
            let Some(socket) = self.sockets.get(leg.side as usize) else { continue };
            // As on a network: what cannot be sent is lost.
            leg.seen.sent += u64::from(socket.send_to(&leg.packet, leg.to).is_ok());
        }
    }

    fn take(&mut self) {
        let mut bytes = [0; 2048];
        for (socket, side) in self.sockets.iter().zip(SIDES) {
            while let Ok((size, from)) = socket.recv_from(&mut bytes) {
                let Some(leg) = self.of.get(&(side, from)).and_then(|place| self.legs.get_mut(*place)) else {
                    continue;
                };
                if size > HEADER_BYTES {
                    leg.took(Instant::now());
                }
            }
        }
    }
}

impl Leg {
    fn new(side: Side, to: SocketAddr, ssrc: u32) -> Leg {
        let mut packet = [0; HEADER_BYTES + FRAME_SAMPLES as usize];
        // Version 2, payload type 8, and a pattern that is not silence (RFC 3550 §5.1).
        packet[0] = 0x80;
        packet[1] = 8;
        packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
        packet[HEADER_BYTES..].iter_mut().zip((0..=255_u8).cycle()).for_each(|(byte, n)| *byte = n.wrapping_mul(37));
        Leg { side, to, packet, sequence: 0, timestamp: 0, last: None, seen: Seen::default() }
    }

    fn next(&mut self) {
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME_SAMPLES);
        self.packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        self.packet[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
    }

    fn mark(&mut self) {
        self.seen.first = None;
        self.seen.hole = Duration::ZERO;
    }

    fn took(&mut self, now: Instant) {
        self.seen.received += 1;
        self.seen.first.get_or_insert(now);
        if let Some(last) = self.last.replace(now) {
            self.seen.hole = self.seen.hole.max(now.duration_since(last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_packet_and_the_longest_hole_count_from_the_mark() {
        let mut leg = Leg::new(Side::Callers, SocketAddr::from(([127, 0, 0, 1], 9)), 1);
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        [0, 900, 920].into_iter().for_each(|ms| leg.took(at(ms)));
        leg.mark();
        [1120, 1140].into_iter().for_each(|ms| leg.took(at(ms)));
        assert_eq!((leg.seen.first, leg.seen.hole), (Some(at(1120)), Duration::from_millis(200)));
        assert_eq!(leg.seen.received, 5);
    }
}
