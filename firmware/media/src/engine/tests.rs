//! The engine as the shell uses it: phones that send and receive, line cards, time.

use super::*;
use crate::{Packet, RecordFrame, event, g711, rtcp};
use base::media::{Codec, Digit, Item, PlayId, RtpRemote, Tone};

mod monitor;

const A: u32 = 0;
const B: u32 = 1;
const START_US: u64 = 3_600_000_007;

fn key(index: u32) -> LegKey {
    LegKey::from_parts(index, 0)
}

fn phone_addr(index: u32) -> SocketAddr {
    SocketAddr::from(([127, 0, 1, index as u8 + 1], 40_000))
}

fn send_of(index: u32, epoch: Instant) -> RtpSend {
    RtpSend { ssrc: 0x1000 + index, first_seq: 65_500, first_timestamp: 7000, epoch }
}

/// A peer's sender.
struct Phone {
    index: u32,
    codec: Codec,
    seq: u16,
    timestamp: u32,
}

impl Phone {
    fn new(index: u32, codec: Codec) -> Phone {
        Phone { index, codec, seq: 10, timestamp: 90_000 }
    }

    fn payload_type(&self) -> u8 {
        if self.codec == Codec::Pcma { 8 } else { 0 }
    }

    fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let header = rtp::Header {
            payload_type: self.payload_type(),
            marker: false,
            seq: self.seq,
            timestamp: self.timestamp,
            ssrc: 77 + self.index,
        };
        self.seq = self.seq.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(payload.len() as u32);
        let mut buffer = [0; 1500];
        let len = rtp::write(&header, payload, &mut buffer).unwrap();
        buffer[..len].to_vec()
    }

    fn event(&mut self, timestamp: u32, event: &event::Event) -> Vec<u8> {
        let header = rtp::Header { payload_type: 101, marker: false, seq: self.seq, timestamp, ssrc: 77 + self.index };
        self.seq = self.seq.wrapping_add(1);
        let mut buffer = [0; 16];
        rtp::write(&header, &event::write(event), &mut buffer).unwrap();
        buffer.to_vec()
    }
}

/// An engine in virtual time; effects are collected for ever.
struct Rig {
    engine: Engine,
    now: Instant,
    out: Effects,
    input: Option<HighwayFrame>,
    output: HighwayFrame,
}

impl Rig {
    fn new() -> Rig {
        let mut library = Library::new();
        library.insert("en-US", "tone", vec![8000; 800].into());
        let settings = Settings { cards: vec![1], ..Settings::default() };
        Rig {
            engine: Engine::new(settings, library),
            now: Instant::from_micros(START_US),
            out: Effects::default(),
            input: None,
            output: HighwayFrame::new(&[1]),
        }
    }

    fn command(&mut self, command: Command) {
        self.engine.command(self.now, command, &mut self.out);
    }

    fn rtp_leg(&mut self, index: u32, codec: Codec, events: bool) -> Phone {
        self.command(Command::CreateRtp { leg: key(index), local_port: 15_100, send: send_of(index, self.now) });
        self.agree(index, codec, events);
        Phone::new(index, codec)
    }

    fn agree(&mut self, index: u32, codec: Codec, events: bool) {
        let remote = RtpRemote {
            addr: phone_addr(index),
            codec,
            payload_type: if codec == Codec::Pcma { 8 } else { 0 },
            dtmf_payload_type: events.then_some(101),
            send: true,
            receive: true,
        };
        self.command(Command::SetRemote { leg: key(index), remote });
    }

    fn arrives(&mut self, phone: &mut Phone, payload: &[u8]) {
        let bytes = phone.packet(payload);
        self.datagram(phone.index, phone_addr(phone.index), &bytes);
    }

    fn datagram(&mut self, leg: u32, from: SocketAddr, bytes: &[u8]) {
        self.engine.packet(self.now, key(leg), Channel::Rtp, from, bytes, &mut self.out);
    }

    fn wait(&mut self, us: u64) {
        self.now += Duration::from_micros(us);
    }

