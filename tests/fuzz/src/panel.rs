//! What must hold for any sequence of keys at the front panel, whatever happens in the box meanwhile, as a function that
//! panics when it does not. Used by the fuzz target `panel_keys` and, with seeded sequences, by the tests of `pbxd`.

use base::line::PortId;
use base::panel::{Key, KeyEvent};
use base::time::{Instant, Now, Wall};
use core::time::Duration;
use drivers::ssd1322::Light;
use pbx::alarm::AlarmNow;
use pbx::config::{AlarmSeverity, Language};
use pbx::equipment::{LineNow, LineState, PhoneNow};
use pbxd::panel::draw;
use pbxd::panel::machine::{Event, Machine, Screen, Settings};
use pbxd::panel::view::{Core, Facts, QueueRow, Scene, View};

/// Steps back from the deepest screen to the idle one.
const DEPTH_MAX: usize = 4;

/// Two bytes are one event: a finger, time that passes, or another state of the box.
pub fn panel_keys(bytes: &[u8]) {
    let mut now = Now { at: Instant::from_micros(1_000_000_000), wall: Wall::from_millis(1_795_318_380_000) };
    let mut machine = Machine::new(now.at, Settings::default());
    let mut state = scene(0, now);
    for pair in bytes.chunks_exact(2).take(2_000) {
        let (what, value) = (pair[0], pair[1]);
        now.at += Duration::from_millis(u64::from(value) * if what & 0x40 == 0 { 1 } else { 1_000 });
        state.now = now;
        let key = Key::ALL[usize::from(value) % Key::ALL.len()];
        let event = match what % 8 {
            0..=2 => Event::Key(KeyEvent::Pressed(key)),
            3 => Event::Key(KeyEvent::Repeated(key)),
            4 => Event::Key(KeyEvent::Held(key)),
            5 => Event::Key(KeyEvent::Released(key)),
            6 => {
                state = scene(value, now);
                Event::Tick
            }
            _ => Event::Tick,
        };
        let requests = machine.step(now.at, event, &state);
        assert!(requests.len() <= 1, "one key, one act: {requests:?}");
        holds(&machine, now.at, &state);
    }
}

fn holds(machine: &Machine, now: Instant, scene: &Scene) {
    let _ = draw::picture(machine, now, scene);
    let _ = machine.signals(now, scene);
    let alarmed = scene.view().is_none_or(|view| !view.alarms.is_empty()) && scene.core != Core::Starting;
    assert!(!alarmed || machine.light(now, scene) != Light::Off, "it never sleeps while an alarm is up");
    let mut held = machine.clone();
    // The first touch of a dark panel only wakes it.
    for key in [KeyEvent::Pressed(Key::Back), KeyEvent::Released(Key::Back), KeyEvent::Pressed(Key::Back)] {
        held.step(now, Event::Key(key), scene);
    }
    held.step(now, Event::Key(KeyEvent::Held(Key::Back)), scene);
    assert_eq!(*held.screen(), Screen::Idle, "held Back leads home");
    let mut stepped = machine.clone();
    for _ in 0..=DEPTH_MAX {
        stepped.step(now, Event::Key(KeyEvent::Pressed(Key::Back)), scene);
    }
    assert_eq!(*stepped.screen(), Screen::Idle, "Back after Back leads home");
    let mut left_alone = machine.clone();
    left_alone.step(now + Duration::from_secs(180), Event::Tick, scene);
    assert_eq!(*left_alone.screen(), Screen::Idle, "left alone it goes home");
}

/// A state of the box for each number.
fn scene(number: u8, now: Now) -> Scene {
    let core = match number {
        250.. => Core::Silent,
        240.. => Core::Starting,
        number => Core::Seen(Box::new(view(number, now))),
    };
    Scene { now, facts: Facts::default(), core }
}

fn view(number: u8, now: Now) -> View {
    let bit = |bit: u8| number >> bit & 1 == 1;
    let alarm = |index: u8| AlarmNow {
        name: ["line-battery", "sip-socket", "unheard-of", "bug"][usize::from(index % 4)].into(),
        subject: ["", "card 1 port 1", "号码 13800138000"][usize::from(index % 3)].into(),
        since: now,
        detail: "x".repeat(usize::from(index) * 40),
        acknowledged: index % 2 == 1,
        severity: AlarmSeverity::Major,
        buzzer: index % 3 > 0,
    };
    let queue = QueueRow { title: "客服 support".into(), waiting: 9_999, oldest: Some(Instant::BOOT), ready: 0 };
    let line = LineNow { port: PortId { card: 255, port: 255 }, state: LineState::OutOfService };
    let phone = |n: u8| PhoneNow { extension: format!("2{n:03}"), registered: usize::from(n) };
    View {
        name: "a name that is far too long for a display of 256 pixels".into(),
        language: if bit(0) { Language::Zh } else { Language::En },
        utc_offset_min: i32::from(number) * 6 - 720,
        address: None,
        calls: Vec::new(),
        queues: if bit(1) { vec![queue; 12] } else { Vec::new() },
        lines: if bit(2) { vec![line] } else { Vec::new() },
        phones: (0..number / 4).map(phone).collect(),
        alarms: (0..number % 7).map(alarm).collect(),
        surge: bit(3),
        surge_matters: bit(4),
    }
}
