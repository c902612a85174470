"""The one error boundary: every way in which a verb can end becomes words and an exit code.

Each verb's module imports this one, so what running a verb needs is imported when one runs:
`envctl --help` is not to wait for an event loop.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from envctl import __version__
from envctl.errors import EXIT_BUG, EXIT_OK, EnvctlError, Interrupted

if TYPE_CHECKING:
    from envctl.cli.options import Options
    from envctl.output.sink import Output

#: What a verb does: it renders its result into ``Output`` and returns the exit code.
Verb = Callable[["Output"], Awaitable[int]]


def run(options: Options, verb: Verb, *, quiet: bool = False) -> None:
    """Run a verb to its end and exit the process with its code.

    A ``quiet`` one only reads: interrupted, it has nothing to say about what state it left.
    """
    raise SystemExit(_run(options, verb, quiet=quiet))


def _run(options: Options, verb: Verb, *, quiet: bool) -> int:
    from envctl.output.sink import open_output

    try:
        with open_output(options.for_output) as out:
            return _shown(out, verb, quiet=quiet)
    except EnvctlError as error:  # an artifact's path that cannot be written
        print(f"envctl: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # whoever read the output has gone; that is their right
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK


def _shown(out: Output, verb: Verb, *, quiet: bool) -> int:
    import asyncio

    try:
        return asyncio.run(_until_signal(out, verb))
    except Interrupted as error:
        if not quiet:
            out.error(error)
        return error.exit_code
    except EnvctlError as error:
        out.error(error)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug of ours
        out.error(_bug(error))
        return EXIT_BUG


async def _until_signal(out: Output, verb: Verb) -> int:
    """Run the verb; the first SIGINT or SIGTERM lets it end what it writes, a second does not."""
    import asyncio

    from envctl.adapters import processes

    received: list[signal.Signals] = []
    task = asyncio.ensure_future(_as_coroutine(verb(out)))

    def stop(number: signal.Signals) -> None:
        if received:
            processes.kill_all()
            out.close()
            os._exit(128 + number)
        received.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        raise _interrupted(received[0]) from None
    except BaseExceptionGroup as group:
        raise _first(group) from group
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _as_coroutine(awaitable: Awaitable[int]) -> int:
    return await awaitable


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that explains a group: the first of ours, else the first."""
    flat: list[BaseException] = []

    def unfold(error: BaseException) -> None:
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                unfold(inner)
        else:
            flat.append(error)

    unfold(group)
    return next((error for error in flat if isinstance(error, EnvctlError)), flat[0])


def _interrupted(number: signal.Signals) -> Interrupted:
    word = "Interrupted" if number is signal.SIGINT else "Terminated"
    return Interrupted(
        f"{word}. Every write that had begun is finished, and the lock is released.",
        exit_code=128 + number,
        next="Run the same command again to go on, or `envctl down` to take everything away.",
    )


def _bug(error: Exception) -> EnvctlError:
    """Write the traceback to a file: it helps whoever mends it, not whoever reads the screen."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="envctl-bug-", suffix=".txt", delete=False
    ) as file:
        file.write(f"envctl {__version__}, Python {sys.version}\n{' '.join(sys.argv[:2])}\n\n")
        traceback.print_exception(error, file=file)
    bug = EnvctlError(
        "This is a bug in envctl.",
        why=f"{type(error).__name__}: {str(error)[:200]}.",
        next=f"Report it with {file.name}, which holds the traceback; running again does no harm.",
    )
    bug.exit_code = EXIT_BUG
    return bug