    fn tick(&mut self) {
        self.wait(TICK_US);
        self.engine.tick(self.now, self.input.as_ref(), Some(&mut self.output), &mut self.out);
    }

    fn ticks(&mut self, n: usize) {
        (0..n).for_each(|_| self.tick());
    }

    /// RTP sent to a phone.
    fn sent(&self, index: u32) -> Vec<(rtp::Header, Vec<u8>)> {
        let rtp = |p: &&Packet| p.leg == key(index) && p.channel == Channel::Rtp;
        let read = |p: &Packet| rtp::parse(p.bytes()).map(|(h, payload)| (h, payload.to_vec())).unwrap();
        self.out.packets.iter().filter(rtp).map(read).collect()
    }

    fn digits(&self) -> Vec<(LegKey, char, DigitSource)> {
        let digit = |r: &Report| match r {
            Report::Digit { leg, digit, source } => Some((*leg, digit.as_char(), *source)),
            _ => None,
        };
        self.out.reports.iter().filter_map(digit).collect()
    }
}

fn digit(c: char) -> Digit {
    Digit::from_char(c).unwrap()
}

#[test]
fn an_unbridged_leg_hears_continuous_silence() {
    let mut rig = Rig::new();
    let _phone = rig.rtp_leg(A, Codec::Pcma, true);
    assert_eq!(rig.out.ports, [PortAction::Open { leg: key(A), local_port: 15_100 }]);
    rig.ticks(10);
    let sent = rig.sent(A);
    assert_eq!(sent.len(), 10);
    for (n, (header, payload)) in sent.iter().enumerate() {
        assert_eq!(header.seq, 65_501u16.wrapping_add(n as u16));
        assert_eq!(header.timestamp, 7160 + 160 * n as u32);
        assert_eq!((header.ssrc, header.payload_type), (0x1000, 8));
        assert!(payload.iter().all(|c| *c == g711::SILENCE_A));
    }
}

#[test]
fn a_restarted_engine_goes_on_after_a_hole() {
    let mut rig = Rig::new();
    let epoch = rig.now;
    rig.rtp_leg(A, Codec::Pcmu, true);
    rig.ticks(50);
    let last = rig.sent(A)[49].0;
    let mut again = Rig::new();
    again.now = rig.now + Duration::from_millis(613);
    again.command(Command::CreateRtp { leg: key(A), local_port: 15_100, send: send_of(A, epoch) });
    again.agree(A, Codec::Pcmu, true);
    again.tick();
    let next = again.sent(A)[0].0;
    assert_eq!(next.seq.wrapping_sub(last.seq), 31);
    assert_eq!(next.timestamp.wrapping_sub(last.timestamp), 31 * 160);
}

#[test]
fn same_codec_is_relayed_at_once() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    rig.rtp_leg(B, Codec::Pcma, true);
    rig.command(Command::Join { a: key(A), b: key(B) });
    rig.ticks(3);
    let silence = rig.sent(B).len();
    for n in 0..100u8 {
        rig.wait(5000);
        rig.arrives(&mut phone, &[n; 160]);
        assert_eq!(rig.sent(B).last().unwrap().1, [n; 160], "before the next tick");
        rig.now = rig.now - Duration::from_micros(5000);
        rig.tick();
    }
    let sent = rig.sent(B);
    assert_eq!(sent.len(), silence + 100, "nothing but the packets of the other");
    assert!(sent.windows(2).all(|w| w[1].0.seq.wrapping_sub(w[0].0.seq) == 1));
    assert!(sent.windows(2).all(|w| w[1].0.timestamp.wrapping_sub(w[0].0.timestamp) == 160));
    // The other falls silent: after 200 ms silence goes out, without a step back.
    rig.ticks(20);
    let more = rig.sent(B);
    assert!((8..=12).contains(&(more.len() - sent.len())), "{}", more.len() - sent.len());
    assert!(more.windows(2).all(|w| w[1].0.seq.wrapping_sub(w[0].0.seq) as i16 > 0));
    // B hears nothing of A after the bridge, A of B neither.
    rig.command(Command::Part { leg: key(A) });
    rig.arrives(&mut phone, &[1; 160]);
    assert_eq!(rig.sent(B).len(), more.len());
}

