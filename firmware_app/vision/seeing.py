"""How well the camera sees: whether the picture is good enough to judge a rider by.

Brightness does not tell (a camera's auto-gain hides the dark), nor does the model's visibility
(it stays near 1 while the points wander). What orders pictures as BlazePose's errors do is the
signal-to-noise ratio: contrast over noise. Measured on darkened clips with MediaPipe's points as
truth: above 31 dB 95 % of the points lie right, at 24 dB from 84 %, at 20 dB some riders are lost.
"""

from collections import deque
from statistics import median

import cv2
import numpy as np

from firmware_app.vision.region import Picture

EVERY_S = 0.5
"""Light does not change faster."""
OVER = 4
"""Estimates whose median decides: two seconds, so that a passer-by does not."""
LEAST_NOISE = 3.0
"""Grey levels; less says nothing of the light."""
SMOOTHED_NOISE = 5.0
"""Grey levels of noise that a dim picture has where none is seen. Its camera is at the end of its
gain, and cameras and codecs smooth noise away, and the detail of a dark picture with it: riders at
8 lux through H.264 measure 0.5 levels (6 as the sensor made them), yet their points shake twice as
much as at 15 lux, at 2 lux five times."""
DIM, DARK = 110.0, 85.0
"""Grey levels of the brightest twentieth: below DIM the camera lacks light, below DARK much."""
SMOOTH, GRAINY = 0.8, 1.2
"""Grey levels: noise below SMOOTH was smoothed, above GRAINY it is as the sensor made it."""
_LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def signal_to_noise_db(picture: Picture) -> float:
    """Return the picture's contrast over its noise.

    Contrast is the luma from the 5th to the 95th percentile, of every other pixel. Noise is
    Immerkaer's estimate (Fast noise variance estimation, 1996), what is left when everything
    smooth is taken away, in the middle of the picture, where the rider is.
    """
    height, width = picture.shape[:2]
    half = max(width // 2, 1), max(height // 2, 1)
    some = cv2.resize(picture, half, interpolation=cv2.INTER_NEAREST)
    luma = cv2.cvtColor(some, cv2.COLOR_BGR2GRAY)
    shares = np.cumsum(cv2.calcHist([luma], [0], None, [256], [0, 256])) / luma.size
    dark, bright = np.searchsorted(shares, (0.05, 0.95))
    middle = picture[height // 4 : height - height // 4, width // 4 : width - width // 4]
    rough = cv2.filter2D(cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY), cv2.CV_16S, _LAPLACIANS)
    noise = np.sqrt(np.pi / 2) / 6 * cv2.norm(rough, cv2.NORM_L1) / rough.size
    smoothed = np.interp(noise, (SMOOTH, GRAINY), (1, 0)) * np.interp(bright, (DARK, DIM), (1, 0))
    noise = max(noise, LEAST_NOISE + (SMOOTHED_NOISE - LEAST_NOISE) * smoothed)
    return float(20 * np.log10(max(bright - dark, 1) / noise))


class Light:
    """Decides from time to time whether it is too dark, with hysteresis."""

    def __init__(self, dark_below_db: float = 24.0, light_above_db: float = 27.0) -> None:
        self._dark_below_db = dark_below_db
        self._light_above_db = light_above_db
        self._next_s = float("-inf")
        self._newest: deque[float] = deque(maxlen=OVER)
        self.snr_db: float | None = None
        """The newest estimate; None before the first."""
        self.too_dark = False

    def feed(self, picture: Picture, t_s: float) -> None:
        """Look at a picture taken at t_s, if it is time."""
        if t_s >= self._next_s:
            self._next_s = t_s + EVERY_S
            self.judge(signal_to_noise_db(picture))

    def judge(self, snr_db: float) -> None:
        """Take in one estimate."""
        self.snr_db = snr_db
        self._newest.append(snr_db)
        usual_db = median(self._newest)
        if usual_db < self._dark_below_db:
            self.too_dark = True
        elif usual_db > self._light_above_db:
            self.too_dark = False
