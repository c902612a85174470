"""Plays a case: the real `envctl up` without a terminal, and when it said what."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from tests.failures.records import watched
from tests.failures.stage import AS_USERS_HAVE_IT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.failures.case import Case, Says, Twin
    from tests.failures.stage import Stage

#: Seconds after which the command is taken to hang.
HANGS = 240


@dataclass(frozen=True, slots=True)
class Screen:
    """What a command wrote on both streams, with the time of every piece (since the epoch)."""

    began: float
    ended: float
    exit: int
    pieces: tuple[tuple[float, str], ...]

    @property
    def text(self) -> str:
        """All of it, without what only the width of the screen did to it."""
        return _plain("".join(piece for _, piece in self.pieces))

    def when(self, *words: str) -> float | None:
        """When the last of these words had been written; None where one never was."""
        so_far = ""
        for at, piece in self.pieces:
            so_far += piece
            if all(_plain(word) in _plain(so_far) for word in words):
                return at
        return None

    def __str__(self) -> str:
        lines = "".join(piece for _, piece in self.pieces)
        return f"exit code {self.exit} after {self.ended - self.began:.1f} s\n{lines}"


@dataclass(frozen=True, slots=True)
class Played:
    """How a case went. Times are seconds since the epoch, None where it never happened."""

    case: Case
    screen: Screen
    knew: float | None
    said: float | None
    document: dict[str, Any] | None = None
    """What a second run says with ``-o json``, where it was asked for."""

    @property
    def after(self) -> float | None:
        """Seconds from when the cluster knew the cause to when it was said."""
        return self.said - self.knew if self.said and self.knew else None

    @property
    def sentence(self) -> str:
        """The verdict, as the screen has it."""
        found = re.findall(r"^[✗✘x] (.*(?:\n  .*)*)", str(self.screen), re.MULTILINE)
        verdicts = [text for text in found if ": " in text]
        return " ".join(verdicts[-1].split()) if verdicts else ""

    def as_json(self) -> dict[str, Any]:
        """The row of the table."""
        after, case = self.after, self.case
        return {
            "case": case.name,
            "final": case.final,
            "exit": self.screen.exit,
            "named": self.said is not None,
            "next": _plain(case.says.next) in self.screen.text,
            "secondsAfterKnown": None if after is None else round(after, 1),
            "seconds": round(self.screen.ended - self.screen.began, 1),
            "sentence": self.sentence,
        }


def play(case: Case, stage: Stage, *, again: bool = False) -> Played:
    """Play a case; what it prepared outside the namespace is taken away again.

    ``again``: run the command once more, with JSON output, which must say the same.
    """
    try:
        if case.earlier:
            stage.set(case.earlier, case.environment)
            stage.up(check=0, settings=case.settings)
        if case.before:
            case.before(stage)
        stage.set(case.parts, case.environment)
        with watched(stage.node, stage.namespace, case.watches) as records:
            screen = watch(stage, case.command, case.settings)
        document = stage.up(settings=case.settings).json if again else None
        says = case.says
        knew = records.first(case.knows) if case.knows else screen.began
        return Played(case, screen, knew, screen.when(says.object, *says.causes), document)
    finally:
        if case.after:
            case.after(stage)


def play_twin(twin: Twin, stage: Stage) -> Screen:
    """Play a healthy twin once."""
    try:
        if twin.before:
            twin.before(stage)
        stage.set(twin.parts, twin.environment)
        return watch(stage, settings=twin.settings)
    finally:
        if twin.after:
            twin.after(stage)


def watch(
    stage: Stage, command: tuple[str, ...] = ("up",), settings: Mapping[str, str] | None = None
) -> Screen:
    """`envctl up -o text`, or another verb, without a terminal, to its end."""
    began = time.time()
    process = stage.envctl.start(
        *command, "--name", "it", "-o", "text",
        env={**AS_USERS_HAVE_IT, "PYTHONUTF8": "1", **(settings or {})},
    )  # fmt: skip
    with process:
        reading = _Reading()
        threads = [
            threading.Thread(target=reading.follow, args=(stream,), daemon=True)
            for stream in (process.stdout, process.stderr)
        ]
        for thread in threads:
            thread.start()
        try:
            code = process.wait(HANGS)
        finally:
            process.kill()
        for thread in threads:
            thread.join()
    return Screen(began, time.time(), code, tuple(reading.pieces))


@dataclass(slots=True)
class _Reading:
    pieces: list[tuple[float, str]] = field(default_factory=list)

    def follow(self, stream: IO[str] | None) -> None:
        assert stream
        for line in stream:
            self.pieces.append((time.time(), line))


def faults(played: Played, *, slack: float = 1.0) -> list[str]:
    """What is wrong with how a case went; nothing where it went as it must.

    ``slack`` is how many times longer saying it may take on a machine that is shared.
    """
    case, screen = played.case, played.screen
    found = [
        f"it does not say {words!r}"
        for words in (case.says.object, *case.says.causes, case.says.next)
        if _plain(words) not in screen.text
    ]
    if screen.exit != case.exit:
        found.append(f"it exits with {screen.exit}, not {case.exit}")
    if played.knew is None:
        found.append(f"the cluster never said {case.knows!r}")
    took = screen.ended - screen.began
    if case.final and played.after is not None and played.after > case.within * slack:
        found.append(f"it was said {played.after:.1f} s after the cluster knew")
    # A step keeps a part of its time for the diagnosis: a quarter, at most five seconds.
    if not case.final and took < case.deadline - min(5.0, case.deadline / 4) - 0.5:
        found.append(f"it may heal, and was given up after {took:.1f} s of {case.deadline}")
    if played.document is not None:
        found += _missing_in_json(played.document, case.says)
    return found


def _missing_in_json(document: dict[str, Any], says: Says) -> list[str]:
    # What ends before anything was deployed has no result, and so no failure in it.
    failure, error = document.get("failure") or {}, document.get("error") or {}
    found = [failure.get("verdict"), failure.get("culprits"), error.get("what"), error.get("why")]
    found.append(f"{failure.get('dependants')} other components only wait for this")
    text = _plain("".join(str(part) for part in found if part))
    words = [w for w in (says.object, *says.causes) if _plain(w) not in text]
    if _plain(says.next) not in _plain(str(failure.get("next") or error.get("next", ""))):
        words.append(says.next)
    return [f"the JSON does not say {word!r}" for word in words]


def _plain(text: str) -> str:
    """Without the screen's bars and folds; a name may be folded at its hyphen."""
    return re.sub(r"[\s│]+", "", text).lower()
