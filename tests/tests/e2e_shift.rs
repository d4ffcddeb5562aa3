//! A whole shift of an agent, and an hour of a supervisor, worked with nothing but the keys of real phones: what each
//! state was, who heard whom, what was recorded and what the records say. And the race: four phones answer at once.

use std::time::Duration;
use tests::ensure;
use tests::peer::appliance::{Cdr, Fact, ladder};
use tests::peer::audio::Pcm;
use tests::peer::baresip::{Answer, Baresip, Transport};
use tests::peer::ears::{Span, moment, prompt};
use tests::peer::floor::{Floor, SOON};
use tests::peer::site::Site;
use tests::peer::softphone::{Softphone, turn_until};
use tests::peer::{At, Outcome, Trouble};
use tests::sim::phone::{CallNo, News};

/// Until a phone rings again that missed a call before.
const AGAIN: Duration = Duration::from_secs(20);
/// Between two keys of a person who knows the number by heart, in ms.
const KEY_MS: i64 = 160;
/// Least amplitude of a monitor tone of -20 dBm0, and most of that frequency in speech-like noise.
const TONE_MIN: f64 = 1_500.0;
const TONE_HZ: f64 = 1_400.0;

/// A floor with the calls counted that began on it.
struct Shift {
    floor: Floor,
    language: &'static str,
    calls: usize,
}

impl Shift {
    fn open(name: &str, net: u8, language: &'static str, extra: &str) -> Outcome<Shift> {
        let mut site = Site::new(net);
        (site.language, site.silence_timeout_s, site.voice_s) = (language, 60, 60);
        site.extra = extra.to_owned();
        Ok(Shift { floor: Floor::open(name, site)?, language, calls: 0 })
    }

    fn phone(&self, extension: &str) -> Outcome<Baresip> {
        self.floor.phone(extension, Transport::Udp, Answer::Manual)
    }

    /// A caller without a voice, at an address of the site.
    fn caller(&self, extension: &str, host: u8) -> Outcome<Softphone> {
        let address = (self.floor.site.address(host), 15_200).into();
        Softphone::new(extension, &format!("secret-{extension}"), address, self.floor.site.sip(), u64::from(host))
    }

    /// Such a caller calls and is let in.
    fn enters(&mut self, caller: &mut Softphone, number: &str) -> Outcome<CallNo> {
        self.calls += 1;
        let call = caller.dial(number);
        turn_until(&mut [caller], SOON, "the caller to be answered", |phones| {
            phones[0].news.contains(&News::Answered(call))
        })?;
        Ok(call)
    }

    fn dial(&mut self, phone: &mut Baresip, number: &str) -> Outcome<i64> {
        self.calls += 1;
        let from_us = moment()?;
        phone.dial(number)?;
        Ok(from_us)
    }

    /// Dials a code and hears its confirmation to the end.
    fn code(&mut self, (extension, phone): (&str, &mut Baresip), code: &str, says: &[&str]) -> Outcome {
        let from_us = self.dial(phone, code)?;
        for name in says {
            self.hears_prompt(extension, name, from_us)?;
        }
        phone.closed(SOON).map(|_| ())
    }

    fn hears_prompt(&self, extension: &str, name: &str, from_us: i64) -> Outcome<i64> {
        let heard = self.floor.hears_prompt(extension, self.language, name, from_us);
        heard.map_err(|trouble| {
            let told = self.floor.appliance.facts().map(|facts| ladder(&facts)).unwrap_or_default();
            Trouble(format!("{trouble}\n{told}"))
        })
    }

    fn keys(&self, phone: &mut Baresip, keys: &str) -> Outcome {
        for key in keys.chars() {
            phone.digit(key)?;
            self.floor.span(KEY_MS)?;
        }
        Ok(())
    }

    fn waits(&self, what: &str, wanted: impl Fn(&Fact) -> bool) -> Outcome<Fact> {
        self.floor.appliance.wait_facts(SOON, what, |facts| facts.iter().find(|fact| wanted(fact)).cloned())
    }

    /// Waits until an agent has entered a state so often.
    fn state(&self, agent: &str, state: &str, times: usize) -> Outcome {
        self.floor.appliance.wait_facts(AGAIN, &format!("{agent} to be {state} {times} times"), |facts| {
            (states(facts, agent).iter().filter(|to| *to == state).count() >= times).then_some(())
        })
    }

