//! The FXO driver against the chip and line models, in one process and in virtual time.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use base::line::{LineCommand, LineEvent, LineFault};
use base::time::Instant;
use board::sim::world::World;
use board::sim::{CARD, CHIP_SELECT};
use drivers::si3050::{Config, Country, PcmFormat, Si3050};
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};

/// The card's bus without sockets.
#[derive(Clone)]
struct Bus {
    world: Rc<RefCell<World>>,
    now: Rc<Cell<Instant>>,
}

impl ErrorType for Bus {
    type Error = Infallible;
}

impl SpiDevice for Bus {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        let mut world = self.world.borrow_mut();
        for operation in operations {
            match operation {
                Operation::Write(mosi) => drop(world.spi(self.now.get(), CARD, CHIP_SELECT, mosi)),
                Operation::TransferInPlace(bytes) => {
                    let miso = world.spi(self.now.get(), CARD, CHIP_SELECT, bytes);
                    bytes.copy_from_slice(&miso);
                }
                other => panic!("the driver does not use {other:?}"),
            }
        }
        Ok(())
    }
}

struct Rig {
    bus: Bus,
    driver: Si3050<Bus>,
    events: Vec<(u64, LineEvent)>,
}

fn config(chain_position: u8) -> Config {
    let country = Country::find("CN").unwrap();
    Config { chain_position, timeslot: chain_position, pcm: PcmFormat::Linear16, country }
}

impl Rig {
    fn new() -> Rig {
        let now = Instant::from_micros(1_000_000);
        let bus = Bus { world: Rc::new(RefCell::new(World::new(now))), now: Rc::new(Cell::new(now)) };
        Rig { driver: Si3050::new(bus.clone(), config(0), now), bus, events: Vec::new() }
    }

    fn attached() -> Rig {
        let mut rig = Rig::new();
        rig.run(1_000);
        assert_eq!(rig.take(), [LineEvent::Attached { off_hook: false, battery: true }]);
        rig
    }

    fn ms(&self) -> u64 {
        self.bus.now.get().as_micros() / 1_000
    }

    /// Lets time pass, stepping the driver when it asks for it.
    fn run(&mut self, ms: u64) {
        let end = self.bus.now.get() + Duration::from_millis(ms);
        while self.bus.now.get() < end {
            self.bus.now.set(self.driver.next_step().max(self.bus.now.get() + Duration::from_micros(1)).min(end));
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.bus.now.get();
        let ms = self.ms();
        self.events.extend(self.driver.step(now).into_iter().map(|event| (ms, event)));
    }

    /// Runs until the event comes; says after how many milliseconds.
    fn run_until(&mut self, wanted: LineEvent, ms_max: u64) -> u64 {
        let began = self.ms();
        for _ in 0..ms_max {
            self.run(1);
            if let Some((at, _)) = self.events.iter().find(|(_, event)| *event == wanted) {
                return at - began;
            }
        }
        panic!("no {wanted:?} within {ms_max} ms: {:?}", self.events);
    }

    fn take(&mut self) -> Vec<LineEvent> {
        self.events.drain(..).map(|(_, event)| event).collect()
    }

    fn command(&mut self, command: LineCommand) -> Vec<LineEvent> {
        self.driver.command(self.bus.now.get(), command).into_iter().collect()
    }

    fn world<T>(&self, act: impl FnOnce(&mut World, Instant) -> T) -> T {
        act(&mut self.bus.world.borrow_mut(), self.bus.now.get())
    }

    /// The program is killed and started again; the world goes on.
    fn restart(&mut self) {
        self.driver = Si3050::new(self.bus.clone(), config(0), self.bus.now.get());
        self.events.clear();
    }

    fn line(&self, field: &str) -> String {
        self.world(|world, now| world.status(now)["lines"][0][field].to_string())
    }
}

#[test]
fn comes_up_from_power_on() {
    let mut rig = Rig::new();
    let took = rig.run_until(LineEvent::Attached { off_hook: false, battery: true }, 3_000);
    assert!((200..600).contains(&took), "{took} ms");
    assert_eq!(rig.driver.identity().map(|id| id.line_side), Some(3));
}

#[test]
fn ring_answer_talk_release() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.ring(now, 0, None)).unwrap();
    let took = rig.run_until(LineEvent::RingBegan, 1_000);
    assert!(took <= 200, "{took} ms");
    rig.run(6_500);
    assert_eq!(rig.take(), [LineEvent::RingBegan], "ring voltage is neither reversal nor loss of battery");
    assert_eq!(rig.command(LineCommand::OffHook), []);
    assert_eq!(rig.command(LineCommand::OffHook), [], "said twice is harmless");
    rig.run(10_000);
    assert_eq!(rig.take(), []);
    assert_eq!(rig.line("exchange"), "\"talking\"");
    rig.world(|world, now| world.release(now, 0)).unwrap();
    let took = rig.run_until(LineEvent::BatteryLost, 1_000);
    assert!(took <= 100, "{took} ms");
    rig.run_until(LineEvent::BatteryBack, 1_500);
    rig.command(LineCommand::OnHook);
    rig.run(1_000);
    assert_eq!(rig.take(), [LineEvent::BatteryLost, LineEvent::BatteryBack]);
    assert_eq!(rig.line("exchange"), "\"idle\"");
}

