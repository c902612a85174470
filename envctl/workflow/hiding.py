"""What the environment's Secrets hold, which a program may have logged: it is shown to nobody."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Forbidden
from envctl.model import redact
from envctl.model.objects import SECRET
from envctl.model.redact import Hidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.model.events import LogLine
    from envctl.model.logs import Show
    from envctl.ports.cluster import Cluster

#: For an account that was set up before envctl watched them.
UNWATCHED = (
    "what Secrets come to hold from now on is not hidden, as this credential may not watch them: "
    "let the administrator run `envctl cluster init --apply` again"
)


async def hidden_in(cluster: Cluster, namespace: str) -> Hidden:
    """What is to be hidden; where Secrets may not be read, what looks like a secret by its form."""
    try:
        return redact.known(await cluster.list(SECRET, namespace))
    except EnvctlError:
        return Hidden()


@dataclass(slots=True)
class Mask:
    """Shows lines without what is hidden, which may become more while they are shown."""

    shown: Show
    hidden: Hidden

    def show(self, said: LogLine) -> None:
        """Show one line."""
        self.shown(replace(said, line=self.hidden.mask(said.line)))

    async def follow(self, cluster: Cluster, namespace: str, warn: Callable[[str], None]) -> None:
        """Hide what is added to the Secrets from now on, and what they held before, for ever.

        ``warn`` is told where they may be read, and not watched.
        """
        try:
            async for change in cluster.watch(SECRET, namespace):
                if change.type in ("ADDED", "MODIFIED"):
                    self.hidden |= redact.known([{**change.object, "kind": SECRET.kind}])
        except Forbidden:
            with contextlib.suppress(
                EnvctlError
            ):  # nothing of them was hidden: as in ``hidden_in``
                await cluster.list(SECRET, namespace)
                warn(UNWATCHED)
