//! What a replay says, in both languages, and inputs and outputs in a line each. Not the product's catalogue: this tool is
//! never shipped. No secret is printed: keys of a random stream, digits and configurations stay out.

use super::walk::{Difference, Replayed, What};
use base::media::Report as Media;
use pbx::config::Language;
use pbx::door::{Input, Output};
use pbx::event::LegEvent;
use pbxd::story::ladder::ladder;
use pbxd::story::say::{Say, seconds, utc};
use signaling::sip::door::{Input as SipIn, Output as SipOut};
use std::fmt::Write;
use std::time::Duration;

/// One text in Chinese and in English; gaps are written `{name}`.
pub type Word = (&'static str, &'static str);

/// A text with its gaps filled.
pub fn say((zh, en): Word, language: Language, values: &[(&str, &str)]) -> String {
    let raw = match language {
        Language::Zh => zh,
        Language::En => en,
    };
    values.iter().fold(raw.to_string(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// What `replay --help` prints.
pub const HELP: Word = (
    "\
xtask replay [--data 目录] [--from 时刻] [--to 时刻] [--lang zh|en|both]

把数据目录中记录的全部输入交给全新的核心，逐字节比较它的输出与设备当时的输出（话路事件、输出摘要、保存的状态）。
同一版本必须完全一致；不同版本则报告第一处差异及相关呼叫的梯形图。只读，设备运行时也可使用；有差异时退出码为 1。
  --data 目录   数据目录，缺省 ./data
  --from 时刻   从该时刻之前最近保存的状态开始，例如 '2026-11-22 09:30:00'（UTC，或带时区偏移）
  --to 时刻     到该时刻为止
",
    "\
xtask replay [--data DIR] [--from TIME] [--to TIME] [--lang zh|en|both]

Gives all journaled inputs of a data directory to a fresh core and compares what it says with what the box said then,
byte for byte: leg events, digests of outputs, kept states. The same build must say the same; of another build the first
difference is told with the ladder of its call. Only reads, also beside a running box; the exit status is 1 when there is
a difference.
  --data DIR    data directory; default ./data
  --from TIME   begins with the newest state kept before, e.g. '2026-11-22 09:30:00' (UTC unless an offset follows)
  --to TIME     ends there
",
);
/// No data.
pub const NOTHING: Word = (
    "{data} 中没有输入日志；请用 --data 指定设备的数据目录",
    "{data} holds no input journal; name the data directory of a box with --data",
);
/// The last word when there is a difference.
pub const ENDED: Word = ("回放在输入 {seq} 处出现差异", "the replay differs at input {seq}");

const PROGRESS: Word = ("  {percent} %，输入 {seq}，{time}", "  {percent} %, input {seq}, {time}");
const SAME: Word = ("逐字节一致", "byte-identical");
const NOT_SAME: Word = ("第一处差异之前一致", "identical up to the first difference");
const NO_INPUT: Word = ("没有可以回放的输入", "no input could be replayed");
const NUMBERS: Word = (
    "{verdict}: {inputs} 个输入，{outputs} 个输出，{events} 个话路事件，{digests} 个输出摘要，{states} 个保存的状态",
    "{verdict}: {inputs} inputs, {outputs} outputs, {events} leg events, {digests} digests of outputs, {states} kept states",
);
const SPAN: Word = (
    "输入 {first} 至 {last}，{from} 至 {to}；{virtual} 用 {took} 回放完毕，为实际速度的 {speed} 倍",
    "inputs {first} to {last}, {from} to {to}; {virtual} replayed in {took}, {speed} times as fast as it was",
);
const SAME_BUILD: Word = ("版本 {build}，与日志相同", "build {build}, the one that wrote the journal");
const OTHER_BUILD: Word = (
    "日志由另一版本写入: {builds}；本版本: {build}。仅同一版本才保证一致",
    "the journal was written by another build: {builds}; this is {build}. Only the same build is bound to say the same",
);
const NO_DIGESTS: Word = (
    "其中 {count} 个输入没有输出摘要可比较（由旧版本写入，或程序在下一轮之前结束）",
    "{count} inputs have no digest to compare with (written by a former build, or the program ended before its next turn)",
);
const EVENTS_UNKNOWN: Word = (
    "{count} 个话路事件在数据库中没有对应记录（尚未写入，或已超过保留期）",
    "{count} leg events have no row to compare with (not stored yet, or beyond retention)",
);
const PASSED_OVER: Word = (
    "{count} 个输入被跳过: 之前的状态未知（日志有缺口，或环形日志的开头没有保存的状态）",
    "{count} inputs passed over: the state before them is not known (a gap in the journal, or no kept state at the ring's beginning)",
);
const UNSETTLED: Word = (
    "{count} 个输入未比较: 其间有一个输入后来被搁置",
    "{count} inputs not compared: one that was set aside later was handled among them",
);
const UNREADABLE_STATES: Word =
    ("{count} 个保存的状态为另一种格式，未使用", "{count} kept states are in another form and were not used");
const FIRST: Word =
    ("第一处差异: 输入 {seq}，{time}（版本 {build}）", "First difference: input {seq}, {time} (build {build})");
const INPUT: Word = ("输入", "Input");
const STATE: Word = (
    "此前的输出都相同，但此输入之前的状态与保存的状态不同",
    "all outputs before were the same, but the state before this input is not the one that was kept",
);
const UNREADABLE: Word =
    ("此输入的格式与本版本不同，无法读取", "this input was written in another form that this build cannot read");
const PANIC: Word = ("核心在处理此输入时崩溃", "the core panics at this input");
const DIGEST: Word = ("输出摘要: 当时 {wanted}，现在 {got}", "digest of the outputs: then {wanted}, now {got}");
const EVENTS_SAME: Word = ("话路事件相同，其他输出不同", "the leg events are the same, other outputs are not");
const EVENT_WANTED: Word = ("当时的话路事件", "Leg event then");
const EVENT_GOT: Word = ("现在的话路事件", "Leg event now");
const EVENT_NONE: Word = ("无此编号的记录", "no row of this number");
const ROWS: Word = ("当时此刻的全部话路事件", "All leg events of that moment then");
const OUTPUTS: Word = ("现在的全部输出", "All outputs now");
const NONE: Word = ("无", "none");
const LADDER: Word = ("到此为止的呼叫 {call}", "Call {call} up to here");
const NO_CALL: Word = ("与任何呼叫无关", "no call is concerned");

/// One line while it goes on. `last` is the number of the last input.
pub fn progress(replayed: &Replayed, last: u64, language: Language) -> String {
    let Some(((first, _), (seq, now))) = replayed.span else { return String::new() };
    let percent = (seq - first + 1) * 100 / (last.max(seq) - first + 1);
    let values = [("percent", percent.to_string()), ("seq", seq.to_string()), ("time", utc(now.wall))];
    say(PROGRESS, language, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// A replay with its outcome.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// In numbers.
    pub replayed: Replayed,
    /// The first difference; none: all that could be compared is the same.
    pub difference: Option<Box<Difference>>,
    /// This build.
    pub build: String,
    /// Builds that wrote the journal.
    pub builds: Vec<String>,
    /// Real time.
    pub took: Duration,
}

impl Report {
    /// For people.
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        self.numbers(&mut text, language);
        self.limits(&mut text, language);
        if let Some(difference) = &self.difference {
            text.push('\n');
            told(difference, &mut text, language);
        }
        text
    }

    fn numbers(&self, text: &mut String, language: Language) {
        let builds = self.builds.join(", ");
        let build = if self.builds.iter().all(|build| *build == self.build) { SAME_BUILD } else { OTHER_BUILD };
        line(text, &say(build, language, &[("build", &self.build), ("builds", &builds)]));
        let r = &self.replayed;
        let verdict = match (&self.difference, r.inputs) {
            (Some(_), _) => NOT_SAME,
            (None, 0) => NO_INPUT,
            (None, _) => SAME,
        };
        let numbers = [r.inputs, r.outputs, r.events, r.digests, r.states].map(|n| n.to_string());
        let [inputs, outputs, events, digests, states] = numbers.each_ref().map(String::as_str);
        let verdict = say(verdict, language, &[]);
        let values = [
            ("verdict", verdict.as_str()),
            ("inputs", inputs),
            ("outputs", outputs),
            ("events", events),
            ("digests", digests),
            ("states", states),
        ];
        line(text, &say(NUMBERS, language, &values));
        let Some(((first, from), (last, to))) = r.span else { return };
        let lasted = to.at.since(from.at);
        let speed = lasted.as_micros() / self.took.as_micros().max(1);
        let values = [
            ("first", first.to_string()),
            ("last", last.to_string()),
            ("from", utc(from.wall)),
            ("to", utc(to.wall)),
            ("virtual", seconds(lasted)),
            ("took", seconds(self.took)),
            ("speed", speed.to_string()),
        ];
        line(text, &say(SPAN, language, &values.each_ref().map(|(name, value)| (*name, value.as_str()))));
    }

    /// What could not be compared, and why.
    fn limits(&self, text: &mut String, language: Language) {
        let r = &self.replayed;
        let limits = [
            (r.inputs.saturating_sub(r.digests).saturating_sub(r.unsettled), NO_DIGESTS),
            (r.events_unknown, EVENTS_UNKNOWN),
            (r.passed_over, PASSED_OVER),
            (r.unsettled, UNSETTLED),
            (r.states_unreadable, UNREADABLE_STATES),
        ];
        for (count, word) in limits.into_iter().filter(|(count, _)| *count > 0) {
            line(text, &format!("  {}", say(word, language, &[("count", &count.to_string())])));
        }
    }
}

fn line(text: &mut String, words: &str) {
    text.push_str(words);
    text.push('\n');
}

fn told(difference: &Difference, text: &mut String, language: Language) {
    let plain = |word| say(word, language, &[]);
    let time = utc(difference.now.wall);
    let values = [("seq", difference.seq.to_string()), ("time", time), ("build", difference.build.clone())];
    line(text, &say(FIRST, language, &values.each_ref().map(|(name, value)| (*name, value.as_str()))));
    if let Some(input) = &difference.input {
        line(text, &format!("{}: {}", plain(INPUT), input_words(input)));
    }
    match &difference.what {
        What::State => line(text, &plain(STATE)),
        What::Unreadable => line(text, &plain(UNREADABLE)),
        What::Panic => line(text, &plain(PANIC)),
        What::Outputs { digest, event } => {
            if let Some((wanted, got)) = digest {
                let values = [("wanted", format!("{wanted:08x}")), ("got", format!("{got:08x}"))];
                line(text, &say(DIGEST, language, &values.each_ref().map(|(name, value)| (*name, value.as_str()))));
            }
            match event {
                None => line(text, &plain(EVENTS_SAME)),
                Some(event) => {
                    let (got, wanted) = event.as_ref();
                    let wanted = wanted.as_ref().map_or_else(|| plain(EVENT_NONE), event_words);
                    line(text, &format!("{}: {wanted}", plain(EVENT_WANTED)));
                    line(text, &format!("{}: {}", plain(EVENT_GOT), event_words(got)));
                }
            }
            listed(text, &plain(ROWS), difference.rows.iter().map(event_words), language);
            listed(text, &plain(OUTPUTS), difference.outputs.iter().map(output_words), language);
        }
    }
    if difference.calls.is_empty() {
        line(text, &plain(NO_CALL));
    }
    for (call, events) in &difference.calls {
        line(text, &format!("\n{}", say(LADDER, language, &[("call", &call.to_string())])));
        text.push_str(&ladder(events, Say(language)));
    }
}

fn listed(text: &mut String, heading: &str, lines: impl Iterator<Item = String>, language: Language) {
    let lines: Vec<String> = lines.map(|words| format!("  {words}")).collect();
    match lines.as_slice() {
        [] => line(text, &format!("{heading}: {}", say(NONE, language, &[]))),
        lines => line(text, &format!("{heading}:\n{}", lines.join("\n"))),
    }
}

/// A leg event in one line.
pub fn event_words(event: &LegEvent) -> String {
    let mut words = format!("{} ", event.seq);
    // Writing to a String cannot fail.
    if let Some(call) = event.call {
        let _ = write!(words, "{call} ");
    }
    if let Some(leg) = event.leg {
        let _ = write!(words, "leg {leg} ");
    }
    let _ = write!(words, "{}: {:?}", event.actor, event.detail);
    words
}

/// An input in one line, without secrets.
pub fn input_words(input: &Input) -> String {
    match input {
        Input::Boot(boot) => format!(
            "Boot recovered={} machine_restarted={} events_from={} build={}",
            boot.recovered, boot.machine_restarted, boot.events_from, boot.build
        ),
        Input::Configured(config, commit) => format!("Configured {} commit={commit}", config.system.name),
        Input::Sip(SipIn::Datagram { remote, bytes, .. }) => format!("SIP {remote} → {}", message(bytes)),
        Input::Sip(SipIn::Bytes { conn, bytes, .. }) => format!("SIP {conn:?} → {}", message(bytes)),
        Input::Media(Media::Digit { leg, source, .. }) => format!("Media Digit {leg:?} {source:?}"),
        Input::SetAside { seq, input } => format!("SetAside {seq}: {}", input_words(input)),
        Input::Sip(other @ (SipIn::Opened { .. } | SipIn::Closed { .. } | SipIn::Timer)) => format!("SIP {other:?}"),
        Input::Media(report) => format!("Media {report:?}"),
        Input::Line(port, event) => format!("Line {}/{} {event:?}", port.card, port.port),
        // Not their texts: those have secrets.
        Input::Commit(commit) => format!("Commit by {} on {}", commit.label.author, commit.base),
        Input::CommitStored(number) => format!("CommitStored {number}"),
        Input::Confirm { actor, .. } => format!("Confirm {actor}"),
        Input::Unconfirmed(told) => format!("Unconfirmed {} back={}", told.number, told.back),
        Input::Operator { actor, act } => format!("Operator {actor} {act:?}"),
        Input::Rebuilt(_) | Input::Stored(_) | Input::Trouble(_) | Input::Stop { .. } | Input::Timer => {
            format!("{input:?}")
        }
    }
}

/// An output in one line.
pub fn output_words(output: &Output) -> String {
    match output {
        Output::Sip(SipOut::Datagram { remote, bytes, .. }) => format!("SIP → {remote} {}", message(bytes)),
        Output::Sip(SipOut::Bytes { conn, bytes }) => format!("SIP → {conn:?} {}", message(bytes)),
        Output::Sip(other @ (SipOut::Connect { .. } | SipOut::Close { .. } | SipOut::Event(_))) => {
            format!("SIP {other:?}")
        }
        Output::Record(event) => event_words(event),
        Output::Media(command) => format!("Media {command:?}"),
        Output::Line(port, command) => format!("Line {}/{} {command:?}", port.card, port.port),
        Output::StoreCommit(row) => format!("StoreCommit {} {}", row.number, row.label.comment),
        Output::Recording(_)
        | Output::Alarm(_)
        | Output::MayStop
        | Output::CommitConfirmed(_)
        | Output::InForce(_)
        | Output::Answer(..) => format!("{output:?}"),
    }
}

/// First line and the fields that tell dialogs and transactions apart; credentials stay out.
fn message(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or("").to_string();
    for field in lines.take_while(|line| !line.is_empty()) {
        let name = field.split(':').next().unwrap_or("").trim();
        if ["call-id", "i", "cseq", "from", "f", "to", "t"].iter().any(|wanted| name.eq_ignore_ascii_case(wanted)) {
            words.push_str(" | ");
            words.push_str(field);
        }
    }
    words
}
