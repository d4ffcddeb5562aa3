//! One leg: what it hears from outside and what is to be said to it. It does not know other legs; the engine passes
//! frames between them.

use crate::address::Address;
use crate::dtmf::Detector;
use crate::effects::{Channel, Effects};
use crate::event::{self, Event, Sending, Step};
use crate::jitter::{Coverage, Inserted, JitterBuffer};
use crate::play::{Playing, Playlist};
use crate::relay::Stream;
use crate::rtp::Header;
use crate::tap::Tap;
use crate::{Law, Pcm, SILENCE, g711, rtcp, rtp, tone};
use base::id::LegKey;
use base::limits::FRAME_SAMPLES;
use base::line::PortId;
use base::media::{Codec, Counters, Digit, DigitSource, Report, RtpRemote, RtpSend};
use base::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

mod monitoring;

use monitoring::Beep;
pub(crate) use monitoring::Monitoring;

/// RTP payload type of comfort noise (RFC 3389); its level is not used.
const COMFORT_NOISE: u8 = 13;
/// Keys waiting to be sent to one leg.
const DIGITS_MAX: usize = 32;
/// Missing frames that are filled with a repetition of the last one, each weaker.
const CONCEALED_MAX: i32 = 4;

/// Whom a leg hears when nothing is played to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Partner {
    Nobody,
    Itself,
    Peer(LegKey),
}

/// How a leg is connected.
#[derive(Debug)]
pub(crate) enum Kind {
    Rtp(Box<RtpLeg>),
    Tdm(PortId),
}

#[derive(Debug)]
pub(crate) struct Leg {
    pub key: LegKey,
    pub kind: Kind,
    pub partner: Partner,
    pub playlist: Option<Playlist>,
    pub tap: Option<Tap>,
    /// A second tap of a leg does not look back: what was said while it was stopped stays out.
    pub tapped: bool,
    /// What the leg said in this tick; only meaningful when `audible`.
    pub heard: Pcm,
    pub audible: bool,
    pub monitoring: Monitoring,
    beep: Option<Beep>,
    digits: heapless::Deque<Digit, DIGITS_MAX>,
    sending: Option<Sending>,
    detector: Detector,
}

/// What goes to a leg in a tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Voice {
    /// The frame given with it.
    Sound,
    /// Nothing to say: silence.
    Silence,
    /// Packets of the partner pass by themselves.
    Relayed,
}

/// What an RTP packet was.
pub(crate) enum Taken {
    /// Not the peer's, malformed, or of no use.
    Nothing,
    /// Audio, newer or older but not twice.
    Audio,
    /// A telephone-event; `pressed` when it begins a press.
    Event { pressed: Option<Digit> },
}

impl Leg {
    pub fn new(key: LegKey, kind: Kind) -> Leg {
        Leg {
            key,
            kind,
            partner: Partner::Nobody,
            playlist: None,
            tap: None,
            tapped: false,
            heard: SILENCE,
            audible: false,
            monitoring: Monitoring::default(),
            beep: None,
            digits: heapless::Deque::new(),
            sending: None,
            detector: Detector::default(),
        }
    }

    pub fn rtp(&self) -> Option<&RtpLeg> {
        match &self.kind {
            Kind::Rtp(rtp) => Some(rtp),
            Kind::Tdm(_) => None,
        }
    }

    pub fn rtp_mut(&mut self) -> Option<&mut RtpLeg> {
        match &mut self.kind {
            Kind::Rtp(rtp) => Some(rtp),
            Kind::Tdm(_) => None,
        }
    }

    /// Whether something else than the partner alone is said to it.
    pub fn is_occupied(&self) -> bool {
        self.playlist.is_some() || self.sending.is_some() || !self.digits.is_empty() || self.hears_a_mix()
    }

    /// Queues a key; beyond the bound it is dropped, as a phone's keypad would.
    pub fn send_digit(&mut self, digit: Digit) {
        let _ = self.digits.push_back(digit);
    }

