//! Text in pages. Sans-IO: what is left, and what is shown next.

use crate::story::layout::width;
use std::collections::VecDeque;

/// What stands under a page.
pub const MORE: &str = "--More--";

/// The lines that are still to be shown.
#[derive(Clone, Debug)]
pub struct Pager {
    rest: VecDeque<String>,
}

impl Pager {
    /// All of a text.
    pub fn of(text: &str) -> Pager {
        Pager { rest: text.lines().map(str::to_string).collect() }
    }

    /// The next lines: as many as fit into `rows` of `columns` cells, at least one. All of them without `rows`.
    pub fn next(&mut self, rows: Option<usize>, columns: usize) -> Vec<String> {
        let Some(rows) = rows else { return self.rest.drain(..).collect() };
        let (mut used, mut lines) = (0, Vec::new());
        while let Some(line) = self.rest.front() {
            used += width(line).div_ceil(columns.max(1)).max(1);
            if used > rows && !lines.is_empty() {
                break;
            }
            lines.extend(self.rest.pop_front());
        }
        lines
    }

    /// Everything was shown.
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_what_fits_and_long_lines_take_several_rows() {
        let text = ["a", "", &"客".repeat(30), "b", "c"].join("\n");
        let mut pager = Pager::of(&text);
        assert_eq!(pager.next(Some(4), 20), ["a", ""]);
        assert_eq!(pager.next(Some(3), 20).len(), 1, "as wide as three rows");
        assert_eq!(pager.next(Some(1), 20), ["b"]);
        assert!(!pager.is_done());
        assert_eq!(pager.next(None, 20), ["c"]);
        assert!(pager.is_done() && pager.next(Some(5), 20).is_empty());
    }

    #[test]
    fn a_line_longer_than_a_page_does_not_stop_it() {
        let mut pager = Pager::of(&"x".repeat(1_000));
        assert_eq!(pager.next(Some(2), 20).len(), 1);
        assert!(pager.is_done());
    }
}
