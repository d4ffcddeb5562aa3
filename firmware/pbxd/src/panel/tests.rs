//! The screens as pictures: each is reached by keys and compared, in both languages, with the picture that a person has
//! looked at. `UPDATE_PANEL=1 cargo test -p pbxd panel` writes what is shown now; look at it before it is committed.

use super::draw;
use super::job::Told;
use super::machine::{Event, Machine, Request, Screen, Settings};
use super::reset::{Reset, ResetForm};
use super::view::{Core, Facts, QueueRow, Scene, Storage, View};
use base::line::PortId;
use base::panel::{HEIGHT, Key, KeyEvent, WIDTH};
use base::time::{Instant, Now, Wall};
use drivers::ssd1322::{Frame, Light};
use pbx::alarm::AlarmNow;
use pbx::commit::CommitNow;
use pbx::config::{AlarmSeverity, Language, Network};
use pbx::door::Act;
use pbx::equipment::{LineNow, LineState, PhoneNow};
use pbx::standing::{CallNow, PhaseNow};
use pbx::switch::{Mode, Switches};
use pbx::text::{panel as key, text};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[path = "../../../../tests/fuzz/src/panel.rs"]
mod checks;
mod flows;

const NOW: Now = Now { at: Instant::from_micros(5_000_000_000), wall: Wall::from_millis(1_795_318_380_000) };

fn ago(seconds: u64) -> Instant {
    NOW.at - Duration::from_secs(seconds)
}

fn call(caller: &str, called: &str, phase: PhaseNow) -> CallNow {
    CallNow { caller: caller.into(), called: called.into(), origin: "line 1/1".into(), phase }
}

fn calls() -> Vec<CallNow> {
    let waiting =
        |since, queue: &str| PhaseNow::Waiting { queue: queue.into(), since, priority: 5, ringing: Vec::new() };
    vec![
        call("138****8000", "4001234", PhaseNow::Talking { queue: "support".into() }),
        call("139****1234", "4001234", waiting(ago(83), "support")),
        call("", "4001234", PhaseNow::Reception),
        call("2001", "2002", PhaseNow::Ringing { extension: "2002".into() }),
        call("2003", "02****78", PhaseNow::Outside { number: "0".into() }),
    ]
}

fn alarm(name: &str, subject: &str, detail: &str, seconds: u64, acknowledged: bool) -> AlarmNow {
    let wall = Wall::from_millis(NOW.wall.as_millis() - seconds as i64 * 1_000);
    let since = Now { at: ago(seconds), wall };
    let severity = AlarmSeverity::of_alarm(name);
    AlarmNow { name: name.into(), subject: subject.into(), since, detail: detail.into(), acknowledged, severity }
}

fn quiet(language: Language) -> View {
    let queue = |title: &str, waiting, oldest, ready| QueueRow { title: title.into(), waiting, oldest, ready };
    let line = |port, state| LineNow { port: PortId { card: 1, port }, state };
    let phone = |extension: &str, registered| PhoneNow { extension: extension.into(), registered };
    View {
        name: "cordboard".into(),
        language,
        utc_offset_min: 480,
        address: None,
        calls: calls(),
        queues: vec![
            queue("support", 1, Some(ago(83)), 0),
            queue("sales", 0, None, 3),
            queue("vip", 12, Some(ago(4_000)), 0),
        ],
        lines: vec![line(1, LineState::Busy), line(2, LineState::Idle), line(3, LineState::OutOfService)],
        phones: vec![phone("2001", 1), phone("2002", 0), phone("2003", 2), phone("2004", 1), phone("2005", 1)],
        alarms: Vec::new(),
        switches: Switches::default(),
        surge_matters: true,
        hours_matter: true,
        unset: false,
        locked: false,
        hushed: BTreeSet::new(),
        network: network("method static; address 192.168.1.20/24; gateway 192.168.1.1; dns [ 192.168.1.1 ];"),
        country: "CN".into(),
        commit: CommitNow { number: 7, storing: None, reverts: None },
    }
}