    /// The records of the calls to `destination`, oldest first, once all calls are over.
    fn records(&self, destination: &str) -> Outcome<Vec<Cdr>> {
        self.floor.appliance.all_ended(self.calls)?;
        let all = self.floor.appliance.cdrs()?;
        Ok(all.into_iter().filter(|cdr| cdr.destination == destination).collect())
    }
}

/// Every state that an agent entered. Own calls are left out: each code is one.
fn states(facts: &[Fact], agent: &str) -> Vec<String> {
    let mine = facts.iter().filter(|fact| fact.kind == "AgentState" && fact.detail["agent"] == agent);
    mine.filter_map(|fact| fact.detail["to"].as_str()).filter(|to| *to != "personal").map(str::to_owned).collect()
}

fn silent_on(channel: &Pcm, language: &str, name: &str) -> Outcome {
    let words = prompt(language, name)?;
    let found = tests::peer::audio::find(&words.part(200, 600), channel);
    ensure!(found.is_none_or(|f| f.correlation < 0.4), "{name} is in the recording: {found:?}");
    Ok(())
}

const AGENT_SITE: &str = "disposition 1 {\n    zh \"已解决\";\n    en Solved;\n}\n\
    agent 1001 {\n    name \"Wang Fang\";\n    extension 2003;\n    pin 4711;\n}\n\
    queue sales {\n    title Sales;\n    agents [ 1001 ];\n    ring-timeout-s 9;\n    confirm-key 1;\n\
    \x20   agent-announce queue-caller;\n    wrap-up-s 5;\n    wrap-up-extend-s 30;\n    disposition-required yes;\n\
    \x20   record yes;\n}\n\
    number 8000 {\n    to queue sales;\n}\n";

/// What the desk of the shift sees and does with one caller, from the ringing to being joined.
fn takes(shift: &Shift, desk: &mut Baresip) -> Outcome<Span> {
    desk.ringing(AGAIN)?;
    let from_us = moment()?;
    desk.accept()?;
    desk.established()?;
    shift.hears_prompt("2002", "agent-confirm", from_us)?;
    let pressed_us = moment()?;
    desk.digit('1')?;
    shift.hears_prompt("2002", "queue-caller", pressed_us)?;
    // The announcement lasts 1.8 s; a second after the key it still plays.
    Ok(Span { from_us, to_us: pressed_us + 1_000_000 })
}

#[test]
fn an_agent_works_a_shift_with_nothing_but_keys() -> Outcome {
    let mut shift = Shift::open("shift-agent", 125, "zh-CN", AGENT_SITE)?;
    let (mut caller, mut desk, mut home) = (shift.phone("2001")?, shift.phone("2002")?, shift.phone("2003")?);
    home.from_now();
    log_in(&mut shift, &mut desk)?;
    let talks = first_call(&mut shift, &mut caller, &mut desk)?;
    after_the_first_call(&mut shift, &mut desk)?;
    second_call(&mut shift, &mut caller, &mut desk)?;
    shift.code(("2002", &mut desk), "*45", &["agent-logged-out"])?;
    shift.state("1001", "logged-out", 1)?;
    ensure!(home.pending().iter().all(|e| e.kind != "CALL_INCOMING"), "the phone that nobody sat at rang");
    the_records_of_the_shift(&shift, talks)?;
    let calls = shift.calls;
    shift.floor.close(vec![caller, desk, home], calls).map(|_| ())
}

