"""What an attack is: files and variables that a merge request brings, and what must become of it.

Each is run as a pipeline would run it, with an administrator's credential, so that nothing but what
the case names can have stopped it. Outside of the repository lies a file with ``LOOT`` in it, which
must never be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.cluster.app import App
    from tests.cluster.node import Finished

LOOT = "swordfish-of-the-runner"
CONFINED = {"ENVCTL_PROFILE": "confined"}
BASE = "  - {name: config, manifests: [deploy/config.yaml]}\n"
ENVCTL, CLUSTER = "envctl", "the cluster"


@dataclass(frozen=True)
class Attack:
    """One attack. In texts ``OUTSIDE`` is the folder beside the repository, ``PROJECT`` ours.

    ``says`` stands in what the command prints. ``code`` is its exit code; 0 where the attack is
    without effect instead of refused, which ``LOOT`` proves.
    """

    name: str
    by: str
    code: int
    says: str
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    components: str = BASE
    checks: str = ""
    environment: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    stopped_by: str = ENVCTL
    config: str = ""

    def run(self, app: App, verb: str = "up") -> Finished:
        """Lay everything out and run the verb."""
        outside = app.folder.parent / f"{app.folder.name}-outside"
        _lay_out(outside)

        def real(text: str) -> str:
            return (
                text.replace("OUTSIDE", str(outside))
                .replace("PROJECT", app.project)
                .replace("BESIDE", f"../{outside.name}")
            )

        config = self.config or app.config(self.components, self.environment, checks=self.checks)
        (app.folder / ".git").mkdir(exist_ok=True)
        app.write({"envctl.yaml": real(config)})
        app.write({path: real(text) for path, text in self.files.items()})
        for path, target in self.links.items():
            link = app.folder / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(real(target))
        return app.run(verb, check=None, env=dict(self.env))


def _lay_out(outside: Path) -> None:
    """What lies beside the repository: another checkout, the runner's files."""
    chart = outside / "chart"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: other, version: 1.0.0}\n")
    stolen = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: stolen}}\ndata: {{x: {LOOT}}}\n"
    (chart / "templates" / "stolen.yaml").write_text(stolen)
    (outside / "stolen.yaml").write_text(stolen)
    (outside / "values.yaml").write_text(f"x: {LOOT}\n")
    (outside / "loot").write_text(f"{LOOT}\n")
    (outside / "kustomization.yaml").write_text("resources: [stolen.yaml]\n")


def seen(done: Finished) -> str:
    """Everything that the run has printed."""
    return done.stdout + done.stderr
