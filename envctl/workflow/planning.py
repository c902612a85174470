"""From files and what is live to a plan: what changed, what drifted, what nobody may own twice.

Reading ends before planning begins (law 10): the plan depends on the files, the record and one look
at the live objects.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from envctl.errors import ConfigError, EnvctlError, Refused
from envctl.model import guardrails, objects, record
from envctl.model.drift import find as find_drift
from envctl.model.objects import Key, Obj, Resource, digest, key_of
from envctl.model.plan import ComponentPlan, Drift, repeated, shared_objects
from envctl.model.spec import Component, ManifestsSource
from envctl.ports.cluster import ApiDown, UnknownKind
from envctl.workflow import confining
from envctl.workflow.live import Live, look

if TYPE_CHECKING:
    from envctl.model.record import Deployed
    from envctl.workflow.run import Run

#: A part of a group, version or plural: what may stand in a URL's path.
_WORD = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


async def plan(run: Run, *, always_render: bool = False) -> list[ComponentPlan]:
    """Plan the guardrails and every component; raises ConfigError, Refused, EnvctlError."""
    live = await look(run.cluster, run.store.record, run.environment.namespace)
    parts = [_guardrails(), *run.spec.components]
    plans = await asyncio.gather(*(_component(run, c, live) for c in parts))
    wanted = [p for p in plans if p.changed or always_render]
    definitions = await _rendered(run, wanted)
    done = {p.component.name: p for p in plans}
    for planned, found in zip(wanted, definitions, strict=True):
        done[planned.component.name] = await _resolve(run, planned, found, definitions)
    _no_sharing(list(done.values()), run)
    return [done[c.name] for c in parts]


def _guardrails() -> Component:
    return Component(record.GUARDRAILS, "guardrails", ManifestsSource(()), timeout=60.0)


async def fingerprint(run: Run, component: Component) -> str:
    """The digest of all that makes a component, what ``expose`` adds included."""
    if component.name == record.GUARDRAILS:
        return digest(guardrails.objects(run.spec))
    source = run.sources[component.type]
    own = await source.fingerprint(component, run.environment)
    return digest([component.type, own, guardrails.ingress(component, run.spec)])


async def _component(run: Run, component: Component, live: Live) -> ComponentPlan:
    new = await fingerprint(run, component)
    before = run.store.record.components.get(component.name)
    drift = find_drift(before, live) if before else ()
    own = {e.key: live[e.key] for e in before.entries if e.key in live} if before else {}
    return ComponentPlan(component, new, _reason(before, new, drift), (), drift, before, own)


def _reason(before: Deployed | None, new: str, drift: tuple[Drift, ...]) -> str:
    if before is None:
        return "new"
    if not before.complete:
        return "unfinished"
    if before.digest != new:
        return "changed"
    return "drifted" if drift else ""


async def _rendered(run: Run, wanted: list[ComponentPlan]) -> list[list[Obj]]:
    async def one(planned: ComponentPlan) -> list[Obj]:
        component = planned.component
        if component.name == record.GUARDRAILS:
            return guardrails.objects(run.spec)
        rendered = await run.sources[component.type].render(component, run.environment)
        found = list(rendered.objects)
        confining.refuse_hooks(run, component.name, rendered.hooks)
        run.hooks[component.name] = rendered.hooks
        for hook in rendered.hooks:
            await _place(run, hook, component.name, {})
        ingress = guardrails.ingress(component, run.spec)
        return [*found, ingress] if ingress else found

    return list(await asyncio.gather(*(one(planned) for planned in wanted)))


async def _resolve(
    run: Run, planned: ComponentPlan, found: list[Obj], everything: list[list[Obj]]
) -> ComponentPlan:
    all_objects = [obj for part in everything for obj in part]
    defined = _definitions(all_objects)
    if planned.component.name != record.GUARDRAILS:
        secrets = (obj["metadata"]["name"] for obj in all_objects if obj["kind"] == "Secret")
        confining.refuse_objects(run, found, secrets)
    placed = [await _place(run, obj, planned.component.name, defined) for obj in found]
    twice = repeated([obj for _, obj in placed])
    if twice:
        raise ConfigError(
            f"The component {planned.component.name!r} names {twice} twice.",
            why="Only one of the two could be deployed.",
            next="Remove one of them.",
        )
    return ComponentPlan(
        planned.component, planned.digest, planned.reason, tuple(placed), planned.drift,
        planned.before, planned.live,
    )  # fmt: skip


async def _place(
    run: Run, obj: Obj, component: str, defined: dict[tuple[str, str], Resource]
) -> tuple[Resource, Obj]:
    """Find the kind, refuse what is outside the environment, and claim the object."""
    try:
        resource = await run.cluster.resource(obj["apiVersion"], obj["kind"])
    except ApiDown as error:
        raise _unserved(error, obj, component) from error
    except UnknownKind as error:  # what the cluster serves counts, not what a definition says of it
        if (obj["apiVersion"], obj["kind"]) not in defined:
            raise _unserved(error, obj, component) from error
        resource = defined[obj["apiVersion"], obj["kind"]]
    if not resource.namespaced:
        await _may_own(run, obj, resource)
    if resource == objects.CONFIG_MAP and obj["metadata"]["name"] == record.NAME:
        raise Refused(
            f"The component {component!r} names ConfigMap/{record.NAME}.",
            why="In it envctl keeps what it has deployed, and believes it.",
            next="Rename the object.",
        )
    label = "" if component == record.GUARDRAILS else component
    return resource, run.writer.claim(obj, resource, label)


def _unserved(error: UnknownKind | ApiDown, obj: Obj, component: str) -> EnvctlError:
    """The same error, which names the object that it is about."""
    acronym = error.what[1:2].isupper()
    why = error.what if acronym else error.what[:1].lower() + error.what[1:]
    return type(error)(
        f"{obj['kind']}/{obj['metadata']['name']} of {component} cannot be deployed: {why}",
        why=error.why,
        next=error.next,
    )


async def _may_own(run: Run, obj: Obj, resource: Resource) -> None:
    name = obj["metadata"]["name"]
    if resource.kind not in run.spec.guardrails.cluster_scoped:
        raise Refused(
            f"{resource.kind}/{name} lies outside the namespace.",
            why=f"It is cluster-scoped, and {resource.kind} is not allowed for this environment.",
            next="Remove it, or list it in environment.clusterScoped and have the CI allow it "
            f"with ENVCTL_CLUSTER_SCOPED={resource.kind}.",
        )
    live = await run.cluster.get(resource, name)
    if live is not None and not run.writer.owns(live):
        raise Refused(
            f"{resource.kind}/{name} belongs to somebody else.",
            why="It exists without this environment's labels.",
            next="Give it a name with the environment's in it, such as NAME-${name}.",
        )


def _definitions(found: list[Obj]) -> dict[tuple[str, str], Resource]:
    """Kinds that this very plan defines: the cluster does not serve them yet."""
    kinds: dict[tuple[str, str], Resource] = {}
    for obj in found:
        if obj.get("kind") != "CustomResourceDefinition":
            continue
        spec = obj.get("spec") or {}
        names = spec.get("names") or {}
        for version in spec.get("versions") or []:
            words = (spec.get("group", ""), version.get("name", ""), names.get("plural", ""))
            if not all(_WORD.fullmatch(str(word)) for word in words):
                continue  # the server will refuse the definition; its parts become no path here
            resource = Resource(*words, names.get("kind", ""), spec.get("scope") == "Namespaced")
            kinds[resource.api_version, resource.kind] = resource
    return kinds


def _no_sharing(plans: list[ComponentPlan], run: Run) -> None:
    keys: dict[str, list[Key]] = {}
    for planned in plans:
        if planned.objects:
            keys[planned.component.name] = [key_of(obj) for _, obj in planned.objects]
        elif planned.before:
            keys[planned.component.name] = [entry.key for entry in planned.before.entries]
    for key, one, other in shared_objects(keys):
        if record.GUARDRAILS in (one, other):
            component = other if one == record.GUARDRAILS else one
            raise Refused(
                f"The component {component!r} names {key}, which is a guardrail of envctl.",
                why="Quota, limits, default-deny policy and default account are set by "
                "`environment` in envctl.yaml.",
                next="Remove the object, or rename it.",
            )
        raise ConfigError(
            f"The components {one!r} and {other!r} both own {key}.",
            why="Each would undo what the other does on every run.",
            next=f"Leave it in one of them, in the environment {run.environment.name!r} and all "
            "others.",
        )
