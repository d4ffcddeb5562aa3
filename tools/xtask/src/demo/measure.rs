//! What the demo measures against its promises: facts of the store and audio at both ears and in the recording.

use super::Played;
use super::checks::{Checks, so};
use super::stage::Cast;
use pbx::event::{Candidate, Detail, LegEvent, TermName};
use pbx::text::story as key;
use tests::peer::audio::{Pcm, demand, find, missing_ms};

/// Correlation that counts as recognised, in percent. G.711 and the jitter buffer cost little, a wrong file has near 0.
const PERCENT_MIN: i64 = 80;
/// The most that may be missing around a restart, in ms.
const GAP_MS_MAX: i64 = 1_000;
/// The longest from battery loss to BYE, in ms.
const RELEASE_MS_MAX: u128 = 1_500;
/// How long a person at the simulated line takes to say the first word, in ms.
const REACTION_MS: i64 = 240;
/// What sound may take from a mouth into the recording, in ms: highway periods, jitter buffer, the phone's own start.
const DELAY_MS_MAX: i64 = 160;
/// How much of the music must be recognised, in ms.
const MUSIC_MS_MIN: i64 = 1_500;
/// How much earlier a phone may begin to send than its 200 OK is read, in ms.
const EARLY_MS_MAX: i64 = 60;

/// Puts every promise to the test.
pub fn measure(checks: &mut Checks, played: &Played, cast: &Cast) {
    facts(checks, &played.facts, cast);
    ears(checks, played);
    recording(checks, played);
    ending(checks, played, cast);
}

fn percent(correlation: f64) -> i64 {
    (correlation * 100.0).round() as i64
}

fn count(facts: &[LegEvent], wanted: impl Fn(&Detail) -> bool) -> usize {
    facts.iter().filter(|f| wanted(&f.detail)).count()
}

fn facts(checks: &mut Checks, facts: &[LegEvent], cast: &Cast) {
    for (_, extension) in &cast.agents {
        let registered =
            count(facts, |d| matches!(d, Detail::Registered { extension: e, contacts: 1 } if e == extension));
        checks.check(key::CHECK_REGISTERED, &[("extension", extension)], so(registered > 0, "no such fact"));
    }
    let rang = count(facts, |d| matches!(d, Detail::Line { what } if what.contains("ring")));
    let answered = facts.iter().filter(|f| f.leg == Some(0) && f.detail == Detail::Answered).count();
    checks.check(key::CHECK_RING, &[], so(rang > 0 && answered == 1, format!("{rang} rings, {answered} answers")));
    let digits = count(facts, |d| matches!(d, Detail::Digit { .. }));
    let two = count(facts, |d| matches!(d, Detail::Digit { digit: '2', how } if how == "inband"));
    let found = so(digits == 1 && two == 1, format!("{digits} digits, {two} of them an in-band 2"));
    checks.check(key::CHECK_DIGIT, &[("digit", "2")], found);
    let queued = count(facts, |d| matches!(d, Detail::Queued { queue, .. } if *queue == cast.queue));
    checks.check(key::CHECK_QUEUE, &[("queue", &cast.queue)], so(queued == 1, format!("{queued} entries")));
    let (agent, longest) = facts
        .iter()
        .find_map(|f| match &f.detail {
            Detail::Offered { agent, candidates, .. } => {
                let idle_ms = |c: &Candidate| c.terms.iter().find(|t| t.name == TermName::IdleMs).map(|t| t.value);
                let idle = candidates.iter().filter(|c| c.excluded.is_none()).max_by_key(|c| idle_ms(c));
                Some((agent.clone(), idle.map(|c| c.agent.clone()).unwrap_or_default()))
            }
            _ => None,
        })
        .unwrap_or_default();
    // With two agents the first in the list is not the longest idle, because it made a call of its own.
    let first = cast.agents.len() > 1 && cast.agents.first().is_some_and(|(id, _)| *id == agent);
    let right = agent == longest && !first;
    checks.check(key::CHECK_LONGEST_IDLE, &[("agent", &agent)], so(right, format!("{longest} was idle for longer")));
}

/// Where `spoken` lies in `heard`, as a check of its own.
fn heard(checks: &mut Checks, what: pbx::text::Key, spoken: &Pcm, heard: &Pcm) {
    heard_as(checks, what, spoken, heard, &[]);
}

fn heard_as(checks: &mut Checks, what: pbx::text::Key, spoken: &Pcm, heard: &Pcm, more: &[(&str, &str)]) {
    let found = find(spoken, heard);
    let (at, share) = found.map_or((0, 0), |f| (f.at_ms, percent(f.correlation)));
    let verdict = so(share >= PERCENT_MIN, format!("only {share} %"));
    let (share, at) = (share.to_string(), at.to_string());
    let values: Vec<(&str, &str)> =
        [("percent", &*share), ("ms", &*at)].into_iter().chain(more.iter().copied()).collect();
    checks.check(what, &values, verdict);
}

/// Where [`words_of`] begins, in ms.
const WORDS_FROM_MS: i64 = 500;

/// A part from the middle of what was said, clear of any restart.
fn words_of(pcm: &Pcm) -> Pcm {
    pcm.part(WORDS_FROM_MS, 3_000)
}