/// At a phone that is another's: the id, a wrong PIN, both again.
fn log_in(shift: &mut Shift, desk: &mut Baresip) -> Outcome {
    let from_us = shift.dial(desk, "*45")?;
    shift.hears_prompt("2002", "agent-enter-id", from_us)?;
    shift.keys(desk, "1001#")?;
    shift.hears_prompt("2002", "agent-enter-pin", from_us)?;
    shift.keys(desk, "4712#")?;
    let wrong_us = shift.hears_prompt("2002", "agent-wrong-pin", from_us)?;
    shift.keys(desk, "1001#")?;
    shift.hears_prompt("2002", "agent-enter-pin", wrong_us)?;
    shift.keys(desk, "4711#")?;
    shift.hears_prompt("2002", "agent-logged-in", wrong_us)?;
    desk.closed(SOON)?;
    let ready = shift.waits("1001 to be ready", |f| f.kind == "AgentState" && f.detail["to"] == "ready")?;
    ensure!(ready.detail["phone"] == "2002", "1001 sits elsewhere: {ready:?}");
    let facts = shift.floor.appliance.facts()?;
    let digits = facts.iter().filter(|f| f.kind == "Digit").filter_map(|f| f.detail["digit"].as_str());
    let typed: String = digits.collect();
    // After a wrong PIN the id is hidden, too: who is confused types the PIN there.
    ensure!(typed == format!("1001#{}", "•".repeat(15)), "what is written down of the keys: {typed}");
    Ok(())
}

/// Confirm key, announcement, talk, hold with a wish for a break, talk.
fn first_call(shift: &mut Shift, caller: &mut Baresip, desk: &mut Baresip) -> Outcome<[Span; 2]> {
    let dialled_us = shift.dial(caller, "8000")?;
    caller.established()?;
    shift.hears_prompt("2001", "queue-welcome", dialled_us)?;
    let alone = takes(shift, desk)?;
    shift.state("1001", "talking", 1)?;
    let floor = &shift.floor;
    ensure!(floor.longest_gap_ms("2001", alone) < 1_000, "the caller heard nothing for a second: {alone:?}");
    floor.hears_music("2001", Span { from_us: alone.to_us - 1_500_000, ..alone })?;
    for words in ["agent-confirm", "queue-caller"] {
        let found = floor.prompt_likeness("2001", shift.language, words, alone)?;
        ensure!(found < 0.4, "the caller heard {words}, which is the agent's: {found}");
    }
    floor.hears_not("2001", "2002", alone)?;
    let talk = floor.span(1_200)?;
    floor.hearing(talk, &[("2001", &["2002"]), ("2002", &["2001"])])?;
    desk.hold()?;
    shift.state("1001", "hold", 1)?;
    let held = floor.span(800)?;
    floor.hears_music("2001", held)?;
    floor.hears_not("2002", "2001", held)?;
    shift.code(("2002", desk), "*461", &["agent-not-ready", "reason-1"])?;
    let wish = shift.waits("the wish", |f| f.kind == "AgentWish")?;
    ensure!(wish.detail["wish"] == "not-ready 1" && wish.actor == "agent 1001", "{wish:?}");
    desk.resume()?;
    shift.state("1001", "talking", 2)?;
    let again = shift.floor.span(1_200)?;
    shift.floor.hearing(again, &[("2001", &["2002"]), ("2002", &["2001"])])?;
    caller.hangup()?;
    desk.closed(SOON)?;
    shift.state("1001", "wrap-up", 1)?;
    Ok([talk, again])
}

/// Wrap-up is extended, cannot end without a result, gets one, ends; then the break, in which one caller comes.
fn after_the_first_call(shift: &mut Shift, desk: &mut Baresip) -> Outcome {
    shift.code(("2002", desk), "*49", &["wrap-up-extended"])?;
    shift.code(("2002", desk), "*48", &["disposition-missing"])?;
    shift.code(("2002", desk), "*501", &["disposition-noted"])?;
    let noted = shift.waits("the result", |f| f.kind == "Disposition")?;
    ensure!(noted.detail["code"] == 1 && noted.detail["queue"] == "sales", "{noted:?}");
    let before = states(&shift.floor.appliance.facts()?, "1001");
    ensure!(before.last().is_some_and(|to| to == "wrap-up"), "wrap-up is over before its time: {before:?}");
    shift.code(("2002", desk), "*48", &["wrap-up-finished"])?;
    shift.state("1001", "not-ready 1", 1)?;
    shift.code(("2002", desk), "*47", &["no-caller-waiting"])
}

