"""The rights of `cluster init` are those that the audit log shows are used, and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from envctl.model import access, permissions
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.permissions import Permission, Scope
from tests.attacks.everything import FILES, components
from tests.cluster.setup import CONTEXT, SetUp, set_up
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cluster.app import App
    from tests.cluster.node import Kubectl, Node

pytestmark = pytest.mark.timeout(600)
#: What is granted although a run may get by without it, and why; (group, resource, verb).
REVIEWED = {
    ("coordination.k8s.io", "leases", "get"): "used, but reads of leases are not in the audit log",
    ("coordination.k8s.io", "leases", "list"): "the same",
    ("coordination.k8s.io", "leases", "delete"): "`gc` deletes the locks of environments long gone",
    ("", "persistentvolumes", "get"): "`down` proves that bound volumes are gone; none is here",
    ("", "persistentvolumes", "list"): "the same",
    ("", "persistentvolumes", "watch"): "the same",
}
#: What the set-up's own Role adds to what `doctor` asks for: where the grants stand.
GRANTS = Permission(Scope.SYSTEM, "", "configmaps", "list")


@pytest.fixture(scope="module")
def made(node: Node, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    with set_up(node, kubectl, tmp_path_factory.mktemp("rights")) as found:
        yield found


@pytest.fixture
def app(made: SetUp, write: Callable[[dict[str, str]], Path], tmp_path: Path) -> App:
    """An application with every kind that may be used, as a release and as manifests."""
    found = made.app(write, tmp_path)
    found.write({path: text.replace("SPACE", found.namespace) for path, text in FILES.items()})
    return found


def test_every_right_is_used_or_reviewed(app: App, made: SetUp, node: Node) -> None:
    if not node.name:
        pytest.skip("only the embedded node shows its audit log")
    _live(app, "one")
    app.run("extend", "--for", "30h")
    for role in ("view", "edit"):
        app.run("kubeconfig", "--role", role)
    app.run("logs", "--component", "smoke")
    app.envctl("list", "-o", "json", check=0)
    _live(app, "two", without="pruned")
    with app.envctl.start("logs", "--name", "it", "--follow", "-o", "logfmt") as following:
        assert following.stdout is not None
        assert following.stdout.readline()
        assert app.run("down").json["result"] == "gone"

    granted = {*permissions.needed(), GRANTS}
    used = _used(node, f"{made.project}-pipeline", app.namespace)
    assert used <= granted, "more was used than is granted"
    unused = granted - used - _lent()
    idle = {(p.group, p.resource, p.verb) for p in unused} - REVIEWED.keys()
    assert not idle, (
        "no run uses it: take it out of envctl/model/permissions.py, or say why it stays"
    )
    assert REVIEWED.keys() <= {(p.group, p.resource, p.verb) for p in granted}


def _live(app: App, word: str, without: str = "") -> None:
    config = app.config(components(without), checks="  - {name: smoke, job: tests/smoke.yaml}\n")
    app.write({"envctl.yaml": config.replace(app.node.context, CONTEXT),
               "chart/values.yaml": f"word: {word}\n",
               "all/settings.yaml": FILES["all/settings.yaml"].replace("one", word)})  # fmt: skip
    assert app.up()["result"] == "succeeded"


def _used(node: Node, account: str, namespace: str) -> set[Permission]:
    """What the account was allowed, by the audit log."""
    log = node.kubeconfig.parent / "audit" / "audit.log"
    name = f"system:serviceaccount:{SYSTEM_NAMESPACE}:{account}"
    found: set[Permission] = set()

    def ended() -> bool:
        lines = [line for line in log.read_text().splitlines() if account in line]
        events = [e for e in map(json.loads, lines) if e["user"]["username"] == name]
        for event in events:
            found.update(_permissions(event, namespace))
        return any(e["verb"] == "delete" and e["objectRef"]["resource"] == "namespaces"
                   for e in events)  # fmt: skip

    until(ended, seconds=20)
    known = {(p.scope, p.group, p.resource, p.verb): p for p in permissions.needed()}
    return {known.get((p.scope, p.group, p.resource, p.verb), p) for p in found}


def _permissions(event: dict[str, Any], namespace: str) -> Iterator[Permission]:
    what = event.get("objectRef") or {}
    allowed = (event.get("annotations") or {}).get("authorization.k8s.io/decision") == "allow"
    if not allowed or "resource" not in what or what.get("apiGroup", "").startswith("auth"):
        return  # discovery, and questions about oneself, which everybody may ask
    if what["resource"] == "namespaces":
        scope = Scope.CLUSTER
    else:
        scopes = {namespace: Scope.ENVIRONMENT, SYSTEM_NAMESPACE: Scope.SYSTEM}
        scope = scopes.get(what.get("namespace", ""), Scope.CLUSTER)
    resource = "/".join(filter(None, [what["resource"], what.get("subresource", "")]))
    yield Permission(scope, what.get("apiGroup", ""), resource, event["verb"])
    if (
        event["verb"] == "patch" and event["responseStatus"].get("code") == 201
    ):  # server-side apply makes what is not there
        yield Permission(scope, what.get("apiGroup", ""), resource, "create")


def _lent() -> set[Permission]:
    """What `kubeconfig` gives to people; nobody can give what they do not hold."""
    lent = {
        (group, resource, verb)
        for rule in access.rules(access.AccessRole.EDIT)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    return {
        p for p in permissions.needed()
        if p.scope is Scope.ENVIRONMENT and (p.group, p.resource, p.verb) in lent
    }  # fmt: skip