#[test]
fn different_laws_meet_in_the_tick() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcmu, true);
    rig.rtp_leg(B, Codec::Pcma, true);
    rig.command(Command::Join { a: key(A), b: key(B) });
    let loud = g711::encode(Codec::Pcmu, 9000);
    for _ in 0..20 {
        rig.arrives(&mut phone, &[loud; 160]);
        rig.tick();
    }
    let (_, payload) = rig.sent(B).pop().unwrap();
    let heard = g711::decode(Codec::Pcma, payload[80]);
    assert!((8500..9500).contains(&heard), "{heard}");
}

#[test]
fn other_packet_lengths_are_reframed() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    rig.rtp_leg(B, Codec::Pcma, true);
    rig.command(Command::Join { a: key(A), b: key(B) });
    let before = rig.sent(B).len();
    for n in 0..60 {
        if n % 3 == 0 {
            rig.arrives(&mut phone, &[g711::encode(Codec::Pcma, 5000); 480]);
        }
        rig.tick();
    }
    let sent = &rig.sent(B)[before..];
    assert_eq!(sent.len(), 60);
    assert!(sent.iter().all(|(_, payload)| payload.len() == 160));
    assert!(sent[10..].iter().all(|(_, payload)| payload.iter().all(|c| *c == g711::encode(Codec::Pcma, 5000))));
}

#[test]
fn a_line_and_a_phone_hear_each_other() {
    let mut rig = Rig::new();
    let port = PortId { card: 1, port: 3 };
    rig.command(Command::CreateTdm { leg: key(A), port });
    let mut phone = rig.rtp_leg(B, Codec::Pcma, true);
    rig.command(Command::Join { a: key(A), b: key(B) });
    let mut input = HighwayFrame::new(&[1]);
    *input.port_mut(port).unwrap() = [4000; 160];
    rig.input = Some(input);
    for _ in 0..10 {
        rig.arrives(&mut phone, &[g711::encode(Codec::Pcma, -6000); 160]);
        rig.tick();
    }
    let said = g711::decode(Codec::Pcma, rig.sent(B).last().unwrap().1[0]);
    assert!((3800..4200).contains(&said));
    let heard = rig.output.port(port).unwrap()[7];
    assert!((-6300..-5700).contains(&heard), "{heard}");
    assert_eq!(rig.output.port(PortId { card: 1, port: 1 }).unwrap(), &SILENCE);
    // Without the highway nothing breaks.
    rig.input = None;
    rig.ticks(2);
    assert!(rig.sent(B).last().unwrap().1.iter().all(|c| *c == g711::SILENCE_A));
}

#[test]
fn a_port_on_no_card_fails() {
    let mut rig = Rig::new();
    rig.command(Command::CreateTdm { leg: key(A), port: PortId { card: 9, port: 1 } });
    assert_eq!(rig.out.reports, [Report::Failed { leg: key(A), why: LegFailure::NoCard }]);
}

#[test]
fn echo_returns_what_came() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    rig.command(Command::Echo { leg: key(A) });
    rig.arrives(&mut phone, &[42; 160]);
    assert_eq!(rig.sent(A).last().unwrap().1, [42; 160]);
    // A line hears itself by way of the tick.
    let port = PortId { card: 1, port: 1 };
    rig.command(Command::CreateTdm { leg: key(B), port });
    rig.command(Command::Echo { leg: key(B) });
    let mut input = HighwayFrame::new(&[1]);
    *input.port_mut(port).unwrap() = [123; 160];
    rig.input = Some(input);
    rig.tick();
    assert_eq!(rig.output.port(port).unwrap(), &[123; 160]);
}

