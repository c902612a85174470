"""Writing to stdout and stderr without ever failing the run because of who reads them."""

from __future__ import annotations

import contextlib
import io
import os
from typing import Any, TextIO

from envctl.errors import EnvctlError


class Progress:
    """A stream for progress. When nobody reads it any more, the run goes on without it.

    A pipeline's log collector may go away in the middle of a deployment; to stop there would leave
    the environment half made. Everything but writing is the stream's own.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write and flush; a stream that failed once is left alone. The length, as a file says."""
        if not self._closed:
            try:
                self._stream.write(text)
            except (OSError, ValueError):
                self._closed = True
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Flush, unless nobody reads."""
        if self._closed:
            return
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._closed = True


def printable(stream: TextIO) -> TextIO:
    """``stream``, set to print ``?`` for what its encoding lacks rather than to fail."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    return stream


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody looks at ``stream``; a closed one is no terminal."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def write_result(stream: TextIO, text: str) -> None:
    """Write and flush; a reader that has read enough (``| head``) is no error.

    Raises:
        EnvctlError: it could not be written for another reason, a full disk for one.

    """
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _turn_away(stream)
    except OSError as error:
        _turn_away(stream)
        raise EnvctlError(
            "The result could not be written to stdout.",
            why=f"The system says: {error.strerror}.",
            next="Make room where stdout leads to, and run the command again.",
        ) from error


def _turn_away(stream: TextIO) -> None:
    """Let the rest go nowhere: Python flushes once more as it exits, and would complain then."""
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device, not a path
        os.dup2(nowhere.fileno(), stream.fileno())
