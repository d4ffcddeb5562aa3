//! The simulated appliance from the box's side: card 1 is an FXO card of four ports, four Si3050 on one daisy chain,
//! 16-bit timeslots in port order. Its SPI bus is the world's socket.

use base::line::{LineCommand, LineEvent, PortId};
use base::time::Instant;
use drivers::si3050::{Config, Country, PcmFormat, Si3050};
use embedded_hal::spi::{Error, ErrorKind, ErrorType, Operation, SpiDevice};
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::wire::{self, SPI_BYTES_MAX, SPI_OK, SPI_SOCKET, TDM_SOCKET};
use crate::ports::Ports;
use crate::{BusTrouble, NoSuchPort};

/// A world that does not answer for so long is taken for gone.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two attempts to reach the world.
const RETRY: Duration = Duration::from_secs(1);

/// Configuration of the sound system (to be named by `ALSA_CONFIG_PATH`) in which the card's highway is the PCM
/// [`super::PCM`], served by the plugin at `plugin` from the world in `world_dir`; both paths absolute. It is complete in
/// itself: the machine's own sound devices are not needed and not seen.
pub fn asoundrc(world_dir: &Path, plugin: &Path) -> String {
    format!(
        "# TDM highway of the simulated appliance; used through ALSA_CONFIG_PATH.\n\
         pcm_type.cordboard {{\n    lib \"{}\"\n}}\n\
         pcm.{} {{\n    type cordboard\n    socket \"{}\"\n    card {}\n}}\n",
        plugin.display(),
        super::PCM,
        world_dir.join(TDM_SOCKET).display(),
        super::CARD
    )
}

/// The chassis: its bus and its ports.
pub struct Chassis {
    bus: Rc<RefCell<Bus>>,
    ports: Ports<Spi>,
    retry_at: Option<Instant>,
}

impl Chassis {
    /// A chassis whose world listens in `world_dir`.
    pub fn new(world_dir: &Path, country: &'static Country, now: Instant) -> Chassis {
        let bus = Rc::new(RefCell::new(Bus::new(world_dir.join(SPI_SOCKET), "SPI bus of card 1")));
        let port = |index: u8| {
            let spi = Spi { bus: Rc::clone(&bus), card: super::CARD, chip_select: super::CHIP_SELECT };
            let config = Config { chain_position: index, timeslot: index, pcm: PcmFormat::Linear16, country };
            (PortId { card: super::CARD, port: index + 1 }, Si3050::new(spi, config, now))
        };
        let ports = Ports::new((0..super::PORTS).map(port).collect());
        Chassis { bus, ports, retry_at: None }
    }

    /// See [`crate::Cards::poll`].
    pub fn poll(&mut self, now: Instant, events: &mut Vec<(PortId, LineEvent)>) -> Result<(), BusTrouble> {
        let joined = self.bus.borrow_mut().join();
        if joined.is_ok() {
            self.ports.poll(now, events);
        }
        let lost = self.bus.borrow_mut().lost.take();
        match (joined, lost) {
            (Ok(()), None) => {
                self.retry_at = None;
                Ok(())
            }
            (Err(why), _) | (Ok(()), Some(why)) => {
                self.retry_at = Some(now + RETRY);
                self.ports.bus_lost(now, events);
                Err(self.bus.borrow().trouble(&why))
            }
        }
    }

    /// See [`crate::Cards::next_poll`].
    pub fn next_poll(&self) -> Instant {
        self.retry_at.or(self.ports.next_poll()).unwrap_or(Instant::BOOT)
    }

    /// See [`crate::Cards::command`].
    pub fn command(
        &mut self,
        now: Instant,
        port: PortId,
        command: LineCommand,
        events: &mut Vec<(PortId, LineEvent)>,
    ) -> Result<(), NoSuchPort> {
        self.ports.command(now, port, command, events)
    }

    /// See [`crate::Cards::ports`].
    pub fn ports(&self) -> Vec<PortId> {
        self.ports.ids()
    }
}

/// The connection that all chips of a bus share.
pub(super) struct Bus {
    path: PathBuf,
    name: &'static str,
    stream: Option<UnixStream>,
    /// Why it was lost since this was last looked at.
    pub(super) lost: Option<io::Error>,
}

