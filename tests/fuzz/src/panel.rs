//! What must hold for any sequence of keys at the front panel, whatever happens in the box meanwhile, as a function that
//! panics when it does not. Used by the fuzz target `panel_keys` and, with seeded sequences, by the tests of `pbxd`.

use base::line::PortId;
use base::panel::{Key, KeyEvent};
use base::time::{Instant, Now, Wall};
use core::time::Duration;
use drivers::ssd1322::Light;
use pbx::alarm::AlarmNow;
use pbx::commit::CommitNow;
use pbx::config::{AlarmSeverity, Language, Method, Network, Prefix};
use pbx::door::Act;
use pbx::equipment::{LineNow, LineState, PhoneNow};
use pbx::switch::{Mode, Switches};
use pbxd::panel::draw;
use pbxd::panel::form::PASSWORD_CHARS_MIN;
use pbxd::panel::job::{Job, Told};
use pbxd::panel::machine::{Event, Machine, Request, Screen, Settings};
use pbxd::panel::setup::Stage;
use pbxd::panel::view::{Core, Facts, QueueRow, Scene, View};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

/// Steps back from the deepest screen to the idle one: the last step of the first set-up, and what is said after it.
const DEPTH_MAX: usize = 6;

/// Two bytes are one event: a finger, time that passes, another state of the box, or somebody who types the code of a
/// reset and holds OK. Which kinds of requests were made.
pub fn panel_keys(bytes: &[u8]) -> BTreeSet<&'static str> {
    let mut made = BTreeSet::new();
    let mut now = Now { at: Instant::from_micros(1_000_000_000), wall: Wall::from_millis(1_795_318_380_000) };
    let mut machine = Machine::new(now.at, Settings::default());
    let mut state = scene(0, now);
    let mut down = Key::Ok;
    for pair in bytes.chunks_exact(2).take(2_000) {
        let (what, value) = (pair[0], pair[1]);
        now.at += Duration::from_millis(u64::from(value) * if what % 64 == 63 { 1_000 } else { 1 });
        state.now = now;
        let event = match what % 64 {
            0..=39 => {
                down = FINGER[usize::from(value) % FINGER.len()];
                Event::Key(KeyEvent::Pressed(down))
            }
            40..=44 => Event::Key(KeyEvent::Repeated(down)),
            45..=50 => Event::Key(KeyEvent::Held(down)),
            51..=55 => Event::Key(KeyEvent::Released(down)),
            56 => {
                state = scene(value, now);
                Event::Tick
            }
            57 => Event::Told(told(value)),
            58..=61 => {
                type_code(&mut machine, now.at, &state);
                down = Key::Ok;
                Event::Key(KeyEvent::Held(down))
            }
            _ => Event::Tick,
        };
        let before = machine.screen().clone();
        let asks = event == Event::Key(KeyEvent::Pressed(Key::Ok)) || event == Event::Key(KeyEvent::Held(Key::Ok));
        let requests = machine.step(now.at, event, &state);
        assert!(requests.len() <= 1, "one key, one act: {requests:?}");
        for request in &requests {
            assert!(asks || matches!(request, Request::Keep(_)), "only OK asks for anything: {request:?}");
            earned(request, &before, &state);
            made.insert(kind(request));
        }
        holds(&machine, now.at, &state);
    }
    made
}

/// Keys as a finger finds them that wants to get somewhere.
const FINGER: [Key; 12] = [
    Key::Up,
    Key::Down,
    Key::Down,
    Key::Down,
    Key::Down,
    Key::Left,
    Key::Right,
    Key::Right,
    Key::Ok,
    Key::Ok,
    Key::Ok,
    Key::Back,
];

/// Every kind of request.
pub const KINDS: [&str; 9] = ["acknowledge", "keep", "mode", "surge", "set-up", "change", "confirm", "reset", "probe"];

fn kind(request: &Request) -> &'static str {
    match request {
        Request::Operate(Act::Acknowledge { .. }) => "acknowledge",
        Request::Operate(Act::Mode { .. }) => "mode",
        Request::Operate(_) => "surge",
        Request::Keep(_) => "keep",
        Request::Work(Job::Change(change), _) if change.lines.len() >= 4 && change.password.is_some() => "set-up",
        Request::Work(Job::Change(_), _) => "change",
        Request::Work(Job::Confirm, _) => "confirm",
        Request::Work(Job::Factory | Job::Erase, _) => "reset",
        Request::Work(Job::Probe, _) => "probe",
    }
}

