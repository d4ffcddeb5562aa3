//! The engine: all legs of one worker, the bridges between them, and the tick.

use crate::effects::{Channel, Effects, PortAction};
use crate::highway::HighwayFrame;
use crate::leg::{Kind, Leg, Partner, RtpLeg, Rules, Taken, Voice};
use crate::library::Library;
use crate::play::Playlist;
use crate::tap::Tap;
use crate::{SILENCE, dtmf, rtp, tone};
use base::id::{LegKey, Uid};
use base::limits::TICK_US;
use base::line::PortId;
use base::media::{Command, Counters, DigitSource, LegFailure, Report, RtpSend, Side};
use base::slab::Key;
use base::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

const TICK: Duration = Duration::from_micros(TICK_US);
/// When the tick lies this far behind the clock, ticks are left out.
const BEHIND_MAX: Duration = Duration::from_millis(100);
/// When it lies this far ahead, it starts anew from the clock.
const AHEAD_MAX: Duration = Duration::from_secs(1);

/// What holds for all legs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Depth of each jitter buffer, 20 to 200 ms.
    pub jitter_ms: u32,
    /// RTP silence of an expected sender after which `Report::Silent` is told.
    pub silence_timeout_ms: u32,
    /// Time between two RTCP reports of a leg.
    pub report_interval_ms: u32,
    /// Our name in RTCP, at most 48 bytes.
    pub cname: String,
    /// Line cards on the highway.
    pub cards: Vec<u8>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            jitter_ms: 60,
            silence_timeout_ms: 20_000,
            report_interval_ms: 5_000,
            cname: "cordboard".to_owned(),
            cards: Vec::new(),
        }
    }
}

/// All legs of one worker.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    library: Library,
    /// By index of the key.
    legs: Vec<Option<Box<Leg>>>,
    /// The last tick on the even grid of 20 ms, by which all streams count.
    media: Option<Instant>,
}

impl Engine {
    /// An engine without legs. Tables are computed here, so that no tick has to.
    pub fn new(settings: Settings, library: Library) -> Engine {
        tone::prepare();
        dtmf::prepare();
        let jitter_ms = settings.jitter_ms.clamp(20, 200);
        Engine { settings: Settings { jitter_ms, ..settings }, library, legs: Vec::new(), media: None }
    }

    /// Replaces prompts and music; what plays goes on with the old ones.
    pub fn set_library(&mut self, library: Library) {
        self.library = library;
    }

    /// Legs at the moment.
    pub fn legs(&self) -> usize {
        self.legs.iter().flatten().count()
    }

    /// Counts of a leg so far.
    pub fn counters(&self, leg: LegKey) -> Option<Counters> {
        self.leg(leg)?.rtp().map(RtpLeg::counters)
    }

    /// The ports of a leg could not be opened: it stays silent until it is destroyed.
    pub fn port_failed(&mut self, leg: LegKey, why: LegFailure, out: &mut Effects) {
        if let Some(rtp) = self.leg_mut(leg).and_then(Leg::rtp_mut) {
            rtp.failed = true;
            out.reports.push(Report::Failed { leg, why });
        }
    }

    /// Does what the core wants. Commands for a leg that is gone do nothing.
    pub fn command(&mut self, now: Instant, command: Command, out: &mut Effects) {
        match command {
            Command::CreateRtp { leg, local_port, send } => self.create_rtp(now, leg, local_port, send, out),
            Command::CreateTdm { leg, port } => self.create_tdm(now, leg, port, out),
            Command::SetRemote { leg, remote } => {
                if let Some(rtp) = self.leg_mut(leg).and_then(Leg::rtp_mut) {
                    rtp.set_remote(now, remote);
                }
            }
            Command::Destroy { leg } => self.destroy(now, leg, out),
            Command::Play { leg, play, items, repeat, since } => {
                let missing = |name| out.reports.push(Report::PromptMissing { leg, name });
                let exists = self.leg(leg).is_some();
                if exists {
                    let playlist = Playlist::new(play, &items, repeat, since, &self.library, missing);
                    self.with(leg, |leg| leg.playlist = Some(playlist));
                }
            }
            Command::StopPlay { leg } => self.with(leg, |leg| leg.playlist = None),
            Command::Join { a, b } => self.join(a, b),
            Command::Part { leg } => self.part(leg),
            Command::Monitor { leg, of, mode } => self.monitor(leg, of, mode, out),
            Command::StopMonitor { leg } => self.stop_monitor(leg),
            Command::Beep { leg, tone } => self.with(leg, |leg| leg.beep(tone)),
            Command::Echo { leg } => {
                self.stop_monitor(leg);
                self.part(leg);
                self.with(leg, |leg| leg.partner = Partner::Itself);
            }
            Command::SendDigit { leg, digit } => self.with(leg, |leg| leg.send_digit(digit)),
            Command::RecordStart { leg, recording, side, since } => {
                self.record_start(now, leg, recording, side, since, out);
            }
            // Where sockets are bound is the business of whoever has them.
            Command::Configure { bind: _, jitter_ms, silence_timeout_ms } => {
                self.settings.jitter_ms = jitter_ms.clamp(20, 200);
                self.settings.silence_timeout_ms = silence_timeout_ms;
            }
            Command::RecordStop { leg } => {
                let media = self.media_now(now);
                self.with(leg, |leg| leg.end_tap(media, out));
            }
        }
    }

