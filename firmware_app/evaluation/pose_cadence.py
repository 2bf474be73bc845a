"""Cadence from the pose alone, to see how well it would check the crank sensor.

The height difference of the knees (from the side the near knee's flexion) is fitted with one
harmonic at each cadence from 40 to 130 rpm over six seconds; the best fit is the cadence.
"""

import math

import numpy as np

from firmware_app.evaluation.labels import Frames
from firmware_app.form.metrics import FormMetrics

WINDOW_S = 6.0
STEP_S = 2.0
RPM = np.arange(40.0, 130.5, 0.5)
MIN_FRAMES = 40


def errors_rpm(measured: list[FormMetrics], truth: Frames) -> list[float]:
    """Return the estimate's error for each window in which the knees were seen."""
    swings = [(one.t_s, swing) for one in measured if (swing := _swing(one)) is not None]
    if not swings:
        return []
    t_s, height = (np.array(column) for column in zip(*swings, strict=True))
    true_s = np.array(truth.t)
    true_rpm = np.array([np.nan if rpm is None else rpm for rpm in truth.cadence_rpm])
    errors = []
    for start_s in np.arange(t_s[0], t_s[-1] - WINDOW_S, STEP_S):
        inside = (t_s >= start_s) & (t_s < start_s + WINDOW_S)
        during = (true_s >= start_s) & (true_s < start_s + WINDOW_S)
        if inside.sum() < MIN_FRAMES or np.isnan(true_rpm[during]).any():
            continue
        estimate = _best_rpm(t_s[inside] - start_s, height[inside])
        errors.append(round(float(abs(estimate - true_rpm[during].mean())), 2))
    return errors


def _swing(metrics: FormMetrics) -> float | None:
    if metrics.knees is not None:
        return metrics.knees.left_y - metrics.knees.right_y
    return metrics.knee_deg


def _best_rpm(t_s: np.ndarray, height: np.ndarray) -> float:  # type: ignore[type-arg] # any float
    """Return the cadence whose one harmonic leaves least of the swing unexplained."""
    rest = []
    for rpm in RPM:
        phase = 2 * math.pi * rpm / 60 * t_s
        design = np.stack([np.ones_like(t_s), t_s, np.cos(phase), np.sin(phase)], axis=1)
        weights = np.linalg.lstsq(design, height, rcond=None)[0]
        rest.append(float(((height - design @ weights) ** 2).sum()))
    return float(RPM[int(np.argmin(rest))])
