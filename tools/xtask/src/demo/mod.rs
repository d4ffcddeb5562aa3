//! The main job end to end, with a real phone program, and its story: a caller on an analog line reaches an agent,
//! both talk, the line is released, and what was promised is measured.

mod checks;
mod measure;
mod stage;

use crate::programs::share;
use crate::run::Site;
use checks::Checks;
use pbx::config::Language;
use pbx::event::{Detail, LegEvent};
use pbx::text::{Key, story as key, text};
use stage::{Cast, Stage, phones};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tests::peer::audio::Pcm;
use tests::peer::baresip::Baresip;
use tests::peer::record::until;

/// What to play.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demo {
    /// The site; none for the demo site.
    pub config: Option<PathBuf>,
    /// Where its data goes; none for a directory of its own.
    pub data: Option<PathBuf>,
    /// Kill the box in the middle of the call.
    pub kill: bool,
}

/// How long the caller speaks at once after the line was answered, in ms: the beginning of `caller.wav`.
const GREETING_MS: i64 = 2_500;
/// What the caller hears after the menu before pressing the key, in ms.
const THOUGHT_MS: i64 = 300;
/// What the caller hears of the music before the agent answers, in ms.
const MUSIC_MS: i64 = 2_500;
/// What the agent hears before the caller hangs up, in ms: all that the caller says, and the gap of a restart.
const TALK_MS: i64 = 17_000;
/// Of it before the box is killed, in ms.
const BEFORE_KILL_MS: i64 = 5_000;
/// Patience with what takes no time of its own.
const SOON: Duration = Duration::from_secs(10);
/// Patience with the whole talk.
const TALK: Duration = Duration::from_secs(40);

/// What was spoken and where what was heard is written.
struct Script {
    greeting: PathBuf,
    caller: PathBuf,
    caller_hears: PathBuf,
    exported: PathBuf,
}

