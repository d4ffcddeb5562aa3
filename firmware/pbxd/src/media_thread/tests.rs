//! The thread as the box uses it, over loopback sockets, in real time.

use super::*;
use base::id::LegKey;
use base::media::{Codec, LegFailure, RtpRemote, RtpSend, Side};
use base::slab::Key;
use media::rtp;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(5);

fn key(index: u32) -> LegKey {
    LegKey::from_parts(index, 0)
}

struct Running {
    thread: MediaThread,
    reports: Receiver<Report>,
    frames: Receiver<RecordFrame>,
}

fn start(highway: Vec<HighwayCard>) -> Running {
    let (report, reports): (Sender<Report>, _) = channel();
    let (record, frames) = channel();
    let config = MediaThreadConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        settings: Settings::default(),
        library: Library::new(),
        highway,
    };
    let report = move |r| report.send(r).map_err(|refused| refused.0);
    let thread = spawn(config, report, move |frame| {
        let _ = record.send(frame);
    })
    .unwrap();
    Running { thread, reports, frames }
}

impl Running {
    fn command(&self, command: Command) {
        assert!(self.thread.commands().send(command));
    }

    /// A leg and the phone at its other end.
    fn leg(&self, index: u32, port: u16) -> Phone {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let send = RtpSend { ssrc: index, first_seq: 1, first_timestamp: 1, epoch: crate::clock::instant() };
        self.command(Command::CreateRtp { leg: key(index), local_port: port, send });
        let remote = RtpRemote {
            addr: socket.local_addr().unwrap(),
            codec: Codec::Pcma,
            payload_type: 8,
            dtmf_payload_type: Some(101),
            send: true,
            receive: true,
        };
        self.command(Command::SetRemote { leg: key(index), remote });
        Phone { socket, to: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), seq: 0 }
    }
}

struct Phone {
    socket: UdpSocket,
    to: SocketAddr,
    seq: u16,
}

impl Phone {
    fn say(&mut self, value: u8) {
        let header = rtp::Header {
            payload_type: 8,
            marker: false,
            seq: self.seq,
            timestamp: u32::from(self.seq) * 160,
            ssrc: 9,
        };
        self.seq += 1;
        let mut bytes = [0; 172];
        let len = rtp::write(&header, &[value; 160], &mut bytes).unwrap();
        self.socket.send_to(&bytes[..len], self.to).unwrap();
    }

    fn hear(&self) -> (rtp::Header, u8) {
        let mut bytes = [0; 200];
        let len = self.socket.recv(&mut bytes).unwrap();
        let (header, payload) = rtp::parse(&bytes[..len]).unwrap();
        (header, payload[0])
    }
}

#[test]
fn a_call_over_real_sockets() {
    let box_ = start(vec![]);
    let (mut a, mut b) = (box_.leg(0, 25_000), box_.leg(1, 25_002));
    box_.command(Command::Join { a: key(0), b: key(1) });
    // Both hear silence at the pace of the clock.
    let begun = Instant::now();
    let first = a.hear().0;
    let mut last = first;
    for _ in 0..25 {
        let (header, value) = a.hear();
        assert_eq!(value, media::g711::SILENCE_A);
        assert_eq!(header.seq.wrapping_sub(last.seq), 1);
        last = header;
    }
    let took = begun.elapsed();
    assert!((450..800).contains(&took.as_millis()), "{took:?}");
    let start = Command::RecordStart {
        leg: key(0),
        recording: base::id::Uid(7),
        side: Side::Caller,
        since: crate::clock::instant(),
    };
    box_.command(start);
    // Audio passes both ways.
    for n in 1..30u8 {
        a.say(n);
        b.say(n + 100);
        let heard = |phone: &Phone, value| while phone.hear().1 != value {};
        heard(&b, n);
        heard(&a, n + 100);
    }
    box_.command(Command::Destroy { leg: key(0) });
    box_.command(Command::Destroy { leg: key(1) });
    let counters: Vec<_> = (0..2)
        .map(|_| match box_.reports.recv_timeout(PATIENCE) {
            Ok(Report::Counters { leg, counters }) => (leg, counters.received, counters.strangers),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(counters, [(key(0), 29, 0), (key(1), 29, 0)]);
    box_.thread.stop();
    let recorded: Vec<u8> = box_.frames.iter().map(|frame| frame.alaw[0]).collect();
    assert_eq!(recorded, (1..30).collect::<Vec<u8>>());
}

#[test]
fn a_taken_port_is_told_and_harms_nobody() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 25_011)).unwrap();
    let box_ = start(vec![]);
    let good = box_.leg(1, 25_012);
    let bad = box_.leg(0, 25_010);
    let report = box_.reports.recv_timeout(PATIENCE).unwrap();
    assert_eq!(report, Report::Failed { leg: key(0), why: LegFailure::PortTaken });
    good.hear();
    // Destroyed and made again on a free port under the next generation.
    box_.command(Command::Destroy { leg: key(0) });
    drop((taken, bad));
    let _good = box_.leg(0, 25_010).hear();
    box_.thread.stop();
}

#[test]
fn a_missing_sound_device_leaves_the_phones_alone() {
    let card = HighwayCard { card: 1, device: "no-such-pcm".into() };
    let box_ = start(vec![card]);
    assert_eq!(box_.reports.recv_timeout(PATIENCE), Ok(Report::Highway { running: false }));
    let phone = box_.leg(0, 25_020);
    let begun = Instant::now();
    for _ in 0..25 {
        phone.hear();
    }
    assert!((450..800).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    box_.thread.stop();
}

#[test]
fn a_device_without_a_clock_does_not_race_the_tick() {
    let card = HighwayCard { card: 1, device: "null".into() };
    // From before the first packet, so that a test that was held up counts in the thread's favour only.
    let begun = Instant::now();
    let box_ = start(vec![card]);
    let phone = box_.leg(0, 25_030);
    for _ in 0..60 {
        phone.hear();
    }
    // A few ticks too many when the device is tried, no flood.
    assert!(begun.elapsed() > Duration::from_millis(700), "{:?}", begun.elapsed());
    box_.thread.stop();
}

#[test]
fn reports_that_are_not_taken_come_again_in_order() {
    let (report, reports) = channel();
    let mut refused = 0;
    let config = MediaThreadConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        settings: Settings::default(),
        library: Library::new(),
        highway: vec![],
    };
    let sink = move |r| {
        refused += 1;
        if refused % 3 == 0 { report.send(r).map_err(|e: std::sync::mpsc::SendError<Report>| e.0) } else { Err(r) }
    };
    let thread = spawn(config, sink, drop).unwrap();
    for index in 0..10 {
        thread.commands().send(Command::CreateTdm { leg: key(index), port: base::line::PortId { card: 1, port: 1 } });
    }
    for index in 0..10 {
        let expected = Report::Failed { leg: key(index), why: LegFailure::NoCard };
        assert_eq!(reports.recv_timeout(PATIENCE), Ok(expected));
    }
    thread.stop();
}
