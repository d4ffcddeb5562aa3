//! Ways through the forms, from the idle screen to what is asked for; and that nothing is asked for half way.

use super::*;
use crate::panel::job::{ADMIN, CONFIRM_WITHIN_MIN, Change, Job, line};

fn held(machine: &mut Machine, scene: &Scene) -> Vec<Request> {
    let events = [KeyEvent::Pressed(Key::Ok), KeyEvent::Held(Key::Ok), KeyEvent::Released(Key::Ok)];
    events.into_iter().flat_map(|event| machine.step(NOW.at, Event::Key(event), scene)).collect()
}

fn change(requests: &[Request]) -> &Change {
    match requests {
        [Request::Work(Job::Change(change), _)] => change,
        other => panic!("no change: {other:?}"),
    }
}

#[test]
fn night_is_held_and_goes_back_at_a_half_hour() {
    let scene = seen(quiet(Language::En));
    let mut machine = after(&scene, Language::En, "oddoddo");
    assert_eq!(press(&mut machine, &scene, "uuuuudo"), [], "a touch changes nothing");
    // It is 11:33; the fourth half hour after it is 13:30.
    let until = Wall::from_millis(NOW.wall.as_millis() + (27 + 90) * 60_000);
    let wanted = Act::Mode { mode: Mode::Night, until: Some(until) };
    assert_eq!(held(&mut machine, &scene), [Request::Operate(wanted)]);
    assert!(matches!(machine.screen(), Screen::Menu { .. }));
    let mut machine = after(&scene, Language::En, "oddodo");
    assert_eq!(held(&mut machine, &scene), [Request::Operate(Act::Mode { mode: Mode::Day, until: None })]);
    let mut machine = after(&scene, Language::En, "oddodddod");
    let day = Wall::from_millis(NOW.wall.as_millis() + (27 + 47 * 30) * 60_000);
    assert_eq!(held(&mut machine, &scene), [Request::Operate(Act::Surge { on: true, until: Some(day) })]);
}

#[test]
fn a_network_is_typed_and_goes_back_unless_it_is_kept() {
    let mut scene = seen(quiet(Language::En));
    let mut machine = after(&scene, Language::En, "odddo");
    // 192.168.1.20 to .21, mask to /25, then past gateway, name server and tag to Apply.
    assert_eq!(press(&mut machine, &scene, "dorrrrrrrrrrruo"), []);
    assert_eq!(press(&mut machine, &scene, "orrruo"), []);
    let requests = press(&mut machine, &scene, "dddo");
    let wanted = change(&requests);
    assert_eq!(wanted.lines, [line("set network address 192.168.1.21/25")]);
    assert_eq!(wanted.confirm_within_min, Some(CONFIRM_WITHIN_MIN));
    assert!(matches!(machine.screen(), Screen::Busy { .. }));
    machine.step(NOW.at, Event::Told(Told::InForce { reverts: true }), &scene);
    scene.facts.trial = Some(8);
    machine.step(NOW.at, Event::Tick, &scene);
    assert_eq!(machine.screen(), &Screen::Trial, "a look from before the commit says nothing");
    let trial = |reverts| CommitNow { number: 8, storing: None, reverts };
    let due = NOW.at + Duration::from_secs(200);
    scene.core = Core::Seen(Box::new(View { commit: trial(Some((due, 7))), ..quiet(Language::En) }));
    let mut left = machine.clone();
    press(&mut left, &scene, "bbb");
    assert_eq!(press(&mut left, &scene, "oo"), [], "it is found again in the menu");
    assert_eq!(press(&mut left, &scene, "o"), [Request::Work(Job::Confirm, Language::En)]);
    left.step(NOW.at, Event::Told(Told::Confirmed), &scene);
    press(&mut left, &scene, "o");
    assert_eq!(left.screen(), &Screen::Idle);
    let commit = CommitNow { number: 9, storing: None, reverts: None };
    scene.core = Core::Seen(Box::new(View { commit, ..quiet(Language::En) }));
    machine.step(NOW.at, Event::Tick, &scene);
    assert!(matches!(machine.screen(), Screen::Told { .. }), "it went back, and that is said");
}

#[test]
fn what_is_left_half_way_changes_nothing() {
    let (calm, fresh) = (seen(quiet(Language::En)), seen(unset(Language::En)));
    let ways = [(&calm, "odddodouurrruobb"), (&calm, "odddododuuo"), (&fresh, "odododbbbbb"), (&fresh, "oooorrdrr")];
    for (scene, keys) in ways {
        let mut machine = Machine::new(NOW.at, Settings::default());
        assert_eq!(press(&mut machine, scene, keys), [], "{keys}");
        machine.step(NOW.at + Duration::from_secs(180), Event::Tick, scene);
        assert_eq!(machine.screen(), &Screen::Idle);
        // The next one begins anew.
        press(&mut machine, scene, "o");
        assert_eq!(machine.language(scene), Language::En);
    }
}

