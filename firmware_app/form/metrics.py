"""One picture's pose as a few plain numbers: the rider measured, nothing judged."""

from firmware_app import wire


class FormMetrics(wire.Message, frozen=True, kw_only=True):
    """The rider in one frame; t_s is the time of capture."""

    seen: bool
    """Somebody is in the picture and it is light enough to judge."""


def measure(frame: wire.PoseFrame, view: wire.View) -> FormMetrics:
    """Measure one pose as seen from this view; pure."""
    del view
    return FormMetrics(t_s=frame.t_s, seen=bool(frame.landmarks) and not frame.too_dark)
