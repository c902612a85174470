"""What a pod names and nobody has made: ConfigMaps, Secrets, and keys of them."""

from __future__ import annotations

from tests.failures.case import Case, Object, Part, Says, Twin
from tests.failures.objects import config_map, container, deployment, pod, shell

_CONFIG = "CreateContainerConfigError"
_NEXT = "or correct the reference"


def _env(**reference: object) -> Object:
    return container(env=[{"name": "COLOUR", "valueFrom": reference}])


def _mounted(volume: Object, **more: object) -> Object:
    mounts = [{"name": "found", "mountPath": "/found"}]
    return deployment(
        pod(container(volumeMounts=mounts), volumes=[{"name": "found", **volume}], **more)
    )


_NEEDS_SETTINGS = (deployment(pod(container(envFrom=[{"configMapRef": {"name": "settings"}}]))),)

CASES = (
    Case(
        "ConfigMap missing",
        (Part(_NEEDS_SETTINGS),),
        Says("Deployment/web", ('configmap "settings" not found',), _NEXT),
        knows=_CONFIG,
        # Made by another component of the same run, when the first pod has already missed it.
        twin=Twin(
            (
                Part(_NEEDS_SETTINGS),
                Part(
                    (deployment(pod(initContainers=[shell("sleep 4", "wait")]), "slow"),),
                    name="slow",
                ),
                Part((config_map("settings", size="3"),), name="config", needs=("slow",)),
            )
        ),
    ),
    Case(
        "ConfigMap without the key",
        (
            Part(
                (
                    config_map("settings", size="3"),
                    deployment(pod(_env(configMapKeyRef={"name": "settings", "key": "colour"}))),
                )
            ),
        ),
        Says("Deployment/web", ("couldn't find key colour", "settings"), _NEXT),
        knows=_CONFIG,
    ),
    Case(
        "Secret missing",
        (Part((deployment(pod(_env(secretKeyRef={"name": "keys", "key": "password"}))),)),),
        Says("Deployment/web", ('secret "keys" not found',), _NEXT),
        knows=_CONFIG,
    ),
    Case(
        "Secret missing as a volume",
        (Part((_mounted({"secret": {"secretName": "keys"}}),), timeout=14),),
        Says("Deployment/web", ('secret "keys" not found',), _NEXT),
        knows="FailedMount",
        exit=124,
        final=False,
    ),
    Case(
        "ConfigMap volume without the key",
        (
            Part(
                (
                    config_map("settings", size="3"),
                    _mounted(
                        {
                            "configMap": {
                                "name": "settings",
                                "items": [{"key": "colour", "path": "colour"}],
                            }
                        }
                    ),
                ),
                timeout=14,
            ),
        ),
        Says("Deployment/web", ("non-existent config key: colour",), _NEXT),
        knows="FailedMount",
        exit=124,
        final=False,
        nightly=True,
    ),
    Case(
        "service account missing",
        (Part((deployment(pod(serviceAccountName="robot")),)),),
        Says("Deployment/web", ('serviceaccount "robot" not found',), "ServiceAccount"),
        knows="FailedCreate",
        within=15.0,  # another part of the environment may make it: ten seconds
    ),
)
