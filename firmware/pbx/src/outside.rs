//! Calls of extensions to the outside: one INVITE to the trunk of a route, as an offer of one phone. What a refusal of the
//! other side is to the caller and to the records is decided here; which route it is, in `dialplan.rs`.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use base::id::LegKey;
use core::net::SocketAddr;
use core::time::Duration;
use signaling::sip::door::{Hop, Invite, Target};

use crate::call::{CallKey, Disposition, Origin, Phase};
use crate::config::Config;
use crate::dialplan::Outside;
use crate::leg::Goodbye;
use crate::offer::{Cause, Offer, OfferKey, Purpose, Stage};
use crate::port::NO_PORT;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// The other side may ring for so long; a proxy waits no longer either (RFC 3261 §16.6, timer C).
const RING_TIME: Duration = Duration::from_secs(180);
/// Where a trunk without `port` is called.
const SIP_PORT: u16 = 5060;

/// What became of a call that the other side refused: for the story, for the records, and the code that the caller gets.
struct Refusal {
    cause: &'static str,
    disposition: Disposition,
    code: u16,
}

impl Refusal {
    /// By the final response to our INVITE; 408 when there was none.
    fn of(code: u16) -> Refusal {
        let (cause, disposition, code) = match code {
            404 | 410 | 484 | 604 => ("number unknown", Disposition::Failed, 404),
            486 | 600 => ("busy", Disposition::Busy, 486),
            403 | 603 | 607 => ("rejected", Disposition::Busy, 486),
            480 | 487 => ("no-answer", Disposition::NoAnswer, 480),
            408 => ("trunk silent", Disposition::Failed, 408),
            _ => ("trunk refused", Disposition::Failed, 503),
        };
        Refusal { cause, disposition, code }
    }
}

impl Pbx {
    /// Calls a number outside.
    pub(crate) fn call_outside(&mut self, turn: &mut Turn<'_>, call: CallKey, outside: &Outside) {
        let Some(config) = self.config_of(call) else { return };
        let Some(invite) = self.invite_outside(&config, call, outside) else { return };
        let offer = self.offers.insert(Offer {
            call,
            purpose: Purpose::Outside(outside.number.clone()),
            agent: None,
            legs: vec![],
            began: turn.now.at,
            worst: Cause::Unreachable,
            rings: false,
            stage: Stage::Ringing,
        });
        self.ring(turn, offer, call, None, invite);
        if self.offers.get(offer).is_none_or(|o| o.legs.is_empty()) {
            self.offers.remove(offer);
            return self.cannot_connect(turn, call, NO_PORT, Disposition::Failed, 503);
        }
        self.timers.set(Timer::Offer(offer), turn.now.at + RING_TIME);
        self.enter(call, Phase::Ringing { offer });
    }

    fn invite_outside(&self, config: &Config, call: CallKey, outside: &Outside) -> Option<Invite> {
        let (route, trunk) = (config.routes.get(&outside.route)?, config.trunks.get(&outside.trunk)?);
        let remote = SocketAddr::new(trunk.address, trunk.port.unwrap_or(SIP_PORT));
        let target = Target {
            uri: format!("sip:{}@{remote}", outside.number),
            hop: Hop::Udp { local: config.sip.listen, remote },
        };
        // The number is the one that was proven, not what the phone calls itself; names of people stay in the house.
        let from = match (&route.caller_id, &self.calls.get(call)?.origin) {
            (Some(number), _) => number.clone(),
            (None, Origin::Extension(number)) => number.clone(),
            (None, Origin::Line(_) | Origin::Trunk(_)) => return None,
        };
        Some(Invite { target, from, from_name: String::new(), offer: None, headers: vec![] })
    }

    /// Whether an offer goes to the outside.
    pub(crate) fn is_outside(&self, offer: OfferKey) -> bool {
        matches!(self.offers.get(offer).map(|o| &o.purpose), Some(Purpose::Outside(_)))
    }

    /// The other side refused, or never answered at all.
    pub(crate) fn outside_refused(&mut self, turn: &mut Turn<'_>, leg: LegKey, offer: OfferKey, code: u16) {
        self.end_leg(turn, leg, &format!("refused {code}"), Goodbye::None);
        let Refusal { cause, disposition, code } = Refusal::of(code);
        let Some(offer) = self.end_offer(turn, offer, cause, None) else { return };
        self.cannot_connect(turn, offer.call, cause, disposition, code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_means_the_same_to_the_caller_and_to_the_records() {
        let of = |code| {
            let Refusal { disposition, code, .. } = Refusal::of(code);
            (disposition, code)
        };
        assert_eq!(of(486), (Disposition::Busy, 486));
        assert_eq!(of(404), (Disposition::Failed, 404));
        assert_eq!(of(480), (Disposition::NoAnswer, 480));
        assert_eq!(of(408), (Disposition::Failed, 408));
        for code in [401, 407, 488, 500, 502, 503, 504] {
            assert_eq!(of(code), (Disposition::Failed, 503), "{code}");
        }
    }
}
