//! What was measured, as a table for people and as JSON for programs.

use super::noise::{Calibration, calibrate, load};
use serde_json::{Value, json};
use std::fmt::Write;

/// One figure.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which bench.
    pub bench: &'static str,
    /// Under which conditions.
    pub case: String,
    /// What was measured.
    pub what: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// The same of the program to beat, when it was measured there.
    pub peer: Option<f64>,
}

/// All figures of a run, and the machine's state around them.
pub struct Report {
    rows: Vec<Row>,
    begun: (Calibration, String),
    ended: Option<(Calibration, String)>,
}

impl Report {
    /// Looks at the machine.
    pub fn begin() -> Report {
        Report { rows: Vec::new(), begun: (calibrate(), load()), ended: None }
    }

    /// Looks at the machine again.
    pub fn finish(&mut self) {
        self.ended = Some((calibrate(), load()));
    }

    /// One more figure, told at once on standard error because the rest may take minutes.
    pub fn row(&mut self, row: Row) {
        eprint!("{}", line(&row));
        self.rows.push(row);
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (when, state) in [("before", Some(&self.begun)), ("after", self.ended.as_ref())] {
            let Some((calibration, load)) = state else { continue };
            let (best, worst) = (ns(calibration.best_ps), ns(calibration.worst_ps));
            let _ =
                writeln!(text, "machine {when}: load {load}; fixed loop {best:.2} ns a round, at worst {worst:.2} ns");
        }
        let _ = writeln!(
            text,
            "\n{:<8} {:<26} {:<32} {:>10} {:<6} {:>8} {:>8}",
            "bench", "case", "figure", "value", "unit", "to beat", "ratio"
        );
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let machine = |state: &(Calibration, String)| json!({ "load": state.1, "loop_ns_best": ns(state.0.best_ps), "loop_ns_worst": ns(state.0.worst_ps) });
        let row = |row: &Row| {
            json!({ "bench": row.bench, "case": row.case, "figure": row.what, "value": row.value, "unit": row.unit,
                    "to_beat": row.peer })
        };
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        json!({
            "cpus": cpus,
            "before": machine(&self.begun),
            "after": self.ended.as_ref().map(machine),
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

fn ns(ps: u64) -> f64 {
    ps as f64 / 1000.0
}

fn line(row: &Row) -> String {
    let peer = row.peer.map(|peer| format!("{peer:.0}")).unwrap_or_default();
    let ratio =
        row.peer.filter(|_| row.value > 0.0).map(|peer| format!("{:.1}x", peer / row.value)).unwrap_or_default();
    let value = if row.value >= 100.0 || row.value == row.value.trunc() {
        format!("{:.0}", row.value)
    } else {
        format!("{:.2}", row.value)
    };
    format!("{:<8} {:<26} {:<32} {value:>10} {:<6} {peer:>8} {ratio:>8}\n", row.bench, row.case, row.what, row.unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_put_in_relation_to_the_one_to_beat() {
        let row = Row {
            bench: "calls",
            case: "trunk".into(),
            what: "CPU per call".into(),
            value: 500.0,
            unit: "µs",
            peer: Some(3000.0),
        };
        assert!(line(&row).trim_end().ends_with("500 µs         3000     6.0x"), "{}", line(&row));
    }
}
