"""What stands around an environment: what envctl.yaml asks for, as far as the settings allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envctl.model.spec import Guardrails

if TYPE_CHECKING:
    from envctl.config.settings import Settings

#: Room for a small application; a project that needs more says so.
DEFAULT_QUOTA = {"requests.cpu": "4", "requests.memory": "8Gi", "pods": "60"}
DEFAULT_LIMITS = {
    "default": {"cpu": "500m", "memory": "512Mi"},
    "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
}


def of(section: dict[str, Any], settings: Settings) -> Guardrails:
    """The guardrails of the file's section ``environment``, narrowed by the settings."""
    access = section.get("access", {})
    limits = section.get("limits", {})
    wanted = section.get("security", "baseline")
    found = Guardrails(
        quota={k: str(v) for k, v in section.get("quota", DEFAULT_QUOTA).items()},
        container_defaults={
            key: {k: str(v) for k, v in limits.get(key, DEFAULT_LIMITS[key]).items()}
            for key in DEFAULT_LIMITS
        },
        egress=tuple(access.get("egress", ["dns", "same-environment"])),
        ingress=tuple(access.get("ingress", ["same-environment", "ingress-controller"])),
        security="restricted" if "restricted" in (settings.security, wanted) else wanted,
        cluster_scoped=_narrowed(section.get("clusterScoped", []), settings.cluster_scoped),
    )
    return settings.limits.narrow(found, DEFAULT_LIMITS)


def _narrowed(wanted: list[str], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds that the file asks for and the settings allow; ``*`` allows all it asks for."""
    return tuple(kind for kind in wanted if "*" in allowed or kind in allowed)
