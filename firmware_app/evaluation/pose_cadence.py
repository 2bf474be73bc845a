"""How far the pose's cadence is from the true one."""

import numpy as np

from firmware_app.evaluation.labels import Frames
from firmware_app.form.metrics import FormMetrics
from firmware_app.form.pose_cadence import WINDOW_S, PoseCadence

STEP_S = 2.0


def errors_rpm(measured: list[FormMetrics], truth: Frames) -> list[float]:
    """Return the estimate's error for each window in which the pose tells a cadence."""
    pose = PoseCadence()
    true_s = np.array(truth.t)
    true_rpm = np.array([np.nan if rpm is None else rpm for rpm in truth.cadence_rpm])
    errors = []
    due_s = WINDOW_S
    for metrics in measured:
        pose.see(metrics)
        if metrics.t_s < due_s:
            continue
        due_s += STEP_S
        told = pose.estimate(metrics.t_s)
        during = (true_s > metrics.t_s - WINDOW_S) & (true_s <= metrics.t_s)
        if told is not None and not np.isnan(true_rpm[during]).any():
            errors.append(round(float(abs(told.rpm - true_rpm[during].mean())), 2))
    return errors
