"""Components that fail because another has: they are counted, and it is blamed."""

from __future__ import annotations

from tests.failures.case import Case, Part, Says
from tests.failures.objects import THIRD_END, config_map, deployment, pod, shell

_FAILS = "echo no disk for the tables >&2; exit 6"

CASES = (
    Case(
        "component that others need",
        (
            Part((deployment(pod(initContainers=[shell(_FAILS, "tables")]), "db"),), name="db"),
            Part((deployment(name="api"),), name="api", needs=("db",)),
            Part((deployment(name="web"),), name="web", needs=("api",)),
            Part((config_map("words", a="b"),), name="words"),
        ),
        Says("Deployment/db", ("exit code 6", "no disk", "2 other components only wait for this"),
             "log"),
        knows=THIRD_END,
    ),
)  # fmt: skip
