//! The front panel end to end: a finger presses keys of the simulated front, the box shows pixels on the display's chip
//! model and lights lamps; a box that nobody has set up is set up, an alarm is read and acknowledged, the surge profile is
//! switched by holding, and all of it outlives a killed box.

use serde_json::Value;
use std::time::Duration;
use tests::ensure;
use tests::peer::floor::Floor;
use tests::peer::record::until;
use tests::peer::site::Site;
use tests::peer::{At, Outcome};

/// For one step on a busy machine.
const LONG: Duration = Duration::from_secs(20);

fn seen(floor: &Floor) -> Outcome<Value> {
    let answer = floor.world.as_ref().at("the world")?.say(&["display"])?;
    serde_json::from_str(answer.trim().trim_start_matches("ok ")).at("what the front shows")
}

/// Waits until the front is as wanted.
fn shows(floor: &Floor, what: &str, wanted: impl Fn(&Value) -> bool) -> Outcome<Value> {
    until(floor.appliance.data(), LONG, what, || Ok(Some(seen(floor)?).filter(|seen| wanted(seen))))
}

/// Presses a key and waits until the picture is another.
fn press(floor: &Floor, key: &[&str]) -> Outcome<Value> {
    let before = seen(floor)?;
    floor.world.as_ref().at("the world")?.say(&[&["key"], key].concat())?;
    shows(floor, &format!("another picture after {key:?}"), |seen| seen["pixels"] != before["pixels"])
}

/// The newest configuration on the disk.
fn config_in_force(floor: &Floor) -> Outcome<String> {
    let reader = pbxd::store::read::open_readonly(floor.appliance.data()).at("the records")?;
    let commit = reader.last_commit().at("the newest commit")?;
    Ok(commit.at("a commit")?.text)
}

/// An address from a server, for a time; then a key says that it is well.
fn network_is_set_and_kept(floor: &Floor) -> Outcome {
    for key in ["ok", "down", "down", "down", "ok", "ok", "down", "down", "ok"] {
        press(floor, &[key])?;
    }
    let audited = |what: &'static str| {
        floor.appliance.wait_facts(LONG, what, move |facts| {
            let by_panel = facts.iter().filter(|fact| fact.kind == "Audit" && fact.actor == "panel");
            by_panel.into_iter().find(|fact| fact.detail["what"] == what).cloned()
        })
    };
    audited("commit confirmed")?;
    // The answer to the commit, as a picture that counts down.
    let counting = seen(floor)?;
    shows(floor, "the time that is left", |seen| seen["pixels"] != counting["pixels"])?;
    press(floor, &["ok"])?;
    audited("confirm")?;
    ensure!(config_in_force(floor)?.contains("method dhcp;"), "it stays");
    press(floor, &["back", "3300"]).map(|_| ())
}

#[test]
fn the_box_is_set_up_an_alarm_acknowledged_and_surge_switched_at_the_panel() -> Outcome {
    let mut site = Site::new(25).with_line().agent("1001", "2001");
    site.extra.push_str("queue sales {\n    agents [ 1001 ];\n    surge-wrap-up-s 0;\n}\n");
    let mut floor = Floor::open("panel", site)?;
    let drawn = |seen: &Value| seen["pixels"].as_str().is_some_and(|pixels| pixels.contains('f'));
    shows(&floor, "the idle screen", |seen| drawn(seen) && seen["green"] == true && seen["amber"] == false)?;

    // Nobody has set the box up: Chinese, the network as it is, the proposed password, the usual clock and country.
    for key in ["ok", "ok", "down", "down", "ok", "ok", "ok"] {
        press(&floor, &[key])?;
    }
    floor.appliance.wait_facts(LONG, "the first set-up in force", |facts| {
        facts.iter().find(|fact| fact.kind == "Audit" && fact.actor == "panel").cloned()
    })?;
    press(&floor, &["back", "3300"])?;
    ensure!(config_in_force(&floor)?.contains("password \"$argon2id$"), "the password is kept as its hash");
    network_is_set_and_kept(&floor)?;

    floor.world.as_ref().at("the world")?.say(&["cut", "1"])?;
    // The only line is out of service: that is what red is for.
    shows(&floor, "red light", |seen| seen["red"] == true && seen["green"] == false)?;
    for key in ["ok", "ok", "ok", "ok"] {
        press(&floor, &[key])?;
    }
    floor.appliance.kill9()?;
    ensure!(drawn(&seen(&floor)?), "the display keeps its picture");
    floor.appliance.restart()?;
    floor.world.as_ref().at("the world")?.say(&["mend", "1"])?;
    shows(&floor, "green light", |seen| seen["green"] == true && seen["amber"] == false && seen["red"] == false)?;

    for key in ["ok", "down", "down", "ok", "ok"] {
        press(&floor, &[key])?;
    }
    press(&floor, &["ok", "3300"])?;
    floor.appliance.wait_facts(LONG, "the surge profile", |facts| {
        facts.iter().find(|fact| fact.kind == "Surge" && fact.actor == "panel").cloned()
    })?;
    floor.close(Vec::new(), 0).map(|_| ())
}