    /// Takes a datagram that came to a leg's port. Audio of a bridged leg goes on at once when the partner speaks the
    /// same codec.
    pub fn packet(
        &mut self,
        now: Instant,
        leg: LegKey,
        channel: Channel,
        from: SocketAddr,
        bytes: &[u8],
        out: &mut Effects,
    ) {
        let media = self.media_now(now);
        let Some(source) = self.leg_mut(leg) else { return };
        if channel == Channel::Rtcp {
            if let Some(rtp) = source.rtp_mut() {
                rtp.rtcp(now, from, bytes);
            }
            return;
        }
        let Ok((header, payload)) = rtp::parse(bytes) else {
            if let Some(rtp) = source.rtp_mut() {
                rtp.count_malformed();
            }
            return;
        };
        let partner = source.partner;
        match source.packet(now, from, &header, payload, out) {
            Taken::Nothing => {}
            Taken::Audio => self.relay(media, leg, partner, &header, payload, false, out),
            Taken::Event { pressed } => {
                if let Some(digit) = pressed {
                    out.reports.push(Report::Digit { leg, digit, source: DigitSource::Rfc4733 });
                }
                let Partner::Peer(peer) = partner else { return };
                if self.passes_events(leg, peer) {
                    self.relay(media, leg, partner, &header, payload, true, out);
                } else if let Some(digit) = pressed {
                    self.with(peer, |peer| {
                        if peer.playlist.is_none() {
                            peer.send_digit(digit);
                        }
                    });
                }
            }
        }
    }

    /// One step of 20 ms at `now`: every leg listens, then every leg is spoken to. `highway_out` is overwritten whole.
    pub fn tick(
        &mut self,
        now: Instant,
        highway_in: Option<&HighwayFrame>,
        mut highway_out: Option<&mut HighwayFrame>,
        out: &mut Effects,
    ) {
        let media = self.step_media(now);
        if let Some(highway) = &mut highway_out {
            highway.clear();
        }
        for index in 0..self.legs.len() {
            let Some(mut leg) = self.legs[index].take() else { continue };
            let pcm = self.is_heard_as_samples(&leg);
            let timeslot = match leg.kind {
                Kind::Tdm(port) => highway_in.and_then(|highway| highway.port(port)),
                Kind::Rtp(_) => None,
            };
            leg.listen(media, now, pcm, timeslot, out);
            self.legs[index] = Some(leg);
        }
        let settings = &self.settings;
        let rules = Rules {
            silence_timeout: Duration::from_millis(settings.silence_timeout_ms.into()),
            report_interval: Duration::from_millis(settings.report_interval_ms.into()),
            cname: &settings.cname,
        };
        for index in 0..self.legs.len() {
            let Some(mut leg) = self.legs[index].take() else { continue };
            let mut pcm = SILENCE;
            let voice = if leg.hears_a_mix() {
                monitor::mix(&self.legs, &leg, &mut pcm)
            } else {
                voice_of_partner(&self.legs, &leg, &mut pcm)
            };
            if leg.records_a_mix()
                && let Some(recorded) = monitor::recorded(&self.legs, &leg)
            {
                leg.record_mix(media, &recorded, out);
            }
            let timeslot = match leg.kind {
                Kind::Tdm(port) => highway_out.as_deref_mut().and_then(|highway| highway.port_mut(port)),
                Kind::Rtp(_) => None,
            };
            leg.speak(media, now, voice, &mut pcm, timeslot, out);
            let key = leg.key;
            if let Some(rtp) = leg.rtp_mut() {
                rtp.watch(key, media, now, &rules, out);
            }
            self.legs[index] = Some(leg);
        }
    }

