"""Gates over checks that ran several times: samples are compared, so that noise decides nothing.

The medians are resampled (the percentile bootstrap: B. Efron, "Bootstrap Methods: Another Look at
the Jackknife", 1979) and the gate is judged each time: that works for whatever a gate computes,
from as many samples as it names. Its randomness is seeded by the gate: the same numbers, the same
answer.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from envctl.model import gates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.gates import Gate, Number, Verdict

Samples = Mapping[str, tuple[float, ...]]

#: Samples of each side without which nothing is claimed: fewer than five may all lie on one side of
#: the median that they were drawn around in more than 1 of 32 cases.
FEWEST = 5
#: Share of the resampled medians that have to agree.
CONFIDENCE = 0.95
RESAMPLES = 2000


def medians(samples: Samples) -> dict[str, float]:
    """One number for each metric."""
    return {name: median(values) for name, values in samples.items() if values}


def judge(
    gate: Gate, here: Samples, baseline: Samples | None, others: Mapping[str, Samples]
) -> Verdict:
    """Whether the samples pass: ``unknown`` too where there are too few, or they say both.

    Single numbers are compared as they are.
    """
    before = None if baseline is None else medians(baseline)
    verdict = gates.judge(gate, medians(here), before, {c: medians(s) for c, s in others.items()})
    known = [_samples(number, here, baseline or {}, others) for number in gate.numbers]
    sizes = [len(values) for values in known]
    if verdict.limit is None or max(sizes) <= 1:
        return verdict
    if min(sizes) < FEWEST:
        why = f"{min(sizes)} runs are not enough to tell; {FEWEST} of each side are"
        return replace(verdict, result="unknown", why=why)
    share = _share(gate, dict(zip(gate.numbers, known, strict=True)))
    sure = share if verdict.result == "passed" else 1 - share
    if sure >= CONFIDENCE:
        return replace(verdict, why=f"{verdict.why} ({sure:.0%} sure)")
    why = f"these runs do not tell: {verdict.why} in {sure:.0%} of what they may stand for"
    return replace(verdict, result="unknown", why=why)


def _samples(
    number: Number, here: Samples, baseline: Samples, others: Mapping[str, Samples]
) -> tuple[float, ...]:
    if number.check == gates.BASELINE:
        return baseline.get(number.metric, ())
    return (others.get(number.check, {}) if number.check else here).get(number.metric, ())


def _share(gate: Gate, known: Mapping[Number, Sequence[float]]) -> float:
    """Part of the resampled medians for which the gate holds."""
    chooser = random.Random(gate.text)  # noqa: S311 - no secret is made of it
    held = 0
    for _ in range(RESAMPLES):
        drawn = {n: median(chooser.choices(values, k=len(values))) for n, values in known.items()}
        held += gates.holds(gate, drawn)
    return held / RESAMPLES
