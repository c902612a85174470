"""A namespace beside the environment, in which an admission rule is tried before the case is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.until import until

if TYPE_CHECKING:
    from tests.failures.case import Object
    from tests.failures.stage import Stage


def only_here(stage: Stage) -> Object:
    """Selects the environment's namespace and the one beside it: nobody else is to meet the rule.

    By its name: the namespace does not exist yet, and the rule is to hold from its beginning.
    """
    names = [stage.namespace, _beside(stage)]
    by_name = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": names}
    return {"matchExpressions": [by_name]}


def until_said(stage: Stage, words: str, obj: Object) -> None:
    """Until the API server says this to who makes the object: it learns of a rule by a watch."""
    where = _beside(stage)
    stage.kubectl.run("create", "namespace", where)
    create = ("create", "--dry-run=server", "-n", where, "-f", "-")
    until(lambda: words in stage.kubectl.run(*create, stdin=json.dumps(obj)).stderr)


def clear(stage: Stage) -> None:
    """Take the namespace away again."""
    stage.kubectl.run("delete", "namespace", _beside(stage), "--ignore-not-found", "--wait=false")


def _beside(stage: Stage) -> str:
    return f"{stage.project}-beside"