#[test]
fn a_release_right_after_the_answer_is_seen() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.ring(now, 0, None)).unwrap();
    rig.run_until(LineEvent::RingBegan, 1_000);
    rig.command(LineCommand::OffHook);
    rig.run(20);
    rig.world(|world, now| world.release(now, 0)).unwrap();
    let took = rig.run_until(LineEvent::BatteryLost, 1_000);
    assert!(took <= 500, "{took} ms");
}

#[test]
fn a_caller_who_gives_up_ends_the_ring() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.ring(now, 0, None)).unwrap();
    rig.run(11_000);
    rig.world(|world, now| world.release(now, 0)).unwrap();
    rig.run(8_000);
    assert_eq!(rig.take(), [LineEvent::RingBegan, LineEvent::RingEnded]);
}

#[test]
fn a_restart_takes_the_call_over() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.ring(now, 0, None)).unwrap();
    rig.run(300);
    rig.command(LineCommand::OffHook);
    rig.run(2_000);
    let before = rig.world(|world, now| world.status(now)["spi_transactions"].as_u64().unwrap());
    rig.restart();
    let took = rig.run_until(LineEvent::Attached { off_hook: true, battery: true }, 100);
    assert!(took <= 20, "{took} ms");
    let after = rig.world(|world, now| world.status(now)["spi_transactions"].as_u64().unwrap());
    assert!(after - before < 40, "{} transactions", after - before);
    rig.run(5_000);
    assert_eq!(rig.take(), [LineEvent::Attached { off_hook: true, battery: true }]);
    assert_eq!(rig.line("exchange"), "\"talking\"");
    rig.command(LineCommand::OnHook);
    rig.run(500);
    assert_eq!(rig.line("exchange"), "\"idle\"");
}

#[test]
fn a_restart_in_the_gap_of_a_release_tells_the_dead_line() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.ring(now, 0, None)).unwrap();
    rig.run(300);
    rig.command(LineCommand::OffHook);
    rig.run(2_000);
    rig.world(|world, now| world.release(now, 0)).unwrap();
    rig.restart();
    rig.run(500);
    assert_eq!(rig.take(), [LineEvent::Attached { off_hook: true, battery: false }]);
}

#[test]
fn a_release_that_came_and_went_between_two_programs_is_told() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.ring(now, 0, None)).unwrap();
    rig.run(300);
    rig.command(LineCommand::OffHook);
    rig.run(2_000);
    rig.world(|world, now| world.release(now, 0)).unwrap();
    let later = rig.bus.now.get() + Duration::from_millis(1_200);
    rig.bus.now.set(later);
    rig.restart();
    rig.run(1_000);
    assert_eq!(rig.take(), [LineEvent::Attached { off_hook: true, battery: false }, LineEvent::BatteryBack]);
    rig.restart();
    rig.run(1_000);
    assert_eq!(rig.take(), [LineEvent::Attached { off_hook: true, battery: true }], "told once");
}

