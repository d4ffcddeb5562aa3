//! Draws on a picture: text in two scripts, boxes, signs. Knows no screen.
//!
//! Latin is 7 pixels wide (misc-fixed, public domain, as `embedded-graphics` carries it), Chinese 16; widths are counted
//! in pixels, never in characters. A row is 16 pixels high.

use drivers::ssd1322::Frame;
use embedded_graphics::mono_font::iso_8859_1::{FONT_7X13, FONT_7X13_BOLD, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Gray4, GrayColor};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};
use std::convert::Infallible;

use super::glyph;

/// Width of the picture.
pub const WIDTH: i32 = base::panel::WIDTH as i32;
/// Height of the picture.
pub const HEIGHT: i32 = base::panel::HEIGHT as i32;
/// Height of a row of text.
pub const ROW: i32 = 16;
/// Latin letters of 13 pixels stand in the middle of a row.
const LATIN_DROP: i32 = 2;
const LATIN_WIDTH: i32 = 7;
const BIG_WIDTH: i32 = 10;

/// Full light.
pub const BRIGHT: u8 = 15;
/// What is said beside.
pub const DIM: u8 = 7;
/// Lines and grounds.
pub const FAINT: u8 = 3;
/// Nothing.
pub const DARK: u8 = 0;

/// A picture to draw on.
#[derive(Clone, Default)]
pub struct Canvas {
    frame: Frame,
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(base::panel::WIDTH as u32, base::panel::HEIGHT as u32)
    }
}

impl DrawTarget for Canvas {
    type Color = Gray4;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Gray4>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, colour) in pixels {
            self.dot(point.x, point.y, colour.luma());
        }
        Ok(())
    }
}

/// Whether a character is drawn with the Latin font.
pub fn is_latin(char: char) -> bool {
    matches!(char, ' '..='~' | '\u{A0}'..='\u{FF}') || char == '–'
}

fn char_width(char: char) -> i32 {
    if is_latin(char) { LATIN_WIDTH } else { glyph::SIZE as i32 }
}

/// Width of a text in pixels.
pub fn width(text: &str) -> i32 {
    text.chars().map(char_width).sum()
}

/// Width of digits in the big font.
pub fn big_width(text: &str) -> i32 {
    text.chars().count() as i32 * BIG_WIDTH
}

/// As much of a text as fits into so many pixels, with a sign where it was cut.
pub fn fit(text: &str, room: i32) -> String {
    if width(text) <= room {
        return text.to_string();
    }
    let mut left = room - 2 * LATIN_WIDTH;
    let kept = text.chars().take_while(|char| {
        left -= char_width(*char);
        left >= 0
    });
    kept.chain("..".chars()).collect()
}

/// Breaks a text into lines of so many pixels: Latin between words, Chinese anywhere but before closing punctuation. A
/// word wider than a line is broken within.
pub fn wrap(text: &str, room: i32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(text) {
        let line = lines.last().map_or(0, |line| width(line));
        if line > 0 && line + width(piece.trim_end()) > room {
            lines.push(String::new());
        }
        for char in piece.chars() {
            let full = lines.last().is_some_and(|line| width(line) + char_width(char) > room);
            match (full, char) {
                // A space at the end of a line is not missed.
                (true, ' ') => {}
                (true, _) => lines.push(char.to_string()),
                (false, _) => lines.last_mut().into_iter().for_each(|line| line.push(char)),
            }
        }
    }
    lines.iter().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect()
}

/// What must not be separated: a Latin word with the space behind it, a Chinese character with its punctuation.
fn pieces(text: &str) -> Vec<&str> {
    let closing = |char: char| "，。：；！？、）”》…".contains(char);
    let mut cuts = Vec::new();
    let mut before: Option<char> = None;
    for (at, char) in text.char_indices() {
        let apart = match before {
            None => false,
            Some(before) => {
                let words = is_latin(before) && is_latin(char);
                let joined = words && before != ' ' || closing(char) || "（“《".contains(before);
                !(joined || char == ' ')
            }
        };
        if apart {
            cuts.push(at);
        }
        before = Some(char);
    }
    let ends = cuts.iter().copied().chain([text.len()]);
    let mut from = 0;
    ends.filter_map(|end| text.get(std::mem::replace(&mut from, end)..end)).collect()
}

