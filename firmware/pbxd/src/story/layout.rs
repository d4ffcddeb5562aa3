//! Plain text in columns: how wide a piece of text stands in a terminal, and padding to it. Chinese characters take
//! two cells.

/// Code points that a terminal draws two cells wide (Unicode 15.1 EastAsianWidth.txt, classes W and F, as ranges
/// merged over what operator texts and names can contain).
const WIDE: [(u32, u32); 11] = [
    (0x1100, 0x115F),
    (0x2E80, 0x303E),
    (0x3041, 0x33FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA000, 0xA4CF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE6F),
    (0xFF00, 0xFF60),
    (0x20000, 0x3FFFD),
];

/// Cells that a character takes.
pub fn cells(c: char) -> usize {
    let code = c as u32;
    if c.is_control() || (0x0300..=0x036F).contains(&code) || (0xFE00..=0xFE0F).contains(&code) {
        0
    } else if WIDE.iter().any(|(from, to)| (*from..=*to).contains(&code)) {
        2
    } else {
        1
    }
}

/// Cells that a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// The text without control characters (a peer may have put them there), cut to `cells_max` cells with `…`.
pub fn fit(text: &str, cells_max: usize) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    if width(&clean) <= cells_max {
        return clean;
    }
    let mut fitted = String::new();
    for c in clean.chars() {
        if width(&fitted) + cells(c) + 1 > cells_max {
            break;
        }
        fitted.push(c);
    }
    fitted.push('…');
    fitted
}

/// Padded with `fill` on the right to `cells_min` cells.
pub fn left(text: &str, cells_min: usize, fill: char) -> String {
    let mut padded = text.to_string();
    padded.extend(std::iter::repeat_n(fill, cells_min.saturating_sub(width(text))));
    padded
}

/// Padded with `fill` on both sides to `cells_min` cells.
pub fn centred(text: &str, cells_min: usize, fill: char) -> String {
    let free = cells_min.saturating_sub(width(text));
    let mut padded: String = std::iter::repeat_n(fill, free / 2).collect();
    padded.push_str(text);
    padded.extend(std::iter::repeat_n(fill, free - free / 2));
    padded
}

/// Rows under a heading, each column as wide as its widest cell, two spaces between.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|h| width(h)).collect();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            if let Some(w) = widths.get_mut(column) {
                *w = (*w).max(width(cell));
            }
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, w)| left(cell, *w, ' ')).collect();
        format!("  {}\n", padded.join("  ").trim_end())
    };
    let mut text = line(&mut heading.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_cells_and_columns_stay_aligned() {
        assert_eq!(width("客服 a"), 6);
        assert_eq!(left("客服", 6, '.'), "客服..");
        assert_eq!(centred("ab", 5, '-'), "-ab--");
        assert_eq!(fit("客服组长", 5), "客服…");
        assert_eq!(fit("a\x1b[31mb", 9), "a[31mb");
        let text = table(&["x", "y"], &[vec!["客服".into(), "1".into()], vec!["a".into(), "2".into()]]);
        assert_eq!(text, "  x     y\n  客服  1\n  a     2\n");
    }
}
