"""From YAML text to objects: what every source that renders YAML has in common."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from envctl.config.yamlfile import FAST, refuse_depth
from envctl.errors import ConfigError
from envctl.model.objects import Obj, containers, pod_specs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Bytes of one manifest file or one rendering.
MAX_BYTES = 32 * 1024 * 1024
#: Values of one file once its aliases are written out.
MAX_VALUES = 2_000_000
#: Levels of one object; schemas, the deepest there are, have some dozens.
MAX_DEPTH = 200
#: Keys of one mapping, and mappings merged into one, where `<<` is used.
MAX_MERGED, MAX_SOURCES = 10_000, 100
#: What the API server takes as a part of a URL's path; anything else could lead to another object.
_NAME = re.compile(r"(?!\.{1,2}$)[^/%?#\s\x00-\x1f]{1,253}")
_API_VERSION = re.compile(r"([a-z0-9.-]+/)?[a-z0-9]+")
_KIND = re.compile(r"[A-Za-z0-9]+")


class Loader(FAST):  # type: ignore[misc]
    """Merge keys copy what they merge, so that a few lines of them would fill the memory."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge as YAML says, within bounds; raises ConstructorError beyond them."""
        values = [v for k, v in node.value if k.tag == "tag:yaml.org,2002:merge"]
        super().flatten_mapping(node)
        sources = sum(len(v.value) for v in values if isinstance(v, yaml.SequenceNode))
        if values and (sources > MAX_SOURCES or len(node.value) > MAX_MERGED):
            raise yaml.constructor.ConstructorError(
                None, None, "its merge keys multiply each other", node.start_mark
            )


#: What PyYAML raises for text that is no YAML, or no value of the tag it claims.
UNREADABLE = (
    yaml.YAMLError, ValueError, RecursionError, LookupError, ArithmeticError, AttributeError,
    TypeError,
)  # fmt: skip


def parse(text: str | bytes, where: str) -> list[Obj]:
    """All objects of a YAML stream, Lists opened; raises ConfigError with file and line."""
    if len(text) > MAX_BYTES:
        raise ConfigError(
            f"{where} is larger than {MAX_BYTES // 1024 // 1024} MiB.",
            why="Manifests of that size are refused before they are parsed.",
            next="Split the component, or keep large data out of manifests.",
        )
    try:
        found = documents(text)
    except UNREADABLE as error:
        raise _syntax(where, error) from error
    bounded(found, where)
    return [obj for document in found for obj in _objects(document, where)]


def documents(text: str | bytes) -> list[Any]:
    """The documents of a YAML stream; raises one of ``UNREADABLE``."""
    refuse_depth(text)
    return list(yaml.load_all(text, Loader=Loader))


def bounded(documents: list[Any], where: str) -> None:
    """Raise ConfigError for what is nested too deep to be walked through, or too large.

    Aliases that multiply cost nothing until they are written out.
    """
    left, stack = MAX_VALUES, [(document, 0) for document in documents]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, dict):
            stack.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            stack.extend((inner, depth + 1) for inner in value)
        if depth > MAX_DEPTH:
            raise ConfigError(
                f"{where} is nested more than {MAX_DEPTH} deep.",
                why="No Kubernetes object is, and an alias to itself has no end.",
                next="Correct what is nested there.",
            )
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
        items = document.get("items") or []
        if not isinstance(items, list):
            raise _not_an_object(where, "the items of a List are not a list")
        for item in items:
            yield from _objects(item, where)
        return
    _check(document, where)
    yield document


def _check(document: Obj, where: str) -> None:
    """What the API server would refuse, or worse, would take for a path."""
    kind, version = document["kind"], document.get("apiVersion")
    if not version:
        raise _not_an_object(where, f"the {kind} has no apiVersion")
    if not (_matches(_KIND, kind) and _matches(_API_VERSION, version)):
        raise _not_an_object(where, f"{version!r} {kind!r} is no apiVersion and kind")
    meta = document.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if not isinstance(meta, dict) or not name:
        raise _not_an_object(where, f"the {kind} has no metadata.name")
    if not _matches(_NAME, name):
        raise _not_an_object(where, f"the {kind} has the name {name!r}, which is none")
    for field in ("labels", "annotations"):
        found = meta.get(field) or {}
        if not isinstance(found, dict) or not all(
            isinstance(word, str) for pair in found.items() for word in pair
        ):
            raise _not_an_object(where, f"{field} of {kind}/{name} are not a mapping of texts")


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


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
