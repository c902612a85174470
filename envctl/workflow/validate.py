"""``validate``: everything that can be known to be wrong without a cluster."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl.errors import EnvctlError
from envctl.model import confined, guardrails
from envctl.model.objects import WELL_KNOWN, Key, Obj, key_of
from envctl.model.plan import repeated, shared_objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.config.load import Loaded
    from envctl.model.spec import Check, Component
    from envctl.ports.schemas import Schemas
    from envctl.ports.sources import Source


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that would fail; ``object`` is empty where the whole component is meant."""

    component: str
    object: str
    message: str


@dataclass(frozen=True, slots=True)
class ValidateResult:
    """What ``validate`` found: objects by component, and what is wrong with them."""

    objects: dict[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The public JSON of ``validate`` (docs/json.md)."""
        return {
            "valid": not self.problems,
            "components": [{"name": n, "objects": c} for n, c in self.objects.items()],
            "problems": [
                {"component": p.component, "object": p.object, "message": p.message}
                for p in self.problems
            ],
        }


async def validate(
    loaded: Loaded, sources: Mapping[str, Source], schemas: Schemas
) -> ValidateResult:
    """Render every component and check, and hold each object against what is known offline."""
    parts: list[tuple[str, str, Component | Check]] = [
        *((c.name, c.type, c) for c in loaded.spec.components),
        *((f"check {c.name}", c.type, c) for c in loaded.spec.checks),
    ]
    problems: list[Problem] = []
    rendered: dict[str, list[Obj]] = {}

    async def one(name: str, kind: str, part: Component | Check) -> None:
        try:
            found = await sources[kind].render(part, loaded.environment)
        except EnvctlError as error:
            problems.append(Problem(name, "", str(error)))
            return
        rendered[name] = [*found.objects, *found.hooks]

    await asyncio.gather(*(one(*part) for part in parts))
    for name, _, _ in parts:
        for obj in rendered.get(name, []):
            problems += _problems(name, obj, loaded, schemas)
        problems += _twice(name, rendered.get(name, []))
    problems += _shared(rendered, loaded)
    counts = {name: len(rendered.get(name, [])) for name, _, _ in parts}
    return ValidateResult(counts, tuple(problems))


def _problems(name: str, obj: Obj, loaded: Loaded, schemas: Schemas) -> list[Problem]:
    meta = obj["metadata"]
    label = f"{obj['kind']}/{meta['name']}"
    found = []
    wrong = schemas.problem(obj)
    if wrong:
        found.append(Problem(name, label, wrong))
    namespace = meta.get("namespace", "")
    if namespace not in ("", loaded.environment.namespace):
        found.append(
            Problem(name, label, f"it names the namespace {namespace!r}, not the environment's")
        )
    known = WELL_KNOWN.get((obj["apiVersion"], obj["kind"]))
    allowed = loaded.spec.guardrails.cluster_scoped
    if known and not known.namespaced and obj["kind"] not in allowed:
        found.append(Problem(name, label, "it lies outside the namespace, which is not allowed"))
    if loaded.spec.guardrails.confined and (why := confined.problem(obj, loaded.spec.host)):
        found.append(Problem(name, label, f"it {why}"))
    return found


def _twice(name: str, objects: list[Obj]) -> list[Problem]:
    twice = repeated(objects)
    return [Problem(name, str(twice), "it is named twice")] if twice else []


def _shared(rendered: dict[str, list[Obj]], loaded: Loaded) -> list[Problem]:
    keys: dict[str, list[Key]] = {
        "the guardrails": [key_of(obj) for obj in guardrails.objects(loaded.spec)]
    }
    for name, objects in rendered.items():
        keys[name] = [
            Key(key.group, key.kind, "", key.name) for key in (key_of(obj) for obj in objects)
        ]
    return [
        Problem(other, str(key), f"{one} owns it already")
        for key, one, other in shared_objects(keys)
    ]
