//! Chinese glyphs, 16x16: the whole of GB2312, made by `tools/font/make.py` from the Song font of the Institute of
//! Software, Academia Sinica (licence in NOTICE). ASCII and Latin-1 are not here; they have a font of their own.

/// See `tools/font/make.py` for the form.
static FONT: &[u8] = include_bytes!("song16.bin");

/// Width and height of a glyph in pixels.
pub const SIZE: u32 = 16;
/// Bytes of a glyph.
const BYTES: usize = 32;
/// Where the code points begin.
const CODES: usize = 2;

/// The sixteen rows of a character, leftmost pixel in the highest bit; none when the font does not have it.
pub fn rows(char: char) -> Option<[u16; 16]> {
    let code = u16::try_from(u32::from(char)).ok()?;
    let count = usize::from(word(0)?);
    let at = |index: usize| word(CODES + 2 * index).unwrap_or(u16::MAX);
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if at(middle) < code { low = middle + 1 } else { high = middle }
    }
    if low >= count || at(low) != code {
        return None;
    }
    let start = CODES + 2 * count + BYTES * low;
    let bytes = FONT.get(start..start + BYTES)?;
    let mut rows = [0; 16];
    for (row, pair) in rows.iter_mut().zip(bytes.chunks_exact(2)) {
        *row = u16::from_be_bytes([pair[0], pair[1]]);
    }
    Some(rows)
}

fn word(at: usize) -> Option<u16> {
    let pair = FONT.get(at..at + 2)?;
    Some(u16::from_le_bytes([pair[0], pair[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pbx::text::TOPICS;

    #[test]
    fn every_character_of_the_catalogue_can_be_drawn() {
        let texts = TOPICS.iter().flat_map(|(_, keys)| *keys).map(|key| key.raw(pbx::config::Language::Zh));
        let missing: Vec<char> =
            texts.flat_map(str::chars).filter(|c| !super::super::canvas::is_latin(*c) && rows(*c).is_none()).collect();
        assert!(missing.is_empty(), "not in the font: {missing:?}; word the text otherwise");
    }

    #[test]
    fn a_glyph_is_what_the_font_says() {
        assert_eq!(rows('一').map(|rows| rows.iter().filter(|row| **row != 0).count()), Some(2));
        assert_eq!((rows('A'), rows('\u{10FFFF}'), rows('\u{E000}')), (None, None, None));
        assert_eq!(rows('　'), Some([0; 16]));
        assert_eq!(FONT.len(), CODES + (2 + BYTES) * usize::from(word(0).unwrap()));
    }
}
