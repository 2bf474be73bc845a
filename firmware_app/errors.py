"""What can go wrong, by who can put it right.

BikeError
├─ SetupError      a technician must change something   exit 78, shown on the screen, never retried
│  ├─ BadSetting   a line in bikebox.toml                  names the key, the value and the remedy
│  ├─ MissingPart  a device or a file that is not there    names the place and what to do
│  └─ BadInput     a file or an address given by hand      names it, what was seen in it, what to do
├─ PartError       a part misbehaves; try again         backed off, logged once, counted in health
│  ├─ PartLost     it was there and is gone             unplugged camera, class server down
│  └─ PartSlow     it answers too late                  watchdog food
└─ WireError       a message we cannot read             dropped, counted, never fatal

A bug is none of these: it is not caught, the process dies, and systemd starts it again.
"""


class BikeError(Exception):
    """Base of everything this box raises on purpose."""


class SetupError(BikeError):
    """A technician must change something before this can work."""


class BadSetting(SetupError, ValueError):  # noqa: N818 - reads as what it is where it is raised
    """A setting is missing, malformed or contradicts another."""


class MissingPart(SetupError):  # noqa: N818 - reads as what it is where it is raised
    """A configured device or a file that must be there is not."""


class BadInput(SetupError, ValueError):  # noqa: N818 - reads as what it is where it is raised
    """A file or an address that a person gave cannot be used."""


class PartError(BikeError):
    """A part misbehaves now and may work again in a moment."""


class PartLost(PartError, ConnectionError):  # noqa: N818 - reads as what it is where it is raised
    """A part was there and is gone."""


class PartSlow(PartError, TimeoutError):  # noqa: N818 - reads as what it is where it is raised
    """A part answers too late to be of use."""


class WireError(BikeError, ValueError):
    """A message from another process cannot be read."""
