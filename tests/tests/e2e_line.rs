//! The main job end to end: an analog line rings on the simulated public network, the caller hears the menu over the TDM
//! highway, presses a key in the band, waits in the queue and talks with an agent at a real phone; the line releases.

use std::time::Duration;
use tests::ensure;
use tests::peer::audio::{Pcm, demand};
use tests::peer::baresip::{Answer, Transport};
use tests::peer::floor::{Floor, SOON};
use tests::peer::site::Site;
use tests::peer::speech::voice;
use tests::peer::{At, Outcome};

/// From the first ring to the agent's ringing phone.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_caller_on_an_analog_line_reaches_an_agent() -> Outcome {
    let floor = Floor::open("line-agent", Site::new(15).with_line().agent("1001", "2001"))?;
    let world = floor.world.as_ref().at("the world")?;
    let mut agent = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let (said, heard) = (voice(1515, 20), floor.place.join("caller-heard.wav"));
    let speech = floor.place.join("caller.wav");
    said.write(&speech)?;
    let (speech, ear) = (speech.display().to_string(), heard.display().to_string());

    world.say(&["ring", "1"])?;
    world.say(&["wait", "1", "off-hook", "10000"])?;
    world.say(&["hear", "1", &ear, "start"])?;
    floor.appliance.wait_facts(LONG, "the menu to play", |facts| {
        facts.iter().find(|fact| fact.kind == "Media" && fact.detail.to_string().contains("menu")).cloned()
    })?;
    world.say(&["press", "1", "2"])?;
    agent.ringing(LONG)?;
    agent.accept()?;
    agent.established()?;
    world.say(&["speak", "1", &speech])?;
    agent.hears(5000, LONG)?;
    world.say(&["hear", "1", &ear, "stop"])?;
    world.say(&["release", "1"])?;
    agent.closed(SOON)?;
    world.say(&["wait", "1", "on-hook", "5000"])?;

    demand("the agent hears the caller", &said, &agent.heard()?, 3500, 60)?;
    demand("the caller hears the agent", &floor.site.voice("2001"), &Pcm::read(&heard, 0)?, 3500, 60)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED" && cdr.queue == "support" && cdr.offers == 1, "{cdr:?}");
    floor.recording_holds(&cdr.recording, &said, &floor.site.voice("2001"), 3500, 60)?;
    let story = floor.appliance.story(&cdr.call)?;
    for part in ["off-hook", "support", "1001"] {
        ensure!(story.contains(part), "the story does not tell `{part}`:\n{story}");
    }
    floor.close(vec![agent], 1).map(|_| ())
}

#[test]
fn a_caller_who_gives_up_while_it_rings_costs_nothing() -> Outcome {
    let floor = Floor::open("line-gone", Site::new(16).with_line().agent("1001", "2001"))?;
    let world = floor.world.as_ref().at("the world")?;
    world.say(&["ring", "1"])?;
    world.say(&["wait", "1", "off-hook", "10000"])?;
    world.say(&["release", "1"])?;
    world.say(&["wait", "1", "on-hook", "10000"])?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.queue.is_empty(), "{cdr:?}");
    floor.close(Vec::new(), 1).map(|_| ())
}
