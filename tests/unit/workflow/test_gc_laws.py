"""Over random worlds: nothing is deleted that should not be, whatever fails and lies.

Each environment has a true history, which only the test knows. What gc sees of it was stamped by
clocks up to an hour wrong, to either side, and gc's own clock is as wrong. The forge answers or
fails in every way at each of the two askings, locks are held by the living and the dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from envctl.model.gc import UNFINISHED
from envctl.model.lifetime import SKEW, Keep, Life, life_of, stamp
from envctl.model.objects import NAMESPACE
from tests.unit.workflow.gcworld import DAY, HOUR, PROJECT, START, Sweep, ago
from tests.unit.workflow.test_gc import NO_ANSWERS

if TYPE_CHECKING:
    from datetime import datetime

ANSWERS = st.sampled_from(["open", "merged", "closed", *NO_ANSWERS.values()])
SKEWS = st.sampled_from([-SKEW, SKEW, 0.0]) | st.floats(-SKEW, SKEW)
#: Moments around which everything turns: some seconds before and after them.
NEAR = st.sampled_from([-2 * HOUR, -SKEW - 600, -SKEW, -60.0, 0.0, 60.0, SKEW, 2 * HOUR])


@dataclass(frozen=True)
class Past:
    """What truly happened; seconds before gc begins."""

    created: float
    used: float | None
    ttl: float
    max_age: float
    extended: float | None
    keep: float | str | None
    writer_skew: float
    answers: tuple[Any, ...] | None
    lock: str
    meanwhile: str
    phase: str

    def end(self) -> datetime | None:
        """When its life truly ends; None for never."""
        ends = [] if self.used is None or not self.ttl else [ago(self.used - self.ttl)]
        ends += [] if self.extended is None else [ago(self.extended)]
        found = max(ends) if ends else None
        if self.max_age:
            limit = ago(self.created - self.max_age)
            found = min(found, limit) if found else limit
        return found

    def kept_at(self, now: datetime) -> bool:
        if self.keep is None:
            return False
        return isinstance(self.keep, str) or now < ago(self.keep)

    def notes(self) -> dict[str, str]:
        def written(seconds_ago: float) -> str:
            return stamp(ago(seconds_ago) + timedelta(seconds=self.writer_skew))

        notes = {"phase": self.phase} if self.phase else {}
        if self.used is not None:
            notes["last_used_at"] = written(self.used)
            life = Life(ago(self.created), ago(self.used) + timedelta(seconds=self.writer_skew),
                        ttl=self.ttl, max_age=self.max_age)  # fmt: skip
            if life.end:
                notes["expires_at"] = stamp(life.end)
        if self.ttl:
            notes["ttl"] = f"{self.ttl:.0f}"
        if self.max_age:
            notes["max"] = f"{self.max_age:.0f}"
        if self.extended is not None:
            notes["extended_until"] = written(self.extended)
        if isinstance(self.keep, str):
            notes["keep"] = self.keep
        elif self.keep is not None:
            until = ago(self.keep) + timedelta(seconds=self.writer_skew)
            notes["keep"] = Keep("ann", until).dump()
        if self.answers is not None:
            notes |= {"merge_request": "0", "forge_project": str(PROJECT)}
        return notes


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    ttl = draw(st.sampled_from([0.0, 2 * HOUR, 3 * DAY]))
    max_age = draw(st.sampled_from([0.0, 14 * DAY]))
    used = draw(st.none() | st.builds(lambda d: max(0.0, ttl + d), NEAR))
    created = max(used or 0.0, draw(st.builds(
        lambda base, d: max(0.0, base + d), st.sampled_from([14 * DAY, UNFINISHED, DAY]), NEAR
    )))  # fmt: skip
    return Past(
        created, used, ttl, max_age,
        extended=draw(st.none() | NEAR),
        keep=draw(st.none() | st.none() | st.sampled_from(["always by ann", "true", ""]) | NEAR),
        writer_skew=draw(SKEWS),
        answers=draw(st.none() | st.tuples(ANSWERS, ANSWERS)),
        lock=draw(st.sampled_from(["none", "free", "dead", "alive"])),
        meanwhile=draw(st.sampled_from(["", "", "", "kept", "replaced"])),
        phase=draw(st.sampled_from(["Ready", "Failed", "Creating", "Sleeping", ""])),
    )  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(pasts(), min_size=1, max_size=4), SKEWS, st.booleans())
def test_nothing_is_deleted_that_is_needed(
    worlds: list[Past], skew: float, server_tells: bool
) -> None:
    sweep = Sweep(skew=skew)
    if not server_tells:
        sweep.cluster.time = lambda: None
    uids = {f"e{n}": _put(sweep, f"e{n}", past, str(n)) for n, past in enumerate(worlds)}
    changed = _change_meanwhile(sweep, {f"e{n}": past for n, past in enumerate(worlds)})
    _, error = sweep.gc(really=True)
    assert error is None, error
    for number, past in enumerate(worlds):
        name = f"e{number}"
        live = sweep.cluster.store.get(("", "Namespace", "", f"shop-{name}"))
        there = live is not None and not live["metadata"].get("deletionTimestamp")
        if name in changed:
            assert there, "somebody changed it before the point of no return"
        elif live is None or live["metadata"]["uid"] != uids[name]:
            event("deleted")
            assert sweep.forge
            _check_deletion(past, sweep.forge.last.get(str(number)))


def _check_deletion(past: Past, said: object) -> None:
    """Whether there is a true reason; ``said`` is the forge's last word on its merge request."""
    assert past.lock != "alive"
    assert not past.kept_at(START)
    end = past.end()
    over = end is not None and end <= START + timedelta(minutes=2)  # that a run may take
    unfinished = past.used is None and past.created >= UNFINISHED - 120
    closed = past.answers is not None and said in ("merged", "closed")
    assert over or unfinished or closed, past


