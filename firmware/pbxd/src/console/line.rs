//! The line that is being typed, with history and a cut text, and how it looks in a terminal of any kind. Sans-IO. It is
//! drawn with nothing but characters, blanks, backspaces and carriage returns, so that a terminal that knows no escape
//! sequence shows it, too; a line that is too wide slides under its prompt.

use crate::story::layout::{cells, width};
use std::collections::VecDeque;

/// Characters of a line at most.
pub const LINE_MAX: usize = 1_024;
/// Lines remembered.
const HISTORY_MAX: usize = 100;

/// What is done to a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edit {
    /// A character at the cursor.
    Insert(char),
    /// Removes the one before the cursor.
    Backspace,
    /// Removes the one under the cursor.
    Delete,
    /// One to the left.
    Left,
    /// One to the right.
    Right,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// Cuts to the end.
    CutToEnd,
    /// Cuts to the beginning.
    CutToBeginning,
    /// Cuts the word before the cursor.
    CutWord,
    /// Puts what was cut at the cursor.
    Paste,
    /// The line before, in history.
    Older,
    /// The line after.
    Newer,
}

/// The line.
#[derive(Clone, Debug, Default)]
pub struct Line {
    text: Vec<char>,
    at: usize,
    cut: Vec<char>,
    history: VecDeque<String>,
    /// Steps back in history, and the line that was left for it.
    browsing: Option<(usize, Vec<char>)>,
    /// Cells of prompt and text as last drawn, and of those left of the cursor.
    drawn: (usize, usize),
    /// The last edit put one character at the end.
    appended: bool,
}

impl Line {
    /// The whole text.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// The text before the cursor.
    pub fn before(&self) -> String {
        self.text.iter().take(self.at).collect()
    }

    /// Nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Changes the line; false when that cannot be.
    pub fn edit(&mut self, edit: Edit) -> bool {
        let at_end = self.at == self.text.len();
        self.appended = false;
        match edit {
            Edit::Insert(char) => {
                let inserted = self.insert(&[char]);
                self.appended = inserted && at_end;
                return inserted;
            }
            Edit::Backspace if self.at > 0 => {
                self.at -= 1;
                self.text.remove(self.at);
            }
            Edit::Delete if self.at < self.text.len() => {
                self.text.remove(self.at);
            }
            Edit::Left if self.at > 0 => self.at -= 1,
            Edit::Right if self.at < self.text.len() => self.at += 1,
            Edit::Backspace | Edit::Delete | Edit::Left | Edit::Right => return false,
            Edit::Home => self.at = 0,
            Edit::End => self.at = self.text.len(),
            Edit::CutToEnd => self.cut = self.text.split_off(self.at),
            Edit::CutToBeginning => {
                self.cut = self.text.drain(..self.at).collect();
                self.at = 0;
            }
            Edit::CutWord => {
                let before = self.text.iter().take(self.at).collect::<String>();
                let word = before.trim_end().chars().rev().take_while(|c| *c != ' ').count();
                let from = before.trim_end().chars().count() - word;
                self.cut = self.text.drain(from..self.at).collect();
                self.at = from;
            }
            Edit::Paste => {
                let cut = self.cut.clone();
                return self.insert(&cut);
            }
            Edit::Older => return self.browse(true),
            Edit::Newer => return self.browse(false),
        }
        true
    }

    /// Puts text at the cursor; false when it does not fit.
    pub fn insert(&mut self, text: &[char]) -> bool {
        self.appended = false;
        if self.text.len() + text.len() > LINE_MAX {
            return false;
        }
        self.text.splice(self.at..self.at, text.iter().copied());
        self.at += text.len();
        true
    }

