"""The eye of the bike: camera in, poses out over a Unix socket, and nothing else.

The only process that ever holds a picture of the rider. It needs no network and writes no file.
Camera and model work in a thread of their own; the loop only carries what they found.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import structlog

from firmware_app.clock import Clock
from firmware_app.errors import WireError
from firmware_app.hardware import Camera, Frame
from firmware_app.notify import notify
from firmware_app.settings import Settings
from firmware_app.sockets import Hub
from firmware_app.supervise import keep_going
from firmware_app.vision.choice import Choice, Ladder
from firmware_app.vision.codes import Codes
from firmware_app.vision.eye import Eye
from firmware_app.vision.models import LANDMARKS, ModelName
from firmware_app.vision.pace import Pace, Told
from firmware_app.vision.tracker import load_landmarker
from firmware_app.wire import CameraState, CodeShown, LookForCode, Message, PoseFrame, Reader, Touch

log = structlog.get_logger()

STATE_S = 1.0
RETRY_S = 0.5
"""Between two looks for a lost camera: it is back within two seconds of being plugged in."""
STARTING = "camera is starting"
OVER = "recording over"
OFF = "camera is off"
"""The rider's wish: the device is closed, not only unwatched."""
TOO_SLOW = "camera picture comes too late"


class VisionService:
    """One camera, watched until the process is stopped."""

    def __init__(
        self,
        settings: Settings,
        eye: Eye,
        open_camera: Callable[[], Camera],
        clock: Clock,
        choice: Choice | None = None,
    ) -> None:
        """Take open_camera, which raises PartLost while there is none.

        A choice, made at the start, may become a lighter model while frames are missed.
        """
        self._settings = settings
        self._eye = eye
        self._open_camera = open_camera
        self._clock = clock
        self._hub = Hub(settings.vision_socket, self._hear)
        self._asked: Reader[Touch | LookForCode] = Reader(Touch | LookForCode)
        self._codes = Codes()
        self._code = ""
        self._tell_asker: Callable[[Message], None] = _nobody
        self._on = asyncio.Event()
        self._on.set()
        self._pace = Pace()
        self._models = Path(settings.paths.models)
        self._choice = choice
        there = [m for m in LANDMARKS if (self._models / LANDMARKS[m].used).exists()]
        self._ladder = Ladder(there, choice.model) if choice else None
        self._counted = (0, 0)
        self._wanted: ModelName | None = None
        self._why = STARTING
        self._alive = False

    async def run(self) -> None:
        """Serve until cancelled; raise SetupError when the camera is a file that cannot play."""
        self._hub.greet_with(self._state)
        await self._hub.open()
        notify("READY=1")
        try:
            await asyncio.gather(self._watch_always(), self._tell_state())
        finally:
            await self._hub.close()

    async def _watch_always(self) -> None:
        while True:
            await keep_going("camera", self._watch, self._clock, self._lost, RETRY_S)
            if self._on.is_set():
                break
            self._say(OFF)
            await self._on.wait()
        log.info("recording_over")
        self._say(OVER)

    async def _watch(self, worked: Callable[[], None]) -> None:
        """Tell a pose for each frame until the recording is over, or the rider turns it off."""
        loop = asyncio.get_running_loop()
        self._alive = True
        with ThreadPoolExecutor(1, "eye") as thread:
            camera = await loop.run_in_executor(thread, self._open_camera)
            self._pace.restart()
            self._eye.tracker.reset()
            try:
                while seen := await loop.run_in_executor(thread, self._look, camera):
                    if not self._on.is_set():
                        return
                    worked()
                    self._alive = True
                    self._tell(*seen)
                    self._tell_code()
            finally:
                thread.submit(camera.close)

    def _look(self, camera: Camera) -> tuple[Frame, PoseFrame, dict[str, float]] | None:
        """Wait for a picture and look at it; None when the recording is over."""
        if self._wanted and self._choice:
            landmarker = load_landmarker(self._models, self._wanted, self._choice.threads)
            self._eye.tracker.landmarker, self._wanted = landmarker, None
        frame = camera.newest()
        if frame is None:
            return None
        wait_s = self._clock.monotonic() - frame.t_s - frame.capture_s - frame.decode_s
        pose = self._eye.look(frame)
        self._code = self._codes.look(frame.bgr, frame.t_s)
        tracker = self._eye.tracker
        stages_s = {
            "capture": frame.capture_s,
            "decode": frame.decode_s,
            "wait": wait_s,
            "detect": tracker.detect_s,
            "landmark": tracker.landmark_s,
        }
        return frame, pose, stages_s

    def _tell(self, frame: Frame, pose: PoseFrame, stages_s: dict[str, float]) -> None:
        started_s = perf_counter()
        self._pace.frame(frame.number, frame.t_s)
        now_s = self._clock.monotonic()
        if self._pace.is_late(now_s - frame.t_s, now_s):
            return
        self._hub.tell(pose)
        stages_s["send"] = perf_counter() - started_s
        self._pace.told(Told(now_s, now_s - frame.t_s, stages_s))
        if self._why:
            self._say("")

    def _tell_code(self) -> None:
        if self._code:
            self._tell_asker(CodeShown(t_s=self._clock.monotonic(), text=self._code))

    def _hear(self, line: bytes) -> None:
        """Take in the rider's switch, which the ride passes on, and a technician's wish."""
        try:
            asked = self._asked.read(line)
        except WireError as error:
            log.warning("line_dropped", source="vision.sock", why=str(error))
            return
        if isinstance(asked, LookForCode):
            self._tell_asker = self._hub.teller()
            self._codes.ask(self._clock.monotonic() + asked.for_s)
        elif asked.action == "camera_off":
            self._on.clear()
        elif asked.action == "camera_on":
            self._on.set()

    # how the camera is ---------------------------------------------------------------------

    def _lost(self, why: str) -> None:
        self._say(why.partition(":")[0])

    def _say(self, why: str) -> None:
        self._why = why
        self._hub.tell(self._state())

    def _state(self) -> CameraState:
        now_s = self._clock.monotonic()
        pace = self._pace
        why = self._why or (TOO_SLOW if pace.too_slow(now_s) else "")
        return CameraState(
            t_s=now_s,
            ok=not why,
            why=why,
            model=self._choice.model if self._choice else self._settings.vision.model,
            model_why=self._choice.why if self._choice else "",
            fps=round(pace.fps(now_s), 1),
            skipped=pace.skipped,
            late=pace.late,
            p95_ms=round(pace.p95_s(now_s) * 1000, 1),
            stages_ms={name: round(s * 1000, 2) for name, s in pace.stages_s(now_s).items()},
            stages_histogram={name: tuple(n) for name, n in pace.histogram.items()},
            stages_total_s={name: round(s, 4) for name, s in pace.total_s.items()},
            snr_db=self._eye.snr_db,
            lux=None if self._eye.lux is None else round(self._eye.lux),
        )

    def _weigh_model(self) -> None:
        """Take a lighter or a better model when the last second says so."""
        pace, (frames, missed) = self._pace, self._counted
        self._counted = pace.frames, pace.skipped + pace.late
        if self._ladder is None or self._choice is None or self._why:
            return
        look_s = pace.look_s(self._clock.monotonic())
        if why := self._ladder.second(
            self._counted[0] - frames, self._counted[1] - missed, look_s, pace.interval_s
        ):
            self._choice = self._choice._replace(model=self._ladder.model, why=why)
            self._wanted = self._ladder.model
            log.info("model_changed", model=self._choice.model, why=why)

    async def _tell_state(self) -> None:
        while True:
            self._hub.tell(self._state())
            if self._alive or self._why in (OVER, OFF):
                notify("WATCHDOG=1")
            self._alive = False
            self._weigh_model()
            await self._clock.sleep(STATE_S)


def _nobody(_message: Message) -> None:
    """Nobody has asked for a code."""
