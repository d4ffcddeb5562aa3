//! Supervisors: who hears whom in each mode, on packets and timeslots, through joins, parts and restarts; what comes into
//! the recording; the beep.

use super::*;
use base::limits::MONITORS_PER_BRIDGE_MAX;
use base::media::MonitorMode::{self, Barge, Listen, Whisper};

const AGENT: u32 = 0;
const CALLER: u32 = 1;
const FIRST: u32 = 2;
const SECOND: u32 = 3;
/// The agent's, caller's, first and second supervisor's constant sample: any sum of some tells which.
const LEVELS: [i16; 4] = [500, 1_000, 2_000, 4_000];
const FLOOR_LINE: PortId = PortId { card: 1, port: 7 };

fn monitor(leg: u32, of: u32, mode: MonitorMode) -> Command {
    Command::Monitor { leg: key(leg), of: key(of), mode }
}

fn join(a: u32, b: u32) -> Command {
    Command::Join { a: key(a), b: key(b) }
}

/// Four phones that speak all the time, each at its level.
struct Floor {
    rig: Rig,
    phones: Vec<Phone>,
}

impl Floor {
    /// The caller speaks µ-law to an A-law agent, the first supervisor µ-law, too.
    fn mixed_laws() -> Floor {
        Floor::new([Codec::Pcma, Codec::Pcmu, Codec::Pcmu, Codec::Pcma])
    }

    fn one_law() -> Floor {
        Floor::new([Codec::Pcma; 4])
    }

    fn new(codecs: [Codec; 4]) -> Floor {
        let mut rig = Rig::new();
        let phones = (0..).zip(codecs).map(|(index, codec)| rig.rtp_leg(index, codec, true)).collect();
        let mut floor = Floor { rig, phones };
        floor.rig.command(join(AGENT, CALLER));
        floor.talk(10);
        floor
    }

    /// So many frames in which everybody speaks.
    fn talk(&mut self, frames: usize) {
        for _ in 0..frames {
            for (phone, level) in self.phones.iter_mut().zip(LEVELS) {
                let said = [g711::encode(phone.codec, level); 160];
                self.rig.arrives(phone, &said);
            }
            self.rig.tick();
        }
    }

    /// Whom a phone hears, told from the last packet that it got.
    fn heard(&self, index: u32) -> Vec<u32> {
        let (header, payload) = self.rig.sent(index).pop().unwrap();
        let codec = if header.payload_type == 8 { Codec::Pcma } else { Codec::Pcmu };
        let sound = payload.iter().map(|code| g711::decode(codec, *code)).collect::<Vec<i16>>();
        assert!(sound.iter().all(|sample| *sample == sound[0]), "constant levels give a constant sum");
        voices(sound[0])
    }

    fn heard_after(&mut self, command: Command) -> [Vec<u32>; 4] {
        self.rig.command(command);
        self.talk(12);
        [AGENT, CALLER, FIRST, SECOND].map(|index| self.heard(index))
    }
}

/// Which levels add up to a sample; G.711 is coarse, so within 250.
fn voices(sample: i16) -> Vec<u32> {
    let sum = |set: &u32| (0..4).filter(|i| set & (1 << i) != 0).map(|i| LEVELS[i]).sum::<i16>();
    let set = (0..16).find(|set| (sum(set) - sample).abs() < 250).unwrap_or_else(|| panic!("{sample} is no sum"));
    (0..4).filter(|i| set & (1 << i) != 0).collect()
}