    fn browse(&mut self, older: bool) -> bool {
        let back = self.browsing.as_ref().map_or(0, |(back, _)| *back);
        let wanted = if older { back + 1 } else { back.wrapping_sub(1) };
        if back == 0 && !older || wanted > self.history.len() {
            return false;
        }
        let (_, left) = self.browsing.take().unwrap_or_else(|| (0, self.text.clone()));
        self.text = match wanted {
            0 => left,
            back => {
                let found = self.history.get(self.history.len() - back).map(|line| line.chars().collect());
                self.browsing = Some((back, left));
                found.unwrap_or_default()
            }
        };
        self.at = self.text.len();
        true
    }

    /// The line is over: gives its text and begins anew. It is remembered unless it is `secret`: whoever sits down at the
    /// console next can look at what was typed before.
    pub fn finish(&mut self, secret: fn(&str) -> bool) -> String {
        let text: String = std::mem::take(&mut self.text).into_iter().collect();
        (self.at, self.browsing, self.drawn) = (0, None, (0, 0));
        if !text.trim().is_empty() && self.history.back() != Some(&text) && !secret(&text) {
            self.history.push_back(text.clone());
            if self.history.len() > HISTORY_MAX {
                self.history.pop_front();
            }
        }
        text
    }

    /// Throws the text away.
    pub fn abandon(&mut self) {
        self.text.clear();
        (self.at, self.browsing, self.drawn) = (0, None, (0, 0));
    }

