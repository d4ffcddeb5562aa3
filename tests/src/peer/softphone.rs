//! The simulation's virtual phone on a real UDP socket. It does at a chosen microsecond what no phone program can be told
//! to do, and several of them live in one thread, so that a test can make messages cross.

use super::{At, Outcome, Trouble};
use crate::sim::dice::Dice;
use crate::sim::phone::{Act, CallNo, Identity, News, Phone};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// A virtual phone with a socket.
pub struct Softphone {
    phone: Phone,
    socket: UdpSocket,
    begun: Instant,
    /// What its person noticed, oldest first.
    pub news: Vec<News>,
}

impl Softphone {
    /// At `address`, for `user`; not registered yet. `seed` makes its tags and branches.
    pub fn new(user: &str, secret: &str, address: SocketAddr, server: SocketAddr, seed: u64) -> Outcome<Softphone> {
        let socket = UdpSocket::bind(address).at(address)?;
        socket.set_nonblocking(true).at(address)?;
        let identity = Identity {
            user: user.to_owned(),
            secret: secret.to_owned(),
            addr: address,
            server,
            stream: false,
            call_waiting: true,
            expires_s: 600,
        };
        let phone = Phone::new(identity, Dice::new(seed, u64::from(address.port())));
        Ok(Softphone { phone, socket, begun: Instant::now(), news: Vec::new() })
    }

    /// Lets the person do something.
    pub fn act<T>(&mut self, act: impl FnOnce(&mut Phone, u64, &mut Vec<Act>) -> T) -> T {
        let (now, mut out) = (self.now_us(), Vec::new());
        let result = act(&mut self.phone, now, &mut out);
        self.carry_out(out);
        result
    }

    /// Registers and waits until it holds.
    pub fn register(&mut self) -> Outcome {
        self.act(|phone, now, out| phone.register(now, out));
        turn_until(&mut [self], Duration::from_secs(5), "the registration", |phones| {
            phones[0].news.contains(&News::Registered)
        })
    }

    /// Calls `number`.
    pub fn dial(&mut self, number: &str) -> CallNo {
        let user = self.phone.identity.user.clone();
        self.act(|phone, now, out| phone.dial(now, number, &user, false, out))
    }

    /// Lifts the receiver.
    pub fn answer(&mut self, call: CallNo) {
        self.act(|phone, now, out| phone.answer(now, call, out));
    }

    /// Puts the receiver down: CANCEL, BYE or 603, whatever fits.
    pub fn hang_up(&mut self, call: CallNo) {
        self.act(|phone, now, out| phone.hang_up(now, call, out));
    }

    /// The newest call that rang here.
    pub fn offered(&self) -> Option<CallNo> {
        self.news.iter().rev().find_map(|news| if let News::Offered(call) = news { Some(*call) } else { None })
    }

    /// What the box sent that no phone should be sent.
    pub fn protests(&self) -> Vec<&News> {
        self.news.iter().filter(|news| matches!(news, News::Protest(_))).collect()
    }

    /// No call of any stage is left.
    pub fn is_idle(&self) -> bool {
        self.phone.live().next().is_none()
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn carry_out(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Send(bytes) => {
                    // As on a network: what cannot be sent is lost, and repeated by its transaction.
                    let _ = self.socket.send_to(&bytes, self.phone.identity.server);
                }
                Act::Tell(news) => self.news.push(news),
            }
        }
    }

    /// Takes what has arrived and what is due.
    fn turn(&mut self) {
        let mut bytes = [0; 65_535];
        while let Ok(size) = self.socket.recv(&mut bytes) {
            self.act(|phone, now, out| phone.receive(now, &bytes[..size], out));
        }
        if self.phone.deadline_us().is_some_and(|at| at <= self.now_us()) {
            self.act(|phone, now, out| phone.timer(now, out));
        }
    }

    fn wait(&self) -> Option<Duration> {
        self.phone.deadline_us().map(|at| Duration::from_micros(at.saturating_sub(self.now_us())))
    }
}

/// Lets all phones live until `done` says so. `what` names it.
pub fn turn_until(
    phones: &mut [&mut Softphone],
    limit: Duration,
    what: &str,
    done: impl Fn(&[&mut Softphone]) -> bool,
) -> Outcome {
    let end = Instant::now() + limit;
    loop {
        phones.iter_mut().for_each(|phone| phone.turn());
        if done(phones) {
            return Ok(());
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let news: Vec<_> = phones.iter().map(|phone| &phone.news).collect();
            return Err(Trouble(format!("waited {limit:?} for {what}; the phones noticed {news:#?}")));
        }
        let wait = phones.iter().filter_map(|phone| phone.wait()).min().unwrap_or(left).min(left);
        let mut ready: Vec<PollFd> =
            phones.iter().map(|phone| PollFd::new(phone.socket.as_fd(), PollFlags::POLLIN)).collect();
        // A millisecond more, because poll counts in those.
        let wait = PollTimeout::try_from(wait + Duration::from_millis(1)).unwrap_or(PollTimeout::ZERO);
        poll(&mut ready, wait).at("poll")?;
    }
}
