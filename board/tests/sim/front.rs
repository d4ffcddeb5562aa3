//! The front's drivers against the chip models: in one process and in virtual time, and the whole panel over the world's
//! socket.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use base::panel::{Key, KeyEvent, Signals};
use base::time::Instant;
use board::sim::front::Front;
use board::sim::{EXPANDER, PIN_DATA, PIN_RESET, boot_now};
use board::{Panel, Product};
use drivers::keypad::{self, Keypad};
use drivers::pca9555::Pca9555;
use drivers::ssd1322::{Frame, Light, REFRESH, Ssd1322};
use embedded_hal::{digital, i2c, spi};

use crate::world_process::World;

/// All wires of the front without sockets.
#[derive(Clone)]
struct Wires {
    front: Rc<RefCell<Front>>,
    now: Rc<Cell<Instant>>,
}

#[derive(Clone)]
struct Pin(Wires, u8);

#[derive(Debug)]
struct NoAcknowledge;

impl spi::ErrorType for Wires {
    type Error = Infallible;
}

impl spi::SpiDevice for Wires {
    fn transaction(&mut self, operations: &mut [spi::Operation<'_, u8>]) -> Result<(), Infallible> {
        for operation in operations {
            let spi::Operation::Write(mosi) = operation else { panic!("a display cannot be read: {operation:?}") };
            assert!(mosi.len() <= 4_096, "spidev takes no more in one transaction");
            self.front.borrow_mut().spi(self.now.get(), mosi);
        }
        Ok(())
    }
}

impl digital::ErrorType for Pin {
    type Error = Infallible;
}

impl digital::OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        assert!(self.0.front.borrow_mut().pin(self.0.now.get(), self.1, false));
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        assert!(self.0.front.borrow_mut().pin(self.0.now.get(), self.1, true));
        Ok(())
    }
}

impl i2c::Error for NoAcknowledge {
    fn kind(&self) -> i2c::ErrorKind {
        i2c::ErrorKind::Other
    }
}

struct Bus(Wires);

impl i2c::ErrorType for Bus {
    type Error = NoAcknowledge;
}

impl i2c::I2c for Bus {
    fn transaction(&mut self, address: u8, operations: &mut [i2c::Operation<'_>]) -> Result<(), NoAcknowledge> {
        let transfer = |written: &[u8], read| {
            self.0.front.borrow_mut().i2c(self.0.now.get(), address, written, read).ok_or(NoAcknowledge)
        };
        match operations {
            [i2c::Operation::Write(written)] => transfer(written, 0).map(drop),
            [i2c::Operation::Write(written), i2c::Operation::Read(read)] => {
                let bytes = transfer(written, read.len())?;
                read.copy_from_slice(&bytes);
                Ok(())
            }
            other => panic!("an adapter may refuse {other:?}"),
        }
    }
}

struct Rig {
    wires: Wires,
    display: Ssd1322<Wires, Pin, Pin>,
}

impl Rig {
    fn new() -> Rig {
        let now = Instant::from_micros(5_000_000);
        let wires = Wires { front: Rc::new(RefCell::new(Front::new(now))), now: Rc::new(Cell::new(now)) };
        let pin = |number| Pin(wires.clone(), number);
        let display = Ssd1322::new(wires.clone(), pin(PIN_DATA), pin(PIN_RESET), now);
        Rig { wires, display }
    }

    fn run(&mut self, ms: u64) {
        let end = self.wires.now.get() + Duration::from_millis(ms);
        while self.wires.now.get() < end {
            let next = self.display.next_step().max(self.wires.now.get() + Duration::from_micros(1)).min(end);
            self.wires.now.set(next);
            self.display.step(next).unwrap();
        }
    }

    fn seen(&self) -> serde_json::Value {
        self.wires.front.borrow().seen()
    }

