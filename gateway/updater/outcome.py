"""How an update can end, by exit code; every one says what was seen and what to do."""

WORKED = 0
DID_NOT = 1
USAGE = 2
PUT_OFF = 3
MUST_MEND = 78


class Ended(Exception):  # noqa: N818 - an end is not always an error
    """The update ends here; the box runs a complete release."""

    code = DID_NOT


class Refused(Ended):
    """This bundle does not come onto this box."""


class PutOff(Ended):
    """Not now: somebody rides."""

    code = PUT_OFF


class MustMend(Ended):
    """A technician must change something first."""

    code = MUST_MEND
