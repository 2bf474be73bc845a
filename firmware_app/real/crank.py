"""The reed or hall sensor at the crank, by gpiozero: one magnet, one closing a turn."""

from collections.abc import Callable

from gpiozero import Device, GPIOZeroError
from gpiozero.pins import Factory, Pin

from firmware_app.errors import MissingPart

BOUNCE_S = 0.002
"""A magnet passes in 7 ms at 120 rpm; lgpio swallows pulses shorter than its debounce time."""


class GpioCrank:
    """Stamps each closing with the kernel's own time, not with that of the callback.

    Pins speak of ticks: monotonic seconds on every factory that gpiozero has for a Pi. Its Button
    hides them, so the pin itself is used; what counts as a turn is decided in sensors/cadence.py.
    """

    def __init__(self, gpio: int, factory: Factory | None = None) -> None:
        """Take the pin; raise MissingPart when it is not there or somebody else has it."""
        self._pulse: Callable[[float], None] | None = None
        self._pin: Pin | None = None
        try:
            if factory is None:
                Device.ensure_pin_factory()
                factory = Device.pin_factory
            pin = factory.pin(gpio)
            pin.function = "input"
            pin.pull = "up"
            pin.bounce = BOUNCE_S
            pin.edges = "falling"
            # held weakly by gpiozero: a bound method of an object that lives, never a lambda
            pin.when_changed = self._changed
        except (GPIOZeroError, OSError) as error:
            raise MissingPart(
                f"no crank sensor on GPIO{gpio}: {error}. Is this a Raspberry Pi, is the sensor on"
                " that pin, and may this user use the gpio group? [crank] gpio names the pin"
            ) from error
        self._pin = pin

    def listen(self, pulse: Callable[[float], None]) -> None:
        """Call pulse with the monotonic second of each closing, from gpiozero's thread."""
        self._pulse = pulse

    def close(self) -> None:
        """Give the pin back; may be called twice."""
        self._pulse = None
        if self._pin is not None:
            self._pin.close()
            self._pin = None

    def _changed(self, ticks: float, _state: int) -> None:
        if self._pulse is not None:
            self._pulse(float(ticks))
