//! What is known of the terminal at the other end: its size when it answers the question for it, otherwise that it may
//! be anything, and then it gets ASCII without pages. Sans-IO.

/// Asks for the size: remembers the cursor, goes as far as it goes, asks where that is, comes back.
const QUESTION: &str = "\x1b7\x1b[999;999H\x1b[6n\x1b8";
/// Columns of a terminal that does not say.
const COLUMNS: usize = 80;
/// Fewest columns and rows that are worked with; a terminal that says less is taken for one of these.
const COLUMNS_MIN: u16 = 20;
const ROWS_MIN: u16 = 3;

/// The terminal.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// Rows and columns.
    size: Option<(u16, u16)>,
    /// Asked, and not answered yet.
    asked: bool,
    /// Rows of a page as a person wants them; 0 is no pages.
    length: Option<u16>,
}

impl Screen {
    /// What is sent to ask for the size.
    pub fn ask(&mut self) -> &'static str {
        self.asked = true;
        QUESTION
    }

    /// The answer; one that nobody asked for is not taken.
    pub fn answered(&mut self, row: u16, column: u16) {
        if std::mem::take(&mut self.asked) {
            self.size = Some((row.max(ROWS_MIN), column.max(COLUMNS_MIN)));
        }
    }

    /// A line was typed: a terminal that has not answered until now knows no escape sequences.
    pub fn settle(&mut self) {
        if self.asked {
            self.size = None;
        }
    }

    /// Pages of so many rows; 0 is none, nothing is as the terminal says.
    pub fn set_length(&mut self, rows: Option<u16>) {
        self.length = rows;
    }

    /// It answers, so that it may be asked again without writing rubbish on it.
    pub fn answers(&self) -> bool {
        self.size.is_some()
    }

    /// Cells in a row.
    pub fn columns(&self) -> usize {
        self.size.map_or(COLUMNS, |(_, columns)| usize::from(columns))
    }

    /// Rows that can be drawn in place, the cursor's below them; none on a terminal that may not know how.
    pub fn rows(&self) -> Option<usize> {
        self.size.map(|(rows, _)| usize::from(rows) - 1)
    }

    /// Rows of a page, without that for `--More--`; none without pages.
    pub fn page(&self) -> Option<usize> {
        let rows = self.length.or(self.size.map(|(rows, _)| rows)).filter(|rows| *rows > 0)?;
        Some(usize::from(rows.max(ROWS_MIN)) - 1)
    }

    /// A text as this terminal can show it, without what would move its cursor.
    pub fn shown(&self, text: &str) -> String {
        let printable = text.chars().filter(|c| *c == '\n' || !c.is_control());
        if self.answers() {
            return printable.collect();
        }
        let mut out = String::new();
        for c in printable {
            if c == '…' { out.push_str("...") } else { out.push(ascii(c)) }
        }
        out
    }

    /// Whether something of a text cannot be shown here as it is.
    pub fn mutilates(&self, text: &str) -> bool {
        !self.answers() && text.chars().any(|c| c != '?' && ascii(c) == '?')
    }
}

/// What stands for a character on a terminal that may know nothing but ASCII.
fn ascii(c: char) -> char {
    match c {
        '\u{0}'..='\u{7f}' => c,
        '─' | '—' | '–' | '━' => '-',
        '│' | '┃' | '▌' => '|',
        '█' => '#',
        '·' => '*',
        '→' => '>',
        '←' => '<',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' => '+',
        '“' | '”' => '"',
        '‘' | '’' => '\'',
        '×' => 'x',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_answers_has_a_size_and_one_that_does_not_gets_ascii() {
        let mut screen = Screen::default();
        assert_eq!((screen.columns(), screen.page(), screen.shown("─ 客…")), (80, None, "- ?...".to_string()));
        screen.answered(50, 132);
        assert!(!screen.answers(), "nobody asked");
        screen.ask();
        screen.answered(50, 132);
        assert_eq!(
            (screen.columns(), screen.page(), screen.shown("─ 客\x1b[2J\n")),
            (132, Some(49), "─ 客[2J\n".into())
        );
        screen.ask();
        screen.settle();
        assert_eq!((screen.columns(), screen.page()), (80, None));
        screen.answered(24, 80);
        assert_eq!(screen.page(), Some(23), "a late answer is one");
    }

    #[test]
    fn a_person_may_set_the_length_of_pages() {
        let mut screen = Screen::default();
        screen.set_length(Some(10));
        assert_eq!(screen.page(), Some(9));
        screen.set_length(Some(0));
        assert_eq!(screen.page(), None);
        screen.set_length(Some(1));
        assert_eq!(screen.page(), Some(2));
    }
}