/// Key by key, until it is typed and OK is down.
fn type_code(machine: &mut Machine, now: Instant, scene: &Scene) {
    for _ in 0..60 {
        let Screen::Reset(form) = machine.screen() else { return };
        let (shown, at) = form.digits.shown();
        let (typed, wanted) = (shown.chars().nth(at), form.code().chars().nth(at));
        let key = if typed == wanted { Key::Right } else { Key::Up };
        if form.is_typed() {
            machine.step(now, Event::Key(KeyEvent::Pressed(Key::Ok)), scene);
            return;
        }
        machine.step(now, Event::Key(KeyEvent::Pressed(key)), scene);
    }
}

/// What cannot be taken back was asked for on its own screen, with its code, and a locked panel asks for nothing.
fn earned(request: &Request, before: &Screen, scene: &Scene) {
    match request {
        Request::Work(Job::Factory | Job::Erase, _) => {
            assert!(matches!(before, Screen::Reset(form) if form.is_typed()), "{before:?}");
        }
        Request::Work(Job::Change(change), _) => {
            let whole = match before {
                Screen::Setup(setup) => matches!(setup.stage(), Stage::Place(_)) && change.password.is_some(),
                Screen::Network(form) => change.lines == form.lines() && change.confirm_within_min.is_some(),
                Screen::Reset(form) => form.is_typed(),
                Screen::Password(_) => change.password.as_ref().is_some_and(|text| text.len() >= PASSWORD_CHARS_MIN),
                _ => false,
            };
            assert!(whole, "half a form changes nothing: {before:?} {request:?}");
        }
        Request::Operate(Act::Acknowledge { .. }) | Request::Keep(_) => return,
        Request::Operate(_) | Request::Work(Job::Confirm | Job::Probe, _) => {}
    }
    assert!(!scene.is_locked(), "a locked panel changes nothing: {request:?}");
}

fn told(number: u8) -> Told {
    match number % 6 {
        0 => Told::InForce { reverts: true },
        1 => Told::InForce { reverts: false },
        2 => Told::Confirmed,
        3 => Told::Erasing,
        4 => Told::Refused("配置有误 ".repeat(usize::from(number))),
        _ => Told::Probed("gateway 192.168.1.1 no answer\n\nDNS".into()),
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
    let trial = Some(u64::from(number % 3)).filter(|trial| *trial > 0);
    let dice = Some(u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15)).filter(|_| !number.is_multiple_of(13));
    Scene { now, facts: Facts { dice, trial, ..Facts::default() }, core }
}

fn network(number: u8) -> Network {
    let prefix = |address: IpAddr| Prefix { address, length: number % 33 };
    Network {
        interface: "eth0".into(),
        method: Method::ALL[usize::from(number % 3)],
        address: [None, Some(prefix([10, 0, 0, 2].into())), Some(prefix(Ipv6Addr::LOCALHOST.into()))]
            [usize::from(number / 3 % 3)],
        gateway: Some([10, 0, 0, 1].into()).filter(|_| number.is_multiple_of(2)),
        dns: vec![[8, 8, 8, 8].into(); usize::from(number % 3)],
        vlan: Some(u32::from(number) * 16).filter(|vlan| *vlan > 0 && number.is_multiple_of(4)),
    }
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
        switches: Switches {
            mode: Mode::ALL[usize::from(number % 3)],
            mode_until: Some(now.wall).filter(|_| bit(5)),
            surge: bit(3),
            surge_until: None,
        },
        surge_matters: bit(4),
        hours_matter: bit(6),
        unset: bit(7),
        locked: number.is_multiple_of(11),
        hushed: BTreeSet::new(),
        network: network(number),
        country: "CN".into(),
        commit: CommitNow {
            number: u64::from(number % 5),
            storing: None,
            reverts: Some((now.at, 1)).filter(|_| bit(1)),
        },
    }
}