#[test]
fn each_mode_is_heard_by_whom_it_says() {
    for mut floor in [Floor::mixed_laws(), Floor::one_law()] {
        let listen = floor.heard_after(monitor(FIRST, AGENT, Listen));
        assert_eq!(listen, [vec![1], vec![0], vec![0, 1], vec![]]);
        let whisper = floor.heard_after(monitor(FIRST, AGENT, Whisper));
        assert_eq!(whisper, [vec![1, 2], vec![0], vec![0, 1], vec![]]);
        let barge = floor.heard_after(monitor(FIRST, AGENT, Barge));
        assert_eq!(barge, [vec![1, 2], vec![0, 2], vec![0, 1], vec![]]);
        // A second one hears who barges, not who whispers.
        let both = floor.heard_after(monitor(SECOND, AGENT, Whisper));
        assert_eq!(both, [vec![1, 2, 3], vec![0, 2], vec![0, 1], vec![0, 1, 2]]);
        let stopped = floor.heard_after(Command::StopMonitor { leg: key(FIRST) });
        assert_eq!(stopped, [vec![1, 3], vec![0], vec![], vec![0, 1]]);
    }
}

#[test]
fn packets_are_relayed_as_before_while_somebody_only_listens() {
    let mut floor = Floor::one_law();
    floor.rig.command(monitor(FIRST, AGENT, Listen));
    floor.talk(10);
    let before = floor.rig.sent(CALLER).len();
    let phone = &mut floor.phones[AGENT as usize];
    floor.rig.arrives(phone, &[77; 160]);
    assert_eq!(floor.rig.sent(CALLER).len(), before + 1, "at once");
    assert_eq!(floor.rig.sent(CALLER).pop().unwrap().1, [77; 160], "unchanged");
    // Whispered to, the agent hears by the tick; the caller goes on hearing packets.
    floor.rig.command(monitor(FIRST, AGENT, Whisper));
    floor.talk(10);
    let (agent, caller) = (floor.rig.sent(AGENT).len(), floor.rig.sent(CALLER).len());
    for index in [AGENT, CALLER] {
        floor.rig.arrives(&mut floor.phones[index as usize], &[78; 160]);
    }
    assert_eq!((floor.rig.sent(AGENT).len(), floor.rig.sent(CALLER).len()), (agent, caller + 1));
    // One stream with numbers that go up by one, through all changes.
    floor.talk(5);
    floor.rig.command(Command::StopMonitor { leg: key(FIRST) });
    floor.talk(20);
    let numbers: Vec<u16> = floor.rig.sent(AGENT).iter().map(|(header, _)| header.seq).collect();
    assert!(numbers.windows(2).all(|w| (1..=4).contains(&w[1].wrapping_sub(w[0]))), "{numbers:?}");
}

#[test]
fn it_follows_the_agent_from_call_to_call() {
    let mut floor = Floor::one_law();
    floor.heard_after(monitor(FIRST, AGENT, Barge));
    let parted = floor.heard_after(Command::Part { leg: key(CALLER) });
    assert_eq!(parted, [vec![2], vec![], vec![0], vec![]]);
    let next_call = floor.heard_after(join(AGENT, SECOND));
    assert_eq!(next_call, [vec![2, 3], vec![], vec![0, 3], vec![0, 2]]);
    // Taken over: the supervisor is a party and monitors nobody.
    let taken_over = floor.heard_after(join(FIRST, SECOND));
    assert_eq!(taken_over, [vec![], vec![], vec![3], vec![2]]);
    let back = floor.heard_after(join(AGENT, CALLER));
    assert_eq!(back, [vec![1], vec![0], vec![3], vec![2]]);
    // To monitor, it leaves its own bridge.
    let again = floor.heard_after(monitor(FIRST, CALLER, Whisper));
    assert_eq!(again, [vec![1], vec![0, 2], vec![0, 1], vec![]]);
    let echo = floor.heard_after(Command::Echo { leg: key(FIRST) });
    assert_eq!(echo, [vec![1], vec![0], vec![2], vec![]]);
}

