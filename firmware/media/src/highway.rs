//! The TDM highway as the engine sees it: for each line card 8 timeslots of 20 ms linear audio.

use crate::{Pcm, SILENCE};
use base::limits::TIMESLOTS_PER_CARD;
use base::line::PortId;

/// 20 ms of one card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardFrame {
    /// Slot in the chassis, from 1.
    pub card: u8,
    /// Audio by timeslot; port 1 is timeslot 0.
    pub slots: [Pcm; TIMESLOTS_PER_CARD],
}

/// 20 ms of all cards, one direction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HighwayFrame {
    /// One entry for each card.
    pub cards: Vec<CardFrame>,
}

impl HighwayFrame {
    /// Silence on these cards.
    pub fn new(cards: &[u8]) -> HighwayFrame {
        HighwayFrame {
            cards: cards.iter().map(|card| CardFrame { card: *card, slots: [SILENCE; TIMESLOTS_PER_CARD] }).collect(),
        }
    }

    /// What a port says or hears; `None` when the card is not there or the port is not on it.
    pub fn port(&self, port: PortId) -> Option<&Pcm> {
        let slot = usize::from(port.port.checked_sub(1)?);
        self.cards.iter().find(|c| c.card == port.card)?.slots.get(slot)
    }

    /// The same to change.
    pub fn port_mut(&mut self, port: PortId) -> Option<&mut Pcm> {
        let slot = usize::from(port.port.checked_sub(1)?);
        self.cards.iter_mut().find(|c| c.card == port.card)?.slots.get_mut(slot)
    }

    /// Silence everywhere.
    pub fn clear(&mut self) {
        for card in &mut self.cards {
            card.slots = [SILENCE; TIMESLOTS_PER_CARD];
        }
    }
}
