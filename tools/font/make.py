#!/usr/bin/env python3
"""Makes firmware/pbxd/src/panel/song16.bin, the Chinese glyphs of the front panel, from gb16st.pcf.gz beside this file.

Needs nothing but Python 3 and no network. `make.py --check` only compares. The source is the 16x16 Song font of the
Institute of Software, Academia Sinica, as Debian ships it in xfonts-base 1:1.0.5+nmu1 (licence in NOTICE).

Output, little-endian: u16 number of glyphs; their Unicode code points as u16, ascending; their bitmaps in the same order,
32 bytes each: 16 rows of two bytes, leftmost pixel in the highest bit. ASCII is left out: it has a font of its own.
"""
import gzip
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "gb16st.pcf.gz"
TARGET = HERE.parent.parent / "firmware/pbxd/src/panel/song16.bin"
METRICS, BITMAPS, ENCODINGS = 4, 8, 32


def tables(data):
    assert data[:4] == b"\x01fcp", "not a PCF font"
    (count,) = struct.unpack_from("<I", data, 4)
    for index in range(count):
        kind, form, size, offset = struct.unpack_from("<4I", data, 8 + 16 * index)
        yield kind, data[offset : offset + size]


def order(form):
    return ">" if form & 4 else "<"


def metrics(table):
    (form,) = struct.unpack_from("<I", table)
    if form & 0x100:
        (count,) = struct.unpack_from(order(form) + "H", table, 4)
        return [tuple(b - 0x80 for b in table[6 + 5 * i : 11 + 5 * i]) for i in range(count)]
    (count,) = struct.unpack_from(order(form) + "I", table, 4)
    return [struct.unpack_from(order(form) + "5h", table, 8 + 12 * i) for i in range(count)]


def bitmaps(table):
    (form,) = struct.unpack_from("<I", table)
    (count,) = struct.unpack_from(order(form) + "I", table, 4)
    offsets = struct.unpack_from(f"{order(form)}{count}I", table, 8)
    assert form & 8, "bit order: lowest bit first is not handled"
    pad = 1 << (form & 3)
    return offsets, table[8 + 4 * count + 16 :], pad


def encodings(table):
    (form,) = struct.unpack_from("<I", table)
    low2, high2, low1, high1, _ = struct.unpack_from(order(form) + "5h", table, 4)
    width = high2 - low2 + 1
    for row in range(low1, high1 + 1):
        for cell in range(low2, high2 + 1):
            at = 14 + 2 * ((row - low1) * width + cell - low2)
            (glyph,) = struct.unpack_from(order(form) + "H", table, at)
            if glyph != 0xFFFF:
                yield bytes([row | 0x80, cell | 0x80]), glyph


def glyphs(data):
    found = dict(tables(data))
    sizes, (offsets, bits, pad) = metrics(found[METRICS]), bitmaps(found[BITMAPS])
    for code, glyph in encodings(found[ENCODINGS]):
        try:
            char = code.decode("gb2312")
        except UnicodeDecodeError:
            continue
        left, right, _, ascent, descent = sizes[glyph]
        assert (right - left, ascent + descent) == (16, 16), f"{char}: not 16x16"
        stride = -(-2 // pad) * pad
        rows = [bits[offsets[glyph] + stride * y :][:2] for y in range(16)]
        yield ord(char), b"".join(rows)


def main():
    table = sorted(dict(glyphs(gzip.decompress(SOURCE.read_bytes()))).items())
    table = [(code, rows) for code, rows in table if code > 0x7F and any(rows) or code == 0x3000]
    out = struct.pack("<H", len(table)) + b"".join(struct.pack("<H", code) for code, _ in table)
    out += b"".join(rows for _, rows in table)
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_bytes() == out else f"{TARGET} is not what {SOURCE} gives; run tools/font/make.py")
    TARGET.write_bytes(out)
    print(f"{TARGET}: {len(table)} glyphs, {len(out)} bytes")


main()
