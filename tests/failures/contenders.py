"""What the catalogue is compared with: `helm upgrade --install --wait`, `kubectl apply` + `rollout
status`, and a script that dumps pods, events and logs once helm has given up.

Each works in a namespace with the same guardrails that envctl gives it, with the same time-out.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

import yaml

from envctl.errors import EXIT_RETRY
from tests.cluster.node import clean_environment, tool
from tests.failures.play import Screen, watch
from tests.failures.records import Records, watched
from tests.failures.stage import write_chart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.failures.case import Case, Part
    from tests.failures.stage import Stage

#: Seconds that each command is given.
TIMEOUT = 60
#: Seconds after which a command that ignores its own time-out is killed.
HANGS = TIMEOUT * 3
_ROLLS_OUT = ("Deployment", "StatefulSet", "DaemonSet")
_LOOK = (
    ("get", "pods", "--output", "wide"),
    ("describe", "pods"),
    ("get", "events", "--sort-by", ".lastTimestamp"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one command went on one case; times are seconds since the epoch."""

    screen: Screen
    knew: float | None
    said: float | None

    def as_json(self) -> dict[str, Any]:
        """The row of the comparison."""
        screen, knew = self.screen, self.knew
        return {
            "exit": screen.exit,
            "named": self.said is not None,
            "seconds": round(screen.ended - screen.began, 1),
            "saidAfter": _between(knew, self.said),
            "endedAfter": _between(knew, screen.ended),
        }


def _between(knew: float | None, then: float | None) -> float | None:
    return None if knew is None or then is None else round(max(0.0, then - knew), 1)


def compared(case: Case, stage: Stage, tool_name: str) -> list[tuple[str, Outcome]]:
    """Play a case with one tool; helm is followed by the script that dumps."""
    case = replace(case, parts=tuple(replace(part, timeout=TIMEOUT) for part in case.parts))
    deploy = TOOLS[tool_name]
    try:
        if case.earlier:
            stage.set(case.earlier, case.environment)
            _namespace(stage)
            deploy(stage, case.earlier)
        if case.before:
            case.before(stage)
        stage.set(case.parts, case.environment)
        if tool_name != "envctl":
            _namespace(stage, unserved=case.exit == EXIT_RETRY)
        with watched(stage.node, stage.namespace, case.watches) as records:
            if tool_name == "envctl":
                screen = watch(stage, case.command, case.settings)
            else:
                screen = deploy(stage, case.parts)
            found = [(tool_name, screen)]
            if tool_name == "helm" and screen.exit:
                found.append(("helm, then a script that dumps", _dump(stage, screen)))
        return [(name, _outcome(case, seen, records)) for name, seen in found]
    finally:
        if case.after:
            case.after(stage)


def _outcome(case: Case, screen: Screen, records: Records) -> Outcome:
    """Named is what has the catalogue's words, or the cluster's own for the cause."""
    knew = records.first(case.knows) if case.knows else screen.began
    said = [_when(screen, *case.says.causes)]
    said += [_when(screen, message) for message in _recorded(case, records)]
    said += [_when(screen, case.told)] if case.told else []
    return Outcome(screen, knew, min((at for at in said if at is not None), default=None))


def _when(screen: Screen, *words: str) -> float | None:
    """When the last of these words had been written, whatever the spaces, quotes and colons."""
    wanted, so_far = [_bare(word) for word in words], ""
    for at, piece in screen.pieces:
        so_far += _bare(piece)
        if all(word in so_far for word in wanted):
            return at
    return None


def _bare(text: str) -> str:
    return re.sub(r"""[\s│:"'\\\\]+""", "", text).lower()


def _recorded(case: Case, records: Records) -> set[str]:
    if not case.knows:
        return set()
    texts = [record.text for record in records.found]
    return {
        message
        for text in texts
        if re.search(case.knows, text, re.IGNORECASE)
        for message in _messages(json.loads(text), case.knows)
    }


def _messages(value: Any, sign: str) -> Iterator[str]:
    """The messages that belong to a sign: of the innermost mappings that match it."""
    if isinstance(value, list):
        for inner in value:
            yield from _messages(inner, sign)
    elif isinstance(value, dict):
        deeper = [m for inner in value.values() for m in _messages(inner, sign)]
        yield from deeper
        message = value.get("message")
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        if not deeper and isinstance(message, str) and re.search(sign, text, re.IGNORECASE):
            yield message