/// A network as a configuration has it.
fn network(network: &str) -> Network {
    pbx::config::parse(&format!("sip {{ listen 127.0.0.1:5060; }} network {{ {network} }}")).unwrap().network
}

/// So many hours from now.
fn in_hours(hours: i64) -> Wall {
    Wall::from_millis(NOW.wall.as_millis() + hours * 3_600_000)
}

/// Nobody has set it up.
fn unset(language: Language) -> View {
    let commit = CommitNow { number: 1, storing: None, reverts: None };
    View { unset: true, calls: Vec::new(), network: network(""), commit, ..quiet(language) }
}

fn troubled(language: Language) -> View {
    let alarms = vec![
        alarm("line-battery", "card 1 port 3", "", 60, false),
        alarm("recorder-overrun", "", "12 frames dropped", 600, true),
        alarm("sip-auth", "2004", "192.168.1.77:5060", 7_200, false),
        alarm("diverged", "", "input 4711", 90_000, false),
    ];
    View { alarms, ..quiet(language) }
}

fn scene(core: Core) -> Scene {
    let facts = Facts {
        address: Some([192, 168, 1, 20].into()),
        storage: Some(Storage { free_bytes: 212_300_000_000, total_bytes: 240_000_000_000 }),
        version: "0.1.0".into(),
        build: "1a2b3c4d5e6f70819".into(),
        up: Duration::from_secs(12 * 86_400 + 3 * 3_600 + 25 * 60),
        dice: Some(0x1234_5678_9ABC_DEF1),
        trial: None,
    };
    Scene { now: NOW, facts, core }
}

fn seen(view: View) -> Scene {
    scene(Core::Seen(Box::new(view)))
}

/// Presses keys one after the other: `o` is OK, `b` Back, and the first letters of the arrows.
fn press(machine: &mut Machine, scene: &Scene, keys: &str) -> Vec<Request> {
    let key = |letter| match letter {
        'u' => Key::Up,
        'd' => Key::Down,
        'l' => Key::Left,
        'r' => Key::Right,
        'o' => Key::Ok,
        _ => Key::Back,
    };
    let events = keys.chars().map(key).flat_map(|key| [KeyEvent::Pressed(key), KeyEvent::Released(key)]);
    events.flat_map(|event| machine.step(NOW.at, Event::Key(event), scene)).collect()
}

fn after(scene: &Scene, language: Language, keys: &str) -> Machine {
    let mut machine = Machine::new(NOW.at, Settings { language: Some(language), buzzer: true });
    press(&mut machine, scene, keys);
    machine
}

fn golden(name: &str, language: Language) -> PathBuf {
    let file = format!("{name}-{}.png", language.tag());
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/panel/golden").join(file)
}

/// A picture as a file: eight bits of grey, so that every viewer shows it.
fn written(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&pixels(frame)).unwrap();
    bytes
}

fn pixels(frame: &Frame) -> Vec<u8> {
    (0..WIDTH * HEIGHT).map(|at| frame.get(at % WIDTH, at / WIDTH) * 17).collect()
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).ok()?));
    let mut reader = decoder.read_info().ok()?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    reader.next_frame(&mut bytes).ok()?;
    Some(bytes)
}

