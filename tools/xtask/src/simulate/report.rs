//! The answer on paper: one table of what was simulated beside what the models say, what each of them assumes and where
//! that is not so, and a picture over the number of agents.

use super::basis::Basis;
use super::erlang::{Outlook, Variant};
use super::models::{over_profile_a, over_profile_c};
use super::options::Options;
use super::runs::{Run, mean};
use super::tally::{Figures, Mean};
use super::whole::whole;
use super::words::{self as say, Word};
use pbx::config::Language;
use pbxd::story::layout::width;
use std::collections::BTreeMap;
use std::time::Duration;

/// Cells of a full bar.
const BAR: usize = 40;

/// Everything that is told.
pub struct Report<'a> {
    /// What was simulated.
    pub basis: &'a Basis,
    /// What was asked for.
    pub options: &'a Options,
    /// Runs by number of agents.
    pub runs: &'a BTreeMap<u32, Vec<Run>>,
    /// How long it took.
    pub took: Duration,
    /// Language.
    pub language: Language,
}

/// A row of the table: its name, how it is printed, and its value in each kind of column.
struct Row {
    name: String,
    form: Form,
    run: fn(&Run, Variant) -> Option<f64>,
    model: fn(&Outlook, Variant) -> Option<f64>,
}

/// One way for a call to end.
type Part = fn(&Figures) -> f64;

/// All ways for a call to end; every call ends in one of them.
const PARTS: [Part; 4] = [|f| f.ends.answered, |f| f.ends.abandoned, |f| f.left, |f| f.others];

/// A whole number of calls with the error of the mean that it was rounded from.
fn counted(calls: u64, mean: Option<Mean>) -> String {
    match mean.and_then(|m| m.error) {
        Some(error) => format!("{calls} ± {:.0}", error * 2.0),
        None => calls.to_string(),
    }
}

#[derive(Clone, Copy)]
enum Form {
    Calls,
    Percent,
    Tenths,
    Hundredths,
}

impl Form {
    fn number(self, value: f64) -> String {
        match self {
            Form::Calls => format!("{value:.0}"),
            Form::Percent => format!("{:.1} %", value * 100.0),
            Form::Tenths => format!("{value:.1}"),
            Form::Hundredths => format!("{value:.2}"),
        }
    }

    fn mean(self, value: Option<Mean>) -> String {
        let Some(Mean { mean, error }) = value else { return "–".into() };
        match (error, self) {
            (None, _) => self.number(mean),
            (Some(error), Form::Percent) => format!("{:.1} ± {:.1} %", mean * 100.0, error * 200.0),
            (Some(error), Form::Calls) => format!("{mean:.0} ± {:.0}", error * 2.0),
            (Some(error), Form::Tenths) => format!("{mean:.1} ± {:.1}", error * 2.0),
            (Some(error), Form::Hundredths) => format!("{mean:.2} ± {:.2}", error * 2.0),
        }
    }
}

