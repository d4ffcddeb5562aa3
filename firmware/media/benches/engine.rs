//! What one leg costs in one 20 ms frame without sockets: packets in, tick, packets out.

use base::id::LegKey;
use base::line::PortId;
use base::media::{Codec, Command, MonitorMode, RtpRemote, RtpSend};
use base::slab::Key;
use base::time::Instant;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media::{Channel, Effects, Engine, HighwayFrame, Library, Settings, dtmf, g711, rtp, tone};
use std::hint::black_box;
use std::net::SocketAddr;

const LEGS: u32 = 256;

fn key(index: u32) -> LegKey {
    LegKey::from_parts(index, 0)
}

fn phone(index: u32) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 25_000 + 2 * index as u16))
}

/// What is joined: every even leg with the next one; with monitors every fourth, and the two after them monitor it.
#[derive(Clone, Copy)]
enum Pairs {
    /// Both A-law with telephone-event.
    Relayed,
    /// Both A-law, keys looked for in the audio.
    RelayedWithTones,
    /// A-law and µ-law.
    Transcoded,
    /// A timeslot and A-law.
    Line,
    /// As relayed, with supervisors.
    Monitored(MonitorMode),
}

struct Running {
    engine: Engine,
    out: Effects,
    pairs: Pairs,
    frame: u64,
    input: HighwayFrame,
    output: HighwayFrame,
}

impl Running {
    fn new(pairs: Pairs) -> Running {
        let cards: Vec<u8> = (1..=(LEGS / 16) as u8).collect();
        let settings = Settings { cards: cards.clone(), ..Settings::default() };
        let mut engine = Engine::new(settings, Library::new());
        let mut out = Effects::with_room_for(LEGS as usize);
        let now = Instant::from_micros(1_000_000);
        for index in 0..LEGS {
            if matches!(pairs, Pairs::Line) && index % 2 == 0 {
                let line = index / 2;
                let port = PortId { card: (line / 8 + 1) as u8, port: (line % 8 + 1) as u8 };
                engine.command(now, Command::CreateTdm { leg: key(index), port }, &mut out);
                continue;
            }
            let codec = if matches!(pairs, Pairs::Transcoded) && index % 2 == 0 { Codec::Pcmu } else { Codec::Pcma };
            let send = RtpSend { ssrc: index, first_seq: 0, first_timestamp: 0, epoch: now };
            engine.command(now, Command::CreateRtp { leg: key(index), local_port: 25_500, send }, &mut out);
            let remote = RtpRemote {
                addr: phone(index),
                codec,
                payload_type: if codec == Codec::Pcma { 8 } else { 0 },
                dtmf_payload_type: (!matches!(pairs, Pairs::RelayedWithTones)).then_some(101),
                send: true,
                receive: true,
            };
            engine.command(now, Command::SetRemote { leg: key(index), remote }, &mut out);
        }
        for index in (0..LEGS).step_by(2) {
            let command = match pairs {
                Pairs::Monitored(mode) if index % 4 == 2 => {
                    Command::Monitor { leg: key(index), of: key(index - 2), mode }
                }
                Pairs::Relayed | Pairs::RelayedWithTones | Pairs::Transcoded | Pairs::Line | Pairs::Monitored(_) => {
                    Command::Join { a: key(index), b: key(index + 1) }
                }
            };
            engine.command(now, command, &mut out);
            if let Pairs::Monitored(mode) = pairs
                && index % 4 == 2
            {
                engine.command(now, Command::Monitor { leg: key(index + 1), of: key(index - 1), mode }, &mut out);
            }
        }
        let mut input = HighwayFrame::new(&cards);
        for card in &mut input.cards {
            for slot in &mut card.slots {
                slot.iter_mut().enumerate().for_each(|(i, s)| *s = (i as i16 * 977) >> 2);
            }
        }
        Running { engine, out, pairs, frame: 0, input, output: HighwayFrame::new(&cards) }
    }

    fn frame(&mut self) {
        self.frame += 1;
        let now = Instant::from_micros(1_000_000 + self.frame * 20_000);
        for index in 0..LEGS {
            if matches!(self.pairs, Pairs::Line) && index % 2 == 0 {
                continue;
            }
            let payload_type = if matches!(self.pairs, Pairs::Transcoded) && index % 2 == 0 { 0 } else { 8 };
            let header = rtp::Header {
                payload_type,
                marker: false,
                seq: self.frame as u16,
                timestamp: self.frame as u32 * 160,
                ssrc: index,
            };
            let mut bytes = [0; 172];
            let len = rtp::write(&header, &[self.frame as u8; 160], &mut bytes).unwrap_or_default();
            self.engine.packet(now, key(index), Channel::Rtp, phone(index), &bytes[..len], &mut self.out);
        }
        self.engine.tick(now, Some(&self.input), Some(&mut self.output), &mut self.out);
        black_box(&self.out);
        self.out.clear();
    }
}

fn engine(c: &mut Criterion) {
    let mut group = c.benchmark_group("leg-frame");
    group.throughput(Throughput::Elements(LEGS.into()));
    for (name, pairs) in [
        ("relayed", Pairs::Relayed),
        ("relayed, tones looked for", Pairs::RelayedWithTones),
        ("transcoded", Pairs::Transcoded),
        ("line and phone", Pairs::Line),
        ("two parties, two listen", Pairs::Monitored(MonitorMode::Listen)),
        ("two parties, two barge", Pairs::Monitored(MonitorMode::Barge)),
    ] {
        let mut running = Running::new(pairs);
        group.bench_function(name, |b| b.iter(|| running.frame()));
    }
    group.finish();
}

fn parts(c: &mut Criterion) {
    let mut pcm = media::SILENCE;
    tone::write(base::media::Tone::Dial, 0, &mut pcm);
    let mut law = [0; 160];
    c.bench_function("encode A-law, 160 samples", |b| {
        b.iter(|| g711::encode_frame(Codec::Pcma, black_box(&pcm), black_box(&mut law)));
    });
    c.bench_function("encode µ-law, 160 samples", |b| {
        b.iter(|| g711::encode_frame(Codec::Pcmu, black_box(&pcm), black_box(&mut law)));
    });
    c.bench_function("decode A-law, 160 samples", |b| {
        b.iter(|| g711::decode_frame(Codec::Pcma, black_box(&law), black_box(&mut pcm)));
    });
    let mut detector = dtmf::Detector::default();
    c.bench_function("look for keys, 160 samples", |b| b.iter(|| detector.frame(black_box(&pcm))));
}

criterion_group!(benches, engine, parts);
criterion_main!(benches);