/// Every screen in one language.
fn screens(language: Language) -> Vec<(&'static str, Frame)> {
    let (calm, bad) = (seen(quiet(language)), seen(troubled(language)));
    let surging = seen(View { switches: Switches { surge: true, ..Switches::default() }, ..quiet(language) });
    let mut shown = Vec::new();
    let mut show = |name, scene: &Scene, keys: &str, later_ms: u64| {
        let machine = after(scene, language, keys);
        let at = NOW.at + Duration::from_millis(later_ms);
        shown.push((name, draw::picture(&machine, at, scene).frame().clone()));
    };
    show("idle", &calm, "", 0);
    show("idle-surge", &surging, "", 0);
    show("idle-alarms", &bad, "", 0);
    show("idle-starting", &scene(Core::Starting), "", 0);
    show("idle-silent", &scene(Core::Silent), "", 0);
    show("menu", &calm, "o", 0);
    show("menu-end", &bad, "odddddd", 0);
    show("status", &calm, "oo", 0);
    show("status-calls", &calm, "ooo", 0);
    show("status-queues", &calm, "oodo", 0);
    show("status-lines", &calm, "ooddo", 0);
    show("status-phones", &calm, "oodddod", 0);
    show("status-storage", &calm, "ooddddo", 0);
    show("status-version", &calm, "oodddddo", 0);
    show("alarms", &bad, "oo", 0);
    show("alarms-none", &calm, "odo", 0);
    show("alarm", &bad, "ooo", 0);
    show("alarm-scrolled", &bad, "ooodd", 0);
    show("alarm-seen", &bad, "oodo", 0);
    show("alarm-code", &bad, "ooor", 0);
    show("mode", &calm, "oddo", 0);
    show("surge-on", &surging, "oddodddo", 0);
    show("service", &calm, "oddddo", 0);
    show("lamp-test", &calm, "oddddoo", 900);
    show("diagnostics", &calm, "oddddoddo", 0);
    show("language", &calm, "oddddddo", 0);
    show("locked", &seen(View { locked: true, ..quiet(language) }), "o", 0);
    let mut holding = after(&calm, language, "oddodddo");
    holding.step(NOW.at, Event::Key(KeyEvent::Pressed(Key::Ok)), &calm);
    shown.push(("surge-held", draw::picture(&holding, NOW.at + Duration::from_secs(2), &calm).frame().clone()));
    shown
}

/// The forms in one language.
fn forms(language: Language) -> Vec<(&'static str, Frame)> {
    let calm = seen(quiet(language));
    let switches = Switches { mode: Mode::Night, mode_until: Some(in_hours(9)), surge: true, surge_until: None };
    let night = seen(View { switches, ..quiet(language) });
    let fresh = seen(unset(language));
    let mut shown = Vec::new();
    let mut show = |name, scene: &Scene, keys: &str, told: Option<Told>| {
        let mut machine = after(scene, language, keys);
        told.into_iter().for_each(|told| drop(machine.step(NOW.at, Event::Told(told), scene)));
        shown.push((name, draw::picture(&machine, NOW.at, scene).frame().clone()));
    };
    show("idle-night", &night, "", None);
    show("mode-night", &night, "oddo", None);
    show("switch-night", &calm, "oddoddo", None);
    show("switch-night-until", &calm, "oddoddouuuu", None);
    show("switch-auto", &night, "oddoo", None);
    show("network", &calm, "odddo", None);
    show("network-end", &calm, "odddoddddddd", None);
    show("network-dhcp", &calm, "odddoo", None);
    show("network-address", &calm, "odddodorrrrrrrrru", None);
    show("network-mask", &calm, "odddoddo", None);
    show("network-vlan", &calm, "odddodddddorrr", None);
    show("network-checking", &calm, "odddodouoddddo", None);
    show("network-testing", &calm, "odddodddddddo", None);
    let answers = [(key::GATEWAY_ANSWERS, key::ANSWERED_IN), (key::DNS_ANSWERS, key::NO_ANSWER)].map(|(what, how)| {
        let outcome = text(how, language, &[("ms", "3")]);
        text(what, language, &[("address", "192.168.1.1"), ("outcome", &outcome)])
    });
    show("network-tested", &calm, "odddodddddddo", Some(Told::Probed(answers.join("\n"))));
    let wrong = pbx::config::parse(
        "sip { listen 127.0.0.1:5060; } network { method static; address 10.0.0.2/24; gateway 192.168.1.1; }",
    );
    let wrong = wrong.unwrap_err().iter().map(|problem| problem.render(language)).collect::<String>();
    show("network-refused", &calm, "odddodouoddddo", Some(Told::Refused(wrong)));
    let mut tried = seen(View {
        commit: CommitNow { number: 8, storing: None, reverts: Some((NOW.at + Duration::from_secs(272), 7)) },
        ..quiet(language)
    });
    tried.facts.trial = Some(8);
    show("network-trial", &tried, "oo", None);
    show("menu-trial", &tried, "o", None);
    show("reset", &calm, "odddddo", None);
    for (name, reset) in
        [("reset-password", ""), ("reset-network", "d"), ("reset-factory", "dd"), ("reset-erase", "ddd")]
    {
        show(name, &calm, &format!("odddddo{reset}o"), None);
    }
    show("reset-typed", &calm, &format!("odddddodddo{}", code(&calm)), None);
    show("idle-unset", &fresh, "", None);
    let alarms = troubled(language).alarms;
    show("idle-unset-alarms", &seen(View { alarms, ..unset(language) }), "", None);
    show("setup-language", &fresh, "o", None);
    show("setup-network", &fresh, "oo", None);
    show("setup-fixed", &fresh, "oodo", None);
    show("setup-password", &fresh, "ooo", None);
    show("setup-password-own", &fresh, "ooorururrrrrrrr", None);
    show("setup-password-short", &fresh, "ooorur", None);
    show("setup-place", &fresh, "oooo", None);
    show("setup-checking", &fresh, "ooooo", None);
    show("setup-done", &fresh, "ooooo", Some(Told::InForce { reverts: false }));
    shown
}