#[test]
fn the_end_of_either_ends_it() {
    let mut floor = Floor::one_law();
    floor.heard_after(monitor(FIRST, AGENT, Barge));
    floor.rig.command(Command::Destroy { leg: key(FIRST) });
    floor.talk(10);
    assert_eq!((floor.heard(AGENT), floor.heard(CALLER)), (vec![1], vec![0]));
    floor.rig.command(monitor(SECOND, AGENT, Whisper));
    floor.talk(10);
    floor.rig.command(Command::Destroy { leg: key(AGENT) });
    floor.talk(10);
    assert_eq!((floor.heard(CALLER), floor.heard(SECOND)), (vec![], vec![]));
    for leg in floor.rig.engine.legs.iter().flatten() {
        let m = &leg.monitoring;
        assert!(m.watches.is_none() && m.watchers.is_empty() && !m.sampled && !m.mixed && !m.barged, "{m:?}");
    }
}

#[test]
fn a_fifth_monitor_of_a_bridge_is_refused() {
    let mut floor = Floor::one_law();
    for index in 0..MONITORS_PER_BRIDGE_MAX as u32 {
        floor.rig.rtp_leg(10 + index, Codec::Pcma, true);
        floor.rig.command(monitor(10 + index, if index % 2 == 0 { AGENT } else { CALLER }, Listen));
        floor.rig.command(monitor(10 + index, AGENT, Whisper));
    }
    assert_eq!(floor.rig.out.reports, []);
    floor.rig.command(monitor(FIRST, CALLER, Listen));
    assert_eq!(floor.rig.out.reports, [Report::Failed { leg: key(FIRST), why: LegFailure::Exhausted }]);
    floor.rig.command(Command::Destroy { leg: key(11) });
    let now = floor.heard_after(monitor(FIRST, CALLER, Listen));
    assert_eq!(now[FIRST as usize], [0, 1]);
    // Of itself, or of nobody: nothing.
    let same = floor.heard_after(monitor(FIRST, FIRST, Barge));
    assert_eq!(same[FIRST as usize], [0, 1]);
    let same = floor.heard_after(monitor(FIRST, 200, Barge));
    assert_eq!(same[FIRST as usize], [0, 1]);
}

#[test]
fn two_supervisors_who_monitor_each_other_hear_each_other_once() {
    let mut floor = Floor::one_law();
    floor.rig.command(monitor(FIRST, SECOND, Barge));
    let heard = floor.heard_after(monitor(SECOND, FIRST, Barge));
    assert_eq!(heard[2..], [vec![3], vec![2]]);
}

#[test]
fn commands_given_again_after_a_restart_join_at_the_right_place() {
    let mut floor = Floor::one_law();
    let epoch = Instant::from_micros(START_US);
    let before = floor.heard_after(monitor(FIRST, AGENT, Barge));
    let last = floor.rig.sent(CALLER).pop().unwrap().0;
    let mut again = Rig::new();
    again.now = floor.rig.now;
    for index in 0..4 {
        again.command(Command::CreateRtp { leg: key(index), local_port: 15_100, send: send_of(index, epoch) });
        again.agree(index, Codec::Pcma, true);
    }
    floor.rig = again;
    floor.rig.command(join(AGENT, CALLER));
    assert_eq!(floor.heard_after(monitor(FIRST, AGENT, Barge)), before);
    let (first, _) = floor.rig.sent(CALLER).remove(0);
    assert!((1..=3).contains(&first.seq.wrapping_sub(last.seq)), "{} after {}", first.seq, last.seq);
}

#[test]
fn too_loud_is_cut_off_and_does_not_wrap_round() {
    let mut rig = Rig::new();
    let mut phones: Vec<Phone> = (0..4).map(|index| rig.rtp_leg(index, Codec::Pcma, true)).collect();
    rig.command(join(AGENT, CALLER));
    rig.command(monitor(FIRST, AGENT, Barge));
    rig.command(monitor(SECOND, AGENT, Barge));
    for loud in [30_000, -30_000] {
        for _ in 0..12 {
            for phone in &mut phones {
                rig.arrives(phone, &[g711::encode(Codec::Pcma, loud); 160]);
            }
            rig.tick();
        }
        let heard = g711::decode(Codec::Pcma, rig.sent(AGENT).pop().unwrap().1[0]);
        assert_eq!(
            heard,
            g711::decode(Codec::Pcma, g711::encode(Codec::Pcma, if loud > 0 { 32_767 } else { -32_768 }))
        );
    }
}