def _namespace(stage: Stage, *, unserved: bool = False) -> None:
    """The namespace, with the quota, the limits and the policies that envctl gives it.

    ``unserved``: envctl makes none for this case, as the cluster does not serve all of it.
    """
    if unserved:
        stage.kubectl.run("create", "namespace", stage.namespace)
        return
    for _ in range(3):
        done = stage.envctl("create", "--name", "it", "-o", "json")
        if done.returncode != EXIT_RETRY:
            break
    if done.returncode == EXIT_RETRY:
        raise RuntimeError(f"no namespace to compare in\n{done}")
    if not stage.kubectl.exists("namespace", stage.namespace):
        stage.kubectl.run("create", "namespace", stage.namespace)


def _envctl(stage: Stage, parts: tuple[Part, ...]) -> Screen:
    del parts
    return watch(stage)


def _helm(stage: Stage, parts: tuple[Part, ...]) -> Screen:
    began = time.time()
    pieces: list[tuple[float, str]] = []
    code = 0
    for part in parts:
        folder = stage.folder / f"chart-{part.name}"
        write_chart(folder, part, stage.words)
        (folder / "given.yaml").write_text(json.dumps(dict(part.values)))
        code = _watched(
            stage, pieces, "helm", "upgrade", "--install", part.name, str(folder), "--namespace",
            stage.namespace, "--values", str(folder / "given.yaml"), "--wait", "--timeout",
            f"{TIMEOUT}s", "--kube-context", stage.node.context,
        )  # fmt: skip
        if code:
            break
    return Screen(began, time.time(), code, tuple(pieces))


def _kubectl(stage: Stage, parts: tuple[Part, ...]) -> Screen:
    began = time.time()
    pieces: list[tuple[float, str]] = []
    common = ("--namespace", stage.namespace, "--context", stage.node.context)
    code = 0
    for part in parts:
        file = _manifests(stage, part, pieces)
        code = _watched(stage, pieces, "kubectl", "apply", "-f", file, *common)
        for name in [] if code else _workloads(file):
            left = max(1, TIMEOUT - int(time.time() - began))
            code = code or _watched(
                stage, pieces, "kubectl", "rollout", "status", name, f"--timeout={left}s", *common
            )
        if code:
            break
    return Screen(began, time.time(), code, tuple(pieces))


def _manifests(stage: Stage, part: Part, pieces: list[tuple[float, str]]) -> str:
    """The part as kubectl can take it; what only Helm knows is rendered."""
    folder = stage.folder / f"chart-{part.name}"
    write_chart(folder, part, stage.words)
    (folder / "given.yaml").write_text(json.dumps(dict(part.values)))
    rendered = subprocess.run(
        [tool("helm"), "template", part.name, folder, "--values", folder / "given.yaml"],
        capture_output=True, text=True, check=False, env=clean_environment(),
    )  # fmt: skip
    pieces.append((time.time(), rendered.stderr))
    (folder / "rendered.yaml").write_text(rendered.stdout)
    return str(folder / "rendered.yaml")


def _workloads(file: str) -> list[str]:
    with open(file) as opened:  # noqa: PTH123 - as kubectl is given it
        objects = [found for found in yaml.safe_load_all(opened) if found]
    return [
        f"{found['kind'].lower()}/{found['metadata']['name']}"
        for found in objects
        if found.get("kind") in _ROLLS_OUT
    ]


def _dump(stage: Stage, before: Screen) -> Screen:
    """What a careful pipeline does when helm has failed: show everything."""
    pieces = list(before.pieces)
    common = ("--namespace", stage.namespace, "--context", stage.node.context)
    for arguments in _LOOK:
        _watched(stage, pieces, "kubectl", *arguments, *common)
    for pod in stage.pods():
        for previous in ((), ("--previous",)):
            _watched(stage, pieces, "kubectl", "logs", pod["metadata"]["name"],
                     "--all-containers", "--tail", "50", *previous, *common)  # fmt: skip
    return Screen(before.began, time.time(), before.exit, tuple(pieces))


def _watched(stage: Stage, pieces: list[tuple[float, str]], *command: str) -> int:
    """Run a command to its end, with the time of every line; its exit code."""
    program, *arguments = command
    process = subprocess.Popen(
        [tool(program), *arguments],
        env=clean_environment({"KUBECONFIG": str(stage.node.kubeconfig)}),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    )  # fmt: skip
    with process:
        reading = threading.Thread(target=_read, args=(process.stdout, pieces), daemon=True)
        reading.start()
        try:
            return process.wait(HANGS)
        except subprocess.TimeoutExpired:
            return 124
        finally:
            process.kill()
            reading.join()


def _read(stream: IO[str], pieces: list[tuple[float, str]]) -> None:
    for line in stream:
        pieces += [(time.time(), line)]


TOOLS: dict[str, Callable[[Stage, tuple[Part, ...]], Screen]] = {
    "envctl": _envctl,
    "helm": _helm,
    "kubectl": _kubectl,
}