#[test]
fn playing_mutes_the_peer_and_ends_once() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    rig.rtp_leg(B, Codec::Pcma, true);
    rig.command(Command::Join { a: key(A), b: key(B) });
    rig.tick();
    let items = vec![Item::Prompt { name: "tone".into(), language: "en-US".into() }];
    let play = |leg, items, since| Command::Play { leg, play: PlayId(4), items, repeat: false, since };
    rig.command(play(key(B), items.clone(), rig.now));
    for _ in 0..10 {
        rig.arrives(&mut phone, &[1; 160]);
        rig.tick();
    }
    let loud = g711::encode(Codec::Pcma, 8000);
    let sent = rig.sent(B);
    assert_eq!(sent.iter().filter(|(_, p)| *p == [loud; 160]).count(), 4, "800 samples, begun one tick before");
    let first_relayed = sent.iter().position(|(_, p)| *p == [1; 160]).unwrap();
    let last_played = sent.iter().rposition(|(_, p)| *p == [loud; 160]).unwrap();
    assert!(first_relayed > last_played, "not heard while playing, heard again after");
    assert!(sent.windows(2).all(|w| w[1].0.seq.wrapping_sub(w[0].0.seq) == 1));
    let done: Vec<_> = rig.out.reports.iter().filter(|r| matches!(r, Report::PlayDone { .. })).collect();
    assert_eq!(done, [&Report::PlayDone { leg: key(B), play: PlayId(4) }]);
    // The same command given again after a restart, late: done at once, once.
    rig.command(play(key(B), items, Instant::from_micros(START_US)));
    rig.ticks(3);
    assert_eq!(rig.out.reports.iter().filter(|r| matches!(r, Report::PlayDone { .. })).count(), 2);
}

#[test]
fn stop_is_silent_and_missing_prompts_are_told() {
    let mut rig = Rig::new();
    rig.rtp_leg(A, Codec::Pcma, true);
    let items = vec![Item::Prompt { name: "no".into(), language: "zh-CN".into() }, Item::Tone(Tone::Dial)];
    rig.command(Command::Play { leg: key(A), play: PlayId(1), items, repeat: false, since: rig.now });
    rig.ticks(3);
    rig.command(Command::StopPlay { leg: key(A) });
    rig.ticks(2);
    assert_eq!(rig.out.reports, [Report::PromptMissing { leg: key(A), name: "zh-CN/no".into() }]);
    let silent: Vec<bool> = rig.sent(A).iter().map(|(_, p)| p.iter().all(|c| *c == g711::SILENCE_A)).collect();
    assert_eq!(silent, [false, false, false, true, true]);
}

#[test]
fn strangers_are_dropped_and_odd_ports_followed() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    rig.command(Command::Echo { leg: key(A) });
    let bytes = phone.packet(&[9; 160]);
    rig.datagram(A, phone_addr(5), &bytes);
    rig.datagram(A, phone_addr(A), b"garbage");
    assert_eq!(rig.sent(A).len(), 0);
    let odd = SocketAddr::new(phone_addr(A).ip(), 40_007);
    rig.datagram(A, odd, &bytes);
    assert_eq!(rig.out.packets[0].to, odd);
    assert_eq!(rig.engine.counters(key(A)).unwrap().strangers, 2);
    assert_eq!(rig.engine.counters(key(A)).unwrap().received, 1);
}

#[test]
fn early_packets_wait_for_the_answer() {
    for (from, kept) in [(phone_addr(A), true), (phone_addr(7), false)] {
        let mut rig = Rig::new();
        let mut phone = Phone::new(A, Codec::Pcma);
        rig.command(Command::CreateRtp { leg: key(A), local_port: 15_100, send: send_of(A, rig.now) });
        for _ in 0..15 {
            let bytes = phone.packet(&[33; 160]);
            rig.datagram(A, from, &bytes);
            rig.tick();
        }
        rig.agree(A, Codec::Pcma, true);
        let since = Instant::from_micros(START_US);
        let start = Command::RecordStart { leg: key(A), recording: Uid(5), side: Side::Agent, since };
        rig.command(start);
        rig.ticks(3);
        rig.command(Command::RecordStop { leg: key(A) });
        let frames = if kept { (0..15).collect::<Vec<u64>>() } else { vec![] };
        assert_eq!(rig.out.frames.iter().map(|f| f.index).collect::<Vec<_>>(), frames);
        assert_eq!(rig.engine.counters(key(A)).unwrap().strangers, if kept { 0 } else { 15 });
    }
}

