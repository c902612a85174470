"""Kubernetes' schemas offline, by kubernetes-validate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envctl.model.objects import Obj

VERSION = "1.37"


class KubernetesSchemas:
    """See ``envctl.ports.schemas.Schemas``."""

    def problem(self, obj: Obj) -> str:
        """What is wrong with the object, or an empty string; kinds without a schema pass."""
        import kubernetes_validate

        try:
            kubernetes_validate.validate(obj, VERSION, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            return ""  # a custom resource: only its cluster knows it
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            return f"{path}: {error.message}"[:500] if path else str(error.message)[:500]
        return ""
