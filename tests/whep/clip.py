"""A class that a machine can watch: numbered pictures, and a flash and a beep at each second.

720p30 H.264 (constrained baseline, 2.5 Mb/s, a key frame every two seconds, no B-frames) and Opus.
The number stands as 16 squares in the middle of the picture, where no panel of the screen lies; the
flash is below it, three pictures long; the beep is 1 kHz, 100 ms, on a bed of quiet noise.
"""

import subprocess
from pathlib import Path

import numpy as np

WIDE, HIGH, FPS = 1280, 720, 30
SECONDS = 10
PICTURES = SECONDS * FPS
SOUND_HZ = 48_000
BITS = 16
SQUARE = 32
BAR_X, BAR_Y = 384, 300
FLASH_X, FLASH_Y = slice(480, 800), slice(340, 400)
BEEP_HZ = 1000
BEEP_S = 0.1
BED = 0.02


def make_clip(folder: Path, ffmpeg: str) -> Path:
    """Return the clip, made when it is not there yet."""
    made = folder / "numbered-3.mp4"
    if made.exists():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    beeps, draft = folder / "beeps.raw", folder / "numbered.half.mp4"
    beeps.write_bytes(_beeps().tobytes())
    words = [
        *(ffmpeg, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p"),
        *("-s", f"{WIDE}x{HIGH}", "-r", str(FPS), "-i", "-"),
        *("-f", "s16le", "-ar", str(SOUND_HZ), "-ac", "2", "-i", str(beeps)),
        *("-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-profile:v", "baseline"),
        *("-level", "3.1", "-preset", "veryfast", "-tune", "zerolatency", "-b:v", "2500k"),
        *("-maxrate", "2500k", "-bufsize", "1250k", "-g", "60", "-sc_threshold", "0", "-bf", "0"),
        *("-x264-params", "repeat-headers=1:slices=1", "-c:a", "libopus", "-b:a", "96k"),
        *("-frame_duration", "20", str(draft)),
    ]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as encoder:
        for number in range(PICTURES):
            encoder.stdin.write(_picture(number))
        encoder.stdin.close()
        assert encoder.wait(60) == 0
    beeps.unlink()
    draft.rename(made)
    return made


def number_of(luma: np.ndarray) -> int:
    """Read a picture's number from its (720, 1280) luma; -1 when there is none."""
    bar = luma[BAR_Y : BAR_Y + SQUARE, BAR_X : BAR_X + BITS * SQUARE].reshape(SQUARE, BITS, SQUARE)
    inner = bar[SQUARE // 4 : -SQUARE // 4, :, SQUARE // 4 : -SQUARE // 4].astype(int)
    squares = inner.mean((0, 2))
    if np.abs(inner - squares[:, None]).mean() > 12:
        return -1  # no squares: words, or the class itself
    dark, light = squares.min(), squares.max()
    if dark > 60 or (light < 130 and light - dark > 40):
        return -1
    number = sum(1 << bit for bit, value in enumerate(squares) if value > (dark + light) / 2)
    return number if number < PICTURES else -1


def flashes(luma: np.ndarray) -> bool:
    """Tell whether a picture is lit by the flash."""
    return bool(luma[FLASH_Y, FLASH_X].mean() > 125)


def _beeps() -> np.ndarray:
    t = np.arange(SOUND_HZ * SECONDS) / SOUND_HZ
    bed = BED * np.random.default_rng(1).standard_normal(len(t))
    sound = np.where(t % 1.0 < BEEP_S, 0.5 * np.sin(2 * np.pi * BEEP_HZ * t), bed)
    return np.repeat((sound * 32767).clip(-32768, 32767).astype("<i2")[:, None], 2, 1)


_GRAIN = np.random.default_rng(2).integers(0, 110, (140, 220), np.uint8).repeat(8, 0).repeat(8, 1)


def _picture(number: int) -> bytes:
    turn = 2 * np.pi * number / PICTURES
    left, top = int(200 + 150 * np.sin(3 * turn)), int(160 + 100 * np.cos(2 * turn))
    luma = 40 + _GRAIN[top : top + HIGH, left : left + WIDE]
    luma[FLASH_Y, FLASH_X] = 235 if number % FPS < 3 else 16
    for bit in range(BITS):
        x = BAR_X + bit * SQUARE
        luma[BAR_Y : BAR_Y + SQUARE, x : x + SQUARE] = 235 if number >> bit & 1 else 16
    luma[BAR_Y : BAR_Y + SQUARE, BAR_X + (BITS - 1) * SQUARE :][:, :SQUARE] = 16
    return luma.tobytes() + bytes([128]) * (WIDE * HIGH // 2)