#[test]
fn a_restart_right_after_the_hook_moved_is_no_dead_line() {
    for wait_ms in [0, 1, 16, 50, 99, 200] {
        let mut rig = Rig::attached();
        rig.world(|world, now| world.ring(now, 0, None)).unwrap();
        rig.run(300);
        rig.command(LineCommand::OffHook);
        rig.run(wait_ms);
        rig.restart();
        rig.run(1_000);
        assert_eq!(rig.take(), [LineEvent::Attached { off_hook: true, battery: true }], "after {wait_ms} ms");
    }
}

#[test]
fn a_restart_while_it_rings_says_so() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.ring(now, 0, None)).unwrap();
    rig.run(500);
    rig.restart();
    rig.run(3_000);
    assert_eq!(rig.take(), [LineEvent::Attached { off_hook: false, battery: true }, LineEvent::RingBegan]);
}

#[test]
fn a_glitch_of_the_chip_is_a_fault_and_mends_itself() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.glitch(now, 0)).unwrap();
    rig.run(1_500);
    assert_eq!(
        rig.take(),
        [LineEvent::Fault(LineFault::ChipReset), LineEvent::Attached { off_hook: false, battery: true }]
    );
}

#[test]
fn a_broken_isolation_link_is_told_once() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.break_link(now, 0, true)).unwrap();
    rig.run(20_000);
    let told = rig.take();
    assert_eq!(told.iter().filter(|e| **e == LineEvent::Fault(LineFault::LinkDown)).count(), 1, "{told:?}");
    rig.world(|world, now| world.break_link(now, 0, false)).unwrap();
    rig.run(5_000);
    assert_eq!(rig.take(), [LineEvent::Attached { off_hook: false, battery: true }]);
}

#[test]
fn no_chip_is_told_once() {
    let mut rig = Rig::new();
    rig.driver = Si3050::new(rig.bus.clone(), config(9), rig.bus.now.get());
    rig.run(10_000);
    assert_eq!(rig.take(), [LineEvent::Fault(LineFault::NoChip)]);
}

#[test]
fn a_half_frame_on_the_bus_does_not_stay() {
    for half in [&[0x60][..], &[0x20, 26], &[0x60, 5]] {
        let mut rig = Rig::attached();
        rig.world(|world, now| world.spi(now, CARD, CHIP_SELECT, half));
        rig.run(5_000);
        assert!(rig.driver.is_attached(), "{half:?}: {:?} {:?}", rig.driver.explain(), rig.take());
        rig.events.clear();
        rig.world(|world, now| world.ring(now, 0, None)).unwrap();
        rig.run(1_000);
        assert_eq!(rig.take(), [LineEvent::RingBegan], "{half:?}");
    }
}

#[test]
fn cut_and_reversed_lines() {
    let mut rig = Rig::attached();
    rig.world(|world, now| world.reverse(now, 0)).unwrap();
    rig.run(500);
    rig.world(|world, now| world.cut(now, 0, true)).unwrap();
    rig.run(500);
    assert_eq!(rig.command(LineCommand::OffHook), [LineEvent::BatteryLost], "a dead line is not seized");
    rig.world(|world, now| world.cut(now, 0, false)).unwrap();
    rig.run(500);
    assert_eq!(rig.take(), [LineEvent::PolarityReversed, LineEvent::BatteryLost, LineEvent::BatteryBack]);
    assert_eq!(rig.line("hook"), "\"on\"");
}

#[test]
fn a_line_without_battery_at_power_on() {
    let mut rig = Rig::new();
    rig.world(|world, now| world.cut(now, 0, true)).unwrap();
    rig.run(1_000);
    assert_eq!(rig.take(), [LineEvent::Attached { off_hook: false, battery: false }]);
}
