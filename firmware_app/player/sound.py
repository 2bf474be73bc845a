"""Makes each block that is heard: class, cue, mix, and a copy for whoever records.

Called by the speaker's thread, 50 times a second.
"""

import numpy as np

from firmware_app.player.class_feed import ClassFeed
from firmware_app.player.mixer import BLOCK, BLOCK_S, Block, Mixer
from firmware_app.player.recorder import Recorder
from firmware_app.player.talking import Talking
from firmware_app.player.tape import Tape
from firmware_app.player.turn import Turn


class Sound:
    """Ties the class's sound and the cue's turn to the mixer."""

    def __init__(
        self,
        feed: ClassFeed | None,
        turn: Turn,
        mixer: Mixer,
        tape: Tape | None,
        recorder: Recorder | None,
    ) -> None:
        self._feed = feed
        self._turn = turn
        self._mixer = mixer
        self._tape = tape
        self._recorder = recorder
        self._talking = Talking()
        self._silent = np.zeros((BLOCK, 2), np.float32)

    def fill(self, at_s: float, heard: bool) -> Block:
        """Return the block that is heard from at_s on; heard: is there a speaker."""
        mixed_s = at_s + BLOCK_S  # the mixer holds one block back
        sound = self._feed.pull(BLOCK, mixed_s) if self._feed is not None else self._silent
        cue = None
        if heard:
            self._talking.hear(sound)
            cue = self._turn.take(BLOCK, mixed_s, self._talking.now)
        else:
            self._turn.silence("the speaker is missing", at_s)
        block = self._mixer.mix(sound, cue)
        played = block if heard else self._silent
        if self._tape is not None:
            self._tape.write(at_s, played)
        if self._recorder is not None:
            self._recorder.hear(at_s, played)
        return block