#[test]
fn the_first_set_up_takes_five_keys() {
    let scene = seen(unset(Language::Zh));
    let mut machine = Machine::new(NOW.at, Settings::default());
    assert_eq!(press(&mut machine, &scene, "oooo"), [], "language, network, password");
    let proposed = match machine.screen() {
        Screen::Setup(setup) => setup.password().text(),
        other => panic!("{other:?}"),
    };
    let requests = press(&mut machine, &scene, "o");
    let wanted = change(&requests);
    let lines = [
        "set system language zh-CN",
        "set system utc-offset +08:00",
        "set chassis country CN",
        "set user admin role admin",
        "set network method dhcp",
    ];
    assert_eq!((&wanted.lines[..], wanted.confirm_within_min), (&lines.map(line)[..], None));
    assert_eq!((wanted.password.as_deref(), ADMIN), (Some(proposed.as_str()), "admin"));
    assert!(!format!("{requests:?} {machine:?}").contains(&proposed), "it is in no log");
    machine.step(NOW.at, Event::Told(Told::InForce { reverts: false }), &scene);
    press(&mut machine, &scene, "o");
    assert_eq!(machine.screen(), &Screen::Idle);
}

#[test]
fn the_first_set_up_takes_other_answers() {
    let scene = seen(unset(Language::Zh));
    let mut machine = Machine::new(NOW.at, Settings { language: Some(Language::Zh), buzzer: true });
    // English; a fixed address as the machine has it, and a gateway; a password of one's own; Canada, a quarter of an hour less.
    press(&mut machine, &scene, "odo");
    assert_eq!(machine.language(&scene), Language::En);
    press(&mut machine, &scene, "do");
    press(&mut machine, &scene, "ddoodo");
    press(&mut machine, &scene, &format!("r{}o", "ur".repeat(7)));
    let requests = press(&mut machine, &scene, "rrrdlo");
    let wanted = change(&requests);
    let lines = [
        "set system language en-US",
        "set system utc-offset +07:45",
        "set chassis country CA",
        "set user admin role admin",
        "set network method static",
        "set network address 192.168.1.20/24",
        "set network gateway 192.168.1.1",
    ];
    assert_eq!(wanted.lines, lines.map(line));
    assert_eq!(wanted.password.as_deref(), Some("bcdefghh"));
    let back = machine.step(NOW.at, Event::Told(Told::Refused("no".into())), &scene);
    assert!(back.is_empty() && matches!(machine.screen(), Screen::Told { .. }));
    press(&mut machine, &scene, "o");
    assert!(matches!(machine.screen(), Screen::Setup(_)), "what was answered is not lost");
    press(&mut machine, &scene, "o");
    let kept = machine.step(NOW.at, Event::Told(Told::InForce { reverts: false }), &scene);
    assert_eq!(kept, [Request::Keep(Settings { language: None, buzzer: true })], "the site's language is the panel's");
}

#[test]
fn resets_take_the_code_and_a_hold() {
    let scene = seen(quiet(Language::En));
    let code = code(&scene);
    for (down, wanted) in [("dd", Job::Factory), ("ddd", Job::Erase)] {
        let mut machine = after(&scene, Language::En, &format!("odddddo{down}o"));
        assert_eq!(held(&mut machine, &scene), [], "without the code");
        press(&mut machine, &scene, "bo");
        press(&mut machine, &scene, &code);
        assert_eq!(press(&mut machine, &scene, "o"), [], "without holding");
        assert_eq!(held(&mut machine, &scene), [Request::Work(wanted, Language::En)]);
    }
    let mut machine = after(&scene, Language::En, &format!("odddddodo{code}"));
    let requests = held(&mut machine, &scene);
    assert_eq!(change(&requests).lines[0], line("set network method dhcp"));
    let mut machine = after(&scene, Language::En, &format!("odddddoo{code}"));
    assert_eq!(held(&mut machine, &scene), [], "a new password is chosen first");
    let requests = press(&mut machine, &scene, "o");
    assert_eq!(change(&requests).lines, [line("set user admin role admin")]);
    assert!(change(&requests).password.as_ref().is_some_and(|text| text.len() == 12));
}

#[test]
fn a_locked_panel_shows_status_and_alarms() {
    let locked = |view: View| seen(View { locked: true, ..view });
    let scene = locked(troubled(Language::En));
    let mut machine = after(&scene, Language::En, "oddddddd");
    assert!(matches!(machine.screen(), Screen::Menu { row: 1, .. }), "two entries");
    assert_eq!(press(&mut machine, &scene, "oo").len(), 0);
    assert!(matches!(machine.screen(), Screen::Alarm { .. }));
    let mut machine = after(&seen(quiet(Language::En)), Language::En, "odddo");
    machine.step(NOW.at, Event::Tick, &scene);
    assert_eq!(machine.screen(), &Screen::Idle, "locked meanwhile");
    let scene = locked(unset(Language::En));
    press(&mut machine, &scene, "o");
    assert!(matches!(machine.screen(), Screen::Menu { .. }), "no set-up either");
}

#[test]
fn an_alarm_that_is_hushed_does_not_sound() {
    let mut view = troubled(Language::En);
    view.hushed = view.alarms.iter().map(|alarm| alarm.name.clone()).collect();
    let machine = Machine::new(NOW.at, Settings::default());
    let sounds = |view: View| {
        let scene = seen(view);
        (0..600).any(|tenth| machine.signals(NOW.at + Duration::from_millis(tenth * 100), &scene).buzzer)
    };
    assert!(sounds(troubled(Language::En)) && !sounds(view));
}

#[test]
fn without_randomness_nothing_is_proposed() {
    let mut scene = seen(unset(Language::En));
    scene.facts.dice = None;
    let mut machine = after(&scene, Language::En, "o");
    assert_eq!(machine.screen(), &Screen::Idle);
    press(&mut machine, &scene, "rdddddddd");
    press(&mut machine, &scene, "uoo");
    assert!(matches!(machine.screen(), Screen::Menu { .. }), "{:?}", machine.screen());
}
