"""Kinds that the cluster does not serve: no definition, one that is refused, a dead API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envctl.errors import EXIT_RETRY
from tests.failures.case import Case, Part, Says, Twin
from tests.failures.objects import deployment, meta
from tests.failures.stage import PROJECT
from tests.until import until

if TYPE_CHECKING:
    from tests.failures.case import Object
    from tests.failures.stage import Stage

#: The cluster has no record of it: seconds count from the start of the command.
AT_ONCE = 20
GROUP = f"{PROJECT}.example.org"
ALLOWED = {"ENVCTL_CLUSTER_SCOPED": "CustomResourceDefinition"}
ASKED = "{clusterScoped: [CustomResourceDefinition]}"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _definition(plural: str = "widgets", group: str = GROUP) -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True,
               "schema": {"openAPIV3Schema": schema}}  # fmt: skip
    names = {"plural": plural, "singular": plural[:-1], "kind": "Widget", "listKind": "WidgetList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": meta(f"{plural}.{group}"),
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }  # fmt: skip


WIDGET: Object = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": meta("big")}


def _group(stage: Stage) -> str:
    return GROUP.replace(PROJECT, stage.project)


def _rival(stage: Stage) -> None:
    """Another definition of the same kind, which came first."""
    rival = _definition("gadgets", _group(stage))
    stage.kubectl.apply(json.dumps(rival))
    until(lambda: _is(stage, "customresourcedefinition", rival, "Established", "True"))


def _no_definitions(stage: Stage) -> None:
    names = [f"{plural}.{_group(stage)}" for plural in ("widgets", "gadgets")]
    stage.kubectl.run(
        "delete", "customresourcedefinition", *names, "--ignore-not-found", "--wait=false"
    )


def _dead_api(stage: Stage) -> None:
    """An APIService of a group of its own, behind which nobody is."""
    group = _group(stage)
    found = {
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": meta(f"v1.{group}"),
        "spec": {"group": group, "version": "v1", "groupPriorityMinimum": 100,
                 "versionPriority": 100, "insecureSkipTLSVerify": True,
                 "service": {"name": "nobody", "namespace": "kube-system"}},
    }  # fmt: skip
    stage.kubectl.apply(json.dumps(found))
    until(lambda: _is(stage, "apiservice", found, "Available", "False"))


def _no_api(stage: Stage) -> None:
    stage.kubectl.run("delete", "apiservice", f"v1.{_group(stage)}", "--ignore-not-found")


def _is(stage: Stage, kind: str, obj: Object, condition: str, status: str) -> bool:
    live = stage.kubectl("get", kind, obj["metadata"]["name"])
    found = (live.get("status") or {}).get("conditions") or []
    return any(c["type"] == condition and c["status"] == status for c in found)


CASES = (
    Case(
        "no such kind",
        (Part((deployment(), WIDGET)),),
        Says("Widget/big", "the cluster has no kind 'Widget'", "Install the CRD"),
        within=AT_ONCE,
        # Its definition comes with the same component, and is not served at once.
        twin=Twin(
            (Part((WIDGET, _definition())),),
            after=_no_definitions,
            environment=ASKED,
            settings=ALLOWED,
        ),
        told='no matches for kind "Widget"',
    ),
    Case(
        "definition not established",
        (Part((WIDGET, _definition())),),
        Says("CustomResourceDefinition/widgets", ("another CustomResourceDefinition has its names",
                                                  "is already in use"), "Give it other names"),
        knows="is already in use",
        watches=(DEFINITIONS,),
        before=_rival,
        after=_no_definitions,
        environment=ASKED,
        settings=ALLOWED,
    ),
    # While it lasts no namespace of the cluster can be deleted: not beside tests that do.
    Case(
        "API service down",
        (Part((deployment(), WIDGET)),),
        Says("Widget/big", ("APIService/v1.", "is not available", "Service/nobody in kube-system"),
             "Start what serves it"),
        within=AT_ONCE,
        exit=EXIT_RETRY,
        before=_dead_api,
        after=_no_api,
        # What has nothing to do with it is deployed all the same.
        twin=Twin((Part((deployment(),)),), before=_dead_api, after=_no_api),
        nightly=True,
    ),
)  # fmt: skip