    /// Whether keys are looked for in the audio: not when the peer has agreed to send them as events.
    fn listens_for_tones(&self) -> bool {
        match &self.kind {
            Kind::Rtp(rtp) => rtp.remote.is_some_and(|remote| remote.dtmf_payload_type.is_none()),
            Kind::Tdm(_) => true,
        }
    }

    /// Takes a packet from the network.
    pub fn packet(
        &mut self,
        now: Instant,
        from: SocketAddr,
        header: &Header,
        payload: &[u8],
        out: &mut Effects,
    ) -> Taken {
        let Kind::Rtp(rtp) = &mut self.kind else { return Taken::Nothing };
        let Some(meaning) = rtp.admit(now, from, header) else { return Taken::Nothing };
        match meaning {
            Meaning::ComfortNoise => Taken::Nothing,
            Meaning::Event => match event::parse(payload) {
                Some(event) => Taken::Event { pressed: rtp.events.packet(now, header.timestamp, &event) },
                None => {
                    rtp.strangers += 1;
                    Taken::Nothing
                }
            },
            Meaning::Audio(codec) => {
                if rtp.ssrc != Some(header.ssrc) || rtp.jitter.jumps(header.timestamp) {
                    if let Some(tap) = &mut self.tap {
                        tap.flush(now, codec, &rtp.jitter, out);
                    }
                    rtp.jitter.restart();
                    rtp.ssrc = Some(header.ssrc);
                }
                rtp.relayable = payload.len() == FRAME_SAMPLES;
                match rtp.jitter.insert(now, header.timestamp, payload) {
                    Inserted::Duplicate => Taken::Nothing,
                    Inserted::InOrder | Inserted::Reordered | Inserted::Late => Taken::Audio,
                }
            }
        }
    }

    /// Takes 20 ms from outside: moves the jitter buffer or reads the timeslot, taps, and looks for keys. `media` is
    /// the tick on the even grid, `now` the clock. `pcm` says whether the frame is wanted as samples.
    pub fn listen(&mut self, media: Instant, now: Instant, pcm: bool, timeslot: Option<&Pcm>, out: &mut Effects) {
        let tones = self.listens_for_tones();
        let mixed = self.records_a_mix();
        match &mut self.kind {
            Kind::Rtp(rtp) => {
                if let (Some(tap), Some(codec)) = (&mut self.tap, rtp.codec) {
                    tap.follow(media, codec, &rtp.jitter, mixed, out);
                }
                self.audible = rtp.listen(now, pcm || tones, &mut self.heard);
                if let Some(tap) = self.tap.as_mut().filter(|_| mixed) {
                    tap.skip_played(&rtp.jitter);
                }
            }
            Kind::Tdm(_) => {
                self.audible = timeslot.is_some();
                if let Some(samples) = timeslot {
                    self.heard = *samples;
                    if let Some(tap) = self.tap.as_mut().filter(|_| !mixed) {
                        let mut law: Law = [0; FRAME_SAMPLES];
                        g711::encode_frame(Codec::Pcma, samples, &mut law);
                        tap.frame(media, &law, out);
                    }
                }
            }
        }
        if tones
            && self.audible
            && let Some(digit) = self.detector.frame(&self.heard)
        {
            out.reports.push(Report::Digit { leg: self.key, digit, source: DigitSource::Inband });
        }
    }