impl Report<'_> {
    /// The whole report.
    pub fn text(&self) -> String {
        let mut parts = vec![self.heading(), self.table(), self.balance(), self.assumptions()];
        let broken = self.broken();
        if !broken.is_empty() {
            parts.push(self.list(say::BEWARE, &broken));
        }
        if self.basis.queues.len() > 1 {
            parts.push(self.queues());
        }
        if self.runs.len() > 1 {
            parts.push(self.picture());
        }
        parts.join("\n")
    }

    fn say(&self, word: Word, values: &[(&str, &str)]) -> String {
        word.say(self.language, values)
    }

    fn main(&self) -> &[Run] {
        self.runs.get(&self.basis.agents).map_or(&[], Vec::as_slice)
    }

    fn heading(&self) -> String {
        let basis = self.basis;
        let (aht, wrap) = (format!("{:.0}", basis.aht_s), format!("{:.0}", basis.wrap_up_s));
        let calls = format!("{:.0}", basis.profile.calls());
        let callers = match &basis.recorded {
            Some(recorded) => {
                let agents = format!("{:.1}", recorded.ledger.present.mean());
                let values = [
                    ("day", recorded.day.as_str()),
                    ("calls", &calls),
                    ("aht", &aht),
                    ("wrap", &wrap),
                    ("agents", &agents),
                ];
                self.say(say::RECORDED_DAY, &values)
            }
            None => {
                let hours = format!("{:.1}", basis.profile.length_s() / 3_600.0);
                self.say(say::GENERATED, &[("calls", &calls), ("hours", &hours), ("aht", &aht), ("wrap", &wrap)])
            }
        };
        let strategy = match (&basis.change.strategy, &basis.ground) {
            (Some(strategy), _) => strategy.clone(),
            (None, Some(_)) => self.say(say::STRATEGIES_AS_SITE, &[]),
            (None, None) => "longest-idle".into(),
        };
        let (agents, ring) = (basis.agents.to_string(), format!("{:.1}", basis.ring_s));
        let values =
            [("agents", agents.as_str()), ("strategy", &strategy), ("ring", &ring), ("patience", &self.patience())];
        let staff = self.say(say::STAFF, &values);
        let count: usize = self.runs.values().map(Vec::len).sum();
        let hours = format!("{:.0}", count as f64 * basis.length_us() as f64 / 3.6e9);
        let (runs, ms) = (count.to_string(), self.took.as_millis().to_string());
        let played = if count == 1 { say::PLAYED_ONCE } else { say::PLAYED };
        let played = self.say(played, &[("runs", &runs), ("hours", &hours), ("ms", &ms)]);
        format!("{callers}\n{staff}\n{played}\n")
    }

    fn patience(&self) -> String {
        let estimate = self.basis.recorded.as_ref().and_then(|r| r.patience.as_ref());
        let Some(mean_s) = self.basis.patience_s else { return self.say(say::PATIENCE_ENDLESS, &[]) };
        let s = format!("{mean_s:.0}");
        match estimate.filter(|_| self.options.patience_s.is_none()) {
            Some(estimate) => {
                self.say(say::PATIENCE_KAPLAN, &[("s", &s), ("km", &format!("{:.0}", estimate.mean_s()))])
            }
            None => self.say(say::SECONDS, &[("s", &s)]),
        }
    }

    fn rows(&self) -> Vec<Row> {
        let letter = self.options.variant.letter().to_string();
        let within = format!("{}", self.options.threshold.within_s);
        let row = |word: Word, form, run, model| Row { name: self.say(word, &[]), form, run, model };
        let mut rows = vec![
            row(say::LEVEL, Form::Percent, |r, v| r.figures.ends.service_level(v), |o, v| o.ends.service_level(v)),
            row(
                say::ANSWER_RATE,
                Form::Percent,
                // A day without a call has no rate.
                |r, _| {
                    let ends = &r.figures.ends;
                    (ends.offered > 0.0).then_some(ends.answered / ends.offered)
                },
                |o, _| Some(o.ends.answered),
            ),
            row(
                say::ASA,
                Form::Tenths,
                |r, _| (r.figures.ends.answered > 0.0).then_some(r.figures.asa_s),
                |o, _| Some(o.asa_s),
            ),
            row(
                say::ABANDON_TIME,
                Form::Tenths,
                |r, _| (r.figures.ends.abandoned > 0.0).then_some(r.figures.abandon_s),
                |o, _| o.abandon_s,
            ),
            row(say::OCCUPANCY, Form::Percent, |r, _| Some(r.occupancy), |o, _| Some(o.occupancy)),
            row(say::LENGTH, Form::Hundredths, |r, _| Some(r.length), |o, _| Some(o.length)),
            row(say::LENGTH_MAX, Form::Calls, |r, _| Some(r.length_max), |_, _| None),
        ];
        if let Some(level) = rows.first_mut() {
            level.name = self.say(say::LEVEL, &[("letter", &letter), ("s", &within)]);
        }
        rows
    }

    /// What became of the calls: whole numbers, the rows below the first add up to it.
    fn calls(&self, models: &[Option<Outlook>], calls: f64, recorded: Option<&Run>) -> Vec<Vec<String>> {
        let offered = mean(self.main(), |r| Some(r.figures.ends.offered));
        let parts = PARTS.map(|part| mean(self.main(), |r| Some(part(&r.figures))));
        let total = calls.round() as u64;
        let columns = |total: u64, parts: &[f64]| [vec![total], whole(total, parts)].concat();
        let simulated = columns(total, &parts.map(|p| p.map_or(0.0, |p| p.mean)));
        let by_model = |outlook: &Outlook| columns(total, &[outlook.ends.answered, outlook.ends.abandoned]);
        let told = |run: &Run| columns(run.figures.ends.offered as u64, &PARTS.map(|part| part(&run.figures)));
        let (by_model, told) = (models.iter().map(|m| m.as_ref().map(by_model)), recorded.map(told));
        let others: Vec<Option<Vec<u64>>> = by_model.chain(told.map(Some)).collect();
        let words = [say::OFFERED, say::ANSWERED, say::ABANDONED, say::LEFT, say::OTHERS];
        let errors = [offered].into_iter().chain(parts);
        let row = |((n, word), error): ((usize, Word), Option<Mean>)| {
            let cell = |column: &Option<Vec<u64>>| {
                column.as_ref().and_then(|c| c.get(n)).map_or("–".into(), |calls| calls.to_string())
            };
            let mut cells = vec![self.say(word, &[]), counted(simulated[n], error)];
            cells.extend(others.iter().map(cell));
            cells
        };
        words.into_iter().enumerate().zip(errors).map(row).collect()
    }

    fn table(&self) -> String {
        let (basis, variant) = (self.basis, self.options.variant);
        let assumed = basis.assumed(self.options);
        let models = [over_profile_c(&basis.profile, &assumed), over_profile_a(&basis.profile, &assumed)];
        let calls = mean(self.main(), |r| Some(r.figures.ends.offered)).map_or(0.0, |m| m.mean);
        let recorded = self.recorded_run();
        let mut heading = vec![String::new(), self.say(say::SIMULATED, &[])];
        heading.extend([say::ERLANG_C, say::ERLANG_A].map(|w| self.say(w, &[])));
        heading.extend(recorded.as_ref().map(|_| self.say(say::RECORDED, &[])));
        let mut lines = vec![heading];
        lines.extend(self.calls(&models, calls, recorded.as_ref()));
        for row in self.rows() {
            let mut cells = vec![row.name, row.form.mean(mean(self.main(), |r| (row.run)(r, variant)))];
            cells.extend(models.iter().map(|model| {
                let value = model.as_ref().and_then(|o| (row.model)(o, variant));
                value.map_or("–".into(), |v| row.form.number(v))
            }));
            cells.extend(recorded.as_ref().map(|r| (row.run)(r, variant).map_or("–".into(), |v| row.form.number(v))));
            lines.push(cells);
        }
        aligned(&lines)
    }

    fn recorded_run(&self) -> Option<Run> {
        self.basis.recorded.as_ref().map(|r| Run::of(&r.ledger, 0, self.options))
    }

    fn balance(&self) -> String {
        let recorded = self.recorded_run();
        let runs = || self.runs.values().flatten().chain(&recorded);
        let word = if runs().all(|r| r.figures.adds_up()) { say::ADDS_UP } else { say::DOES_NOT_ADD_UP };
        let variant = match self.options.variant {
            Variant::A => say::VARIANT_A,
            Variant::B => say::VARIANT_B,
            Variant::C => say::VARIANT_C,
            Variant::D => say::VARIANT_D,
            Variant::E => say::VARIANT_E,
        };
        let short = format!("{}", self.options.threshold.short_s);
        format!("{}\n{}\n", self.say(word, &[]), self.say(variant, &[("s", &short)]))
    }

    fn assumptions(&self) -> String {
        let mut lines = vec![
            (say::SIMULATED, say::ASSUMES_SIMULATED),
            (say::ERLANG_C, say::ASSUMES_C),
            (say::ERLANG_A, say::ASSUMES_A),
        ];
        if self.basis.recorded.is_some() {
            lines.push((say::RECORDED, say::ASSUMES_RECORDED));
        }
        let told: Vec<String> =
            lines.iter().map(|(who, what)| format!("{}: {}", self.say(*who, &[]), self.say(*what, &[]))).collect();
        self.list(say::ASSUMES, &told)
    }

    fn list(&self, heading: Word, lines: &[String]) -> String {
        let lines: Vec<String> = lines.iter().map(|line| format!("  - {line}\n")).collect();
        format!("{}\n{}", self.say(heading, &[]), lines.concat())
    }

    /// Where the models' assumptions do not hold.
    fn broken(&self) -> Vec<String> {
        let (basis, assumed) = (self.basis, self.basis.assumed(self.options));
        let config = basis.ground.as_ref();
        let queue = |rule: fn(&pbx::config::Queue) -> bool| config.is_some_and(|c| c.queues.values().any(rule));
        let bounded = |q: &pbx::config::Queue| {
            q.max_wait_s > 0
                || q.max_length > 0
                || q.overflow_wait_s > 0
                || !q.overflow.is_empty()
                || !q.leave_empty.is_empty()
        };
        let mut broken = Vec::new();
        let mut tell = |is: bool, word: Word, value: (&str, &str)| {
            if is {
                broken.push(self.say(word, &[value]));
            }
        };
        let none = ("", "");
        tell(basis.queues.len() > 1, say::BROKEN_QUEUES, ("n", &basis.queues.len().to_string()));
        tell(queue(|q| !q.skills.is_empty()) && !basis.change.skills_off, say::BROKEN_SKILLS, none);
        tell(basis.ring_s > 0.0, say::BROKEN_RING, ("s", &format!("{:.1}", basis.ring_s)));
        tell(basis.wrap_up_s > 0.0, say::BROKEN_WRAP, ("s", &format!("{:.0}", basis.wrap_up_s)));
        tell(basis.recorded.is_some(), say::BROKEN_TALK, none);
        tell(queue(bounded), say::BROKEN_BOUND, none);
        tell(basis.profile.varies(), say::BROKEN_RATE, none);
        tell(over_profile_c(&basis.profile, &assumed).is_none(), say::BROKEN_OVERLOAD, none);
        tell(basis.patience_s.is_none() && self.options.patience_s.is_none(), say::BROKEN_PATIENCE, none);
        broken
    }

    fn queues(&self) -> String {
        let variant = self.options.variant;
        let (letter, s) = (variant.letter().to_string(), format!("{}", self.options.threshold.within_s));
        let mut lines = vec![vec![
            self.say(say::QUEUE, &[]),
            self.say(say::OFFERED, &[]),
            self.say(say::ANSWERED, &[]),
            self.say(say::ABANDONED, &[]),
            self.say(say::LEVEL, &[("letter", &letter), ("s", &s)]),
            self.say(say::ASA, &[]),
        ]];
        // Each part of the table above, shared among the queues: its rows and columns add up, too.
        let of = |name: &str, part: Part| mean(self.main(), |run| Some(run.by_queue.get(name).map_or(0.0, part)));
        let means = PARTS.map(|part| mean(self.main(), |r| Some(part(&r.figures))).map_or(0.0, |m| m.mean));
        let total = mean(self.main(), |r| Some(r.figures.ends.offered)).map_or(0.0, |m| m.mean).round() as u64;
        let shared: Vec<Vec<u64>> = whole(total, &means)
            .into_iter()
            .zip(PARTS)
            .map(|(n, part)| {
                let by_queue: Vec<f64> =
                    self.basis.queues.iter().map(|q| of(q, part).map_or(0.0, |m| m.mean)).collect();
                whole(n, &by_queue)
            })
            .collect();
        for (at, name) in self.basis.queues.iter().enumerate() {
            let of_run = |figure: &dyn Fn(&Figures) -> Option<f64>| {
                mean(self.main(), |run| run.by_queue.get(name).and_then(figure))
            };
            lines.push(vec![
                name.clone(),
                counted(shared.iter().map(|part| part[at]).sum(), of(name, |f| f.ends.offered)),
                counted(shared[0][at], of(name, PARTS[0])),
                counted(shared[1][at], of(name, PARTS[1])),
                Form::Percent.mean(of_run(&|f| f.ends.service_level(variant))),
                Form::Tenths.mean(of_run(&|f| (f.ends.answered > 0.0).then_some(f.asa_s))),
            ]);
        }
        format!("{}\n{}", self.say(say::BY_QUEUE, &[]), aligned(&lines))
    }

    fn picture(&self) -> String {
        let (variant, goal) = (self.options.variant, self.options.goal);
        let (letter, percent) = (variant.letter().to_string(), format!("{:.0}", goal * 100.0));
        let mut lines = vec![vec![
            self.say(say::AGENTS, &[]),
            String::new(),
            self.say(say::SIMULATED, &[]),
            self.say(say::ERLANG_C, &[]),
            self.say(say::ERLANG_A, &[]),
        ]];
        let mut fewest = None;
        for (agents, runs) in self.runs {
            let assumed = super::models::Assumed { agents: *agents, ..self.basis.assumed(self.options) };
            let level = mean(runs, |r| r.figures.ends.service_level(variant));
            if level.is_some_and(|m| m.mean >= goal) {
                fewest.get_or_insert(*agents);
            }
            let model = |o: Option<Outlook>| {
                o.and_then(|o| o.ends.service_level(variant)).map_or("–".into(), |v| Form::Percent.number(v))
            };
            let mark = if *agents == self.basis.agents { "▶ " } else { "  " };
            lines.push(vec![
                format!("{mark}{agents}"),
                bar(level.map_or(0.0, |m| m.mean), goal),
                Form::Percent.mean(level),
                model(over_profile_c(&self.basis.profile, &assumed)),
                model(over_profile_a(&self.basis.profile, &assumed)),
            ]);
        }
        let heading = self.say(say::BY_AGENTS, &[("letter", &letter), ("goal", &percent)]);
        let (with_a, with_c) = self.basis.needed(self.options);
        let number = |n: Option<u32>| n.map_or_else(|| self.say(say::MORE_THAN_CAN_BE, &[]), |n| n.to_string());
        let words = [
            ("goal", percent.as_str()),
            ("simulated", &self.fewest(fewest)),
            ("c", &number(with_c)),
            ("a", &number(with_a)),
        ];
        format!("{heading}\n{}{}\n", aligned(&lines), self.say(say::FEWEST, &words))
    }

    /// The fewest agents of the picture that reach the goal; its edges tell only on which side.
    fn fewest(&self, found: Option<u32>) -> String {
        let (first, last) = (self.runs.keys().next().copied(), self.runs.keys().next_back().copied());
        match (found, last) {
            (Some(n), _) if n > 1 && Some(n) == first => self.say(say::OR_FEWER, &[("n", &n.to_string())]),
            (Some(n), _) => n.to_string(),
            (None, last) => self.say(say::MORE_THAN, &[("n", &last.unwrap_or(0).to_string())]),
        }
    }
}