/// The keys that type the code which a reset shows.
fn code(scene: &Scene) -> String {
    let shown = ResetForm::new(Reset::Erase, scene).unwrap().code();
    let digits = shown.split(' ').map(|digit| "u".repeat(digit.parse().unwrap()));
    digits.collect::<Vec<_>>().join("r")
}

#[test]
fn screens_are_those_that_were_looked_at() {
    let update = std::env::var_os("UPDATE_PANEL").is_some();
    let mut wrong = Vec::new();
    for language in [Language::Zh, Language::En] {
        for (name, frame) in screens(language).into_iter().chain(forms(language)) {
            let path = golden(name, language);
            if update {
                std::fs::write(&path, written(&frame)).unwrap();
            } else if read(&path) != Some(pixels(&frame)) {
                let now = std::env::temp_dir().join(path.file_name().unwrap());
                std::fs::write(&now, written(&frame)).unwrap();
                wrong.push(format!("{} is now {}", path.display(), now.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_alarm_is_acknowledged_once() {
    let scene = seen(troubled(Language::En));
    let mut machine = after(&scene, Language::En, "oo");
    let wanted = Act::Acknowledge { name: "line-battery".into(), subject: "card 1 port 3".into() };
    assert_eq!(press(&mut machine, &scene, "oo"), [Request::Operate(wanted)]);
    press(&mut machine, &scene, "bd");
    assert_eq!(press(&mut machine, &scene, "oo"), [], "the second was seen already");
}

#[test]
fn surge_takes_a_hold_that_begins_on_its_screen() {
    let scene = seen(quiet(Language::En));
    let mut machine = after(&scene, Language::En, "oddoddd");
    let mut tell = |event| machine.step(NOW.at, Event::Key(event), &scene);
    tell(KeyEvent::Pressed(Key::Ok));
    assert_eq!(tell(KeyEvent::Held(Key::Ok)), [], "the press that opened it");
    tell(KeyEvent::Released(Key::Ok));
    tell(KeyEvent::Pressed(Key::Ok));
    tell(KeyEvent::Released(Key::Ok));
    assert_eq!(tell(KeyEvent::Held(Key::Ok)), [], "let go");
    tell(KeyEvent::Pressed(Key::Ok));
    assert_eq!(tell(KeyEvent::Held(Key::Ok)), [Request::Operate(Act::Surge { on: true, until: None })]);
    assert_eq!(tell(KeyEvent::Held(Key::Ok)), [], "once");
}

#[test]
fn language_and_buzzer_are_kept() {
    let scene = seen(quiet(Language::Zh));
    let mut machine = Machine::new(NOW.at, Settings::default());
    assert_eq!(machine.language(&scene), Language::Zh);
    let kept = press(&mut machine, &scene, "oddddddodo");
    assert_eq!(kept, [Request::Keep(Settings { language: Some(Language::En), buzzer: true })]);
    assert_eq!(machine.language(&scene), Language::En);
    press(&mut machine, &scene, "bb");
    let kept = press(&mut machine, &scene, "oddddodo");
    assert_eq!(kept, [Request::Keep(Settings { language: Some(Language::En), buzzer: false })]);
}

#[test]
fn light_and_signals_follow_what_is_up() {
    let (calm, bad) = (seen(quiet(Language::En)), seen(troubled(Language::En)));
    let machine = Machine::new(NOW.at, Settings::default());
    let at = |seconds| NOW.at + Duration::from_secs(seconds);
    let light = |scene: &Scene, seconds| machine.light(at(seconds), scene);
    assert_eq!(
        [0, 59, 61, 599, 601].map(|s| light(&calm, s)),
        [Light::Normal, Light::Normal, Light::Dim, Light::Dim, Light::Off]
    );
    assert_eq!((light(&bad, 86_400), light(&scene(Core::Silent), 86_400)), (Light::Normal, Light::Normal));
    let mut seen_all = troubled(Language::En);
    seen_all.alarms.iter_mut().for_each(|alarm| alarm.acknowledged = true);
    let seen_all = seen(seen_all);
    assert_eq!(light(&seen_all, 86_400), Light::Dim);
    let lamps = |scene: &Scene| {
        let signals = machine.signals(NOW.at, scene);
        (signals.green, signals.amber, signals.red)
    };
    assert_eq!((lamps(&calm), lamps(&bad)), ((true, false, false), (true, true, false)));
    assert_eq!(lamps(&scene(Core::Silent)), (false, false, true));
    let mut lost = quiet(Language::En);
    lost.alarms.push(alarm("sip-socket", "0.0.0.0:5060", "in use", 1, false));
    assert_eq!(lamps(&seen(lost)), (false, false, true), "red is for service loss alone");
    let sounds =
        |scene: &Scene| (0..600).any(|tenth| machine.signals(at(0) + Duration::from_millis(tenth * 100), scene).buzzer);
    assert_eq!((sounds(&calm), sounds(&bad), sounds(&seen_all)), (false, true, false));
}

#[test]
fn the_first_key_on_a_dark_panel_only_wakes_it() {
    let scene = seen(quiet(Language::En));
    let mut machine = Machine::new(NOW.at, Settings::default());
    let late = NOW.at + Duration::from_secs(700);
    for event in [KeyEvent::Pressed(Key::Ok), KeyEvent::Held(Key::Ok), KeyEvent::Released(Key::Ok)] {
        machine.step(late, Event::Key(event), &scene);
    }
    assert_eq!((machine.screen(), machine.light(late, &scene)), (&Screen::Idle, Light::Normal));
    machine.step(late, Event::Key(KeyEvent::Pressed(Key::Ok)), &scene);
    assert!(matches!(machine.screen(), Screen::Menu { .. }));
}

#[test]
fn the_code_hides_numbers_and_fits() {
    let mut view = troubled(Language::Zh);
    view.alarms.insert(0, alarm("sip-auth", "13800138000", "10.0.0.1", 1, false));
    let words = super::content::code_text(&seen(view), None);
    assert_eq!(words, "CB1 1A2B3C4D 261122T0333Z U12 C5 W13 A5 SIP-AUTH 138****8000");
    assert!(!words.contains("10.0.0.1") && !words.contains("CORDBOARD"));
    let longest = "X".repeat(super::content::CODE_CHARS_MAX);
    assert_eq!(draw::code(&longest).map(|code| code.size()), Some(29));
    assert!(draw::code(&words).is_some());
}

/// The check of the fuzz target on seeded sequences; SMOKE_KEYS sets another number than 40.
#[test]
fn no_sequence_of_keys_leads_astray() {
    let count: u32 = std::env::var("SMOKE_KEYS").map_or(40, |count| count.parse().unwrap());
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut odd = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut made = BTreeSet::new();
    for _ in 0..count {
        let bytes: Vec<u8> = (0..2_000).map(|_| odd() as u8).collect();
        made.extend(checks::panel_keys(&bytes));
    }
    assert_eq!(made, BTreeSet::from(checks::KINDS), "what is never asked for is never checked");
}