#[test]
fn a_supervisor_on_a_line_whose_keys_stay_with_the_box() {
    let mut floor = Floor::one_law();
    let line = 9;
    floor.rig.command(Command::CreateTdm { leg: key(line), port: FLOOR_LINE });
    floor.rig.command(monitor(line, AGENT, Barge));
    let says = |floor: &mut Floor, pcm: crate::Pcm| {
        let input = floor.rig.input.get_or_insert_with(|| HighwayFrame::new(&[1]));
        *input.port_mut(FLOOR_LINE).unwrap() = pcm;
        floor.talk(1);
    };
    for _ in 0..10 {
        says(&mut floor, [2_000; 160]);
    }
    assert_eq!((floor.heard(AGENT), floor.heard(CALLER)), (vec![1, 2], vec![0, 2]));
    assert_eq!(voices(floor.rig.output.port(FLOOR_LINE).unwrap()[3]), [0, 1]);
    for n in 0..10 {
        says(&mut floor, tone::key(digit('3'), n * 160));
        if n > 0 {
            assert_eq!(
                (floor.heard(AGENT), floor.heard(CALLER)),
                (vec![1], vec![0]),
                "of a key, at most its first frame"
            );
        }
    }
    // A key as an event.
    floor.rig.command(monitor(FIRST, AGENT, Barge));
    let event = event::Event { code: 5, end: false, volume: 10, duration: 160 };
    let bytes = floor.phones[FIRST as usize].event(90_000, &event);
    floor.rig.datagram(FIRST, phone_addr(FIRST), &bytes);
    floor.rig.ticks(20);
    let digits = floor.rig.digits();
    assert_eq!(digits, [(key(line), '3', DigitSource::Inband), (key(FIRST), '5', DigitSource::Rfc4733)]);
    let events = |leg| floor.rig.sent(leg).iter().filter(|(header, _)| header.payload_type == 101).count();
    assert_eq!([AGENT, CALLER].map(events), [0, 0]);
}

#[test]
fn keys_of_the_caller_pass_a_mix_as_our_own_events() {
    let mut floor = Floor::one_law();
    floor.heard_after(monitor(FIRST, AGENT, Whisper));
    let event = event::Event { code: 8, end: false, volume: 10, duration: 160 };
    for _ in 0..3 {
        let bytes = floor.phones[CALLER as usize].event(90_000, &event);
        floor.rig.datagram(CALLER, phone_addr(CALLER), &bytes);
        floor.talk(1);
    }
    floor.talk(15);
    let sent = floor.rig.sent(AGENT);
    let events: Vec<_> = sent.iter().filter(|(header, _)| header.payload_type == 101).collect();
    assert_eq!(events.iter().filter(|(header, _)| header.marker).count(), 1);
    assert!(events.windows(2).all(|w| w[1].0.seq.wrapping_sub(w[0].0.seq) == 1), "nothing between");
    assert_eq!(floor.heard(AGENT), [1, 2], "and the voices again");
}

/// The voices in each frame of a channel, and that each frame stands after the one before.
fn channel(floor: &Floor, side: Side) -> Vec<Vec<u32>> {
    let frames: Vec<&RecordFrame> = floor.rig.out.frames.iter().filter(|frame| frame.side == side).collect();
    let steps: Vec<_> = frames.windows(2).map(|w| w[1].index - w[0].index).collect();
    assert!(steps.iter().all(|step| *step == 1), "no hole and none twice: {steps:?}");
    let mut heard: Vec<Vec<u32>> = frames.iter().map(|f| voices(g711::decode(Codec::Pcma, f.alaw[80]))).collect();
    heard.dedup();
    heard
}

