"""Events on standard error, one line each: for people on a terminal, logfmt for the journal.

Log once when a thing goes and once when it is back; never per frame; never a rider's name.
"""

import logging
import sys

import structlog


def set_up_logs(service: str, *, verbose: bool = False) -> None:
    """Send every event of this process to standard error, marked with the service's name."""
    style: structlog.typing.Processor
    if sys.stderr.isatty():
        style = structlog.dev.ConsoleRenderer()
    else:
        style = structlog.processors.LogfmtRenderer(key_order=["level", "service", "event"])
    structlog.configure(
        processors=[
            lambda _logger, _name, event: {"service": service, **event},
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            style,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # libraries speak up only when something is wrong
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(name)s: %(message)s")
