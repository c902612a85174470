"""``up`` and its stages: create → deploy → test, as one graph of steps."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envctl.errors import CheckFailed, EnvctlError, Forbidden, Superseded, TimedOut
from envctl.model import record
from envctl.model.environment import EnvironmentInfo, Phase, info_of
from envctl.model.failure import Failure
from envctl.model.objects import key_of
from envctl.model.result import CheckResult, ComponentResult, UpResult
from envctl.model.step import Outcome, RetryPolicy, Step
from envctl.ports import attempt
from envctl.workflow import creating, deploying, granting, planning, session, settling
from envctl.workflow.engine import StepContext, StepResult, Work, worst
from envctl.workflow.run import Judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.config.load import Loaded
    from envctl.model.plan import ComponentPlan
    from envctl.model.spec import Check, Component
    from envctl.workflow.run import Run
    from envctl.workflow.session import World

STAGES = ("create", "deploy", "test")
#: A step as a whole is repeated when the cluster was away for longer than one request's retries.
STEP = RetryPolicy("step", attempts=3, first=2.0, cap=15.0)
PLAN_TIMEOUT = 180.0
CREATE_TIMEOUT = 180.0
RECORD_TIMEOUT = 60.0


@dataclass(slots=True)
class Up:
    """The graph of one run of ``up`` (or of some of its stages)."""

    run: Run
    stages: Sequence[str]
    wrote: bool = False

    def works(self) -> list[tuple[Step, Work]]:
        """The steps, in an order that respects their needs."""
        spec = self.run.spec
        found: list[tuple[Step, Work]] = [(Step("plan", PLAN_TIMEOUT, retry=STEP), self._plan)]
        found.append((Step("create", CREATE_TIMEOUT, ("plan",), STEP), self._create))
        if "deploy" in self.stages:
            found += [(_deploy_step(c), self._deploy_work(c)) for c in spec.components]
            found += [self._removal(name) for name in self._left_the_file()]
            everything = tuple(step.name for step, _ in found)
            longest = max((c.timeout for c in spec.components), default=0.0)
            found.append((Step("settle", longest, everything), self._settle))
        if "test" in self.stages:
            before = tuple(step.name for step, _ in found)
            found += [(_check_step(c, before), self._check_work(c)) for c in spec.checks]
        everything = tuple(step.name for step, _ in found)
        found.append((Step("record", RECORD_TIMEOUT, everything, STEP), self._record))
        return found

    def _left_the_file(self) -> list[str]:
        known = {c.name for c in self.run.spec.components} | {record.GUARDRAILS}
        return [name for name in self.run.store.record.components if name not in known]

    async def _plan(self, context: StepContext) -> bool:
        context.progress("reading files and live objects")
        if self.run.namespace is not None:
            creating.refuse_strangers(self.run, self.run.namespace)
        if "create" not in self.stages:
            creating.must_exist(self.run)
        if "test" in self.stages and self.run.spec.checks:
            from envctl.workflow import checking  # not each environment has any

            await checking.foreseen(self.run)
        try:
            plans = await planning.plan(self.run)
        except Forbidden:  # made by a run that was killed before it bound the roles
            if self.run.namespace is None or not await granting.grant(self.run.writer):
                raise
            plans = await planning.plan(self.run)
        self.run.plans.update({p.component.name: p for p in plans})
        self.run.planned = frozenset(key_of(obj) for p in plans for _, obj in p.objects)
        return False

    async def _create(self, context: StepContext) -> bool:
        changed = False
        if "create" in self.stages:
            guard = self.run.plans[record.GUARDRAILS]
            changed = await creating.create(self.run, context, guard)
        if "deploy" in self.stages:
            await self._remember_outside()
            await self.run.store.starting(
                {
                    name: deploying.ahead(planned)
                    for name, planned in self.run.plans.items()
                    if planned.changed and name != record.GUARDRAILS
                }
            )
        self.wrote |= changed
        return changed

    async def _remember_outside(self) -> None:
        """What lies outside the namespace must be found again when the namespace is gone."""
        kinds = [r for p in self.run.plans.values() for r, _ in p.objects if not r.namespaced]
        if kinds and self.run.lock is not None:
            await self.run.lock.remember(kinds)

    def _deploy_work(self, component: Component) -> Work:
        async def work(context: StepContext) -> bool:
            changed = await deploying.deploy(self.run, context, self.run.plans[component.name])
            self.wrote |= changed
            return changed

        return work

    async def _settle(self, context: StepContext) -> bool:
        changed = [c.name for c in self.run.spec.components if self.run.plans[c.name].changed]
        await settling.settle(self.run, context, changed)
        return False

    def _removal(self, name: str) -> tuple[Step, Work]:
        async def work(context: StepContext) -> bool:
            self.wrote = True
            return await deploying.remove_component(self.run, context, name)

        needs = tuple(f"deploy/{c.name}" for c in self.run.spec.components)
        step = Step(f"remove/{name}", 300.0, ("create", *needs), STEP, name, "remove")
        return step, work

    def _check_work(self, wanted: Check) -> Work:
        async def work(context: StepContext) -> bool:
            from envctl.workflow import checking

            again = "deploy" not in self.stages
            changed = await checking.check(self.run, context, wanted, again=again)
            self.wrote |= changed
            return changed

        return work

    async def _record(self, context: StepContext) -> bool:
        del context
        await creating.mark(self.run, Phase.READY)
        return False


def _deploy_step(component: Component) -> Step:
    needs = ("create", *(f"deploy/{name}" for name in component.needs))
    return Step(
        f"deploy/{component.name}", component.timeout, needs, STEP, component.name, component.type
    )


def _check_step(wanted: Check, before: tuple[str, ...]) -> Step:
    needs = (*before, *(f"check/{name}" for name in wanted.needs))
    return Step(f"check/{wanted.name}", wanted.timeout, needs, STEP, "", "check")


async def up(
    world: World,
    loaded: Loaded,
    stages: Sequence[str] = STAGES,
    limit: float = 0.0,
    plans: dict[str, ComponentPlan] | None = None,
) -> tuple[UpResult, EnvctlError | None]:
    """Run the stages; the result, and the error to exit with if it is not a good one.

    The steps end within ``limit`` seconds, each with its own account of what it was waiting for;
    0 is no limit. ``plans`` is filled with what is planned, once the environment is known to be
    ours.
    """
    async with session.writing(world, loaded) as run:
        run.plans = {} if plans is None else plans
        graph = Up(run, stages)
        with attempt.within(limit) if limit else contextlib.nullcontext():
            results = await run.engine.run(graph.works())
        error = worst(list(results.values()))
        # A plan that was refused has touched nothing, and the namespace may be a stranger's.
        touched = results["plan"].outcome.good and not isinstance(error, Superseded)
        if error is not None and touched and run.namespace is not None:
            with contextlib.suppress(EnvctlError):  # the failure itself is what must be told
                phase = Phase.READY if isinstance(error, CheckFailed) else Phase.FAILED
                await creating.mark(run, phase)
        return _result(world, graph, results, error), error


def _result(
    world: World, graph: Up, results: dict[str, StepResult], error: EnvctlError | None
) -> UpResult:
    run = graph.run
    info = info_of(run.namespace) if run.namespace else _absent(run)
    failure = None
    if error is not None:
        failure = error.failure or Failure(_sentence(error), next=error.next)
        failure = replace(
            failure, dependants=_skipped(results), waiting=(*failure.waiting, *_cut_short(results))
        )
    return UpResult(
        environment=info,
        result=_word(graph, error),
        components=tuple(_component_result(r) for r in results.values() if r.step.component),
        checks=tuple(_check_result(r, run) for r in results.values() if r.step.kind == "check"),
        failure=failure,
        api_requests=world.cluster.requests,
        seconds=run.engine.elapsed(),
    )


def _sentence(error: EnvctlError) -> str:
    """What and why of an error in one sentence, for the verdict."""
    return f"{error.what.rstrip('.')}: {error.why}" if error.why else error.what


def _absent(run: Run) -> EnvironmentInfo:
    environment = run.environment
    return EnvironmentInfo(
        environment.project, environment.name, environment.namespace, Phase.FAILED
    )


def _word(graph: Up, error: EnvctlError | None) -> str:
    if isinstance(error, Superseded):
        return "superseded"
    if isinstance(error, TimedOut):
        return "timed-out"
    if error is not None:
        return "failed"
    return "succeeded" if graph.wrote else "unchanged"


def _skipped(results: dict[str, StepResult]) -> int:
    """The components that only wait for another one; before there was any, none does."""
    components = [r for r in results.values() if r.step.component]
    began = any(r.outcome is not Outcome.SKIPPED for r in components)
    return sum(r.outcome is Outcome.SKIPPED for r in components) if began else 0


def _cut_short(results: dict[str, StepResult]) -> list[str]:
    """The components that were not ready yet when another one's failure ended the run."""
    return [r.step.component for r in results.values()
            if r.outcome is Outcome.CANCELLED and r.step.component]  # fmt: skip


def _component_result(result: StepResult) -> ComponentResult:
    step = result.step
    return ComponentResult(
        step.component, step.kind, str(result.outcome), result.changed, result.seconds
    )


def _check_result(result: StepResult, run: Run) -> CheckResult:
    """How a check ended; of one that need not run again, what it measured when it did."""
    words = {Outcome.SUCCEEDED: "passed", Outcome.UNCHANGED: "unchanged"}
    name = result.step.name.removeprefix("check/")
    word, last = words.get(result.outcome, str(result.outcome)), run.store.record.checks.get(name)
    if last is None or result.outcome is Outcome.SKIPPED:
        return CheckResult(name, word, result.seconds)
    seconds = last.seconds if result.outcome is Outcome.UNCHANGED else result.seconds
    judged = run.judged.get(name, Judged())
    return CheckResult(
        name, word, seconds, last.metrics, judged.verdicts, last.samples, judged.history
    )