    /// What the eye sees is what was drawn.
    fn agrees(&self, frame: &Frame) -> bool {
        same(&self.seen(), frame)
    }
}

fn same(seen: &serde_json::Value, frame: &Frame) -> bool {
    let pixels = seen["pixels"].as_str().unwrap().as_bytes();
    (0..pixels.len()).all(|at| {
        let digit = char::from(pixels[at]).to_digit(16).unwrap();
        digit == u32::from(frame.get(at % 256, at / 256))
    })
}

/// A picture without symmetry.
fn picture(seed: usize) -> Frame {
    let mut frame = Frame::default();
    for y in 0..64 {
        for x in 0..256 {
            frame.set(x, y, ((x * 7 + y * 13 + x * y / 5 + seed) % 16) as u8);
        }
    }
    frame
}

#[test]
fn every_pixel_arrives_where_it_belongs() {
    let mut rig = Rig::new();
    rig.display.set(&picture(0), Light::Normal);
    rig.run(20);
    assert!(rig.agrees(&picture(0)));
    rig.display.set(&picture(3), Light::Normal);
    rig.run(1);
    assert!(rig.agrees(&picture(3)));
}

#[test]
fn only_what_changed_is_sent() {
    let mut rig = Rig::new();
    let mut frame = picture(0);
    rig.display.set(&frame, Light::Normal);
    rig.run(20);
    let before = rig.seen()["picture_bytes"].as_u64().unwrap();
    frame.set(100, 30, 1 + frame.get(100, 30) % 15);
    frame.set(110, 33, 1 + frame.get(110, 33) % 15);
    rig.display.set(&frame, Light::Normal);
    rig.run(20);
    assert!(rig.agrees(&frame));
    let sent = rig.seen()["picture_bytes"].as_u64().unwrap() - before;
    assert_eq!(sent, 4 * 3 * 2, "four rows, three columns of four pixels");
}

#[test]
fn light_is_normal_dim_or_off() {
    let mut rig = Rig::new();
    let mut brightness = |light| {
        rig.display.set(&picture(0), light);
        rig.run(20);
        rig.seen()["brightness_pct"].as_u64().unwrap()
    };
    let (normal, dim, off) = (brightness(Light::Normal), brightness(Light::Dim), brightness(Light::Off));
    assert!(normal > 50 && dim > 0 && dim < normal / 4 && off == 0, "{normal} {dim} {off}");
    assert_eq!(brightness(Light::Normal), normal);
}

#[test]
fn a_display_that_lost_its_settings_comes_back() {
    let mut rig = Rig::new();
    rig.display.set(&picture(0), Light::Normal);
    rig.run(20);
    rig.wires.front.borrow_mut().glitch();
    assert!(!rig.agrees(&picture(0)));
    rig.run(REFRESH.as_millis() as u64 + 20);
    assert!(rig.agrees(&picture(0)));
}

#[test]
fn keys_and_lamps_over_the_expander() {
    let rig = Rig::new();
    let mut expander = Pca9555::new(Bus(rig.wires.clone()), EXPANDER, 0x0F00, 0x0700);
    let mut keypad = Keypad::new(rig.wires.now.get());
    let mut events = Vec::new();
    let mut run = |ms: u64, expander: &mut Pca9555<Bus>| {
        for _ in 0..ms / 15 {
            rig.wires.now.set(rig.wires.now.get() + keypad::POLL);
            let levels = expander.step().unwrap();
            events.extend(keypad.step(rig.wires.now.get(), !levels as u8 & 0x3F));
        }
        std::mem::take(&mut events)
    };
    assert_eq!(run(150, &mut expander), []);
    assert_eq!(rig.wires.front.borrow().signals(), Signals::default());
    expander.set(0x0A00);
    let now = rig.wires.now.get();
    rig.wires.front.borrow_mut().press(now, Key::Ok, Duration::from_millis(200));
    let pressed = [KeyEvent::Pressed(Key::Ok), KeyEvent::Released(Key::Ok)];
    assert_eq!(run(600, &mut expander), pressed, "bounces are not presses");
    let signals = Signals { green: true, amber: false, red: true, buzzer: true };
    assert_eq!(rig.wires.front.borrow().signals(), signals);
    rig.wires.front.borrow_mut().glitch();
    assert_eq!(rig.wires.front.borrow().signals(), Signals::default());
    run(30, &mut expander);
    assert_eq!(rig.wires.front.borrow().signals(), signals, "set again");
}

/// Polls until it is as wanted; the keys told meanwhile.
fn until(panel: &mut dyn Panel, mut done: impl FnMut(&[KeyEvent], bool) -> bool) -> Vec<KeyEvent> {
    let (mut events, deadline) = (Vec::new(), boot_now() + Duration::from_secs(10));
    let (_quiet, tick) = std::sync::mpsc::channel::<()>();
    loop {
        let well = panel.poll(boot_now(), &mut events).is_ok();
        if done(&events, well) {
            return events;
        }
        assert!(boot_now() < deadline, "{events:?}");
        let _ = tick.recv_timeout(panel.next_poll().since(boot_now()));
    }
}

#[test]
fn the_whole_panel_over_the_socket_and_over_a_world_that_ends() {
    let mut world = World::start("front");
    let mut panel = Product::Sim { world_dir: world.dir.clone() }.panel(boot_now());
    let signals = Signals { green: true, ..Signals::default() };
    panel.set(&picture(1), Light::Normal, signals);
    let shows = |world: &World| {
        let (ok, text) = world.say(&["display"]);
        assert!(ok, "{text}");
        let seen: serde_json::Value = serde_json::from_str(text.strip_prefix("ok ").unwrap()).unwrap();
        same(&seen, &picture(1)) && seen["green"] == true && seen["red"] == false
    };
    until(&mut *panel, |_, _| shows(&world));
    assert!(world.say(&["key", "left", "300"]).0);
    let events = until(&mut *panel, |events, _| events.len() >= 2);
    assert_eq!(events, [KeyEvent::Pressed(Key::Left), KeyEvent::Released(Key::Left)]);
    assert!(world.end());
    until(&mut *panel, |_, well| !well);
    let again = World::start_in(world.dir.clone());
    until(&mut *panel, |_, well| well && shows(&again));
    let (_, status) = again.say(&["status"]);
    assert!(status.contains("\"front\":{"), "{status}");
}
