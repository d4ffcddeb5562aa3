//! What supervisors have to do with one leg: whom it monitors, who monitors it, what of that belongs into a recording,
//! and the beep that tells of it. Which legs speak to which is the engine's knowledge.

use super::{Kind, Leg, Voice};
use crate::effects::Effects;
use crate::{Law, Pcm, SILENCE, g711, tone};
use base::id::LegKey;
use base::limits::{FRAME_SAMPLES, MONITORS_PER_BRIDGE_MAX};
use base::media::{Codec, MonitorMode, Side, Tone};
use base::time::Instant;

/// The three flags follow from who monitors whom and how; they are kept because each packet and tick asks for them.
#[derive(Default, Debug)]
pub(crate) struct Monitoring {
    /// Whom it monitors, and how.
    pub watches: Option<(LegKey, MonitorMode)>,
    /// Who monitors it.
    pub watchers: heapless::Vec<LegKey, MONITORS_PER_BRIDGE_MAX>,
    /// Monitors hear it, or it speaks as one: what it says is wanted as samples.
    pub sampled: bool,
    /// Others than its partner alone speak to it.
    pub mixed: bool,
    /// Somebody barges in on its bridge: that belongs into the recording.
    pub barged: bool,
}

/// A tone over what the leg hears.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beep {
    tone: Tone,
    /// Samples sounded.
    at: u64,
}

impl Leg {
    /// Whether what it hears is put together in the tick.
    pub fn hears_a_mix(&self) -> bool {
        self.monitoring.mixed || self.beep.is_some()
    }

    /// Mixes the begin of a tone over what it hears.
    pub fn beep(&mut self, tone: Tone) {
        self.beep = Some(Beep { tone, at: 0 });
    }

    /// What it says to those whom it monitors: no keys, they are for the box alone.
    pub fn says_as_monitor(&self) -> Option<&Pcm> {
        let key = self.listens_for_tones() && self.detector.suspects();
        (self.audible && !key).then_some(&self.heard)
    }

    /// Whether its tap takes the mixed voice of those who barge in.
    pub fn records_a_mix(&self) -> bool {
        self.monitoring.barged && self.tap.as_ref().is_some_and(|tap| tap.side() == Side::Agent)
    }

    /// Records what was mixed for its channel, in the place of its own frame of this tick.
    #[inline(never)]
    pub fn record_mix(&mut self, media: Instant, pcm: &Pcm, out: &mut Effects) {
        let arrived = match &self.kind {
            Kind::Rtp(rtp) => media - rtp.jitter.depth(),
            Kind::Tdm(_) => media,
        };
        if let Some(tap) = &mut self.tap {
            let mut law: Law = [0; FRAME_SAMPLES];
            g711::encode_frame(Codec::Pcma, pcm, &mut law);
            tap.frame(arrived, &law, out);
        }
    }

    /// Adds 20 ms of the tone to what is said; `false` when none sounds.
    #[inline(never)]
    pub(super) fn sound_beep(&mut self, voice: Voice, pcm: &mut Pcm) -> bool {
        let Some(beep) = &mut self.beep else { return false };
        let mut sound = SILENCE;
        tone::write(beep.tone, beep.at, &mut sound);
        beep.at += FRAME_SAMPLES as u64;
        if beep.at >= tone::BEEP_SAMPLES {
            self.beep = None;
        }
        if voice != Voice::Sound {
            *pcm = SILENCE;
        }
        for (sample, beep) in pcm.iter_mut().zip(&sound) {
            *sample = sample.saturating_add(*beep);
        }
        true
    }
}
