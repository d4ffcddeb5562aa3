//! One picture: 256x64 pixels of sixteen greys, packed as the chip's RAM takes it (two pixels in a byte, the left one
//! in the high nibble). Not a canvas: what draws on it is above.

use base::panel::{HEIGHT, WIDTH};

/// Bytes of one row.
const ROW_BYTES: usize = WIDTH / 2;
/// Bytes of four pixels, the smallest step of a window.
const COLUMN_BYTES: usize = 2;

/// A picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    bytes: [u8; ROW_BYTES * HEIGHT],
}

impl Default for Frame {
    fn default() -> Frame {
        Frame { bytes: [0; ROW_BYTES * HEIGHT] }
    }
}

/// A rectangle of the chip's RAM: columns of four pixels, rows; both ends belong to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// First and last column of four pixels, 0 to 63.
    pub columns: (u8, u8),
    /// First and last row, 0 to 63.
    pub rows: (u8, u8),
}

impl Window {
    /// The whole picture.
    pub const ALL: Window = Window { columns: (0, (WIDTH / 4 - 1) as u8), rows: (0, (HEIGHT - 1) as u8) };
}

impl Frame {
    /// Sets a pixel to a grey of 0 (dark) to 15; outside the picture nothing happens.
    pub fn set(&mut self, x: usize, y: usize, grey: u8) {
        if x >= WIDTH || y >= HEIGHT {
            return;
        }
        let byte = &mut self.bytes[y * ROW_BYTES + x / 2];
        let grey = grey.min(15);
        *byte = if x.is_multiple_of(2) { (*byte & 0x0F) | (grey << 4) } else { (*byte & 0xF0) | grey };
    }

    /// The grey of a pixel; dark outside the picture.
    pub fn get(&self, x: usize, y: usize) -> u8 {
        if x >= WIDTH || y >= HEIGHT {
            return 0;
        }
        let byte = self.bytes[y * ROW_BYTES + x / 2];
        if x.is_multiple_of(2) { byte >> 4 } else { byte & 0x0F }
    }

    /// All rows, one after the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The part of one row that a window holds.
    pub(super) fn row(&self, row: u8, columns: (u8, u8)) -> &[u8] {
        let start = usize::from(row) * ROW_BYTES;
        let (first, last) = (usize::from(columns.0) * COLUMN_BYTES, (usize::from(columns.1) + 1) * COLUMN_BYTES);
        self.bytes.get(start + first..start + last).unwrap_or_default()
    }

    /// The smallest window outside which both pictures are the same; none when they are the same everywhere.
    pub fn difference(&self, other: &Frame) -> Option<Window> {
        let mut window: Option<Window> = None;
        let rows = self.bytes.chunks_exact(ROW_BYTES).zip(other.bytes.chunks_exact(ROW_BYTES));
        for (row, (ours, theirs)) in rows.enumerate() {
            if ours == theirs {
                continue;
            }
            let differs = |column: &usize| {
                let at = column * COLUMN_BYTES;
                ours[at..at + COLUMN_BYTES] != theirs[at..at + COLUMN_BYTES]
            };
            let mut columns = (0..ROW_BYTES / COLUMN_BYTES).filter(differs);
            let first = columns.next().unwrap_or(0);
            let last = columns.next_back().unwrap_or(first);
            let (first, last, row) = (first as u8, last as u8, row as u8);
            let seen = window.unwrap_or(Window { columns: (first, last), rows: (row, row) });
            let columns = (seen.columns.0.min(first), seen.columns.1.max(last));
            window = Some(Window { columns, rows: (seen.rows.0, row) });
        }
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_packed_left_in_the_high_nibble() {
        let mut frame = Frame::default();
        frame.set(0, 0, 15);
        frame.set(1, 0, 3);
        frame.set(255, 63, 99);
        frame.set(256, 0, 15);
        frame.set(0, 64, 15);
        assert_eq!((frame.bytes()[0], frame.bytes()[8191]), (0xF3, 0x0F));
        assert_eq!((frame.get(0, 0), frame.get(1, 0), frame.get(255, 63), frame.get(256, 0)), (15, 3, 15, 0));
        assert_eq!(frame.bytes().iter().filter(|byte| **byte != 0).count(), 2);
    }

    #[test]
    fn the_difference_is_the_smallest_window() {
        let empty = Frame::default();
        let mut frame = Frame::default();
        assert_eq!(frame.difference(&empty), None);
        frame.set(9, 5, 1);
        assert_eq!(frame.difference(&empty), Some(Window { columns: (2, 2), rows: (5, 5) }));
        frame.set(250, 60, 1);
        frame.set(3, 20, 1);
        assert_eq!(frame.difference(&empty), Some(Window { columns: (0, 62), rows: (5, 60) }));
        assert_eq!(empty.difference(&frame), frame.difference(&empty));
    }
}