/// A caller who waits through a break and a missed offer.
fn second_call(shift: &mut Shift, caller: &mut Baresip, desk: &mut Baresip) -> Outcome {
    shift.dial(caller, "8000")?;
    caller.established()?;
    shift.code(("2002", desk), "*47", &["number-1", "queue-caller"])?;
    shift.code(("2002", desk), "*46", &["agent-ready"])?;
    desk.ringing(SOON)?;
    desk.closed(AGAIN)?;
    shift.state("1001", "not-ready 90", 1)?;
    shift.code(("2002", desk), "*46", &["agent-ready"])?;
    takes(shift, desk)?;
    shift.state("1001", "talking", 3)?;
    let talk = shift.floor.span(1_200)?;
    shift.floor.hearing(talk, &[("2001", &["2002"]), ("2002", &["2001"])])?;
    desk.hangup()?;
    caller.closed(SOON)?;
    shift.code(("2002", desk), "*501", &["disposition-noted"])?;
    shift.state("1001", "ready", 4)
}

fn the_records_of_the_shift(shift: &Shift, talks: [Span; 2]) -> Outcome {
    let records = shift.records("8000")?;
    let [first, second] = records.as_slice() else { return Err(Trouble(format!("two calls, and {records:#?}"))) };
    for (cdr, offers, by) in [(first, 1, "extension 2001"), (second, 2, "extension 2002")] {
        let right = (cdr.disposition.as_str(), cdr.queue.as_str(), cdr.offers, cdr.ended_by.as_str());
        ensure!(right == ("ANSWERED", "sales", offers, by) && cdr.talk_s > 0, "{cdr:?}");
    }
    let (left, right) = shift.floor.channels(&first.recording)?;
    for talk in talks {
        for (channel, speaker, is) in [(&left, "2001", true), (&right, "2002", true), (&left, "2002", false)] {
            shift.floor.recorded(channel, speaker, talk, is)?;
        }
    }
    for words in ["agent-confirm", "queue-caller"] {
        silent_on(&left, shift.language, words)?;
        silent_on(&right, shift.language, words)?;
    }
    let facts = shift.floor.appliance.facts()?;
    let lived = states(&facts, "1001");
    let expected = [
        "ready",
        "reserved",
        "ringing",
        "talking",
        "hold",
        "talking",
        "wrap-up",
        "wrap-up",
        "wrap-up",
        "not-ready 1",
        "ready",
        "reserved",
        "ringing",
        "not-ready 90",
        "ready",
        "reserved",
        "ringing",
        "talking",
        "wrap-up",
        "wrap-up",
        "ready",
        "logged-out",
    ];
    ensure!(lived == expected, "the shift was {lived:?}");
    Ok(())
}

const SUPERVISOR_SITE: &str = "extension 2011 {\n    secret secret-2011;\n}\nextension 2012 {\n    secret secret-2012;\n}\n\
    agent 1001 {\n    extension 2002;\n    logged-in yes;\n}\n\
    supervisor 9001 {\n    extension 2003;\n}\nsupervisor 9002 {\n    pin 8642;\n}\n\
    queue support {\n    title Support;\n    agents [ 1001 ];\n    wrap-up-s 60;\n    surge-wrap-up-s 0;\n\
    \x20   monitor-tone no;\n    record yes;\n}\n\
    queue sales {\n    title Sales;\n    agents [ 1001 ];\n    wrap-up-s 0;\n    monitor-consent notice;\n}\n\
    number 8000 {\n    to queue support;\n}\nnumber 8001 {\n    to queue sales;\n}\n";

/// The people of the supervisor's hour.
struct People {
    caller: Baresip,
    agent: Baresip,
    chief: Baresip,
    other: Baresip,
}

#[test]
fn a_supervisor_leads_with_nothing_but_keys() -> Outcome {
    let mut shift = Shift::open("shift-supervisor", 123, "en-US", SUPERVISOR_SITE)?;
    let mut people = People {
        caller: shift.phone("2001")?,
        agent: shift.phone("2002")?,
        chief: shift.phone("2003")?,
        other: shift.phone("2004")?,
    };
    let spans = monitored(&mut shift, &mut people)?;
    queue_led(&mut shift, &mut people)?;
    told_first(&mut shift, &mut people)?;
    the_records_of_the_hour(&shift, spans)?;
    let calls = shift.calls;
    let People { caller, agent, chief, other } = people;
    shift.floor.close(vec![caller, agent, chief, other], calls).map(|_| ())
}

