"""Components and checks: from mappings that fit the schema to typed ones whose files exist."""

from __future__ import annotations

import contextlib
import glob
import re
from typing import TYPE_CHECKING, Any

from envctl.config import duration, kustomization, names, validate
from envctl.errors import ConfigError
from envctl.model import gates, graph, readings
from envctl.model.spec import (
    Check,
    CommandSource,
    Component,
    Expose,
    HelmSource,
    JobSource,
    KustomizeSource,
    ManifestsSource,
    Source,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from envctl.config.yamlfile import Document, PathKey
    from envctl.model.gates import Gate

CHECK_TYPES = ("job", "command", "pytest")
TYPES = ("helm", "kustomize", "manifests", "job")
_MANIFESTS = (".yaml", ".yml", ".json")
#: What Helm takes from elsewhere. It gets them as arguments: nothing that could be an option.
_FETCHED = re.compile(r"oci://[\w.-]+(:\d+)?(/[\w.@:+-]+)+|[A-Za-z0-9][\w.+-]*(/[\w.+-]+)*")
_REPOSITORY = re.compile(r"https?://[^\s\x00-\x1f]+")
_VERSION = re.compile(r"[\w^~>=<*][\w.+^~>=<|*, -]*")


class _Wrong(ValueError):
    """A value that fits the schema and still cannot be used."""


class Reader:
    """Reads the lists of one file and gathers everything that is wrong, to say it all at once."""

    def __init__(self, document: Document, root: Path) -> None:
        self.document = document
        self.root = root
        self.base = document.path.resolve().parent
        self.wrong: list[str] = []

    def finish(self) -> None:
        """Raise ConfigError if anything was wrong."""
        if self.wrong:
            raise validate.problems(self.document, self.wrong)

    def components(self, raw: list[dict[str, Any]]) -> tuple[Component, ...]:
        """The components in the order of the file; references and cycles are checked."""
        found = [self._component(item, ("components", i)) for i, item in enumerate(raw)]
        known = [c for c in found if c is not None]
        self._unique([c.name for c in known], "components")
        self._needs(known)
        return tuple(known)

    def checks(self, raw: list[dict[str, Any]]) -> tuple[Check, ...]:
        """The checks in the order of the file."""
        found = [self._check(item, ("checks", i)) for i, item in enumerate(raw)]
        known = [c for c in found if c is not None]
        self._unique([c.name for c in known], "checks")
        self._gates_need(known)
        return tuple(known)

    def _component(self, raw: dict[str, Any], path: PathKey) -> Component | None:
        try:
            kinds = [kind for kind in TYPES if kind in raw]
            if len(kinds) != 1:
                raise _Wrong(
                    f"component {raw['name']!r} has {' and '.join(kinds) or 'no source'}; "
                    f"exactly one of {', '.join(TYPES)} is expected"
                )
            expose = raw.get("expose")
            return Component(
                name=names.check_label("component", raw["name"], names.MAX_COMPONENT),
                type=kinds[0],
                source=self._source(kinds[0], raw[kinds[0]]),
                needs=tuple(raw.get("needs", ())),
                timeout=self._timeout(raw.get("timeout", "5m")),
                images=_images(raw),
                expose=Expose(expose["service"], expose["port"], expose.get("path", "/"))
                if expose
                else None,
            )
        except (_Wrong, ConfigError) as error:
            self._note(path, str(error))
            return None

    def _check(self, raw: dict[str, Any], path: PathKey) -> Check | None:
        try:
            return Check(
                name=names.check_label("check", raw["name"], names.MAX_COMPONENT),
                source=self._check_source(raw),
                timeout=self._timeout(raw.get("timeout", "2m")),
                images=_images(raw),
                gates=tuple(map(_gate, raw.get("gates", ()))),
                definition=raw.get("definition", 1),
                runs=raw.get("runs", 1),
                metrics=raw.get("metrics", readings.TERMINATION),
            )
        except (_Wrong, ConfigError) as error:
            self._note(path, str(error))
            return None

    def _check_source(self, raw: dict[str, Any]) -> JobSource | CommandSource:
        found = [kind for kind in CHECK_TYPES if kind in raw]
        if len(found) != 1:
            raise _Wrong(
                f"check {raw['name']!r} has {' and '.join(found) or 'nothing to run'}; "
                f"exactly one of {', '.join(CHECK_TYPES)} is expected"
            )
        if "job" in raw:
            return JobSource(self._file(raw["job"]))
        if "images" in raw:
            raise _Wrong(f"check {raw['name']!r} is a command, which has no images")
        words = ("pytest", *raw["pytest"]) if "pytest" in raw else tuple(raw["command"])
        if not words[0] or any("\0" in word for word in words):
            raise _Wrong(f"check {raw['name']!r} has a command that begins with nothing, or a NUL")
        return CommandSource(words, self.base, tuple(self._named(words)), "pytest" in raw)

    def _named(self, words: Iterable[str]) -> Iterator[Path]:
        """The files and folders of the repository among the words of a command."""
        for word in words:
            with contextlib.suppress(_Wrong, OSError):
                path = self._inside(word)
                if word and path.exists():
                    yield path

    def _gates_need(self, found: list[Check]) -> None:
        known = {c.name: c.needs for c in found}
        for index, check in enumerate(found):
            for name in sorted(set(check.needs) - set(known)):
                self._note(
                    ("checks", index, "gates"),
                    f"a gate of check {check.name!r} names the check {name!r}, which does not "
                    f"exist; known are {', '.join(known)}",
                )
        cycle = graph.find_cycle(known)
        if cycle:
            self._note(("checks",), f"the gates need each other in a circle: {' → '.join(cycle)}")

    def _note(self, path: PathKey, message: str) -> None:
        self.wrong.append(validate.at(self.document, path, f"{message.rstrip('.')}."))

    @staticmethod
    def _timeout(value: str | int) -> float:
        found = duration.seconds(value, what="timeout")
        if not found:
            raise _Wrong("a timeout of 0 would end before it begins; every wait ends")
        return found

    def _unique(self, found: list[str], section: str) -> None:
        for name in sorted({name for name in found if found.count(name) > 1}):
            self._note((section,), f"the name {name!r} is used twice in {section}")

    def _needs(self, found: list[Component]) -> None:
        known = {c.name: c.needs for c in found}
        for component in found:
            for name in component.needs:
                if name not in known:
                    self._note(
                        ("components",),
                        f"component {component.name!r} needs {name!r}, which does not exist; "
                        f"known are {', '.join(known)}",
                    )
        cycle = graph.find_cycle(known)
        if cycle:
            self._note(("components",), f"`needs` goes in a circle: {' → '.join(cycle)}")

    def _source(self, kind: str, raw: Any) -> Source:
        if kind == "helm":
            return self._helm(raw)
        if kind == "kustomize":
            return self._kustomization(raw)
        if kind == "job":
            return JobSource(self._file(raw))
        return ManifestsSource(self._globs(raw), tuple(raw))

    def _helm(self, raw: dict[str, Any]) -> HelmSource:
        source = HelmSource(
            chart=raw["chart"],
            repository=raw.get("repository", ""),
            version=raw.get("version", ""),
            values=tuple(self._file(v) if isinstance(v, str) else v for v in raw.get("values", ())),
        )
        if not source.is_folder:
            return _fetched(source)
        folder = self._inside(source.chart)
        if not (folder / "Chart.yaml").is_file():
            raise _Wrong(f"there is no chart in {source.chart!r} (no Chart.yaml)")
        return HelmSource(str(folder), "", source.version, source.values)

    def _kustomization(self, raw: str) -> KustomizeSource:
        folder = self._inside(raw)
        if kustomization.file_of(folder) is None:
            raise _Wrong(f"there is no kustomization.yaml in {raw!r}")
        try:
            return KustomizeSource(folder, kustomization.remote(folder, self.root.resolve()))
        except kustomization.NotFollowed as error:
            raise _Wrong(str(error)) from error

    def _file(self, raw: str) -> Path:
        path = self._inside(raw)
        if not path.is_file():
            raise _Wrong(f"the file {raw!r} does not exist")
        return path

    def _globs(self, patterns: list[str]) -> tuple[Path, ...]:
        found: list[Path] = []
        for pattern in patterns:
            hits = self._glob(pattern)
            if not hits:
                raise _Wrong(f"{pattern!r} matches no file that ends in {', '.join(_MANIFESTS)}")
            found += [hit for hit in hits if hit not in found]
        return tuple(found)

    def _glob(self, pattern: str) -> list[Path]:
        literal = self.base / pattern
        # What stands before the first wildcard is looked at first: the search for /**/*.yaml alone
        # would read the machine's whole disk.
        head, slash, _ = re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")
        self._inside(head + slash)
        if literal.is_dir():
            hits = [str(p) for p in literal.rglob("*")]
        else:
            hits = glob.glob(str(literal), recursive=True)  # noqa: PTH207 - takes .. and **
        files = [self._inside(hit) for hit in sorted(hits)]
        return [f for f in files if f.is_file() and f.suffix in _MANIFESTS]

    def _inside(self, raw: str) -> Path:
        """Resolve a path, symbolic links included, and refuse what is outside the repository."""
        try:
            path = (self.base / raw).resolve()
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                path.stat()  # not exists(): from Python 3.14 on it has no errors
        except (OSError, ValueError, RuntimeError) as error:  # too long, a NUL, links in a circle
            raise _Wrong(f"the path {raw[:80]!r} cannot be used: {error}") from error
        if not path.is_relative_to(self.root):
            raise _Wrong(f"the path {raw!r} leads outside the repository")
        return path


def _gate(text: str) -> Gate:
    try:
        return gates.parse(text)
    except gates.NoGate as error:
        raise _Wrong(f"the gate {text[:80]!r} {error}") from error


def _fetched(source: HelmSource) -> HelmSource:
    """A chart from elsewhere, if its parts are what they claim to be and it is pinned."""
    if not _FETCHED.fullmatch(source.chart):
        raise _Wrong(f"{source.chart[:80]!r} is no chart of a repository, and no oci:// reference")
    if source.repository and not _REPOSITORY.fullmatch(source.repository):
        raise _Wrong(f"the repository {source.repository[:80]!r} is no http:// or https:// URL")
    if not source.version:
        raise _Wrong(f"chart {source.chart!r} has no version; a floating one is no pin")
    if not _VERSION.fullmatch(source.version):
        raise _Wrong(f"{source.version[:80]!r} is no version of a chart")
    return source


def _images(raw: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(reference) for name, reference in raw.get("images", {}).items()}