impl Bus {
    /// A bus behind the socket `path`, for people called `name`.
    pub(super) fn new(path: PathBuf, name: &'static str) -> Bus {
        Bus { path, name, stream: None, lost: None }
    }

    /// Connects unless it is connected.
    pub(super) fn join(&mut self) -> io::Result<()> {
        if self.stream.is_none() {
            self.stream = Some(wire::connect_seqpacket(&self.path, PATIENCE)?);
        }
        Ok(())
    }

    /// For people: what is wrong with the bus, and the remedy.
    pub(super) fn trouble(&self, why: &io::Error) -> BusTrouble {
        let path = self.path.display();
        let dir = self.path.parent().unwrap_or(Path::new(".")).display();
        BusTrouble { detail: format!("{}, socket {path}: {why}; start the world with `world --dir {dir}`", self.name) }
    }

    /// Sends a request; whether it was carried out (true) or answered with `refusal` alone (false).
    pub(super) fn transfer(&mut self, request: &[u8], answer: &mut [u8], refusal: Option<u8>) -> Result<bool, Failed> {
        let Some(stream) = &mut self.stream else { return Err(Failed) };
        let done = stream.write(request).and_then(|_| stream.read(answer));
        let why = match done {
            Ok(length) if length == answer.len() && answer[0] == SPI_OK => return Ok(true),
            Ok(1) if refusal == Some(answer[0]) => return Ok(false),
            Ok(0) => io::Error::new(io::ErrorKind::ConnectionReset, "the world has ended"),
            Ok(_) => io::Error::new(io::ErrorKind::InvalidData, "the answer is not one of this version's world"),
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                io::Error::new(io::ErrorKind::TimedOut, "the world does not answer")
            }
            Err(why) => why,
        };
        self.stream = None;
        self.lost = Some(why);
        Err(Failed)
    }
}

/// One chip select of the simulated bus.
pub struct Spi {
    bus: Rc<RefCell<Bus>>,
    card: u8,
    chip_select: u8,
}

/// The world is not there; the reason is in the [`BusTrouble`] of the poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed;

impl Error for Failed {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for Spi {
    type Error = Failed;
}

impl SpiDevice for Spi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Failed> {
        let head = [self.card, self.chip_select];
        transact(&self.bus, &head, SPI_BYTES_MAX, operations)
    }
}

/// One SPI transaction over the world's socket: all operations in one message of at most `bytes_max` MOSI bytes.
pub(super) fn transact(
    bus: &RefCell<Bus>,
    head: &[u8],
    bytes_max: usize,
    operations: &mut [Operation<'_, u8>],
) -> Result<(), Failed> {
    let mut request = head.to_vec();
    for operation in operations.iter() {
        match operation {
            Operation::Read(buffer) => request.resize(request.len() + buffer.len(), 0),
            Operation::Write(buffer) => request.extend_from_slice(buffer),
            Operation::Transfer(read, write) => {
                request.extend_from_slice(write);
                request.resize(request.len() + read.len().saturating_sub(write.len()), 0);
            }
            Operation::TransferInPlace(buffer) => request.extend_from_slice(buffer),
            Operation::DelayNs(_) => {}
        }
    }
    if request.len() > bytes_max + head.len() {
        return Err(Failed);
    }
    let mut answer = vec![0; request.len() - head.len() + 1];
    bus.borrow_mut().transfer(&request, &mut answer, None)?;
    let mut miso = answer.into_iter().skip(1);
    for operation in operations.iter_mut() {
        let (read, skip) = match operation {
            Operation::Read(buffer) | Operation::TransferInPlace(buffer) => (&mut buffer[..], 0),
            Operation::Transfer(read, write) => {
                let skip = write.len().saturating_sub(read.len());
                (&mut read[..], skip)
            }
            Operation::Write(buffer) => (&mut [][..], buffer.len()),
            Operation::DelayNs(_) => (&mut [][..], 0),
        };
        read.iter_mut().zip(&mut miso).for_each(|(to, from)| *to = from);
        miso.by_ref().take(skip).for_each(drop);
    }
    Ok(())
}