/// A bar of eighths of a cell, with the goal shown where the bar does not reach it.
fn bar(share: f64, goal: f64) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * BAR as f64 * 8.0).round() as usize;
    let mut cells: Vec<char> = vec!['█'; eighths / 8];
    if !eighths.is_multiple_of(8) {
        cells.push(EIGHTHS[eighths % 8]);
    }
    cells.resize(BAR, ' ');
    let mark = ((goal * BAR as f64) as usize).min(BAR - 1);
    if cells[mark] == ' ' {
        cells[mark] = '┊';
    }
    cells.into_iter().collect()
}

/// Lines of cells: the first column and bars from the left, numbers from the right.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |n: usize| lines.iter().filter_map(|l| l.get(n)).map(|cell| width(cell)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(n, (cell, wide))| {
                let pad = " ".repeat(wide - width(cell));
                if n == 0 { format!("{cell}{pad}") } else { format!("{pad}{cell}") }
            })
            .collect();
        text.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_end_where_they_should_and_show_the_goal() {
        let full: String = std::iter::repeat_n('█', BAR).collect();
        assert_eq!(bar(1.0, 0.8), full);
        let half = bar(0.5, 0.8);
        assert_eq!(half.chars().filter(|c| *c == '█').count(), BAR / 2);
        assert_eq!(half.chars().position(|c| c == '┊'), Some(32));
        assert_eq!(half.chars().count(), BAR);
        assert_eq!(bar(0.8 + 1.0 / 320.0, 0.8).chars().last(), Some(' '));
        assert_eq!(bar(0.0, 1.0).chars().last(), Some('┊'));
    }

    #[test]
    fn columns_stay_aligned_in_both_scripts() {
        let lines = [vec!["来电".into(), "12".into()], vec!["abc".into(), "3 ± 1".into()]];
        assert_eq!(aligned(&lines), "  来电     12\n  abc   3 ± 1\n");
    }
}