/// What the play left for the checks.
pub(crate) struct Played {
    /// Facts of the store, all.
    pub facts: Vec<LegEvent>,
    /// What the caller said at once, and later to the agent.
    pub greeting: Pcm,
    /// The whole of `caller.wav`.
    pub caller: Pcm,
    /// What the agent's phone plays, looped.
    pub agent: Pcm,
    /// What arrived at the caller's ear from off-hook on.
    pub caller_heard: Pcm,
    /// What arrived at the agent's ear.
    pub agent_heard: Pcm,
    /// The exported recording, left and right.
    pub recorded: (Pcm, Pcm),
    /// The prompts of the menu with their languages.
    pub prompts: Vec<(&'static str, Pcm)>,
    /// What plays in the queue.
    pub music: Pcm,
    /// From SIGKILL until the box was ready again.
    pub restart: Option<Duration>,
    /// From the release of the line until the phone had its BYE.
    pub released: Duration,
}

/// Plays, tells and judges.
pub fn play(demo: &Demo, languages: &[Language]) -> Result<(), String> {
    let language = if let [one] = languages { *one } else { Language::En };
    let dir = match &demo.data {
        Some(dir) => crate::run::absolute(dir)?,
        None => std::env::temp_dir().join(format!("cordboard-demo-{}", std::process::id())),
    };
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    println!("{}\n", text(key::TITLE, language, &[]));
    let outcome = perform(demo, &dir, language);
    println!("{}", text(pbx::text::start::DATA, language, &[("path", &dir.display().to_string())]));
    outcome
}

fn perform(demo: &Demo, dir: &Path, language: Language) -> Result<(), String> {
    let site = Site { config: demo.config.clone(), data: dir.to_path_buf(), world: true, log: "warn".into() };
    let mut stage = Stage::start(&site, dir, language)?;
    let cast = Cast::of(&stage.config)?;
    let mut teller = Teller { language };
    let played = act(&mut stage, &cast, demo.kill, &mut teller)?;
    let call = pbxd::tell::find_call(&stage.data, None, language)?;
    println!("\n{}", pbxd::tell::tell(&stage.data, Some(&call.to_string()), language)?);
    let mut checks = Checks::new(language);
    measure::measure(&mut checks, &played, &cast);
    let stopped = stage.end();
    let told = checks.verdict()?;
    println!("{told}");
    stopped
}

/// Tells each step as it happens.
struct Teller {
    language: Language,
}

impl Teller {
    fn step(&mut self, what: Key, values: &[(&str, &str)]) {
        println!("· {}", text(what, self.language, values));
    }
}

fn pcm(path: &Path) -> Result<Pcm, String> {
    Pcm::read(path, 0).map_err(|e| e.to_string())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The play itself.
fn act(stage: &mut Stage, cast: &Cast, kill: bool, teller: &mut Teller) -> Result<Played, String> {
    let script = script(&stage.dir)?;
    let agent = pcm(&share().join("demo/agent.wav"))?;
    let mut phones = phones(stage, cast, &again_and_again(&agent))?;
    for (extension, _) in &phones {
        teller.step(key::CHECK_REGISTERED, &[("extension", extension)]);
    }
    first_is_busy(stage, cast, &mut phones, teller)?;
    let prompts = prompts(cast)?;
    reach_menu(stage, cast, &script, prompts.iter().map(|(_, p)| p.length_ms()).sum(), teller)?;
    let seat = reach_agent(stage, cast, &mut phones, teller)?;
    let phone = &mut phones[seat].1;
    stage.act(&["speak", &cast.line, &shown(&script.caller)])?;
    let restart = talk(stage, phone, kill, teller)?;
    let released = hang_up(stage, cast, phone, teller)?;
    stage.act(&["hear", &cast.line, &shown(&script.caller_hears), "stop"])?;
    let facts = wait_for_the_end(stage)?;
    let agent_heard = phone.heard().map_err(|e| e.to_string())?;
    for (_, phone) in phones {
        phone.stop().map_err(|e| e.to_string())?;
    }
    let recorded = export(stage, &facts, &script)?;
    teller.step(key::STEP_EXPORTED, &[("path", &shown(&script.exported))]);
    let caller = pcm(&script.caller)?;
    Ok(Played {
        facts,
        greeting: caller.part(0, GREETING_MS),
        caller,
        agent,
        caller_heard: pcm(&script.caller_hears)?,
        agent_heard,
        recorded,
        prompts,
        music: pcm(&share().join("prompts/music.wav"))?,
        restart,
        released,
    })
}

fn prompt(language: &str, name: &str) -> Result<Pcm, String> {
    pcm(&share().join(format!("prompts/{language}/{name}.wav")))
}

/// What the menu says, in the order in which it is said.
fn prompts(cast: &Cast) -> Result<Vec<(&'static str, Pcm)>, String> {
    cast.prompts.iter().map(|(language, name)| Ok((*language, prompt(language, name)?))).collect()
}

/// The first agent of the queue makes a call of its own, so that another one is idle for longest: a box that simply
/// takes the first in the list is found out.
fn first_is_busy(
    stage: &Stage,
    cast: &Cast,
    phones: &mut [(String, Baresip)],
    teller: &mut Teller,
) -> Result<(), String> {
    let ([(agent, _), (other, _), ..], Some((_, phone))) = (&cast.agents[..], phones.first_mut()) else {
        return Ok(());
    };
    let failed = |e: tests::peer::Trouble| e.to_string();
    let echo = format!("sip:{}@{}", stage.config.codes.echo, stage.config.sip.listen);
    phone.dial(&echo).map_err(failed)?;
    phone.established().map_err(failed)?;
    phone.hangup().map_err(failed)?;
    let idle_again = |facts: &[LegEvent]| {
        let back =
            |d: &Detail| matches!(d, Detail::AgentState { agent: a, from, .. } if a == agent && from == "personal");
        facts.iter().any(|f| back(&f.detail)).then_some(())
    };
    stage.fact("the agent's own call to be over", SOON, idle_again)?;
    teller.step(key::STEP_BUSY_AGENT, &[("agent", agent), ("other", other)]);
    Ok(())
}

/// The facts of the call that came in on the line, and those of no call.
fn of_the_line(facts: &[LegEvent]) -> Vec<LegEvent> {
    let from_line = |f: &&LegEvent| matches!(&f.detail, Detail::CallBegan { origin, .. } if origin.starts_with("line"));
    let call = facts.iter().find(from_line).and_then(|f| f.call);
    facts.iter().filter(|f| f.call.is_none() || f.call == call).cloned().collect()
}

/// Long enough for the whole talk: the phone hangs up when its file is over.
fn again_and_again(speech: &Pcm) -> Pcm {
    Pcm { rate: speech.rate, samples: speech.samples.repeat(4) }
}

fn script(dir: &Path) -> Result<Script, String> {
    let caller = crate::run::absolute(&share().join("demo/caller.wav"))?;
    let greeting = dir.join("caller-greeting.wav");
    pcm(&caller)?.part(0, GREETING_MS).write(&greeting).map_err(|e| e.to_string())?;
    Ok(Script { greeting, caller, caller_hears: dir.join("caller-hears.wav"), exported: dir.join("recording.wav") })
}

/// The exchange rings the line, the box answers, the caller says who it is and hears the menu.
fn reach_menu(stage: &Stage, cast: &Cast, script: &Script, menu_ms: i64, teller: &mut Teller) -> Result<(), String> {
    let hears = shown(&script.caller_hears);
    stage.act(&["hear", &cast.line, &hears, "start"])?;
    stage.act(&["call", &cast.line, &shown(&script.greeting)])?;
    teller.step(key::STEP_RING, &[("line", &cast.line)]);
    stage.act(&["wait", &cast.line, "off-hook", "10000"])?;
    teller.step(key::STEP_OFF_HOOK, &[("line", &cast.line)]);
    let answered_ms = pcm(&script.caller_hears).map(|heard| heard.length_ms()).unwrap_or(0);
    let languages: Vec<&str> = cast.prompts.iter().map(|(tag, _)| *tag).collect();
    teller.step(key::STEP_MENU, &[("menu", &cast.menu), ("languages", &languages.join(", "))]);
    hears_more(stage, &script.caller_hears, answered_ms + menu_ms + THOUGHT_MS)
}

/// Waits until the file of what the caller hears is so long: the world's clock is the demo's.
fn hears_more(stage: &Stage, file: &Path, length_ms: i64) -> Result<(), String> {
    let what = format!("the caller to hear {length_ms} ms");
    let look = || Ok(Pcm::read(file, 0).ok().filter(|heard| heard.length_ms() >= length_ms).map(|_| ()));
    until(&stage.dir, TALK, &what, look).map_err(|e| e.to_string())
}

/// The caller presses 2, a phone rings, its agent answers; which seat.
fn reach_agent(
    stage: &Stage,
    cast: &Cast,
    phones: &mut [(String, Baresip)],
    teller: &mut Teller,
) -> Result<usize, String> {
    stage.act(&["press", &cast.line, "2"])?;
    let offered = |facts: &[LegEvent]| {
        facts.iter().rev().find_map(|f| match &f.detail {
            Detail::Offered { agent, why, .. } => Some((agent.clone(), why.clone())),
            _ => None,
        })
    };
    let (agent, why) = stage.fact("an offer to an agent", SOON, offered)?;
    teller.step(key::STEP_DIGIT, &[("digit", "2"), ("how", "DTMF")]);
    teller.step(key::STEP_OFFER, &[("agent", &agent), ("why", &why)]);
    let extension = cast.agents.iter().find(|(id, _)| *id == agent).map(|(_, e)| e.clone());
    let extension = extension.ok_or_else(|| format!("agent {agent} has no phone here"))?;
    let seat = phones.iter().position(|(e, _)| *e == extension).ok_or("that phone is not here")?;
    let phone = &mut phones[seat].1;
    phone.ringing(SOON).map_err(|e| e.to_string())?;
    teller.step(key::STEP_PHONE_RINGS, &[("extension", &extension)]);
    // Welcome and some music, on the caller's clock.
    let heard = stage.dir.join("caller-hears.wav");
    let so_far = pcm(&heard).map(|h| h.length_ms()).unwrap_or(0);
    let rings_ms = prompt(stage.config.system.language.tag(), "queue-welcome")?.length_ms() + MUSIC_MS;
    hears_more(stage, &heard, so_far + rings_ms)?;
    phone.accept().map_err(|e| e.to_string())?;
    phone.established().map_err(|e| e.to_string())?;
    let connected =
        |facts: &[LegEvent]| facts.iter().any(|f| matches!(f.detail, Detail::Connected { .. })).then_some(());
    stage.fact("caller and agent to be connected", SOON, connected)?;
    let waited = |facts: &[LegEvent]| {
        facts.iter().find_map(|f| match &f.detail {
            Detail::Connected { wait_ms, .. } => Some(*wait_ms),
            _ => None,
        })
    };
    let wait = pbxd::story::say::seconds_of_ms(stage.fact("the wait", SOON, waited)?);
    teller.step(
        key::STEP_ANSWER,
        &[
            ("agent", &agent),
            ("ring", &pbxd::story::say::seconds_of_ms(rings_ms as u64).replace(" s", "")),
            ("wait", wait.trim_end_matches(" s")),
        ],
    );
    Ok(seat)
}

/// Both talk; in the middle the box may be killed.
fn talk(stage: &mut Stage, phone: &Baresip, kill: bool, teller: &mut Teller) -> Result<Option<Duration>, String> {
    let hears = |ms| phone.hears(ms, TALK).map_err(|e| e.to_string());
    hears(BEFORE_KILL_MS)?;
    let mut restart = None;
    if kill {
        teller.step(key::STEP_KILLED, &[]);
        let away = stage.kill_box()?;
        teller.step(key::STEP_RECOVERED, &[("gap", &away.as_millis().to_string())]);
        restart = Some(away);
    }
    hears(TALK_MS)?;
    teller.step(key::STEP_TALK, &[("seconds", &(TALK_MS / 1_000).to_string())]);
    Ok(restart)
}

/// The line loses its battery; the phone gets BYE; how long that took.
fn hang_up(stage: &Stage, cast: &Cast, phone: &mut Baresip, teller: &mut Teller) -> Result<Duration, String> {
    let begun = std::time::Instant::now();
    stage.act(&["release", &cast.line])?;
    teller.step(key::STEP_RELEASE, &[("line", &cast.line)]);
    phone.closed(SOON).map_err(|e| e.to_string())?;
    let released = begun.elapsed();
    teller.step(key::STEP_BYE, &[]);
    Ok(released)
}

/// Waits until the call, its media counts and its wrap-up are in the records; all facts.
fn wait_for_the_end(stage: &Stage) -> Result<Vec<LegEvent>, String> {
    stage.fact("the end of the call in the records", SOON, |facts| {
        let facts = of_the_line(facts);
        let has = |wanted: fn(&Detail) -> bool| facts.iter().any(|f| wanted(&f.detail));
        let over =
            has(|d| matches!(d, Detail::CallEnded { .. })) && has(|d| matches!(d, Detail::RecordingEnded { .. }));
        let wraps = has(|d| matches!(d, Detail::AgentState { to, .. } if to == "wrap-up"));
        let counted = has(|d| matches!(d, Detail::LegMedia { .. }));
        (over && wraps && counted).then_some(facts.clone())
    })
}

/// Exports the recording; its two channels.
fn export(stage: &Stage, facts: &[LegEvent], script: &Script) -> Result<(Pcm, Pcm), String> {
    let recording = facts.iter().find_map(|f| match &f.detail {
        Detail::RecordingBegan { recording } => Some(*recording),
        _ => None,
    });
    let recording = recording.ok_or("the call was not recorded")?.to_string();
    let chunks_of = |ms: i64| move |audio: &Pcm| audio.length_ms() >= ms;
    let whole = chunks_of(TALK_MS);
    let look = || {
        pbxd::tell::export(&stage.data, &recording, &script.exported, Language::En)
            .map_err(tests::peer::Trouble::new)?;
        let left = Pcm::read(&script.exported, 0)?;
        let right = Pcm::read(&script.exported, 1)?;
        Ok(Some((left, right)).filter(|(left, _)| whole(left)))
    };
    until(&stage.data.join("recordings"), SOON, "the whole recording", look).map_err(|e| e.to_string())
}
