"""Images that cannot be had, or cannot run here."""

from __future__ import annotations

from tests.failures import registry
from tests.failures.case import Case, Part, Says, Twin
from tests.failures.objects import config_map, container, deployment, pod

_PULLED = (Part((deployment(pod(container(image=registry.IMAGE, command=["sleep", "1000"]))),)),)
_NEVER = r'"reason":"ErrImagePull"|Failed to pull image'
#: The first 64 bytes of a program for ARM, by the ELF specification: enough to be refused.
_ELF = "f0VMRgIBAQAAAAAAAAAAAAIAtwABAAAAAABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAABAAAAAAAAAA=="
_APP = {"name": "app", "configMap": {"name": "program", "defaultMode": 0o755}}
_FOREIGN = (
    {**config_map("program"), "binaryData": {"web": _ELF}},
    deployment(
        pod(
            container(command=["/app/web"], volumeMounts=[{"name": "app", "mountPath": "/app"}]),
            volumes=[_APP],
        )
    ),
)

CASES = (
    Case(
        "image not found",
        _PULLED,
        Says(
            "Deployment/web", ("image cannot be pulled", "shop/web:1", "not found"), "name and tag"
        ),
        knows=_NEVER,
        before=registry.unknown,
        after=registry.stop,
        twin=Twin(_PULLED, before=registry.slow, after=registry.stop),
    ),
    Case(
        "registry denied",
        _PULLED,
        Says("Deployment/web", ("image cannot be pulled", "shop/web:1", "403"), "pull secret"),
        knows=_NEVER,
        before=registry.denied,
        after=registry.stop,
    ),
    Case(
        "image for another processor",
        _PULLED,
        Says("Deployment/web", ("image cannot be pulled", "platform"), "processor"),
        knows=_NEVER,
        before=registry.foreign,
        after=registry.stop,
    ),
    Case(
        "registry that cannot be reached",
        (Part((deployment(pod(container(image="127.0.0.1:9/shop/web:1"))),), timeout=12),),
        Says("Deployment/web", ("image cannot be pulled", "connection refused"), "registry"),
        knows=_NEVER,
        exit=124,
        final=False,
    ),
    Case(
        "image name that is none",
        (Part((deployment(pod(container(image="shop/Web:latest/1"))),)),),
        Says("Deployment/web", ("InvalidImageName",), "image's name"),
        knows="InvalidImageName",
    ),
    Case(
        "image that must not be pulled",
        (Part((deployment(pod(container(image="shop/web:1", imagePullPolicy="Never"))),)),),
        Says("Deployment/web", ("ErrImageNeverPull",), "Load the image"),
        knows="ErrImageNeverPull",
    ),
    Case(
        "program for another processor",
        (Part(_FOREIGN),),
        Says("Deployment/web", ("exec format error",), "processor"),
        knows=r'"exitCode":[1-9]|StartError|RunContainerError',
    ),
)