/// The caller calls a queue and the agent answers.
fn answered(shift: &mut Shift, people: &mut People, number: &str) -> Outcome {
    people.agent.from_now();
    shift.dial(&mut people.caller, number)?;
    people.agent.ringing(SOON)?;
    people.agent.accept()?;
    people.agent.established()?;
    people.caller.established().map(|_| ())
}

/// Listen, whisper, barge and take over, and who hears whom in each.
fn monitored(shift: &mut Shift, people: &mut People) -> Outcome<[Span; 4]> {
    answered(shift, people, "8000")?;
    let came_us = shift.dial(&mut people.chief, "*511001")?;
    people.chief.established()?;
    shift.waits("the listening", |f| f.kind == "Supervised" && f.detail["act"] == "listen")?;
    let both: (&str, &[&str]) = ("2003", &["2001", "2002"]);
    let listen = shift.floor.span(1_300)?;
    shift.floor.hearing(listen, &[("2001", &["2002"]), ("2002", &["2001"]), both])?;
    for extension in ["2001", "2002"] {
        let level = shift.floor.tone(extension, TONE_HZ, Span { from_us: came_us, ..listen });
        ensure!(level < TONE_MIN, "{extension} heard a tone of {level} that the queue does not want");
    }
    let mut mode = |key: char, words: &str| -> Outcome<Span> {
        let from_us = moment()?;
        people.chief.digit(key)?;
        let heard_us = shift.hears_prompt("2003", words, from_us)?;
        let said_ms = prompt(shift.language, words)?.length_ms();
        shift.floor.span(said_ms - (heard_us - from_us) / 1000 + 200)?;
        shift.floor.span(1_300)
    };
    let whisper = mode('5', "monitor-whisper")?;
    let barge = mode('6', "monitor-barge")?;
    let again = mode('4', "monitor-listen")?;
    let floor = &shift.floor;
    floor.hearing(whisper, &[("2001", &["2002"]), ("2002", &["2001", "2003"]), both])?;
    floor.hearing(barge, &[("2001", &["2002", "2003"]), ("2002", &["2001", "2003"]), both])?;
    floor.hearing(again, &[("2001", &["2002"]), ("2002", &["2001"]), both])?;
    people.chief.digit('7')?;
    people.agent.closed(SOON)?;
    shift.state("1001", "wrap-up", 1)?;
    let taken = shift.floor.span(1_300)?;
    shift.floor.hearing(taken, &[("2001", &["2003"]), ("2003", &["2001"])])?;
    people.caller.hangup()?;
    people.chief.closed(SOON)?;
    Ok([listen, whisper, barge, taken])
}

/// States are forced; callers are put first, moved and picked; the surge profile goes on and off.
fn queue_led(shift: &mut Shift, people: &mut People) -> Outcome {
    let (mut one, mut two) = (shift.caller("2011", 31)?, shift.caller("2012", 32)?);
    shift.code(("2003", &mut people.chief), "*551001*2", &["agent-forced"])?;
    shift.state("1001", "not-ready 92", 1)?;
    shift.enters(&mut one, "8000")?;
    shift.dial(&mut people.caller, "8000")?;
    people.caller.established()?;
    shift.enters(&mut two, "8000")?;
    shift.code(("2003", &mut people.chief), "*578000*3*9", &["caller-prioritised"])?;
    let first = shift.waits("the priority", |f| f.kind == "Prioritised")?;
    ensure!(first.detail["position"] == 1 && first.actor == "supervisor 9001", "{first:?}");
    let moved_us = moment()?;
    shift.code(("2003", &mut people.chief), "*568000*8001*3", &["caller-moved"])?;
    shift.hears_prompt("2001", "monitor-notice", moved_us)?;
    shift.dial(&mut people.chief, "*598001")?;
    people.chief.established()?;
    shift.waits("the pick", |f| {
        f.kind == "Connected" && f.detail["with"] == "supervisor 9001" && f.detail["queue"] == "sales"
    })?;
    let picked = shift.floor.span(1_300)?;
    shift.floor.hearing(picked, &[("2001", &["2003"]), ("2003", &["2001"])])?;
    people.chief.hangup()?;
    people.caller.closed(SOON)?;
    shift.code(("2003", &mut people.chief), "*29", &["surge-on"])?;
    people.agent.from_now();
    shift.code(("2003", &mut people.chief), "*551001*0", &["agent-forced"])?;
    for (served, other) in [(&mut two, "2012"), (&mut one, "2011")] {
        people.agent.ringing(SOON)?;
        people.agent.accept()?;
        people.agent.established()?;
        let connected = shift.waits("the caller who is first now", |f| {
            f.kind == "Connected" && f.detail["with"] == "1001" && f.actor == "router" && f.seq > first.seq
        })?;
        let caller = shift.floor.appliance.facts()?;
        let began = caller.iter().find(|f| f.kind == "CallBegan" && f.call == connected.call);
        ensure!(other == "2011" || began.is_some_and(|f| f.detail["caller"] == other), "{began:?} came first");
        people.agent.hangup()?;
        people.agent.closed(SOON)?;
        turn_until(&mut [served], SOON, "the caller's end", |phones| {
            phones[0].news.iter().any(|news| matches!(news, News::Ended(_)))
        })?;
    }
    shift.code(("2003", &mut people.chief), "*29", &["surge-off"])
}

