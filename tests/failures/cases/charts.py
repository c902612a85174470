"""Charts that do not render with the values that they are given."""

from __future__ import annotations

import json

from envctl.errors import EXIT_USAGE
from tests.cluster.app import PAUSE
from tests.failures.case import Case, Part, Says

#: Said before the cluster is asked anything: seconds count from the start of the command.
AT_ONCE = 20
_WEB = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {{{{ .Values.replicas }}}}
  selector:
    matchLabels: {{app: web}}
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
        - {{name: web, image: {PAUSE}, imagePullPolicy: {{{{ .Values.image.pull }}}}}}
"""
_SCHEMA = {
    "type": "object",
    "properties": {"replicas": {"type": "integer"}, "image": {"type": "object"}},
}


def _chart(files: dict[str, str] | None = None, **values: object) -> tuple[Part, ...]:
    return (
        Part(
            chart=True,
            templates={"web.yaml": _WEB},
            values={"replicas": 1, "image": {"pull": "IfNotPresent"}, **values},
            files=files or {},
        ),
    )


CASES = (
    Case(
        "chart value of the wrong type",
        _chart({"values.schema.json": json.dumps(_SCHEMA)}, replicas="two"),
        Says("app", ("replicas", "got string, want integer"),
             "Correct the values of 'app' in envctl.yaml"),
        within=AT_ONCE,
        exit=EXIT_USAGE,
    ),
    Case(
        "chart value of the wrong shape",
        _chart(image="busybox"),
        Says("app", ("web.yaml", ".Values.image.pull", "can't evaluate field pull"),
             "Correct the template or the values"),
        within=AT_ONCE,
        exit=EXIT_USAGE,
    ),
    Case(
        "chart value that makes no object",
        _chart(replicas="two"),
        Says("Kind=Deployment", ".spec.replicas: expected numeric",
             "Correct the chart or its values"),
        within=AT_ONCE,
        nightly=True,
        told="spec.replicas",
    ),
)  # fmt: skip