/// A phone and a line say the same at the same moment: a step from quiet to loud. Both taps put it in the same place.
#[test]
fn both_sides_of_a_recording_are_aligned() {
    let mut rig = Rig::new();
    let since = rig.now;
    let port = PortId { card: 1, port: 1 };
    rig.command(Command::CreateTdm { leg: key(A), port });
    rig.command(Command::RecordStart { leg: key(A), recording: Uid(1), side: Side::Caller, since });
    rig.input = Some(HighwayFrame::new(&[1]));
    rig.ticks(33);
    let mut phone = rig.rtp_leg(B, Codec::Pcmu, true);
    rig.command(Command::Join { a: key(A), b: key(B) });
    rig.command(Command::RecordStart { leg: key(B), recording: Uid(1), side: Side::Agent, since });
    for n in 0..100 {
        let level = if n < 50 { 100 } else { 8000 };
        *rig.input.as_mut().unwrap().port_mut(port).unwrap() = [level; 160];
        // The network takes 1 to 17 ms.
        let delay = 1000 + (n * 7919) % 16_000;
        rig.wait(delay);
        rig.arrives(&mut phone, &[g711::encode(Codec::Pcmu, level); 160]);
        rig.now = rig.now - Duration::from_micros(delay);
        rig.tick();
    }
    rig.command(Command::Destroy { leg: key(A) });
    rig.command(Command::Destroy { leg: key(B) });
    let side = |side| rig.out.frames.iter().filter(|f| f.side == side).collect::<Vec<&RecordFrame>>();
    let loud_from = |frames: &[&RecordFrame]| {
        frames.iter().find(|f| g711::decode(Codec::Pcma, f.alaw[0]) > 4000).map(|f| f.index as i64).unwrap()
    };
    let (caller, agent) = (side(Side::Caller), side(Side::Agent));
    assert_eq!(caller.len(), 133);
    assert_eq!(agent.len(), 100, "nothing of what arrived is skipped, the first 20 ms included");
    assert!(agent.windows(2).all(|w| w[1].index == w[0].index + 1));
    assert!((loud_from(&caller) - loud_from(&agent)).abs() <= 1, "{} {}", loud_from(&caller), loud_from(&agent));
}

#[test]
fn a_tap_leaves_holes_and_stays_on_its_time_line() {
    let mut rig = Rig::new();
    let since = rig.now;
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    rig.command(Command::RecordStart { leg: key(A), recording: Uid(1), side: Side::Agent, since });
    for n in 0..60u8 {
        let bytes = phone.packet(&[n; 160]);
        if !(20..30).contains(&n) {
            rig.datagram(A, phone_addr(A), &bytes);
        }
        rig.tick();
    }
    rig.command(Command::RecordStop { leg: key(A) });
    let told: Vec<(u64, u8)> = rig.out.frames.iter().map(|f| (f.index, f.alaw[0])).collect();
    let expected: Vec<(u64, u8)> = (0..60u8).filter(|n| !(20..30).contains(n)).map(|n| (u64::from(n), n)).collect();
    assert_eq!(told, expected);
    assert_eq!(rig.engine.counters(key(A)).unwrap().lost, 10);
    // Paused and taken up again: what was said meanwhile stays out.
    rig.out.frames.clear();
    for n in 100..120u8 {
        rig.arrives(&mut phone, &[n; 160]);
        rig.tick();
    }
    rig.command(Command::RecordStart { leg: key(A), recording: Uid(1), side: Side::Agent, since });
    rig.ticks(8);
    let first = &rig.out.frames[0];
    assert!(first.alaw[0] >= 116 && first.index >= 76, "{} at {}", first.alaw[0], first.index);
}