/// A caller is told first and offered then; who was told is listened to, with a tone; and whoever has no PIN is nobody's
/// supervisor.
fn told_first(shift: &mut Shift, people: &mut People) -> Outcome {
    people.agent.from_now();
    let dialled_us = shift.dial(&mut people.caller, "8001")?;
    people.agent.ringing(SOON)?;
    shift.hears_prompt("2001", "monitor-notice", dialled_us)?;
    shift.floor.span(3_000)?;
    people.agent.accept()?;
    people.agent.established()?;
    let from_us = shift.dial(&mut people.other, "*531001")?;
    people.other.established()?;
    shift.hears_prompt("2004", "agent-enter-id", from_us)?;
    shift.keys(&mut people.other, "9002#")?;
    shift.hears_prompt("2004", "agent-enter-pin", from_us)?;
    shift.keys(&mut people.other, "1234#")?;
    let wrong_us = shift.hears_prompt("2004", "agent-wrong-pin", from_us)?;
    shift.keys(&mut people.other, "9002#")?;
    shift.hears_prompt("2004", "agent-enter-pin", wrong_us)?;
    let typed_us = moment()?;
    shift.keys(&mut people.other, "8642#")?;
    shift.waits("the barging", |f| {
        f.kind == "Supervised" && f.detail["act"] == "barge" && f.detail["supervisor"] == "9002"
    })?;
    let barge = shift.floor.span(1_300)?;
    let all: [(&str, &[&str]); 3] =
        [("2001", &["2002", "2004"]), ("2002", &["2001", "2004"]), ("2004", &["2001", "2002"])];
    shift.floor.hearing(barge, &all)?;
    for extension in ["2001", "2002"] {
        let level = shift.floor.tone(extension, TONE_HZ, Span { from_us: typed_us, ..barge });
        ensure!(level >= TONE_MIN, "{extension} heard no tone: {level}");
    }
    people.caller.hangup()?;
    people.agent.closed(SOON)?;
    shift.hears_prompt("2004", "nothing-to-monitor", barge.to_us)?;
    people.other.closed(SOON).map(|_| ())
}

