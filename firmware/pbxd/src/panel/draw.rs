//! The screens as pixels. Decides nothing: what is up and what it says is the machine's and the content's.

use base::time::Instant;
use pbx::config::Language;
use pbx::text::{Key, panel as key, text};
use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

use super::canvas::{BRIGHT, Canvas, DARK, DIM, FAINT, HEIGHT, ROW, WIDTH, fit, width};
use super::content::{self, Row};
use super::lights::LampPart;
use super::machine::{AlarmId, Machine, ROWS, Screen};
use super::menu::{Entry, Menu};
use super::view::{Core, Scene, View};

mod forms;

/// Rated capacity of the box, beside the calls there are.
pub const CALLS_RATED: usize = 50;
/// Right edge of texts: a scrollbar may stand beyond.
const RIGHT: i32 = WIDTH - 5;
/// Pixels of a module of the code.
const MODULE: i32 = 2;

/// The picture of a machine and a scene.
pub fn picture(machine: &Machine, now: Instant, scene: &Scene) -> Canvas {
    let mut draw = Draw { canvas: Canvas::default(), scene, language: machine.language(scene) };
    match machine.screen() {
        Screen::Idle => draw.idle(machine),
        Screen::Menu { menu, row } => draw.menu(machine, *menu, *row),
        Screen::Page { page, first } => {
            draw.heading(&draw.word(page.title()), "");
            draw.list(&content::rows(*page, scene, draw.language), *first);
        }
        Screen::Alarms { row } => draw.alarms(*row),
        Screen::Alarm { alarm, first } => draw.alarm(alarm, *first),
        Screen::Code { alarm } => draw.code(alarm.as_ref()),
        Screen::Switch(form) => draw.switch(form, now, machine.held_since()),
        Screen::Network(form) => draw.network(form),
        Screen::Reset(form) => draw.reset(form, now, machine.held_since()),
        Screen::Password(form) => draw.password(&draw.word(key::PASSWORD), form),
        Screen::Setup(setup) => draw.setup(setup),
        Screen::Busy { about, back } => draw.busy(*about, back),
        Screen::Trial => draw.trial(),
        Screen::Told { title, words, first, .. } => draw.told(*title, words, *first),
        Screen::Lamps { .. } => draw.lamps(machine.lamp_part(now)),
    }
    draw.canvas
}

struct Draw<'a> {
    canvas: Canvas,
    scene: &'a Scene,
    language: Language,
}