#[test]
fn who_barges_is_in_the_agents_channel_and_who_whispers_is_not() {
    for mut floor in [Floor::mixed_laws(), Floor::one_law()] {
        let since = floor.rig.now;
        for (leg, side) in [(AGENT, Side::Agent), (CALLER, Side::Caller)] {
            floor.rig.command(Command::RecordStart { leg: key(leg), recording: Uid(1), side, since });
        }
        // Another one whispers all the time.
        floor.rig.command(monitor(SECOND, AGENT, Whisper));
        floor.talk(30);
        floor.rig.command(monitor(FIRST, AGENT, Whisper));
        floor.talk(30);
        floor.rig.command(monitor(FIRST, AGENT, Barge));
        floor.talk(30);
        floor.rig.command(monitor(FIRST, AGENT, Listen));
        floor.talk(30);
        for leg in [AGENT, CALLER] {
            floor.rig.command(Command::RecordStop { leg: key(leg) });
        }
        assert_eq!(channel(&floor, Side::Agent), [vec![0], vec![0, 2], vec![0]]);
        assert_eq!(channel(&floor, Side::Caller), [[1]]);
        let barged = floor.rig.out.frames.iter().filter(|f| f.side == Side::Agent);
        let barged = barged.filter(|f| voices(g711::decode(Codec::Pcma, f.alaw[80])) == [0, 2]);
        let (first, last) = barged.fold((u64::MAX, 0), |(min, max), f| (min.min(f.index), max.max(f.index)));
        // What was mixed at tick 60 had come three frames before.
        assert!((56..=61).contains(&first) && (86..=91).contains(&last), "{first} to {last}");
        assert_eq!(last - first, 29);
    }
}

#[test]
fn barging_is_recorded_although_the_agent_says_nothing_or_is_on_a_line() {
    let mut floor = Floor::one_law();
    let since = floor.rig.now;
    let line = 9;
    floor.rig.command(Command::CreateTdm { leg: key(line), port: FLOOR_LINE });
    floor.rig.command(join(line, CALLER));
    floor.rig.input = Some(HighwayFrame::new(&[1]));
    for (leg, uid) in [(line, 1), (AGENT, 2)] {
        let recording = Uid(uid);
        floor.rig.command(Command::RecordStart { leg: key(leg), recording, side: Side::Agent, since });
    }
    floor.rig.command(monitor(FIRST, line, Barge));
    floor.rig.command(monitor(SECOND, AGENT, Barge));
    // The agent's phone falls silent, as one with silence suppression does.
    floor.phones.remove(AGENT as usize);
    let levels = &LEVELS[1..];
    for _ in 0..40 {
        for (phone, level) in floor.phones.iter_mut().zip(levels) {
            floor.rig.arrives(phone, &[g711::encode(Codec::Pcma, *level); 160]);
        }
        floor.rig.tick();
    }
    for (uid, level, least) in [(1, 2_000, 38), (2, 4_000, 30)] {
        let frames = floor.rig.out.frames.iter().filter(|f| f.recording == Uid(uid));
        let loud = frames.filter(|f| (g711::decode(Codec::Pcma, f.alaw[9]) - level).abs() < 100).count();
        assert!((least..=40).contains(&loud), "{loud} of recording {uid}");
    }
}

