//! Configuration tests of a large site: how long a commit waits for them. No program is started; the figure is one thread
//! of this one.

use super::report::{Report, Row};
use ::tests::peer::{Outcome, Trouble};
use pbx::calendar::Date;
use pbx::config::{Language, parse};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

const EXTENSIONS: usize = 1_000;
const QUEUES: usize = 50;
const TESTS: usize = 100;
/// Agents of one queue; an agent is at each extension.
const MEMBERS: usize = EXTENSIONS / QUEUES;
/// Keys of a menu that lead on.
const KEYS: usize = 9;
/// What a commit may wait, in ms.
const BOUND_MS: f64 = 5_000.0;

/// Plays all tests, and one alone.
pub fn measure(report: &mut Report) -> Outcome {
    let text = site();
    let config = parse(&text).map_err(|problems| {
        let words: Vec<String> = problems.iter().map(|problem| problem.render(Language::En)).collect();
        Trouble(format!("the site of the measurement is no site: {}", words.join("\n")))
    })?;
    let config = Arc::new(config);
    let today = Date::new(2026, 11, 23).ok_or_else(|| Trouble("no such day".into()))?;
    let begun = Instant::now();
    let verdicts = pbx::trial::run_all(&config, today, &mut |_, _| {});
    let all = begun.elapsed();
    let begun = Instant::now();
    let one = pbx::trial::run(&config, "t0", today);
    let single = begun.elapsed();
    let failed = verdicts.iter().find_map(|(name, verdict)| Some((name, verdict.failure.as_ref()?)));
    if let Some((name, failure)) = failed {
        return Err(Trouble(format!("test {name}: {}", failure.reason.render(Language::En))));
    }
    let mut row = |what: &str, time: Duration, peer: Option<f64>| {
        let case = format!("{EXTENSIONS} extensions, {QUEUES} queues");
        let value = time.as_secs_f64() * 1_000.0;
        report.row(Row { bench: "trial", case, what: what.into(), value, unit: "ms", peer });
    };
    row(&format!("{} tests", verdicts.len()), all, Some(BOUND_MS));
    row("one test alone", single, None);
    let rows = one.ladder.len() as f64;
    report.row(Row {
        bench: "trial",
        case: "t0".into(),
        what: "rows of its ladder".into(),
        value: rows,
        unit: "",
        peer: None,
    });
    Ok(())
}

/// A menu of menus before the queues, each of which overflows into the next.
fn site() -> String {
    let mut text = String::from("sip { listen 127.0.0.1:5060; }\ncalendar office { hours [ mon-fri/09:00-18:00 ]; }\n");
    for n in 0..EXTENSIONS {
        let _ = writeln!(text, "extension {} {{ secret secret-of-{n}; }}", 20_000 + n);
        let _ =
            writeln!(text, "agent {} {{ extension {}; skills [ english:{} ]; }}", 50_000 + n, 20_000 + n, n % 10 + 1);
    }
    text.push_str("skill english { }\n");
    for n in 0..QUEUES {
        let members: Vec<String> = (0..MEMBERS).map(|m| (50_000 + n * MEMBERS + m).to_string()).collect();
        let _ = writeln!(
            text,
            "queue q{n} {{ agents [ {} ]; calendar office; overflow-wait-s 30; overflow wait {{ to queue q{}; }} \
             overflow closed {{ to menu closed; }} skill english {{ level 5; }} }}",
            members.join(" "),
            (n + 1) % QUEUES
        );
    }
    let menus = QUEUES.div_ceil(KEYS);
    let keys = |to: &dyn Fn(usize) -> Option<String>| -> String {
        let line = |key: usize| to(key).map(|to| format!("key {} {{ to {to}; }} ", key + 1));
        (0..KEYS).filter_map(line).collect()
    };
    let main = keys(&|key| (key < menus).then(|| format!("menu m{key}")));
    let _ = writeln!(text, "menu main {{ prompt menu-main; {main}otherwise {{ to queue q0; }} }}");
    for menu in 0..menus {
        let own = keys(&|key| (menu * KEYS + key < QUEUES).then(|| format!("queue q{}", menu * KEYS + key)));
        let _ = writeln!(text, "menu m{menu} {{ prompt menu-sub; {own}otherwise {{ to queue q0; }} }}");
    }
    text.push_str("menu closed { prompt menu-closed; key 1 { to hangup; } otherwise { to hangup; } }\n");
    text.push_str("did 4001234 { to menu main; }\n");
    tests(&mut text);
    text
}

/// Of every four: to an agent, at night, with few at work, and on to the next queue when nobody is.
fn tests(text: &mut String) {
    for n in 0..TESTS {
        let queue = n % QUEUES;
        let press = format!("press [ {} {} ];", queue / KEYS + 1, queue % KEYS + 1);
        let able = 50_000 + queue * MEMBERS + 9;
        let next = (queue + 1) % QUEUES;
        let (at, rest) = match n % 4 {
            0 => (
                "mon 10:00",
                format!("expect menu main then queue q{queue} within 10s then agent {} within 10s;", able - 5),
            ),
            1 => ("sun 12:00", "expect closed then menu closed then hangup;".to_string()),
            2 => ("tue 09:00", format!("agents [ {able} ]; expect agent {able} within 30s;")),
            _ => ("fri 17:30", format!("agents [ ]; expect queue q{queue} then overflow then queue q{next};")),
        };
        let _ = writeln!(text, "test t{n} {{ call from 1380013{n:04} to 4001234 at \"{at}\"; {press} {rest} }}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measured_tests_pass() {
        let mut report = Report::begin();
        measure(&mut report).unwrap();
    }
}