fn ears(checks: &mut Checks, played: &Played) {
    for (language, prompt) in &played.prompts {
        heard_as(checks, key::CHECK_MENU, prompt, &played.caller_heard, &[("language", language)]);
    }
    heard(checks, key::CHECK_MUSIC, &played.music.part(0, MUSIC_MS_MIN), &played.caller_heard);
    heard(checks, key::CHECK_AGENT_HEARS, &words_of(&played.caller), &played.agent_heard);
    heard(checks, key::CHECK_CALLER_HEARS, &words_of(&played.agent), &played.caller_heard);
    if played.restart.is_some() {
        let missing = missing(&played.caller, &played.agent_heard);
        let ms = missing.as_ref().map_or(0, |ms| *ms);
        let verdict = missing.and_then(|ms| so(ms <= GAP_MS_MAX, format!("{ms} ms")));
        checks.check(key::CHECK_GAP, &[("ms", &ms.to_string())], verdict);
    }
}

/// How much of what was said from the first word on did not arrive, in ms.
fn missing(said: &Pcm, heard: &Pcm) -> Result<i64, String> {
    let first = find(&words_of(said), heard).ok_or("nothing was heard")?;
    let length_ms = said.length_ms() - GAP_MS_MAX;
    let speech = heard.part(first.at_ms - WORDS_FROM_MS, length_ms);
    let runs =
        demand("the agent's ear", said, &speech, length_ms - GAP_MS_MAX, GAP_MS_MAX).map_err(|e| e.to_string())?;
    Ok(missing_ms(&runs, said.length_ms()))
}

fn recording(checks: &mut Checks, played: &Played) {
    let (left, right) = &played.recorded;
    heard(checks, key::CHECK_RECORDED_CALLER, &words_of(&played.caller), left);
    heard(checks, key::CHECK_RECORDED_AGENT, &words_of(&played.agent), right);
    let verdict = begin("the caller", &played.greeting, left, REACTION_MS)
        .and_then(|()| begin("the agent", &played.agent, right, answered_ms(&played.facts)));
    checks.check(key::CHECK_RECORDED_BEGIN, &[("ms", "0")], verdict);
}

/// When the agent's leg was answered, in ms of the recording.
fn answered_ms(facts: &[LegEvent]) -> i64 {
    let at = |wanted: &dyn Fn(&LegEvent) -> bool| facts.iter().find(|f| wanted(f)).map(|f| f.at);
    let began = at(&|f| matches!(f.detail, Detail::RecordingBegan { .. }));
    let answered = at(&|f| f.detail == Detail::Answered && f.leg.is_some_and(|leg| leg > 0));
    began.zip(answered).map_or(i64::MAX, |(began, answered)| answered.since(began).as_millis() as i64)
}

/// Demands that a channel holds the very first frames of what was said from `mouth_ms` on.
fn begin(who: &str, said: &Pcm, channel: &Pcm, mouth_ms: i64) -> Result<(), String> {
    // Only around its time: the same words may be said again later, and correlate as well.
    let from_ms = (mouth_ms - EARLY_MS_MAX).max(0);
    let around = channel.part(from_ms, mouth_ms + DELAY_MS_MAX - from_ms + 1_000);
    let first_second = find(&said.part(0, 1_000), &around).filter(|f| percent(f.correlation) >= PERCENT_MIN);
    let at = from_ms + first_second.ok_or_else(|| format!("{who}: the first second is not where it was said"))?.at_ms;
    // At the very place that the first second has: a lost first frame correlates with nothing.
    let first_frame = find(&said.part(0, 20), &channel.part(at, 20)).map_or(0, |f| percent(f.correlation));
    so(first_frame >= PERCENT_MIN, format!("{who}: the first 20 ms are only {first_frame} % there"))
}

fn ending(checks: &mut Checks, played: &Played, cast: &Cast) {
    let facts = &played.facts;
    let lost = count(facts, |d| matches!(d, Detail::Line { what } if what.contains("battery")));
    let bye = count(facts, |d| matches!(d, Detail::Sip { sent: true, message } if message.starts_with("BYE")));
    let ms = played.released.as_millis();
    let found = so(lost > 0 && bye == 1 && ms <= RELEASE_MS_MAX, format!("{lost} battery losses, {bye} BYE, {ms} ms"));
    checks.check(key::CHECK_RELEASE, &[("ms", &ms.to_string())], found);
    let wrap = facts.iter().find_map(|f| match &f.detail {
        Detail::AgentState { agent, from, to, .. } if to == "wrap-up" => Some((agent.clone(), from.clone())),
        _ => None,
    });
    let (agent, from) = wrap.unwrap_or_default();
    let ours = cast.agents.iter().any(|(id, _)| *id == agent) && from == "talking";
    checks.check(key::CHECK_WRAP_UP, &[("agent", &agent)], so(ours, format!("from `{from}`")));
    let ends: Vec<&String> = facts
        .iter()
        .filter_map(|f| match &f.detail {
            Detail::CallEnded { disposition, .. } => Some(disposition),
            _ => None,
        })
        .collect();
    let one = ends.len() == 1 && ends[0] == "ANSWERED";
    checks.check(key::CHECK_CDR, &[("disposition", "ANSWERED")], so(one, format!("{ends:?}")));
}