    /// Says 20 ms to the leg: a key, the playlist, or what the partner says (`voice` with `pcm`). A timeslot takes
    /// samples; an RTP leg sends a packet.
    pub fn speak(
        &mut self,
        media: Instant,
        now: Instant,
        voice: Voice,
        pcm: &mut Pcm,
        timeslot: Option<&mut Pcm>,
        out: &mut Effects,
    ) {
        let step = self.next_key_step();
        let events = self.rtp().is_some_and(RtpLeg::has_events);
        let mut voice = voice;
        let mut event = None;
        match step {
            Step::Down { frame, event: e } | Step::Up { frame, event: e } if events => event = Some((frame, e)),
            Step::Down { frame, .. } => {
                voice = Voice::Sound;
                if let Some(sending) = &self.sending {
                    *pcm = tone::key(sending.digit(), u64::from(frame) * FRAME_SAMPLES as u64);
                }
            }
            Step::Up { .. } | Step::Pause => voice = Voice::Silence,
            Step::Done => {
                if let Some(played) = self.play(media, pcm, out) {
                    voice = played;
                }
            }
        }
        if self.beep.is_some() && step == Step::Done && self.sound_beep(voice, pcm) {
            voice = Voice::Sound;
        }
        match &mut self.kind {
            Kind::Tdm(_) => {
                if let Some(samples) = timeslot {
                    *samples = if voice == Voice::Sound { *pcm } else { SILENCE };
                }
            }
            Kind::Rtp(rtp) => match event {
                Some((frame, event)) => rtp.send_event(self.key, media, frame, &event, out),
                None => rtp.send_voice(self.key, media, now, voice, pcm, out),
            },
        }
    }

    /// The step of the key that is being sent; `Done` when none is.
    fn next_key_step(&mut self) -> Step {
        loop {
            let step = self.sending.as_mut().map_or(Step::Done, Sending::step);
            if step != Step::Done {
                return step;
            }
            self.sending = self.digits.pop_front().map(Sending::new);
            if self.sending.is_none() {
                return Step::Done;
            }
        }
    }

    fn play(&mut self, media: Instant, pcm: &mut Pcm, out: &mut Effects) -> Option<Voice> {
        let playlist = self.playlist.as_ref()?;
        match playlist.frame(media, pcm) {
            Playing::Sound => Some(Voice::Sound),
            Playing::NotYet => Some(Voice::Silence),
            Playing::Over => {
                out.reports.push(Report::PlayDone { leg: self.key, play: playlist.id() });
                self.playlist = None;
                None
            }
        }
    }

    /// Ends the tap with everything that has arrived.
    pub fn end_tap(&mut self, media: Instant, out: &mut Effects) {
        let Some(mut tap) = self.tap.take() else { return };
        if let Kind::Rtp(rtp) = &self.kind
            && let Some(codec) = rtp.codec
        {
            tap.flush(media, codec, &rtp.jitter, out);
        }
    }
}

/// What a payload type stands for.
enum Meaning {
    Audio(Codec),
    Event,
    ComfortNoise,
}

/// The RTP side of a leg.
#[derive(Debug)]
pub(crate) struct RtpLeg {
    pub remote: Option<RtpRemote>,
    pub jitter: JitterBuffer,
    pub stream: Stream,
    /// Law of the codes in the jitter buffer.
    pub codec: Option<Codec>,
    /// Packets hold exactly one frame, so they can be passed on as they are.
    pub relayable: bool,
    /// Its ports could not be opened.
    pub failed: bool,
    address: Address,
    reports: rtcp::Reports,
    events: event::Receiver,
    ssrc: Option<u32>,
    received: u64,
    strangers: u64,
    last_heard: Instant,
    silence_told: bool,
    next_report: Instant,
    /// Timestamp of the event that is being sent.
    event_timestamp: u32,
    missing: i32,
}

impl RtpLeg {
    pub fn new(now: Instant, send: RtpSend, depth: Duration, first_report: Instant) -> RtpLeg {
        RtpLeg {
            remote: None,
            jitter: JitterBuffer::new(depth),
            stream: Stream::new(send),
            codec: None,
            relayable: true,
            failed: false,
            address: Address::default(),
            reports: rtcp::Reports::default(),
            events: event::Receiver::default(),
            ssrc: None,
            received: 0,
            strangers: 0,
            last_heard: now,
            silence_told: false,
            next_report: first_report,
            event_timestamp: 0,
            missing: 0,
        }
    }

    /// Takes what was agreed. What came before from somewhere else is forgotten.
    pub fn set_remote(&mut self, now: Instant, remote: RtpRemote) {
        if !self.address.agree(remote.addr) {
            self.strangers += std::mem::take(&mut self.received);
            self.jitter.clear();
            self.reports = rtcp::Reports::default();
            self.ssrc = None;
        }
        if let Some(codec) = self.codec {
            self.jitter.rewrite(|codes| g711::convert(codec, remote.codec, codes));
        }
        self.codec = Some(remote.codec);
        if !self.remote.is_some_and(|before| before.receive) {
            self.last_heard = now;
            self.silence_told = false;
        }
        self.stream.end_relay();
        self.remote = Some(remote);
    }

