"""From YAML text to objects: what every source that renders YAML has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from envctl.errors import ConfigError
from envctl.model.objects import Obj, containers, pod_specs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The C parser is ten times faster, which 300 manifests notice.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Bytes of one manifest file or one rendering.
MAX_BYTES = 32 * 1024 * 1024
#: Values of one file once its aliases are written out.
MAX_VALUES = 2_000_000


def parse(text: str | bytes, where: str) -> list[Obj]:
    """All objects of a YAML stream, Lists opened; raises ConfigError with file and line."""
    if len(text) > MAX_BYTES:
        raise ConfigError(
            f"{where} is larger than {MAX_BYTES // 1024 // 1024} MiB.",
            why="Manifests of that size are refused before they are parsed.",
            next="Split the component, or keep large data out of manifests.",
        )
    try:
        documents = list(yaml.load_all(text, Loader=LOADER))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _syntax(where, error) from error
    _bounded(documents, where)
    return [obj for document in documents for obj in _objects(document, where)]


def _bounded(documents: list[Any], where: str) -> None:
    """Refuse aliases that multiply: they cost nothing until somebody writes them out."""
    left, stack = MAX_VALUES, list(documents)
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
        left -= 1
        if left < 0:
            raise ConfigError(
                f"{where} expands to more than {MAX_VALUES:,} values.",
                why="Its aliases multiply each other.",
                next="Write the values out instead of repeating them by aliases.",
            )


def _syntax(where: str, error: Exception) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    line = f":{mark.line + 1}" if mark else ""
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return ConfigError(
        f"{where}{line}: this is not valid YAML.",
        why=f"The parser says: {problem}.",
        next="Correct the line; `envctl validate` checks it without a cluster.",
    )


def _objects(document: Any, where: str) -> Iterator[Obj]:
    if document is None:
        return
    if not isinstance(document, dict) or not document.get("kind"):
        raise _not_an_object(where, "it has no kind")
    if document["kind"] == "List" or (
        str(document["kind"]).endswith("List") and "items" in document
    ):
        for item in document.get("items") or []:
            yield from _objects(item, where)
        return
    if not document.get("apiVersion"):
        raise _not_an_object(where, f"the {document['kind']} has no apiVersion")
    meta = document.get("metadata")
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str) or not meta["name"]:
        raise _not_an_object(where, f"the {document['kind']} has no metadata.name")
    yield document


def _not_an_object(where: str, why: str) -> ConfigError:
    return ConfigError(
        f"{where} holds something that is not a Kubernetes object.",
        why=f"{why[0].upper()}{why[1:]}.",
        next="Give it apiVersion, kind and metadata.name, or leave the file out.",
    )


def with_images(objects: list[Obj], images: Mapping[str, str]) -> list[Obj]:
    """Replace container images by name, whatever their tag, as kustomize's ``images`` does."""
    if not images:
        return objects
    for obj in objects:
        for spec in pod_specs(obj):
            for container in containers(spec):
                name = _image_name(str(container.get("image", "")))
                if name in images:
                    container["image"] = images[name]
    return objects


def _image_name(reference: str) -> str:
    name = reference.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}"