    /// The tick's place on the even grid: 20 ms after the one before, whatever the scheduler did, unless the clock has
    /// run away.
    fn step_media(&mut self, now: Instant) -> Instant {
        let media = match self.media {
            None => now,
            Some(last) => {
                let next = last + TICK;
                let behind = now.since(next);
                if behind > BEHIND_MAX {
                    let left_out = (behind - BEHIND_MAX).as_micros() as u64 / TICK_US + 1;
                    next + Duration::from_micros(left_out * TICK_US)
                } else if next.since(now) > AHEAD_MAX {
                    now
                } else {
                    next
                }
            }
        };
        self.media = Some(media);
        media
    }

    fn media_now(&self, now: Instant) -> Instant {
        self.media.unwrap_or(now)
    }

    fn leg(&self, key: LegKey) -> Option<&Leg> {
        find(&self.legs, key)
    }

    fn leg_mut(&mut self, key: LegKey) -> Option<&mut Leg> {
        self.legs.get_mut(key.index() as usize)?.as_deref_mut().filter(|leg| leg.key == key)
    }

    fn with(&mut self, key: LegKey, change: impl FnOnce(&mut Leg)) {
        if let Some(leg) = self.leg_mut(key) {
            change(leg);
        }
    }

    /// Puts a leg in, after ending one that was left over under the same index.
    fn insert(&mut self, now: Instant, leg: Leg, out: &mut Effects) {
        let index = leg.key.index() as usize;
        if index >= self.legs.len() {
            self.legs.resize_with(index + 1, || None);
        }
        if let Some(before) = self.legs[index].as_ref().map(|before| before.key) {
            self.destroy(now, before, out);
        }
        self.legs[index] = Some(Box::new(leg));
    }

    fn create_rtp(&mut self, now: Instant, leg: LegKey, local_port: u16, send: RtpSend, out: &mut Effects) {
        if self.leg(leg).is_some() {
            return;
        }
        let depth = Duration::from_millis(self.settings.jitter_ms.into());
        // Spread over a second, so that the reports of many legs do not fall into one tick.
        let spread = Duration::from_millis(u64::from(leg.index() % 50) * 20);
        let first_report = now + Duration::from_millis(self.settings.report_interval_ms.into()) + spread;
        let rtp = RtpLeg::new(now, send, depth, first_report);
        self.insert(now, Leg::new(leg, Kind::Rtp(Box::new(rtp))), out);
        out.ports.push(PortAction::Open { leg, local_port });
    }

    fn create_tdm(&mut self, now: Instant, leg: LegKey, port: PortId, out: &mut Effects) {
        if self.leg(leg).is_some() {
            return;
        }
        if !self.settings.cards.contains(&port.card) {
            out.reports.push(Report::Failed { leg, why: LegFailure::NoCard });
        }
        self.insert(now, Leg::new(leg, Kind::Tdm(port)), out);
    }

    fn destroy(&mut self, now: Instant, key: LegKey, out: &mut Effects) {
        let media = self.media_now(now);
        self.stop_monitor(key);
        self.part(key);
        self.leave_watchers(key);
        let Some(leg) = self.leg_mut(key) else { return };
        leg.end_tap(media, out);
        let Some(mut leg) = self.legs.get_mut(key.index() as usize).and_then(Option::take) else { return };
        let mut counters = Counters::default();
        if let Some(rtp) = leg.rtp_mut() {
            rtp.send_report(key, media, now, &self.settings.cname, true, out);
            counters = rtp.counters();
            out.ports.push(PortAction::Close { leg: key });
        }
        out.reports.push(Report::Counters { leg: key, counters });
    }

    fn join(&mut self, a: LegKey, b: LegKey) {
        if a == b || self.leg(a).is_none() || self.leg(b).is_none() {
            return;
        }
        for leg in [a, b] {
            self.stop_monitor(leg);
            self.part(leg);
        }
        self.with(a, |leg| leg.partner = Partner::Peer(b));
        self.with(b, |leg| leg.partner = Partner::Peer(a));
        self.renew(a);
        self.renew(b);
    }