impl Canvas {
    /// The picture.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// One pixel; outside the picture nothing happens.
    pub fn dot(&mut self, x: i32, y: i32, grey: u8) {
        if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) {
            self.frame.set(x, y, grey);
        }
    }

    /// Text whose row begins at `y`; where it ends.
    pub fn text(&mut self, x: i32, y: i32, grey: u8, text: &str) -> i32 {
        self.write(x, y, grey, text, &FONT_7X13)
    }

    /// Text with heavier Latin.
    pub fn bold(&mut self, x: i32, y: i32, grey: u8, text: &str) -> i32 {
        self.write(x, y, grey, text, &FONT_7X13_BOLD)
    }

    /// Text that ends before `x`; where it begins.
    pub fn text_before(&mut self, x: i32, y: i32, grey: u8, text: &str) -> i32 {
        let start = x - width(text);
        self.text(start, y, grey, text);
        start
    }

    /// Text around `x`.
    pub fn text_around(&mut self, x: i32, y: i32, grey: u8, text: &str) {
        self.text(x - width(text) / 2, y, grey, text);
    }

    /// Digits 20 pixels high from `y` on; where they end.
    pub fn big(&mut self, x: i32, y: i32, grey: u8, text: &str) -> i32 {
        self.latin(x, y, grey, &text.replace('–', "-"), &FONT_10X20);
        x + big_width(text)
    }

    fn write(&mut self, x: i32, y: i32, grey: u8, text: &str, font: &MonoFont<'_>) -> i32 {
        let mut x = x;
        for char in text.chars() {
            if char == '–' {
                self.latin(x, y + LATIN_DROP, grey, "-", font);
            } else if is_latin(char) {
                self.latin(x, y + LATIN_DROP, grey, char.encode_utf8(&mut [0; 4]), font);
            } else {
                self.glyph(x, y, grey, char);
            }
            x += char_width(char);
        }
        x
    }

    fn latin(&mut self, x: i32, y: i32, grey: u8, text: &str, font: &MonoFont<'_>) {
        let style = MonoTextStyle::new(font, Gray4::new(grey));
        // A canvas cannot fail: its error has no value.
        let _ = Text::with_baseline(text, Point::new(x, y), style, Baseline::Top).draw(self);
    }

    /// A character that the font does not have is an empty box.
    fn glyph(&mut self, x: i32, y: i32, grey: u8, char: char) {
        let Some(rows) = glyph::rows(char) else {
            self.frame_box(x + 2, y + 2, 12, 12, grey);
            return;
        };
        for (row, bits) in (0..).zip(rows) {
            for column in 0..16 {
                if bits >> (15 - column) & 1 == 1 {
                    self.dot(x + column, y + row, grey);
                }
            }
        }
    }

    /// A filled box.
    pub fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, grey: u8) {
        self.rectangle(x, y, width, height, PrimitiveStyle::with_fill(Gray4::new(grey)));
    }

    /// The outline of a box.
    pub fn frame_box(&mut self, x: i32, y: i32, width: i32, height: i32, grey: u8) {
        self.rectangle(x, y, width, height, PrimitiveStyle::with_stroke(Gray4::new(grey), 1));
    }

    fn rectangle(&mut self, x: i32, y: i32, width: i32, height: i32, style: PrimitiveStyle<Gray4>) {
        let size = Size::new(width.max(0) as u32, height.max(0) as u32);
        // A canvas cannot fail: its error has no value.
        let _ = Rectangle::new(Point::new(x, y), size).into_styled(style).draw(self);
    }

    /// A bar at the right edge that shows which part of a longer list is seen.
    pub fn scrollbar(&mut self, y: i32, height: i32, first: usize, shown: usize, count: usize) {
        if count <= shown {
            return;
        }
        let count = count as i32;
        let length = (height * shown as i32 / count).max(4);
        let top = (height - length) * first as i32 / (count - shown as i32).max(1);
        self.fill(WIDTH - 2, y, 2, height, FAINT);
        self.fill(WIDTH - 2, y + top, 2, length, BRIGHT);
    }

    /// A triangle with an exclamation mark, 13 pixels wide.
    pub fn warning(&mut self, x: i32, y: i32, grey: u8, ground: u8) {
        for row in 0..12 {
            let half = row / 2 + 1;
            self.fill(x + 6 - half + 1, y + 2 + row, 2 * half - 1, 1, grey);
        }
        self.fill(x + 6, y + 6, 1, 4, ground);
        self.fill(x + 6, y + 11, 1, 2, ground);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_pixels() {
        assert_eq!((width("abc"), width("告警"), width("告警 3")), (21, 32, 46));
        assert_eq!(fit("队列 support", 200), "队列 support");
        assert_eq!(fit("队列 support", 60), "队列 s..");
        assert!(width(&fit("电话电话电话电话", 50)) <= 50);
    }

    #[test]
    fn lines_break_between_words_and_never_before_punctuation() {
        let lines = wrap("Look for a device on the network that repeats requests.", 100);
        assert!(lines.iter().all(|line| width(line) <= 100 && !line.starts_with(' ')), "{lines:?}");
        assert_eq!(lines.join(" "), "Look for a device on the network that repeats requests.");
        let lines = wrap("检查墙上插座到板卡的线缆，若线路已停用；请删除。", 96);
        assert!(lines.iter().all(|line| width(line) <= 96 && !line.starts_with(['，', '；', '。'])), "{lines:?}");
        assert_eq!(lines.concat(), "检查墙上插座到板卡的线缆，若线路已停用；请删除。");
        assert_eq!(wrap(&"x".repeat(30), 70).len(), 3, "a long word is broken");
        assert!(wrap("", 70).is_empty());
    }

    #[test]
    fn nothing_is_drawn_outside() {
        let mut canvas = Canvas::default();
        canvas.text(-50, -50, BRIGHT, "告警 out");
        canvas.text(250, 60, BRIGHT, "告警 out");
        canvas.fill(-5, -5, 1_000, 3, BRIGHT);
        canvas.scrollbar(0, 48, 900, 3, 4);
    }
}
