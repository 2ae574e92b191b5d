"""How programs speak to who runs them: one line each, printable whatever foreign text is in it."""

import logging
import sys

from wattmark_core.printable import printable


class PrintableFormatter(logging.Formatter):
    """A message is one line; escape sequences, line ends and bytes that came from elsewhere, in a
    page, a name or an error, are escaped."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a traceback."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: object) -> str:
        """A traceback, line by line."""
        return "\n".join(map(printable, super().formatException(ei).split("\n")))  # type: ignore[arg-type]


def log_to_stderr(program: str, level: int = logging.INFO) -> None:
    """Log from ``level`` on, each line with the program's name before it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter(f"{program}: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


def tell_error(program: str, error: Exception) -> None:
    """Write one line on standard error: what is wrong and what to do."""
    sys.stderr.write(f"{program}: {printable(str(error))}\n")