#[test]
fn keys_come_as_events_once_and_tones_are_then_ignored() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    for n in 0..8u16 {
        let e = event::Event { code: 2, end: n >= 5, volume: 10, duration: (160 * (n + 1)).min(960) };
        let bytes = phone.event(90_000, &e);
        rig.datagram(A, phone_addr(A), &bytes);
        // The same key in the audio, too.
        let mut law = [0; 160];
        g711::encode_frame(Codec::Pcma, &tone::key(digit('2'), u64::from(n) * 160), &mut law);
        rig.arrives(&mut phone, &law);
        rig.tick();
    }
    rig.ticks(10);
    assert_eq!(rig.digits(), [(key(A), '2', DigitSource::Rfc4733)]);
}

#[test]
fn keys_in_the_audio_of_a_line_and_of_a_phone_without_events() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcmu, false);
    let port = PortId { card: 1, port: 2 };
    rig.command(Command::CreateTdm { leg: key(B), port });
    rig.input = Some(HighwayFrame::new(&[1]));
    for n in 0..20u64 {
        let pcm = if n < 5 { tone::key(digit('#'), n * 160) } else { SILENCE };
        *rig.input.as_mut().unwrap().port_mut(port).unwrap() = pcm;
        let mut law = [0; 160];
        g711::encode_frame(Codec::Pcmu, &pcm, &mut law);
        rig.arrives(&mut phone, &law);
        rig.tick();
    }
    assert_eq!(rig.digits(), [(key(B), '#', DigitSource::Inband), (key(A), '#', DigitSource::Inband)]);
}

#[test]
fn keys_go_out_as_events_or_as_tones() {
    let mut rig = Rig::new();
    rig.rtp_leg(A, Codec::Pcma, true);
    rig.rtp_leg(B, Codec::Pcma, false);
    rig.ticks(2);
    for leg in [A, B] {
        rig.command(Command::SendDigit { leg: key(leg), digit: digit('1') });
        rig.command(Command::SendDigit { leg: key(leg), digit: digit('1') });
    }
    rig.ticks(24);
    let sent = rig.sent(A);
    assert_eq!(sent.len(), 26, "one packet each tick");
    let events: Vec<_> = sent.iter().filter(|(h, _)| h.payload_type == 101).collect();
    assert_eq!(events.len(), 14);
    assert_eq!(events.iter().filter(|(h, _)| h.marker).count(), 2);
    assert!(events[..7].iter().all(|(h, _)| h.timestamp == events[0].0.timestamp));
    assert_eq!(events[0].0.timestamp, sent[2].0.timestamp.wrapping_add(0));
    assert_eq!(event::parse(&events[6].1).unwrap(), event::Event { code: 1, end: true, volume: 10, duration: 800 });
    assert_ne!(events[7].0.timestamp, events[0].0.timestamp);
    let mut detector = dtmf::Detector::default();
    let mut heard = 0;
    for (_, payload) in rig.sent(B) {
        let mut pcm = SILENCE;
        g711::decode_frame(Codec::Pcma, &payload.try_into().unwrap(), &mut pcm);
        heard += usize::from(detector.frame(&pcm) == Some(digit('1')));
    }
    assert_eq!(heard, 2);
}

#[test]
fn events_pass_a_bridge_in_the_form_that_the_peer_has() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    rig.rtp_leg(B, Codec::Pcma, true);
    rig.command(Command::Join { a: key(A), b: key(B) });
    let e = event::Event { code: 9, end: false, volume: 10, duration: 160 };
    let bytes = phone.event(90_000, &e);
    rig.datagram(A, phone_addr(A), &bytes);
    let (header, payload) = rig.sent(B).pop().unwrap();
    assert_eq!((header.payload_type, event::parse(&payload)), (101, Some(e)));
    // To a line as a tone.
    let port = PortId { card: 1, port: 1 };
    rig.command(Command::CreateTdm { leg: key(2), port });
    rig.command(Command::Join { a: key(A), b: key(2) });
    let bytes = phone.event(95_000, &e);
    rig.datagram(A, phone_addr(A), &bytes);
    rig.tick();
    assert_eq!(rig.output.port(port).unwrap(), &tone::key(digit('9'), 0));
    assert_eq!(rig.digits().len(), 2);
}

