"""The JSON Schema of envctl.yaml; the docs, the editors and the validation all use this one."""

from __future__ import annotations

from typing import Any

from envctl.model import readings

API_VERSION = "envctl.dev/v1"


def _strings(description: str) -> dict[str, Any]:
    return {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "description": description,
    }


def _object(
    description: str, properties: dict[str, Any], required: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": properties,
        "required": list(required),
    }


def _text(description: str, default: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string", "minLength": 1, "description": description}
    return found if default is None else {**found, "default": default}


def _map(description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": {"type": ["string", "number"]},
    }


_DURATION = {
    "type": ["string", "integer"],
    "description": "A duration such as 90s, 4m, 72h or 14d; 0 means none.",
}
_NAME = _text("A DNS label: lower-case letters, digits and dashes, a letter first.")
_IMAGES = _map(
    "Image names in the rendered objects and what to put in their place, tag or digest included."
)
_PEERS = {
    "type": "array",
    "description": "Who may be talked to: words envctl knows, or NetworkPolicy peers.",
    "items": {
        "anyOf": [
            {"enum": ["dns", "same-environment", "ingress-controller", "internet", "anything"]},
            {
                "type": "object",
                "description": "A rule of a NetworkPolicy, as Kubernetes writes it "
                "(`to` or `from`, and `ports`).",
            },
        ]
    },
}

_HELM = _object(
    "A Helm release, named like the component.",
    {
        "chart": _text("A folder, a chart's name in `repository`, or an oci:// reference."),
        "repository": _text("The URL of a chart repository."),
        "version": _text(
            "The chart's exact version; required with `repository` and oci://, so that the same "
            "file gives the same environment."
        ),
        "values": {
            "type": "array",
            "description": "Values files, or mappings in place; later ones win.",
            "items": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "object"}]},
        },
    },
    ("chart",),
)

_COMPONENT = _object(
    "A part of the application; exactly one of helm, kustomize, manifests and job says what it is.",
    {
        "name": _NAME,
        "needs": _strings("Components that must be ready before this one is deployed."),
        "timeout": {**_DURATION, "description": "Until it must be ready.", "default": "5m"},
        "helm": _HELM,
        "kustomize": _text("A folder with a kustomization."),
        "manifests": _strings("Files, folders or globs of plain manifests."),
        "job": _text("A file with one Job that is run to its end, again whenever it changes."),
        "images": _IMAGES,
        "expose": _object(
            "Makes a Service of this component answer at the environment's host.",
            {
                "service": _text("The Service's name."),
                "port": {"type": ["integer", "string"], "description": "Its port or port's name."},
                "path": _text("The path below which it answers.", "/"),
            },
            ("service", "port"),
        ),
    },
    ("name",),
)

_CHECK = _object(
    "A test of the deployed environment.",
    {
        "name": _NAME,
        "job": _text(
            "A file with one Job; its success is the check's, and what it reports its metrics."
        ),
        "command": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "maxItems": 200,
            "description": "A program and its arguments, run where envctl runs, in the folder of "
            "this file and without a shell; it ends with 0 where all is good.",
        },
        "pytest": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "maxItems": 200,
            "description": "The same for a run of pytest: its arguments, such as tests/e2e.",
        },
        "timeout": {**_DURATION, "description": "Until it must have ended.", "default": "2m"},
        "images": _IMAGES,
        "gates": _strings(
            "What its numbers must be: `accuracy >= 0.92`, `p95_ms <= baseline * 1.10`, "
            "`loss < control.loss`. One that fails ends the run with 4."
        ),
        "metrics": {
            "enum": list(readings.FORMATS),
            "default": readings.TERMINATION,
            "description": "Where its numbers are: `name=number` in the termination message, or "
            "the output of its first container in one of the formats; of a command, the file that "
            "`ENVCTL_METRICS` names, or its output.",
        },
        "runs": {
            "type": "integer",
            "minimum": 1,
            "maximum": 50,
            "default": 1,
            "description": "How often it is run, one after the other; gates then compare samples, "
            "and claim nothing of fewer than 5. The timeout is of all.",
        },
        "definition": {
            "type": "integer",
            "minimum": 1,
            "default": 1,
            "description": "Raise it when the check measures something else than before: "
            "what an earlier definition measured is no baseline.",
        },
    },
    ("name",),
)

_ENVIRONMENT = _object(
    "What every environment of the project gets.",
    {
        "host": _text(
            "Its host name, one label below a wildcard, e.g. ${name}.preview.example.org."
        ),
        "url": _text(
            "Its URL where that is not https://HOST (http and the port, for *.localhost)."
        ),
        "ingressClass": _text("The IngressClass of what `expose` makes; the cluster's default."),
        "isolation": {
            "enum": ["namespace"],
            "default": "namespace",
            "description": "How environments are kept apart.",
        },
        "security": {
            "enum": ["baseline", "restricted"],
            "default": "baseline",
            "description": "The Pod Security standard that is enforced; restricted is always "
            "warned about.",
        },
        "lifetime": _object(
            "How long it lives.",
            {
                "ttl": {**_DURATION, "description": "From its last use.", "default": "72h"},
                "idle": {**_DURATION, "description": "Without traffic.", "default": "0"},
                "max": {**_DURATION, "description": "From its creation.", "default": "14d"},
            },
        ),
        "settle": {
            **_DURATION,
            "description": "How long containers without a readiness probe must have run before they"
            " count as ready; ENVCTL_SETTLE wins.",
            "default": "5s",
        },
        "quota": _map("The hard limits of its ResourceQuota."),
        "limits": _object(
            "What containers get that do not say what they want (LimitRange).",
            {"default": _map("Limits."), "defaultRequest": _map("Requests.")},
        ),
        "access": _object(
            "Opens the network, which is closed by default.",
            {
                "egress": {**_PEERS, "default": ["dns", "same-environment"]},
                "ingress": {**_PEERS, "default": ["same-environment", "ingress-controller"]},
            },
        ),
        "clusterScoped": _strings(
            "Kinds outside the namespace that components may own, e.g. ClusterRole; "
            "ENVCTL_CLUSTER_SCOPED must allow them too."
        ),
    },
)

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://envctl.dev/schemas/v1/envctl.json",
    "title": "envctl.yaml",
    **_object(
        "What envctl deploys for every merge request of a project.",
        {
            "apiVersion": {"const": API_VERSION, "description": "The version of this format."},
            "project": _text("The project's name; part of every namespace's name."),
            "cluster": _object(
                "Where environments are made.",
                {
                    "context": _text("The kubeconfig context, or the GitLab agent's."),
                    "allowed": _strings(
                        "Contexts that may be used at all; without this list only local ones: "
                        "envctl-local, kind-*, k3d-*, minikube, docker-desktop."
                    ),
                },
            ),
            "environment": _ENVIRONMENT,
            "images": _map(
                "Default references for ${image.NAME}; --image and ENVCTL_IMAGE_NAME win."
            ),
            "components": {
                "type": "array",
                "minItems": 1,
                "maxItems": 500,
                "items": _COMPONENT,
                "description": "The parts of the application.",
            },
            "checks": {
                "type": "array",
                "maxItems": 200,
                "items": _CHECK,
                "description": "What is tested once everything is ready.",
            },
        },
        ("apiVersion", "project", "components"),
    ),
}