    /// Whether packets of this leg may pass to `other` as they are.
    pub fn passes_to(&self, other: &RtpLeg) -> bool {
        match (&self.remote, &other.remote) {
            (Some(from), Some(to)) => self.relayable && from.codec == to.codec,
            (None, _) | (_, None) => false,
        }
    }

    /// Whether keys go out as events.
    pub fn has_events(&self) -> bool {
        self.remote.is_some_and(|remote| remote.dtmf_payload_type.is_some())
    }

    /// Counts a datagram that is no RTP.
    pub fn count_malformed(&mut self) {
        self.strangers += 1;
    }

    /// Checks source and payload type and counts the packet.
    fn admit(&mut self, now: Instant, from: SocketAddr, header: &Header) -> Option<Meaning> {
        let meaning = match &self.remote {
            Some(remote) if header.payload_type == remote.payload_type => Some(Meaning::Audio(remote.codec)),
            Some(remote) if Some(header.payload_type) == remote.dtmf_payload_type => Some(Meaning::Event),
            _ if header.payload_type == COMFORT_NOISE => Some(Meaning::ComfortNoise),
            Some(_) => None,
            // Before the agreement only the static payload types have a meaning (RFC 3551 §6).
            None => match header.payload_type {
                0 => Some(Codec::Pcmu),
                8 => Some(Codec::Pcma),
                _ => None,
            }
            .filter(|codec| *self.codec.get_or_insert(*codec) == *codec)
            .map(Meaning::Audio),
        };
        if !self.address.accepts_rtp(from) || meaning.is_none() {
            self.strangers += 1;
            return None;
        }
        self.received += 1;
        self.last_heard = now;
        self.silence_told = false;
        self.reports.reception.packet(now, header.ssrc, header.seq, header.timestamp);
        meaning
    }

    /// Takes an RTCP packet.
    pub fn rtcp(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        let ssrc = self.stream.ssrc();
        if !self.address.accepts_rtcp(from) || self.reports.packet(now, ssrc, bytes).is_err() {
            self.strangers += 1;
        }
    }

    /// Moves the play-out; with `pcm` writes what it says and returns whether there is anything.
    fn listen(&mut self, now: Instant, pcm: bool, heard: &mut Pcm) -> bool {
        let (Some(at), Some(remote)) = (self.jitter.advance(now), self.remote) else { return false };
        if !pcm {
            // What was heard long ago does not fill a gap of now.
            self.missing = CONCEALED_MAX;
            return false;
        }
        let mut law: Law = [0; FRAME_SAMPLES];
        if self.jitter.read(at, g711::silence(remote.codec), &mut law) != Coverage::Nothing && !self.events.is_down(now)
        {
            self.missing = 0;
            g711::decode_frame(remote.codec, &law, heard);
            return true;
        }
        self.missing += 1;
        if self.missing > CONCEALED_MAX {
            return false;
        }
        // The last frame again, each time a quarter weaker.
        heard.iter_mut().for_each(|sample| *sample -= *sample / 4);
        true
    }

    /// Sends a frame of audio or silence, unless the peer wants none or packets are being relayed.
    fn send_voice(&mut self, leg: LegKey, media: Instant, now: Instant, voice: Voice, pcm: &Pcm, out: &mut Effects) {
        let Some(remote) = self.remote.filter(|remote| remote.send && !self.failed) else { return };
        if voice == Voice::Relayed && self.stream.relayed_at().is_some_and(|at| now.since(at) < RELAY_QUIET) {
            return;
        }
        let Some(to) = self.address.rtp_to() else { return };
        let header = Header { payload_type: remote.payload_type, ..self.stream.next(media) };
        let mut law: Law = [g711::silence(remote.codec); FRAME_SAMPLES];
        if voice == Voice::Sound {
            g711::encode_frame(remote.codec, pcm, &mut law);
        }
        self.stream.count(law.len());
        out.send(leg, Channel::Rtp, to, |buffer| rtp::write(&header, &law, buffer));
    }

