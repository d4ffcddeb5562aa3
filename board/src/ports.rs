//! Ports of one bus under their numbers; what every product does with them, whatever its bus is.

use base::line::{LineCommand, LineEvent, PortId};
use base::time::Instant;
use drivers::si3050::{Events, Si3050};
use embedded_hal::spi::SpiDevice;

use crate::NoSuchPort;

/// FXO ports that share a bus.
pub(crate) struct Ports<SPI> {
    ports: Vec<(PortId, Si3050<SPI>)>,
}

impl<SPI: SpiDevice> Ports<SPI> {
    /// In the order in which they are polled.
    pub(crate) fn new(ports: Vec<(PortId, Si3050<SPI>)>) -> Self {
        Ports { ports }
    }

    pub(crate) fn ids(&self) -> Vec<PortId> {
        self.ports.iter().map(|(id, _)| *id).collect()
    }

    /// Steps every port that is due.
    pub(crate) fn poll(&mut self, now: Instant, events: &mut Vec<(PortId, LineEvent)>) {
        for (id, driver) in &mut self.ports {
            append(*id, driver.step(now), events);
        }
    }

    /// When a port is due.
    pub(crate) fn next_poll(&self) -> Option<Instant> {
        self.ports.iter().map(|(_, driver)| driver.next_step()).min()
    }

    pub(crate) fn bus_lost(&mut self, now: Instant, events: &mut Vec<(PortId, LineEvent)>) {
        for (id, driver) in &mut self.ports {
            append(*id, driver.bus_lost(now), events);
        }
    }

    pub(crate) fn command(
        &mut self,
        now: Instant,
        port: PortId,
        command: LineCommand,
        events: &mut Vec<(PortId, LineEvent)>,
    ) -> Result<(), NoSuchPort> {
        let (id, driver) = self.ports.iter_mut().find(|(id, _)| *id == port).ok_or(NoSuchPort(port))?;
        append(*id, driver.command(now, command), events);
        Ok(())
    }
}

fn append(id: PortId, told: Events, events: &mut Vec<(PortId, LineEvent)>) {
    events.extend(told.into_iter().map(|event| (id, event)));
}