    /// What is sent so that a terminal of `columns` shows prompt and line; `anew` when the cursor stands in an empty row.
    pub fn draw(&mut self, prompt: &str, columns: usize, anew: bool) -> String {
        // The last column stays free: some terminals jump to the next row behind it, some do not.
        let room = columns.saturating_sub(width(prompt) + 1).max(4);
        let mut from = 0;
        let cells_of = |part: &[char]| part.iter().map(|c| cells(*c)).sum::<usize>();
        while cells_of(self.text.get(from..self.at).unwrap_or_default()) > room {
            from += 1;
        }
        let mut used = 0;
        let visible: Vec<char> = self
            .text
            .iter()
            .skip(from)
            .copied()
            .take_while(|c| {
                used += cells(*c);
                used <= room
            })
            .collect();
        let left = width(prompt) + cells_of(self.text.get(from..self.at).unwrap_or_default());
        let whole = width(prompt) + cells_of(&visible);
        let before = if anew { (0, 0) } else { self.drawn };
        self.drawn = (whole, left);
        // One more character at the end of all that is shown: the usual case, and the quickest.
        let appended = std::mem::take(&mut self.appended) && !anew && from == 0 && visible.len() == self.text.len();
        if let (Some(last), true) = (visible.last(), appended)
            && before == (whole - cells(*last), whole - cells(*last))
        {
            return last.to_string();
        }
        let mut out = String::from("\r");
        out.push_str(prompt);
        out.extend(&visible);
        let clear = before.0.saturating_sub(whole);
        out.extend(std::iter::repeat_n(' ', clear));
        out.extend(std::iter::repeat_n('\u{8}', clear + whole - left));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(text: &str) -> Line {
        let mut line = Line::default();
        text.chars().for_each(|c| assert!(line.edit(Edit::Insert(c))));
        line
    }

    /// What a terminal without escape sequences would show in one row, and where its cursor stands, in cells.
    fn shown(row: &mut Vec<char>, at: &mut usize, sent: &str) {
        for c in sent.chars() {
            match c {
                '\r' => *at = 0,
                '\u{8}' => *at = at.checked_sub(1).unwrap(),
                c => {
                    for part in 0..cells(c) {
                        let place = *at + part;
                        if row.len() <= place {
                            row.resize(place + 1, ' ');
                        }
                        row[place] = if part == 0 { c } else { '\0' };
                    }
                    *at += cells(c);
                }
            }
        }
    }

    #[test]
    fn words_are_cut_and_pasted() {
        let mut line = typed("show queue support ");
        line.edit(Edit::CutWord);
        assert_eq!(line.text(), "show queue ");
        line.edit(Edit::Home);
        line.edit(Edit::Paste);
        assert_eq!(line.text(), "support show queue ");
        line.edit(Edit::CutToEnd);
        assert_eq!((line.text().as_str(), line.before().as_str()), ("support ", "support "));
        line.edit(Edit::CutToBeginning);
        assert!(line.is_empty() && line.edit(Edit::Paste));
        assert_eq!(line.text(), "support ");
    }

    #[test]
    fn history_goes_back_and_forth_and_keeps_what_was_begun() {
        let mut line = typed("one");
        line.finish(|_| false);
        for c in "two".chars() {
            line.edit(Edit::Insert(c));
        }
        line.finish(|_| false);
        line.edit(Edit::Insert('x'));
        assert!(line.edit(Edit::Older) && line.text() == "two");
        assert!(line.edit(Edit::Older) && line.text() == "one");
        assert!(!line.edit(Edit::Older) && line.text() == "one");
        assert!(line.edit(Edit::Newer) && line.edit(Edit::Newer) && line.text() == "x");
        assert!(!line.edit(Edit::Newer));
    }

    #[test]
    fn a_line_is_bounded_and_history_is() {
        let mut line = Line::default();
        for _ in 0..3 * LINE_MAX {
            line.edit(Edit::Insert('客'));
        }
        assert_eq!(line.text().chars().count(), LINE_MAX);
        for number in 0..3 * HISTORY_MAX {
            line.abandon();
            number.to_string().chars().for_each(|c| assert!(line.edit(Edit::Insert(c))));
            line.finish(|_| false);
        }
        assert_eq!(line.history.len(), HISTORY_MAX);
    }

    #[test]
    fn a_character_at_the_end_is_sent_alone() {
        let mut line = typed("sho");
        line.draw("> ", 80, true);
        line.edit(Edit::Insert('w'));
        assert_eq!(line.draw("> ", 80, false), "w");
        line.edit(Edit::Left);
        line.edit(Edit::Insert('客'));
        assert_eq!(line.draw("> ", 80, false), "\r> sho客w\u{8}");
    }

    fn any_edit() -> impl Strategy<Value = Edit> {
        prop_oneof![
            6 => prop_oneof![Just('a'), Just(' '), Just('客'), any::<char>()].prop_filter_map("printable", |c| {
                (!c.is_control() && cells(c) > 0).then_some(Edit::Insert(c))
            }),
            1 => Just(Edit::Backspace), 1 => Just(Edit::Delete), 1 => Just(Edit::Left), 1 => Just(Edit::Right),
            1 => Just(Edit::Home), 1 => Just(Edit::End), 1 => Just(Edit::CutToEnd), 1 => Just(Edit::CutToBeginning),
            1 => Just(Edit::CutWord), 1 => Just(Edit::Paste), 1 => Just(Edit::Older), 1 => Just(Edit::Newer),
        ]
    }

    proptest! {
        /// Drawn step by step, the row is what one drawing anew shows, inside the terminal, cursor included.
        #[test]
        fn what_is_drawn_step_by_step_is_the_line(
            edits in proptest::collection::vec(any_edit(), 0..60), columns in 10usize..40,
        ) {
            let mut line = typed("");
            "earlier".chars().for_each(|c| assert!(line.edit(Edit::Insert(c))));
            line.finish(|_| false);
            let (mut row, mut at) = (Vec::new(), 0);
            shown(&mut row, &mut at, &line.draw("> ", columns, true));
            for edit in edits {
                line.edit(edit);
                shown(&mut row, &mut at, &line.draw("> ", columns, false));
                let (mut fresh, mut cursor) = (Vec::new(), 0);
                shown(&mut fresh, &mut cursor, &line.clone().draw("> ", columns, true));
                let end = |row: &[char]| row.iter().collect::<String>().trim_end().to_string();
                prop_assert_eq!(end(&row), end(&fresh));
                prop_assert_eq!(at, cursor);
                prop_assert!(fresh.len() < columns + 1);
            }
        }
    }
}
