"""What the checks measured when they were last good on the target branch: a change is judged by it.

It is on the Lease of the branch's environment, which outlives it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model import measured
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.note_parts import Baseline
from envctl.model.objects import LEASE, annotations_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envctl.model.environment import EnvironmentInfo
    from envctl.model.measured import Runs
    from envctl.ports.cluster import Cluster


async def runs(
    cluster: Cluster, project: str, namespace: str, candidates: Sequence[str]
) -> tuple[str, Runs]:
    """The first of these environments of the project that has good runs, and they.

    ``namespace`` is the one that asks, which is no baseline of its own. Empty where there is none;
    raises what the cluster answers where it cannot be known.
    """
    for name in candidates:
        other = f"{project}-{name}"
        if other == namespace:
            continue
        found = measured.load(
            annotations_of(await cluster.get(LEASE, other, SYSTEM_NAMESPACE) or {})
        )
        if found:
            return name, found
    return "", {}


async def read(
    cluster: Cluster, info: EnvironmentInfo, candidates: Sequence[str]
) -> tuple[str, Mapping[str, Baseline]]:
    """The same for people to look at: each check's last run, and nothing where that is hidden."""
    try:
        name, found = await runs(cluster, info.project, info.namespace, candidates)
    except EnvctlError:  # a narrow credential: there is nothing to compare with
        return "", {}
    return name, {
        n: Baseline(all_[-1].seconds, dict(all_[-1].metrics)) for n, all_ in found.items()
    }