def _put(sweep: Sweep, name: str, past: Past, iid: str) -> str:
    notes = past.notes()
    if past.answers is not None:
        assert sweep.forge
        notes["merge_request"] = iid
        sweep.forge.answers[iid] = list(past.answers)
    if past.lock != "none":
        holder = "" if past.lock == "free" else "run"
        sweep.lock(f"shop-{name}", alive=past.lock == "alive", holder=holder)
    uid: str = sweep.environment(name, created=past.created, **notes)["metadata"]["uid"]
    return uid


def _change_meanwhile(sweep: Sweep, worlds: dict[str, Past]) -> set[str]:
    """Right before gc marks one as being deleted, the world changes; the names of those."""
    changed: set[str] = set()

    def before(verb: str, what: str) -> None:
        name = what.removeprefix("Namespace/shop-")
        if verb == "patch" and name in worlds and name not in changed and worlds[name].meanwhile:
            changed.add(name)
            _meanwhile(sweep, name, worlds[name])

    sweep.cluster.before = before
    return changed


def _meanwhile(sweep: Sweep, name: str, past: Past) -> None:
    key = ("", "Namespace", "", f"shop-{name}")
    if past.meanwhile == "replaced":
        sweep.cluster.drop(key)
        sweep.cluster.put(NAMESPACE, {"metadata": {"name": f"shop-{name}"}})
    else:
        live = sweep.cluster.store[key]
        live["metadata"]["annotations"]["envctl.dev/keep"] = "always by ann"
        sweep.cluster.put(NAMESPACE, live)


@given(
    used=st.floats(0, 30 * DAY), ttl=st.floats(60, 30 * DAY).map(round), skew=SKEWS,
    own=SKEWS, age=st.floats(0, 60 * DAY),
)  # fmt: skip
def test_an_hour_of_skew_ends_no_life_early(
    used: float, ttl: int, skew: float, own: float, age: float
) -> None:
    """The rule alone: at any moment, whoever stamped, whoever judges without a server's time."""
    true_now, true_used = ago(0), ago(used)
    notes = {
        "envctl.dev/last-used-at": stamp(true_used + timedelta(seconds=skew)),
        "envctl.dev/ttl": str(ttl),
    }
    life = life_of(notes, stamp(ago(age + used)))
    judged_by = true_now + timedelta(seconds=own) - timedelta(seconds=SKEW)
    for now in (true_now, judged_by):
        if life.over(now):
            assert true_used + timedelta(seconds=ttl) <= true_now


@given(st.dictionaries(
    st.sampled_from([f"envctl.dev/{n}" for n in (
        "last-used-at", "expires-at", "extended-until", "ttl", "max", "keep")]),
    st.text(max_size=30) | st.sampled_from(["9999-12-31T23:59:59Z", "99999999999", "-1", "nan"]),
))  # fmt: skip
def test_any_text_is_read_and_nonsense_ends_nothing(notes: dict[str, str]) -> None:
    life = life_of(notes, "2025-12-31T00:00:00Z")
    if life.over(START):
        assert life.limit or life.expires or life.used or life.extended
        assert "envctl.dev/keep" not in notes or life.keep is not None
    assert life.end is None or life.end.tzinfo