    /// Ends the bridge or echo of a leg.
    fn part(&mut self, key: LegKey) {
        let Some(leg) = self.leg_mut(key) else { return };
        let partner = std::mem::replace(&mut leg.partner, Partner::Nobody);
        if let Some(rtp) = leg.rtp_mut() {
            rtp.stream.end_relay();
        }
        let Partner::Peer(peer) = partner else { return };
        self.with(peer, |leg| {
            leg.partner = Partner::Nobody;
            if let Some(rtp) = leg.rtp_mut() {
                rtp.stream.end_relay();
            }
        });
        self.renew(key);
        self.renew(peer);
    }

    fn record_start(
        &mut self,
        now: Instant,
        key: LegKey,
        recording: Uid,
        side: Side,
        since: Instant,
        out: &mut Effects,
    ) {
        let media = self.media_now(now);
        let Some(leg) = self.leg_mut(key) else { return };
        leg.end_tap(media, out);
        let looks_back = !std::mem::replace(&mut leg.tapped, true);
        let cursor = leg.rtp().map_or(0, |rtp| {
            let (oldest, end) = rtp.jitter.range();
            if looks_back { oldest } else { rtp.jitter.due().map_or(end, |(next, _)| next) }
        });
        leg.tap = Some(Tap::new(recording, side, since, cursor));
    }

    /// Passes a packet of `from` to its partner, when that hears it and packets can pass as they are.
    #[expect(clippy::too_many_arguments, reason = "one packet with its way")]
    fn relay(
        &mut self,
        media: Instant,
        from: LegKey,
        partner: Partner,
        header: &rtp::Header,
        payload: &[u8],
        event: bool,
        out: &mut Effects,
    ) {
        let to = match partner {
            Partner::Nobody => return,
            Partner::Itself => from,
            Partner::Peer(peer) => peer,
        };
        let (Some(source), Some(target)) = (self.leg(from), self.leg(to)) else { return };
        let (Some(a), Some(b)) = (source.rtp(), target.rtp()) else { return };
        if target.is_occupied() || !(a.passes_to(b) || event) {
            return;
        }
        if let Some(rtp) = self.leg_mut(to).and_then(Leg::rtp_mut) {
            rtp.relay(to, media, header, payload, event, out);
        }
    }

    /// Whether telephone-events of `from` can pass to `to` as packets. Packets of a mix are our own, and none of
    /// another's numbering fits between them.
    fn passes_events(&self, from: LegKey, to: LegKey) -> bool {
        let (Some(from), Some(to)) = (self.leg(from), self.leg(to)) else { return false };
        let (Some(a), Some(b)) = (from.rtp(), to.rtp()) else { return false };
        a.passes_to(b) && b.has_events() && !to.hears_a_mix()
    }

    /// Whether somebody hears this leg by way of the tick.
    fn is_heard_as_samples(&self, leg: &Leg) -> bool {
        if leg.monitoring.sampled {
            return true;
        }
        match (leg.partner, leg.rtp()) {
            (Partner::Nobody, _) => false,
            (_, None) => true,
            (Partner::Itself, Some(rtp)) => !rtp.passes_to(rtp) || leg.hears_a_mix(),
            (Partner::Peer(peer), Some(rtp)) => !self
                .leg(peer)
                .is_some_and(|peer| peer.rtp().is_some_and(|other| rtp.passes_to(other)) && !peer.hears_a_mix()),
        }
    }
}

fn find(legs: &[Option<Box<Leg>>], key: LegKey) -> Option<&Leg> {
    legs.get(key.index() as usize)?.as_deref().filter(|leg| leg.key == key)
}

/// What the partner of `leg` says to it in this tick; `leg` itself is not in `legs` meanwhile.
fn voice_of_partner(legs: &[Option<Box<Leg>>], leg: &Leg, pcm: &mut crate::Pcm) -> Voice {
    let partner = match leg.partner {
        Partner::Nobody => return Voice::Silence,
        Partner::Itself => leg,
        Partner::Peer(peer) => match find(legs, peer) {
            Some(partner) => partner,
            None => return Voice::Silence,
        },
    };
    if let (Some(from), Some(to)) = (partner.rtp(), leg.rtp())
        && from.passes_to(to)
    {
        return Voice::Relayed;
    }
    if !partner.audible {
        return Voice::Silence;
    }
    *pcm = partner.heard;
    Voice::Sound
}

mod monitor;
#[cfg(test)]
mod tests;