    /// Sends one packet of a key that began `frame` frames ago.
    fn send_event(&mut self, leg: LegKey, media: Instant, frame: u16, event: &Event, out: &mut Effects) {
        let Some(remote) = self.remote.filter(|remote| remote.send && !self.failed) else { return };
        let (Some(to), Some(payload_type)) = (self.address.rtp_to(), remote.dtmf_payload_type) else { return };
        let next = self.stream.next(media);
        if frame == 0 {
            self.event_timestamp = next.timestamp;
        }
        let header = Header { payload_type, marker: frame == 0, timestamp: self.event_timestamp, ..next };
        self.stream.count(event::PAYLOAD_BYTES);
        out.send(leg, Channel::Rtp, to, |buffer| rtp::write(&header, &event::write(event), buffer));
    }

    /// Sends a partner's packet as it is, under our numbers.
    pub fn relay(
        &mut self,
        leg: LegKey,
        media: Instant,
        source: &Header,
        payload: &[u8],
        event: bool,
        out: &mut Effects,
    ) {
        let Some(remote) = self.remote.filter(|remote| remote.send && !self.failed) else { return };
        let payload_type = if event { remote.dtmf_payload_type } else { Some(remote.payload_type) };
        let (Some(to), Some(payload_type)) = (self.address.rtp_to(), payload_type) else { return };
        let Some(header) = self.stream.relay(media, source) else { return };
        let header = Header { payload_type, ..header };
        if out.send(leg, Channel::Rtp, to, |buffer| rtp::write(&header, payload, buffer)) {
            self.stream.count(payload.len());
        }
    }

    /// Sends a report when its time has come, tells of silence.
    pub fn watch(&mut self, leg: LegKey, media: Instant, now: Instant, rules: &Rules<'_>, out: &mut Effects) {
        let expected = self.remote.is_some_and(|remote| remote.receive) && !self.failed;
        let quiet = now.since(self.last_heard);
        if expected && !self.silence_told && quiet >= rules.silence_timeout {
            self.silence_told = true;
            out.reports.push(Report::Silent { leg, for_ms: quiet.as_millis().min(u128::from(u32::MAX)) as u32 });
        }
        if now >= self.next_report {
            self.next_report = now + rules.report_interval;
            self.send_report(leg, media, now, rules.cname, false, out);
        }
    }

    /// Sends an RTCP report, at the end of the leg with a goodbye.
    pub fn send_report(
        &mut self,
        leg: LegKey,
        media: Instant,
        now: Instant,
        cname: &str,
        bye: bool,
        out: &mut Effects,
    ) {
        let Some(to) = self.address.rtcp_to().filter(|_| !self.failed) else { return };
        let sent = rtcp::Sent {
            ssrc: self.stream.ssrc(),
            timestamp: self.stream.timestamp_at(media),
            packets: self.stream.packets() as u32,
            octets: self.stream.octets() as u32,
            active: self.stream.was_active(),
        };
        let reports = &mut self.reports;
        out.send(leg, Channel::Rtcp, to, |buffer| reports.write(now, &sent, cname, bye, buffer));
    }

    /// Its life in numbers.
    pub fn counters(&self) -> Counters {
        let stats = self.jitter.stats();
        Counters {
            sent: self.stream.packets(),
            received: self.received,
            lost: self.reports.reception.lost(),
            late: stats.late,
            duplicate: stats.duplicate,
            strangers: self.strangers,
            jitter: self.reports.reception.jitter(),
            rtt_us: self.reports.rtt_us(),
        }
    }
}

/// A relayed source that is quiet for longer is replaced by silence.
const RELAY_QUIET: Duration = Duration::from_millis(200);

/// What holds for all legs.
pub(crate) struct Rules<'a> {
    pub silence_timeout: Duration,
    pub report_interval: Duration,
    pub cname: &'a str,
}
