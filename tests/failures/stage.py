"""Where a case is played: a folder, a namespace, and the commands on the real node."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.cluster.node import Envctl, Finished, Kubectl, Node
    from tests.failures.case import Part


#: What the tests set for speed is what is under test here.
AS_USERS_HAVE_IT = {"ENVCTL_SETTLE": ""}
#: In a part's objects: a port of the node that is the environment's own, and its project, which
#: names what lies outside the namespace.
PORT, PROJECT = "@PORT@", "@PROJECT@"


@dataclass(frozen=True, slots=True)
class Stage:
    """One environment, called ``it``, of a project of its own."""

    envctl: Envctl
    node: Node
    kubectl: Kubectl
    project: str
    folder: Path

    @property
    def namespace(self) -> str:
        """The environment's namespace."""
        return f"{self.project}-it"

    @property
    def port(self) -> int:
        """A port of the node that no other stage has."""
        return 20000 + zlib.crc32(self.project.encode()) % 8000

    @property
    def words(self) -> dict[str, str]:
        """What stands for the placeholders in a part's objects."""
        return {PORT: str(self.port), PROJECT: self.project}

    def set(self, parts: tuple[Part, ...], environment: str = "") -> None:
        """Write the application: envctl.yaml, and the parts as manifests or charts."""
        for part in parts:
            write = write_chart if part.chart else write_manifests
            write(self.folder / part.name, part, self.words)
        context = self.node.context
        lines = [
            "apiVersion: envctl.dev/v1",
            f"project: {self.project}",
            f"cluster: {{context: {context}, allowed: [{context}]}}",
            *([f"environment: {environment}"] if environment else []),
            "components:",
            *(f"  - {json.dumps(_component(part))}" for part in parts),
        ]
        (self.folder / "envctl.yaml").write_text("\n".join(lines) + "\n")

    def up(
        self, *, check: int | None = None, settings: Mapping[str, str] | None = None
    ) -> Finished:
        """``up`` to its end, with JSON output; ``settings`` are variables of the CI."""
        env = {**AS_USERS_HAVE_IT, **(settings or {})}
        return self.envctl("up", "--name", "it", "-o", "json", env=env, check=check)

    def get(self, kind: str, name: str) -> Any:
        """One object of the environment."""
        return self.kubectl("get", kind, name, "-n", self.namespace)

    def ready(self) -> bool:
        """Whether every container of the environment's pods is ready."""
        return all(
            status["ready"] for pod in self.pods() for status in pod["status"]["containerStatuses"]
        )

    def restarts(self) -> int:
        """How often the environment's containers were started anew, all together."""
        return sum(
            status["restartCount"]
            for pod in self.pods()
            for status in pod["status"].get("containerStatuses") or []
        )

    def pods(self) -> list[dict[str, Any]]:
        """The environment's pods."""
        return self.kubectl.items("pods", "-n", self.namespace)


def _component(part: Part) -> dict[str, Any]:
    source: dict[str, Any] = (
        {"helm": {"chart": part.name, "values": [dict(part.values)] if part.values else []}}
        if part.chart
        else {"manifests": [f"{part.name}/*.yaml"]}
    )
    return {
        "name": part.name, "needs": list(part.needs), "timeout": f"{part.timeout}s", **source,
    }  # fmt: skip


def write_manifests(folder: Path, part: Part, words: Mapping[str, str]) -> None:
    """The part's objects as one file of manifests; what an earlier part left is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "objects.yaml").write_text(_stream(part, words))


def write_chart(folder: Path, part: Part, words: Mapping[str, str]) -> None:
    """The part as a chart: its objects as they are, its templates, and what lies beside them."""
    templates = folder / "templates"
    templates.mkdir(parents=True, exist_ok=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {part.name}\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("{}\n")
    (templates / "objects.yaml").write_text(_stream(part, words).replace("{{", '{{ "{{" }}'))
    for name, text in part.templates.items():
        (templates / name).write_text(text)
    for name, text in part.files.items():
        (folder / name).write_text(text)


def _stream(part: Part, words: Mapping[str, str]) -> str:
    found = "".join(f"---\n{json.dumps(found, indent=1)}\n" for found in part.objects)
    for placeholder, word in words.items():
        found = found.replace(placeholder, word)
    return found
