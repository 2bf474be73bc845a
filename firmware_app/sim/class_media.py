"""Makes the demo's class once: our rendered instructor, a beat at their cadence, and their voice.

The picture loops every 12 s, the sound every 48 s; the file holds both to the common seam, so a
server may repeat it for ever. The picture is never encoded anew: a key frame stands in every
second of it, and it has no B-frames.
"""

import io
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import structlog
from numpy.typing import NDArray

from firmware_app.errors import MissingPart
from firmware_app.sim.class_music import BEATS, RPM, SAMPLE_HZ, music

log = structlog.get_logger()

INSTRUCTOR = Path(__file__).parent / "class_media" / "instructor_720p30.mp4"
FPS = 30
LOOP_S = 48
"""Four loops of the picture, 68 turns of the instructor's crank."""
OPUS_SAMPLES = 960
"""20 ms, the packet every WebRTC peer expects."""
OPUS_BITS_S = 96_000

LINES = (
    (1.0, "Welcome. Sit tall, find eighty five, and stay with the beat."),
    (9.5, "Shoulders down, away from your ears. Elbows soft."),
    (18.0, "Eighty five. Smooth circles, both legs."),
    (26.0, "Eyes up, long neck, breathe out."),
    (33.5, "Hands light on the bar. Let your legs do the work."),
    (41.5, "Good. Same again, stay with me."),
)
"""Second of the loop, and what the instructor says there."""
VOICE = "en-us+f3"
"""espeak-ng's; another one than the coach's, so that a rider knows who speaks."""
VOICE_PEAK = 0.55
UNDER_VOICE_DB = -9.0
"""How far the music steps back while the instructor speaks."""


def make_class(cache: Path) -> Path:
    """Return the class's file in the cache folder; make it when it is not there (seconds).

    H.264 constrained baseline 1280x720 at 30/s, Opus 48 kHz stereo, 48 s, seamless at its end.
    Without espeak-ng the instructor is silent, and a warning says so. Raises MissingPart when the
    instructor's picture is not where it was shipped.
    """
    speaks = shutil.which("espeak-ng") is not None
    made = cache / f"class-85rpm-{'spoken' if speaks else 'beat'}-2.mp4"
    if made.exists():
        return made
    if not INSTRUCTOR.exists():
        raise MissingPart(f"{INSTRUCTOR} is missing; install bikebox again")
    log.info("making_class", file=str(made), seconds=LOOP_S)
    if not speaks:
        log.warning(
            "class_instructor_silent", why="no espeak-ng", remedy="apt-get install espeak-ng"
        )
    cache.mkdir(parents=True, exist_ok=True)
    sound = music()
    if speaks:
        sound = speak_over(sound, [(at_s, _espeak(text)) for at_s, text in LINES])
    half = made.with_suffix(".half")
    with half.open("wb") as file:
        _write(file, sound)
    half.rename(made)
    log.info("class_made", file=str(made), bytes=made.stat().st_size)
    return made


def speak_over(
    sound: NDArray[np.float32], lines: list[tuple[float, NDArray[np.float32]]]
) -> NDArray[np.float32]:
    """Lay spoken lines (mono, 48 kHz) over music (N, 2), which steps back meanwhile."""
    mixed = sound.copy()
    under = np.zeros(len(sound), np.float32)
    for at_s, spoken in lines:
        begin = int(at_s * SAMPLE_HZ)
        under[max(begin - SAMPLE_HZ // 8, 0) : begin + len(spoken) + SAMPLE_HZ // 4] = 1.0
    slope = np.hanning(SAMPLE_HZ // 5).astype(np.float32)
    under = np.convolve(under, slope / slope.sum(), mode="same")
    mixed *= (1 - under * np.float32(1 - 10 ** (UNDER_VOICE_DB / 20)))[:, None]
    for at_s, spoken in lines:
        begin = int(at_s * SAMPLE_HZ)
        part = spoken[: len(mixed) - begin]
        mixed[begin : begin + len(part)] += part[:, None]
    return np.clip(mixed, -0.85, 0.85)


def _espeak(text: str) -> NDArray[np.float32]:
    """Return a spoken line, mono at 48 kHz."""
    wav = subprocess.run(  # noqa: S603 - our own words, no shell
        ["espeak-ng", "-v", VOICE, "-s", "150", "--stdout", text],  # noqa: S607 - found by which
        check=True,
        capture_output=True,
        timeout=20,
    ).stdout
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_HZ)
    # espeak-ng writes to a pipe and cannot know the length it puts in the header
    with av.open(io.BytesIO(wav), "r", options={"ignore_length": "1"}) as file:
        blocks = [
            out.to_ndarray()[0]
            for frame in [*file.decode(audio=0), None]
            for out in resampler.resample(frame)
        ]
    spoken = np.concatenate(blocks).astype(np.float32, copy=False)
    loudest = max(float(np.abs(spoken).max()), 1e-6)
    return np.asarray(spoken * (VOICE_PEAK / loudest), np.float32)


def _write(file: io.BufferedIOBase, sound: NDArray[np.float32]) -> None:
    with av.open(str(INSTRUCTOR)) as instructor, av.open(file, "w", format="mp4") as out:
        pictures = instructor.streams.video[0]
        once = [packet for packet in instructor.demux(pictures) if packet.pts is not None]
        video = out.add_stream_from_template(pictures)
        audio = out.add_stream("libopus", rate=SAMPLE_HZ)
        audio.codec_context.layout = "stereo"
        audio.codec_context.bit_rate = OPUS_BITS_S
        audio.codec_context.options = {"application": "audio", "frame_duration": "20"}
        packets: list[av.Packet[Any]] = [*_opus(audio, sound), *_repeat(once, video)]
        packets.sort(key=lambda packet: (packet.dts or 0) * packet.time_base)
        for packet in packets:
            out.mux(packet)


def _repeat(
    once: list["av.Packet[av.VideoStream]"], video: av.VideoStream
) -> Iterator["av.Packet[Any]"]:
    for number in range(LOOP_S * FPS):
        picture = once[number % len(once)]
        again = av.Packet(bytes(picture))
        again.is_keyframe = picture.is_keyframe
        again.time_base = Fraction(1, FPS)
        again.pts = again.dts = number
        again.duration = 1
        again.stream = video
        yield again


def _opus(
    audio: av.AudioStream, sound: NDArray[np.float32]
) -> Iterator["av.Packet[av.AudioStream]"]:
    """Encode one loop with the second before it in front, so that the seam cannot be heard."""
    before = np.concatenate([sound[-SAMPLE_HZ:], sound])
    skip = SAMPLE_HZ // OPUS_SAMPLES
    whole = len(sound) // OPUS_SAMPLES
    base = Fraction(1, SAMPLE_HZ)
    made = 0
    for begin in [*range(0, len(before), OPUS_SAMPLES), None]:
        frame = None
        if begin is not None:
            block = before[begin : begin + OPUS_SAMPLES]
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="stereo")
            frame.sample_rate = SAMPLE_HZ
            frame.pts = begin
            frame.time_base = base
        for packet in audio.codec_context.encode(frame):
            made += 1
            if skip < made <= skip + whole:
                packet.time_base = base
                packet.pts = packet.dts = (made - skip - 1) * OPUS_SAMPLES
                packet.duration = OPUS_SAMPLES
                packet.stream = audio
                yield packet


if BEATS * 60 != RPM * LOOP_S:
    raise AssertionError("the beat must come round with the loop")