#[test]
fn reports_go_both_ways_and_the_end_is_counted() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    for _ in 0..300 {
        rig.arrives(&mut phone, &[1; 160]);
        rig.tick();
    }
    let reports: Vec<_> = rig.out.packets.iter().filter(|p| p.channel == Channel::Rtcp).cloned().collect();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].to.port(), 40_001);
    let read = rtcp::parse(reports[0].bytes(), 77).unwrap();
    assert_eq!(read.about_us.map(|b| (b.lost, b.fraction_lost)), Some((0, 0)));
    assert!(read.sender_ntp.is_some());
    rig.command(Command::Destroy { leg: key(A) });
    assert!(rtcp::parse(rig.out.packets.last().unwrap().bytes(), 77).unwrap().goodbye);
    let Some(Report::Counters { counters, .. }) = rig.out.reports.last() else { panic!("no counters") };
    assert_eq!((counters.sent, counters.received, counters.lost, counters.strangers), (300, 300, 0, 0));
    assert_eq!(rig.out.ports.last(), Some(&PortAction::Close { leg: key(A) }));
    assert_eq!(rig.engine.legs(), 0);
    // Nothing is left to be commanded.
    rig.command(Command::Destroy { leg: key(A) });
    rig.tick();
}

#[test]
fn silence_is_told_once_and_again_after_it_was_broken() {
    let mut rig = Rig::new();
    let mut phone = rig.rtp_leg(A, Codec::Pcma, true);
    let told = |rig: &Rig| rig.out.reports.iter().filter(|r| matches!(r, Report::Silent { .. })).count();
    rig.ticks(1100);
    assert_eq!(told(&rig), 1);
    assert_eq!(rig.out.reports[0], Report::Silent { leg: key(A), for_ms: 20_000 });
    rig.arrives(&mut phone, &[1; 160]);
    rig.ticks(1100);
    assert_eq!(told(&rig), 2);
    // On hold the peer is not expected to send.
    rig.arrives(&mut phone, &[1; 160]);
    let mut remote = rig.engine.leg(key(A)).unwrap().rtp().unwrap().remote.unwrap();
    remote.receive = false;
    rig.command(Command::SetRemote { leg: key(A), remote });
    rig.ticks(2000);
    assert_eq!(told(&rig), 2);
}

#[test]
fn a_leg_without_permission_to_send_is_quiet() {
    let mut rig = Rig::new();
    rig.rtp_leg(A, Codec::Pcma, true);
    let mut remote = rig.engine.leg(key(A)).unwrap().rtp().unwrap().remote.unwrap();
    remote.send = false;
    rig.command(Command::SetRemote { leg: key(A), remote });
    rig.command(Command::SendDigit { leg: key(A), digit: digit('1') });
    rig.ticks(5);
    assert_eq!(rig.sent(A).len(), 0);
    rig.engine.port_failed(key(A), LegFailure::PortTaken, &mut rig.out);
    assert_eq!(rig.out.reports, [Report::Failed { leg: key(A), why: LegFailure::PortTaken }]);
}

#[test]
fn the_even_grid_survives_stalls_and_drift() {
    let mut rig = Rig::new();
    rig.rtp_leg(A, Codec::Pcma, true);
    // Uneven ticks: numbers go on one by one.
    for n in 0..50u64 {
        rig.wait((n * 7919) % 9000);
        rig.tick();
        rig.now = rig.now - Duration::from_micros((n * 7919) % 9000);
    }
    assert!(rig.sent(A).windows(2).all(|w| w[1].0.seq.wrapping_sub(w[0].0.seq) == 1));
    // A stall of one second: a hole, then one by one.
    rig.wait(1_000_000);
    rig.ticks(10);
    let sent = rig.sent(A);
    let steps: Vec<u16> = sent.windows(2).map(|w| w[1].0.seq.wrapping_sub(w[0].0.seq)).collect();
    assert_eq!(steps.iter().filter(|s| **s != 1).count(), 1);
    let last = sent.last().unwrap().0.seq.wrapping_sub(65_501);
    assert!((104..=110).contains(&last), "{last}");
}
