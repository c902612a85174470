from __future__ import annotations

import pytest

from envctl.model.culprits import blamed, grouped
from envctl.model.failure import Culprit, Failure


def of(name: str, reason: str, message: str, *logs: str) -> Culprit:
    return Culprit(f"Deployment/{name}", name, reason, message, name, tuple(logs))


PULL = 'its image cannot be pulled: failed to resolve reference "docker.io/shop/api:1": not found'
BACK_OFF = (
    'its image cannot be pulled: Back-off pulling image "shop/api:1": ErrImagePull: '
    'failed to resolve reference "docker.io/shop/api:1": not found'
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("a", "ErrImagePull", PULL), of("b", "ImagePullBackOff", BACK_OFF)),
        (of("a", "CreateContainerConfigError", 'it cannot be created: secret "keys" not found'),
         of("b", "CreateContainerConfigError", 'it cannot be created: secret "keys" not found')),
        (of("a", "FailedCreate", 'pods "a-6f7d9c5b4-x2x7q" is forbidden: exceeded quota: shop'),
         of("b", "FailedCreate", 'pods "b-5c4d9c5b4-p2x7z" is forbidden: exceeded quota: shop')),
        (of("a", "Error", "its process ended with exit code 1 (restarted once)", "08:01 no db"),
         of("b", "Error", "its process ended with exit code 1 (restarted 2 times)", "08:02 no db")),
    ],
)  # fmt: skip
def test_one_cause_is_one_culprit(one: Culprit, other: Culprit) -> None:
    (found,) = grouped([one, other])
    assert found.object == one.object
    assert found.also == (other.object,)
    assert other.object in found.as_json()["message"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("a", "ErrImagePull", PULL), of("b", "ErrImagePull", PULL.replace("api", "web"))),
        (of("a", "CreateContainerConfigError", 'secret "keys" not found'),
         of("b", "CreateContainerConfigError", 'configmap "keys" not found')),
        (of("a", "Error", "its process ended with exit code 1", "no database"),
         of("b", "Error", "its process ended with exit code 1", "no such file")),
        (of("a", "OOMKilled", "it used more memory than its limit"), of("b", "Error", "exit 1")),
    ],
)  # fmt: skip
def test_two_causes_are_two_culprits(one: Culprit, other: Culprit) -> None:
    assert [culprit.also for culprit in grouped([one, other])] == [(), ()]


def test_what_is_merely_not_ready_waits_for_what_is_broken() -> None:
    broken, late = of("db", "CrashLoopBackOff", "exit 1"), of("web", "NotReady", "0 of 1")
    assert blamed([late, broken], 0) == ((broken,), [late.object])
    assert blamed([late], 0) == ((late,), [])


def test_what_is_on_its_way_to_the_same_end_is_to_blame_too() -> None:
    message = 'it cannot be created: secret "keys" not found'
    every = [of(f"w{number}", "CreateContainerConfigError", message) for number in range(20)]
    slow = of("slow", "Unschedulable", "no node takes it")
    (found,), waiting = blamed([*every, slow], 1)
    assert len(found.also) == 19
    assert waiting == [slow.object]


def test_the_json_counts_who_waits() -> None:
    failure = Failure("It failed.", dependants=2, waiting=("Deployment/web",))
    assert failure.as_json()["dependants"] == 3