#[test]
fn a_beep_is_mixed_over_what_is_heard_for_200_ms() {
    for (codec, joined) in [(Codec::Pcma, true), (Codec::Pcmu, true), (Codec::Pcma, false)] {
        let mut floor = Floor::new([codec, Codec::Pcma, codec, codec]);
        if !joined {
            floor.rig.command(Command::Part { leg: key(CALLER) });
        }
        let before = floor.rig.sent(AGENT).len();
        floor.rig.command(Command::Beep { leg: key(AGENT), tone: Tone::Monitor });
        floor.talk(30);
        let sent = floor.rig.sent(AGENT).split_off(before);
        let sound = |payload: &[u8]| payload.iter().map(|c| g711::decode(codec, *c)).collect::<Vec<i16>>();
        let swing = |(_, payload): &(rtp::Header, Vec<u8>)| {
            let sound = sound(payload);
            i32::from(*sound.iter().max().unwrap()) - i32::from(*sound.iter().min().unwrap())
        };
        assert_eq!(sent.iter().filter(|packet| swing(packet) > 3_500).count(), 10, "20 ms each");
        let mean =
            |(_, payload): &(rtp::Header, Vec<u8>)| sound(payload).iter().map(|s| i32::from(*s)).sum::<i32>() / 160;
        let beeping = sent.iter().filter(|packet| swing(packet) > 3_500);
        let under: Vec<i32> = beeping.map(mean).collect();
        let level = if joined { 1_000 } else { 0 };
        assert!(under.iter().all(|mean| (mean - level).abs() < 150), "the partner goes on below: {under:?}");
        assert_eq!(floor.heard(AGENT), if joined { vec![1] } else { vec![] });
        assert_eq!(floor.heard(CALLER), if joined { vec![0] } else { vec![] }, "nobody else hears it");
        assert_eq!(floor.rig.out.reports, []);
    }
}

#[test]
fn a_beep_sounds_over_music_and_an_endless_tone_is_cut() {
    let mut rig = Rig::new();
    rig.rtp_leg(A, Codec::Pcma, true);
    let items = vec![Item::Prompt { name: "tone".into(), language: "en-US".into() }];
    rig.command(Command::Play { leg: key(A), play: PlayId(1), items, repeat: true, since: rig.now });
    rig.ticks(3);
    rig.command(Command::Beep { leg: key(A), tone: Tone::Busy });
    rig.ticks(20);
    let plain = [g711::encode(Codec::Pcma, 8_000); 160];
    let over: Vec<bool> = rig.sent(A).iter().map(|(_, payload)| *payload != plain).collect();
    let expected: Vec<bool> = (0..23).map(|n| (3..13).contains(&n)).collect();
    assert_eq!(over, expected);
}

/// A conference of commands in any order: flags and lists always agree with who monitors whom.
#[test]
fn lists_and_flags_agree_after_any_order_of_commands() {
    let mut rig = Rig::new();
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut throw = |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice % sides) as u32
    };
    for _ in 0..20_000 {
        let (a, b) = (throw(8), throw(8));
        let mode = [Listen, Whisper, Barge][throw(3) as usize];
        match throw(8) {
            0 => rig.command(Command::Destroy { leg: key(a) }),
            1 => rig.command(Command::Part { leg: key(a) }),
            2 => rig.command(Command::StopMonitor { leg: key(a) }),
            3 => rig.command(join(a, b)),
            4 => rig.command(Command::Echo { leg: key(a) }),
            5 => {
                rig.rtp_leg(a, Codec::Pcma, true);
            }
            _ => rig.command(monitor(a, b, mode)),
        }
        let watching: Vec<(LegKey, LegKey)> =
            rig.engine.legs.iter().flatten().filter_map(|l| Some((l.key, l.monitoring.watches?.0))).collect();
        let legs: Vec<LegKey> = rig.engine.legs.iter().flatten().map(|leg| leg.key).collect();
        for key in legs {
            let leg = rig.engine.leg(key).unwrap();
            let m = &leg.monitoring;
            let told: Vec<LegKey> = watching.iter().filter(|(_, of)| *of == key).map(|(w, _)| *w).collect();
            assert!(told.len() == m.watchers.len() && told.iter().all(|w| m.watchers.contains(w)));
            assert!(m.watches.is_none() || (leg.partner == Partner::Nobody && m.mixed));
            let flags = (m.sampled, m.mixed, m.barged);
            rig.engine.renew(key);
            let m = &rig.engine.leg(key).unwrap().monitoring;
            assert_eq!(flags, (m.sampled, m.mixed, m.barged), "kept up to date");
        }
        rig.tick();
        rig.out.clear();
    }
}