impl Draw<'_> {
    fn word(&self, key: Key) -> String {
        key.raw(self.language).to_string()
    }

    /// The bar over every screen but the idle one.
    fn heading(&mut self, title: &str, right: &str) {
        self.canvas.fill(0, 0, WIDTH, ROW, FAINT);
        let room = WIDTH - width(right) - 12;
        self.canvas.bold(3, 0, BRIGHT, &fit(title, room));
        self.canvas.text_before(WIDTH - 3, 0, 11, right);
    }

    fn idle(&mut self, machine: &Machine) {
        let (scene, canvas) = (self.scene, &mut self.canvas);
        let clock = scene.clock(scene.now.wall.as_millis());
        let mut right = canvas.text_before(WIDTH - 2, 0, BRIGHT, &clock) - 8;
        for sign in &content::signs(scene, machine.settings().buzzer, self.language) {
            let left = right - width(sign) - 6;
            canvas.frame_box(left, 0, width(sign) + 6, ROW, DIM);
            canvas.text(left + 3, 0, BRIGHT, sign);
            right = left - 6;
        }
        let name = scene.view().map_or("Cordboard", |view| &view.name);
        canvas.bold(2, 0, BRIGHT, &fit(name, right - 8));
        canvas.fill(0, 17, WIDTH, 1, FAINT);
        match &scene.core {
            Core::Starting => self.say(26, key::STARTING),
            Core::Silent => self.say(26, key::CORE_SILENT),
            Core::Seen(view) => self.figures(view),
        }
        self.footer();
    }

    fn say(&mut self, y: i32, key: Key) {
        self.canvas.text_around(WIDTH / 2, y, BRIGHT, key.raw(self.language));
    }

    /// Calls of the rated number, callers that wait, service level of the day.
    fn figures(&mut self, view: &View) {
        let calls = match view.calls.len() {
            few @ ..1_000 => format!("{few}/{CALLS_RATED}"),
            // Both would not fit.
            many => many.to_string(),
        };
        let waiting = view.waiting().to_string();
        let figures = [(key::CALLS, calls, 2), (key::WAITING, waiting, 110), (key::SERVICE_LEVEL, "–".into(), 202)];
        for (label, figure, x) in figures {
            let x = self.canvas.text(x, 25, DIM, label.raw(self.language)) + 5;
            self.canvas.big(x, 22, BRIGHT, &figure);
        }
    }

    fn footer(&mut self) {
        let y = HEIGHT - ROW;
        if self.scene.is_unset() {
            self.canvas.fill(0, y, WIDTH, ROW, BRIGHT);
            self.canvas.text_around(WIDTH / 2, y, DARK, key::UNSET.raw(self.language));
            return;
        }
        let alarms = self.scene.view().map_or(&[][..], |view| &view.alarms);
        if let Some(newest) = alarms.first() {
            self.canvas.fill(0, y, WIDTH, ROW, BRIGHT);
            self.canvas.warning(2, y, DARK, BRIGHT);
            let count = content::alarm_count(alarms.len(), self.language);
            let x = self.canvas.bold(20, y, DARK, &count) + 8;
            let title = content::alarm_title(newest, self.language);
            self.canvas.text(x, y, DARK, &fit(&title, WIDTH - x - 2));
            return;
        }
        let address = self.scene.view().and_then(|view| view.address).or(self.scene.facts.address);
        let address = address.map_or(self.word(key::NO_ADDRESS), |address| address.to_string());
        self.canvas.text(2, y, BRIGHT, &address);
        let supplies = text(key::SUPPLIES, self.language, &[("a", "–"), ("b", "–")]);
        self.canvas.text_before(WIDTH - 2, y, DIM, &supplies);
    }

    fn menu(&mut self, machine: &Machine, menu: Menu, row: usize) {
        let entries = menu.entries(self.scene);
        let clock = self.scene.clock(self.scene.now.wall.as_millis());
        self.heading(&self.word(menu.title()), &clock);
        let rows: Vec<Row> = entries.iter().map(|entry| self.entry(machine, *entry)).collect();
        self.choice(&rows, row);
    }

    fn entry(&self, machine: &Machine, entry: Entry) -> Row {
        let (left, right) = match entry {
            Entry::Open(menu) => (self.word(menu.title()), ">".to_string()),
            Entry::Read(page) => (self.word(page.title()), ">".to_string()),
            Entry::Alarms => {
                let count = self.scene.view().map_or(0, |view| view.alarms.len());
                (self.word(key::ALARMS), format!("{count} >"))
            }
            Entry::SetUp => (self.word(key::SETUP), ">".to_string()),
            Entry::Keep => (self.word(key::KEEP), self.left()),
            Entry::Switch(switch) => (self.switch_words(switch), self.sign_of(switch)),
            Entry::Network => (self.word(key::NETWORK), ">".to_string()),
            Entry::Reset(reset) => (self.word(reset.word()), ">".to_string()),
            Entry::Lamps => (self.word(key::LAMP_TEST), ">".to_string()),
            Entry::Diagnostics => (self.word(key::DIAGNOSTICS), ">".to_string()),
            Entry::Buzzer => {
                let on = machine.settings().buzzer;
                (self.word(if on { key::BUZZER_ON } else { key::BUZZER_OFF }), String::new())
            }
            Entry::Language(language) => (
                forms::language_name(language).to_string(),
                if language == self.language { "√".to_string() } else { String::new() },
            ),
        };
        Row { left, right }
    }

    /// Rows of which one is chosen; it is always seen.
    fn choice(&mut self, rows: &[Row], chosen: usize) {
        let first = chosen.saturating_sub(1).min(rows.len().saturating_sub(ROWS));
        for (place, (index, row)) in rows.iter().enumerate().skip(first).take(ROWS).enumerate() {
            let y = ROW * (place as i32 + 1);
            let ink = if index == chosen { DARK } else { BRIGHT };
            if index == chosen {
                self.canvas.fill(0, y, RIGHT, ROW, BRIGHT);
            }
            self.row(y, ink, ink, row);
        }
        self.canvas.scrollbar(ROW, HEIGHT - ROW, first, ROWS, rows.len());
    }

    /// Rows to read.
    fn list(&mut self, rows: &[Row], first: usize) {
        for (place, row) in rows.iter().skip(first).take(ROWS).enumerate() {
            self.row(ROW * (place as i32 + 1), BRIGHT, 11, row);
        }
        self.canvas.scrollbar(ROW, HEIGHT - ROW, first, ROWS, rows.len());
    }

    /// The right side is whole; the left one is cut when both do not fit.
    fn row(&mut self, y: i32, left: u8, right: u8, row: &Row) {
        let end = self.canvas.text_before(RIGHT - 3, y, right, &fit(&row.right, RIGHT - 60));
        self.canvas.text(3, y, left, &fit(&row.left, end - 10));
    }

    fn alarms(&mut self, chosen: usize) {
        let alarms = self.scene.view().map_or(&[][..], |view| &view.alarms);
        self.heading(&self.word(key::ALARMS), &alarms.len().to_string());
        let rows: Vec<Row> = alarms
            .iter()
            .map(|alarm| {
                let seen = if alarm.acknowledged { "" } else { "!" };
                let title = content::alarm_title(alarm, self.language);
                Row {
                    left: format!("{seen:1} {title}"),
                    right: content::stamp(self.scene, alarm.since.wall.as_millis()),
                }
            })
            .collect();
        if rows.is_empty() {
            self.say(2 * ROW, key::NO_ALARM);
        } else {
            self.choice(&rows, chosen);
        }
    }

    fn alarm(&mut self, id: &AlarmId, first: usize) {
        let Some(alarm) = self.scene.view().and_then(|view| view.alarm(&id.name, &id.subject)) else { return };
        let hint = if alarm.acknowledged { key::HINT_QR } else { key::HINT_ACKNOWLEDGE };
        self.heading(&content::alarm_name(alarm, self.language), hint.raw(self.language));
        let lines = content::alarm_lines(self.scene, id, self.language);
        for (place, line) in lines.iter().skip(first).take(ROWS).enumerate() {
            self.canvas.text(3, ROW * (place as i32 + 1), BRIGHT, line);
        }
        self.canvas.scrollbar(ROW, HEIGHT - ROW, first, ROWS, lines.len());
    }

    /// Light ground and dark modules, as readers expect; the ground is the quiet zone.
    fn code(&mut self, alarm: Option<&AlarmId>) {
        let words = content::code_text(self.scene, alarm);
        if let Some(code) = code(&words) {
            let size = code.size() * MODULE;
            let margin = (HEIGHT - size) / 2;
            self.canvas.fill(0, 0, HEIGHT + margin, HEIGHT, BRIGHT);
            for (x, y) in (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y))) {
                if code.get_module(x, y) {
                    self.canvas.fill(margin + 1 + x * MODULE, margin + y * MODULE, MODULE, MODULE, DARK);
                }
            }
        }
        let x = HEIGHT + 12;
        let title = match alarm.and_then(|id| key::title(&id.name)) {
            Some(title) => self.word(title),
            None => self.word(key::DIAGNOSTICS),
        };
        self.canvas.bold(x, 0, BRIGHT, &fit(&title, WIDTH - x));
        for (place, line) in [key::QR_READ, key::QR_READ_2, key::QR_MASKED].iter().enumerate() {
            self.canvas.text(x, ROW * (place as i32 + 1), 11, line.raw(self.language));
        }
    }

    fn lamps(&mut self, part: Option<LampPart>) {
        let name = match part {
            Some(LampPart::Screen) => {
                self.canvas.fill(0, 0, WIDTH, HEIGHT, BRIGHT);
                return;
            }
            Some(LampPart::Green) | None => key::GREEN,
            Some(LampPart::Amber) => key::AMBER,
            Some(LampPart::Red) => key::RED,
            Some(LampPart::Buzzer) => key::BUZZER,
        };
        self.heading(&self.word(key::LAMP_TEST), "");
        self.say(2 * ROW, name);
    }
}

/// A version 1 to 3 code, the correction as high as there is room for.
pub fn code(words: &str) -> Option<QrCode> {
    let segments = [QrSegment::make_alphanumeric(words)];
    let (low, high) = (Version::new(1), Version::new(3));
    QrCode::encode_segments_advanced(&segments, QrCodeEcc::Low, low, high, None, true).ok()
}
