"""YAML that strangers may have written: safe, bounded, and every value knows its line.

PyYAML's own loader takes the last of two equal keys and expands aliases without end. Here a file is
composed into nodes, and the nodes are turned into values with a budget, so that neither happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from envctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Bytes; a configuration larger than this was not written by a person.
MAX_BYTES = 1024 * 1024
#: Values after alias expansion; a bomb has billions.
MAX_VALUES = 50_000
MAX_DEPTH = 60

#: PyYAML's parser in C, ten times as fast, which 300 manifests notice. It composes what is nested
#: by calling itself, and some 20,000 levels end the process: see ``refuse_depth``.
FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Characters that are too few to be nested so deep.
SHALLOW = 5_000

PathKey = tuple[str | int, ...]
_MERGE = "tag:yaml.org,2002:merge"
_COLLECTIONS = {f"tag:yaml.org,2002:{t}" for t in ("map", "seq")}
_PLAIN = {f"tag:yaml.org,2002:{t}" for t in ("str", "int", "float", "bool", "null")}


@dataclass(slots=True)
class Document:
    """A value and the line (from 1) on which each part of it stands, by path."""

    path: Path
    value: Any
    lines: dict[PathKey, int] = field(default_factory=dict)

    def line(self, path: PathKey) -> int:
        """The line of the value at ``path``, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_text(path: Path) -> str:
    """Read a configuration file of at most ``MAX_BYTES``; raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read.",
            why=f"The system says: {error.strerror}.",
            next="Name the file with --file, or write one: `envctl schema` prints what is allowed.",
        ) from error
    if len(data) > MAX_BYTES:
        raise ConfigError(
            f"{path} is larger than {MAX_BYTES // 1024} KiB.",
            why="A configuration of that size is refused before it is parsed.",
            next="Move values and manifests into files of their own and name them.",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8.",
            why=f"Byte {error.start} is {data[error.start]:#04x}.",
            next="Save the file as UTF-8.",
        ) from error


def load(path: Path) -> Document:
    """Parse one YAML document; raises ConfigError with file and line."""
    text = read_text(path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a character beyond Unicode
        raise _syntax(path, error) from error
    except RecursionError as error:
        raise _too_much(path, 1, "it is nested too deep") from error
    document = Document(path, None)
    if node is not None:
        document.value = _Builder(document).build(node, (), 0)
    return document


def refuse_depth(text: str | bytes) -> None:
    """Raise YAMLError for a text that is nested too deep for ``FAST``, before it is composed."""
    if len(text) <= SHALLOW:
        return
    depth = 0
    for event in yaml.parse(text, Loader=FAST):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > SHALLOW:
            mark: Any = event.start_mark
            raise yaml.composer.ComposerError(None, None, "it is nested too deep", mark)


def _syntax(path: Path, error: Exception) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return ConfigError(
        f"{where}: this is not valid YAML.",
        why=f"The parser says: {problem}.",
        next="Correct the line; `envctl validate` checks the file without a cluster.",
    )


def _too_much(path: Path, line: int, why: str) -> ConfigError:
    return ConfigError(
        f"{path}:{line}: this YAML is refused.",
        why=f"Expanded, {why}.",
        next="Write the values out instead of repeating them by aliases.",
    )


class _Builder:
    """Turns nodes into values, counting as it goes."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0

    def build(self, node: yaml.Node, path: PathKey, depth: int) -> Any:
        self._spend(node, depth)
        self.document.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if node.tag not in _COLLECTIONS:
            raise self._wrong(node, f"the tag {node.tag} is not accepted")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        return [self.build(n, (*path, i), depth + 1) for i, n in enumerate(node.value)]

    def _spend(self, node: yaml.Node, depth: int) -> None:
        """Count a value, or a mapping that is merged; raises ConfigError for a bomb."""
        line = node.start_mark.line + 1
        self.count += 1
        if self.count > MAX_VALUES:
            raise _too_much(self.document.path, line, f"it has more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise _too_much(self.document.path, line, f"it is nested more than {MAX_DEPTH} deep")

    def _mapping(self, node: yaml.MappingNode, path: PathKey, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                for source in self._merge_sources(value_node):
                    self._spend(source, depth + 1)
                    merged = {**self._mapping(source, path, depth + 1), **merged}
                continue
            key = self._key(key_node)
            if key in found:
                raise self._duplicate(key, key_node, path)
            found[key] = self.build(value_node, (*path, key), depth + 1)
            self.document.lines[(*path, key)] = key_node.start_mark.line + 1
        return {**merged, **found}

    def _merge_sources(self, node: yaml.Node) -> Iterator[yaml.MappingNode]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in nodes:
            if not isinstance(source, yaml.MappingNode):
                raise self._wrong(source, "`<<` merges mappings only")
            yield source

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._wrong(node, "a key must be a plain word")
        return str(node.value)

    def _duplicate(self, key: str, node: yaml.Node, path: PathKey) -> ConfigError:
        first = self.document.line((*path, key))
        return ConfigError(
            f"{self.document.path}:{node.start_mark.line + 1}: the key {key!r} stands twice.",
            why=f"It stands on line {first} already, and only one of the two could count.",
            next="Remove one of them.",
        )

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag not in _PLAIN:
            if node.tag == "tag:yaml.org,2002:timestamp":
                return str(node.value)
            raise self._wrong(node, f"the tag {node.tag} is not accepted")
        constructor = yaml.constructor.SafeConstructor()
        try:
            return constructor.construct_object(node)
        except (ValueError, LookupError, ArithmeticError) as error:
            kind = node.tag.rpartition(":")[2]
            raise self._wrong(node, f"{node.value[:40]!r} is no {kind}") from error

    def _wrong(self, node: yaml.Node, why: str) -> ConfigError:
        return ConfigError(
            f"{self.document.path}:{node.start_mark.line + 1}: this YAML is refused.",
            why=f"{why[0].upper()}{why[1:]}.",
            next="Write it as plain YAML: mappings, lists, words and numbers.",
        )