fn the_records_of_the_hour(shift: &Shift, [listen, whisper, barge, taken]: [Span; 4]) -> Outcome {
    let records = shift.records("8000")?;
    let first = records.first().at("record of the first call")?;
    let (left, right) = shift.floor.channels(&first.recording)?;
    let agents: [(Span, &str, bool); 7] = [
        (listen, "2002", true),
        (listen, "2003", false),
        (whisper, "2002", true),
        (whisper, "2003", false),
        (barge, "2003", true),
        (taken, "2003", true),
        (taken, "2001", false),
    ];
    for (span, speaker, is) in agents {
        shift.floor.recorded(&right, speaker, span, is)?;
        shift.floor.recorded(&left, "2001", span, true)?;
        shift.floor.recorded(&left, "2003", span, false)?;
    }
    let facts = shift.floor.appliance.facts()?;
    let acts = facts.iter().filter(|f| f.kind == "Supervised");
    let told: Vec<String> = acts
        .map(|f| {
            let refused = if f.detail["refused"] == "" { "" } else { "refused " };
            format!("{}: {refused}{}", f.actor.replace("supervisor ", ""), f.detail["act"].as_str().unwrap_or_default())
        })
        .collect();
    let expected = [
        "9001: listen",
        "9001: whisper",
        "9001: barge",
        "9001: listen",
        "9001: monitor-end",
        "9001: take-over",
        "9001: force-state",
        "9001: re-prioritise",
        "9001: move-caller",
        "9001: pick",
        "9001: surge",
        "9001: force-state",
        "9001: surge",
        "9002: barge",
        "9002: monitor-end",
    ];
    ensure!(told == expected, "what supervisors did: {told:#?}");
    let lived = states(&facts, "1001");
    ensure!(lived.iter().filter(|to| *to == "wrap-up").count() == 1, "surge leaves no wrap-up: {lived:?}");
    Ok(())
}

const RACE_SITE: &str = "extension 2011 {\n    secret secret-2011;\n}\n\
    agent 1001 {\n    extension 2001;\n    logged-in yes;\n}\nagent 1002 {\n    extension 2002;\n    logged-in yes;\n}\n\
    agent 1003 {\n    extension 2003;\n    logged-in yes;\n}\nagent 1004 {\n    extension 2004;\n    logged-in yes;\n}\n\
    supervisor 9001 {\n    extension 2011;\n}\n\
    queue all {\n    title All;\n    agents [ 1001 1002 1003 1004 ];\n    strategy ring-all;\n    wrap-up-s 0;\n}\n\
    number 8000 {\n    to queue all;\n}\n";

#[test]
fn four_phones_that_answer_at_once_leave_one_winner() -> Outcome {
    let rounds: usize = 20;
    let mut shift = Shift::open("shift-race", 122, "zh-CN", RACE_SITE)?;
    let mut phones = Vec::new();
    for extension in ["2001", "2002", "2003", "2004"] {
        phones.push(shift.phone(extension)?);
    }
    shift.code(("2001", &mut phones[0]), "*511002", &["supervisor-only"])?;
    let mut caller = shift.caller("2011", 31)?;
    for round in 0..rounds {
        for phone in &mut phones {
            phone.from_now();
        }
        let call = shift.enters(&mut caller, "8000")?;
        for phone in &mut phones {
            phone.ringing(SOON)?;
        }
        for phone in &mut phones {
            phone.answer_unasked()?;
        }
        let connected = shift.floor.appliance.wait_facts(SOON, "the winner", |facts| {
            let won: Vec<Fact> = facts.iter().filter(|f| f.kind == "Connected").cloned().collect();
            won.get(round).cloned()
        })?;
        let winner = connected.detail["with"].as_str().and_then(|id| id.bytes().last()).at("winner")?;
        for (n, phone) in (b'1'..).zip(&mut phones) {
            if n != winner {
                phone.closed(SOON)?;
            }
        }
        let kept = phones.get(usize::from(winner - b'1')).at("winner's phone")?.pending();
        ensure!(kept.iter().all(|event| event.kind != "CALL_CLOSED"), "round {round}: the winner lost its call");
        caller.hang_up(call);
        turn_until(&mut [&mut caller], SOON, "the caller to be free", |phones| phones[0].is_idle())?;
        let winner = phones.get_mut(usize::from(winner - b'1')).at("winner's phone")?;
        winner.closed(SOON)?;
        shift.floor.appliance.all_ended(shift.calls)?;
    }
    let facts = shift.floor.appliance.facts()?;
    let count = |kind: &str| facts.iter().filter(|f| f.kind == kind).count();
    ensure!(count("Connected") == rounds && count("Abandoned") == 0, "{}", ladder(&facts));
    let lost = facts.iter().filter(|f| f.kind == "OfferEnded" && f.detail["cause"] == "answered elsewhere").count();
    ensure!(lost == rounds * 3, "{lost} of {} offers were withdrawn because another had won", rounds * 3);
    let calls = shift.calls;
    shift.floor.close(phones, calls).map(|_| ())
}
