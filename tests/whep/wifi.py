"""A numbered class, a gym's bad Wi-Fi, and the player behind it, recording what it shows.

By hand, as root or where user namespaces are allowed; the server is janus, gstreamer or ours:

    python -m tests.whep.wifi --loss 0.02 --delay-ms 15 --jitter-ms 10 --seconds 30 --server janus
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.whep.clip import make_clip
from tests.whep.island import BIKEBOX, TOKEN, Island, became, need, stop
from tests.whep.janus_class import AUDIO_PORT, PATH, VIDEO_PORT, start_janus
from tests.whep.recording import Seen, watch

HERE = Path(__file__).parent
STUDIO, BIKE = "10.77.0.1", "10.77.0.2"


class Wifi:
    """Two islands, studio and bike, and the radio between them."""

    def __init__(self, folder: Path, *radio: str) -> None:
        """Make them; radio is what radio.py takes: "--loss", "0.02" ..."""
        self.folder = folder
        self.studio = Island(folder / "studio")
        self.bike = Island(folder / "bike", beside=self.studio)
        sides = [str(self.studio.pid), f"{STUDIO}/24", str(self.bike.pid), f"{BIKE}/24"]
        words = [sys.executable, str(HERE / "radio.py"), *sides, *radio]
        self.radio = self.studio.start("radio", words)
        self.studio.wait_for("radio", "READY")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bike.__exit__(kind, error, trace)
        self.studio.__exit__(kind, error, trace)

    def change(self, word: str) -> None:
        """Change the radio: "loss 0.05", "down", "up" ..."""
        self.radio.stdin.write(f"{word}\n".encode())
        self.radio.stdin.flush()

    def serve(self, server: str) -> str:
        """Start a class server, and a teacher where it needs one; return the class's address."""
        if server == "janus":
            start_janus(self.studio, self.folder)
            self.teach()
            return f"http://{STUDIO}{PATH}"
        clip = make_clip(Path(".cache/class").absolute(), need("ffmpeg", "ffmpeg"))
        if server == "gstreamer":
            place, log = f"{STUDIO}:17091", self.folder / "sent.log"
            film = str(lengthened(clip))
            words = ["/usr/bin/python3", str(HERE / "gst_server.py"), place, film, str(log)]
            self.studio.start("class", words)
            self.studio.wait_for("class", "READY")
            return f"http://{place}/whep"
        self.studio.start_class("class", "--host", STUDIO, "--media", str(clip))
        return f"http://{STUDIO}:8080/whep"

    def teach(self, name: str = "teacher") -> subprocess.Popen[bytes]:
        """Start a teacher who sends the numbered class to Janus."""
        clip = make_clip(Path(".cache/class").absolute(), need("ffmpeg", "ffmpeg"))
        ports = [str(VIDEO_PORT), str(AUDIO_PORT)]
        log = str(self.folder / "sent.log")
        return self.studio.start(
            name, [sys.executable, str(HERE / "teacher.py"), str(clip), *ports, log]
        )

    def play(self, seconds: float, url: str = f"http://{STUDIO}{PATH}") -> subprocess.Popen[bytes]:
        """Start a player that records what it shows; seen() tells what that was."""
        words = ["player", "--whep", url, "--token", TOKEN, "--headless"]
        words += ["--seconds", str(seconds), "--record", str(self.folder / "seen.mkv")]
        nowhere = {"BIKEBOX_CONFIG": str(self.folder / "none.toml")}
        return self.bike.start("player", [*BIKEBOX, *words], **nowhere)

    def seen(self, player: subprocess.Popen[bytes]) -> Seen:
        """Wait until the player has ended and read its recording."""
        if not became(lambda: player.poll() is not None, 60):
            stop(player)
        assert player.returncode == 0, self.bike.said("player")
        return watch(self.folder / "seen.mkv")


def lengthened(clip: Path) -> Path:
    """Return the clip over and over for two minutes, made when it is not there yet."""
    made = clip.with_stem(f"{clip.stem}-long")
    if not made.exists():
        draft = made.with_suffix(".half.mp4")
        words = [need("ffmpeg", "ffmpeg"), "-y", "-loglevel", "error", "-stream_loop", "11"]
        subprocess.run([*words, "-i", str(clip), "-c", "copy", str(draft)], check=True, timeout=60)
        draft.rename(made)
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", choices=("janus", "gstreamer", "ours"), default="janus")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--keep", type=Path, help="keep recording and logs here")
    args, radio = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as name:
        folder = args.keep or Path(name)
        folder.mkdir(exist_ok=True)
        shutil.rmtree(folder / "janus", ignore_errors=True)
        with Wifi(folder, *radio) as wifi:
            seen = wifi.seen(wifi.play(args.seconds, wifi.serve(args.server)))
        log = folder / "sent.log"
        told = seen.told(log if log.exists() else None)
        lines = [f"{args.server} {' '.join(radio) or 'clean'} | {told}"]
        lines += [f"  at {at_s:.2f} s stood {wait_s:.2f} s" for at_s, wait_s in seen.frozen]
        sys.stdout.write("\n".join([*lines, wifi.bike.said("player")[-1500:], ""]))


if __name__ == "__main__":
    main()
