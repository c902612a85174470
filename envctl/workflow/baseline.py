"""What the checks measured in the target branch's environment: a change is judged beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.note_parts import Baseline
from envctl.model.objects import CONFIG_MAP
from envctl.model.record import NAME, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envctl.model.environment import EnvironmentInfo
    from envctl.ports.cluster import Cluster


async def read(
    cluster: Cluster, info: EnvironmentInfo, candidates: Sequence[str]
) -> tuple[str, Mapping[str, Baseline]]:
    """The first of these environments of the same project that has checks, and what they measured.

    Empty where there is none, or where it may not be read.
    """
    for name in candidates:
        namespace = f"{info.project}-{name}"
        if namespace == info.namespace:
            continue
        try:
            found = await cluster.get(CONFIG_MAP, NAME, namespace)
        except EnvctlError:  # a narrow credential: there is nothing to compare with
            continue
        checks = load(found).checks
        if checks:
            return name, {n: Baseline(c.seconds, dict(c.metrics)) for n, c in checks.items()}
    return "", {}
