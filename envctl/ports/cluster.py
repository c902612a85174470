"""What the workflows need of a Kubernetes cluster, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from envctl.errors import EnvctlError, Refused, Unavailable
from envctl.model.environment import FIELD_MANAGER
from envctl.model.objects import Obj

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from datetime import datetime

    from envctl.model.objects import Resource


class AlreadyExists(EnvctlError):
    """A create found the name taken."""


class Conflict(Unavailable):
    """Somebody changed the object in between; read again and decide again.

    ``managers`` names the other field managers and their fields, for a server-side apply.
    """

    def __init__(
        self, what: str, *, why: str = "", managers: tuple[FieldConflict, ...] = ()
    ) -> None:
        super().__init__(what, why=why, next="Run the command again.")
        self.managers = managers


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field that another manager owns."""

    manager: str
    field: str


class Terminating(Unavailable):
    """The namespace is being deleted and takes nothing new; once it is gone, it can be made."""


class NotFound(EnvctlError):
    """404: the object of a write, or what it names; the caller decides whether that is an error."""


class Invalid(EnvctlError):
    """The server understood the object and refused it: schema, immutable field, admission.

    ``fixed`` are the fields that were to be changed and cannot be, with the server's reason.
    """

    def __init__(
        self, what: str, *, why: str = "", next: str = "", fixed: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(what, why=why, next=next)
        self.fixed = fixed


class QuotaExceeded(Refused):
    """The namespace's ResourceQuota has no room for it."""


class WebhookDown(Unavailable):
    """An admission webhook that must see the object cannot be called."""


class UnknownKind(EnvctlError):
    """The cluster does not serve this kind."""


class ApiDown(Unavailable):
    """An APIService of this kind's group is registered, and what should serve it does not."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a watch. ``RESYNC`` means: forget what you knew, everything follows again."""

    type: str
    object: Obj


Objects = list[Obj]
Lines = list[str]


class Cluster(Protocol):
    """One cluster through one credential.

    Every call may raise Unavailable (retried inside already, by the policy ``api``), Forbidden,
    or another EnvctlError named in its docstring; none raises a library's error.
    """

    context: str

    @property
    def requests(self) -> int:
        """How many requests were sent, retries included."""
        ...

    def server_time(self) -> datetime | None:
        """The API server's time, never later than it is; None before it has told any."""
        ...

    async def resource(self, api_version: str, kind: str) -> Resource:
        """Where a kind is served; raises UnknownKind, ApiDown."""
        ...

    async def namespaced_kinds(self) -> tuple[Resource, ...]:
        """Every kind that lives in namespaces."""
        ...

    async def get(self, resource: Resource, name: str, namespace: str = "") -> Obj | None:
        """The object, or None where there is none."""
        ...

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
    ) -> Objects:
        """All objects of the kind, read in pages."""
        ...

    async def create(self, resource: Resource, obj: Obj) -> Obj:
        """Create; raises AlreadyExists."""
        ...

    async def replace(self, resource: Resource, obj: Obj) -> Obj:
        """Replace the version that ``obj`` was read as; raises Conflict."""
        ...

    async def apply(
        self,
        resource: Resource,
        obj: Obj,
        *,
        force: bool = False,
        dry_run: bool = False,
        manager: str = FIELD_MANAGER,
    ) -> Obj:
        """Apply server-side as a field manager; raises Conflict, Invalid."""
        ...

    async def patch(self, resource: Resource, name: str, namespace: str, patch: Obj) -> Obj:
        """Merge-patch; with ``metadata.uid`` or ``resourceVersion`` in it as precondition."""
        ...

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        uid: str,
        version: str = "",
        grace: int | None = None,
    ) -> bool:
        """Delete exactly the object with this UID; False where it is gone or another by now.

        With ``version`` (its resourceVersion) exactly in this version: what decided that it may be
        deleted, its labels say, is then still so; False as well where it was changed.
        """
        ...

    def watch(
        self, resource: Resource, namespace: str = "", name: str = "", *, since: str = ""
    ) -> AsyncIterator[Change]:
        """Every change, for ever: resumed when cut, RESYNC on 410.

        All objects come first as ADDED, unless ``since`` is the resource version they are known at.
        """
        ...

    async def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        tail: int | None = None,
        previous: bool = False,
    ) -> Lines:
        """The last lines of a container, oldest first; empty where there are none."""
        ...

    def follow(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        tail: int | None = None,
        since: float | None = None,
        follow: bool = True,
        previous: bool = False,
        timestamps: bool = False,
    ) -> AsyncGenerator[str]:
        """A container's lines as they come; ends with the container, or when the connection does.

        ``since`` is seconds back from now. With ``timestamps`` each line begins with its moment,
        which sorts as text, and a space.
        """
        ...

    async def call(self, method: str, path: str, body: Obj | None = None) -> Any:
        """One plain request to a path without a resource: version, reviews, tokens."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
