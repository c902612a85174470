"""What the environment's Secrets hold, which a program may have logged: it is shown to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model import redact
from envctl.model.objects import SECRET
from envctl.model.redact import Hidden

if TYPE_CHECKING:
    from envctl.ports.cluster import Cluster


async def hidden_in(cluster: Cluster, namespace: str) -> Hidden:
    """What is to be hidden; where Secrets may not be read, what looks like a secret by its form."""
    try:
        return redact.known(await cluster.list(SECRET, namespace))
    except EnvctlError:
        return Hidden()
