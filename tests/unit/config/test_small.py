"""Durations, substitution, settings and the CI's variables."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.config import ci, duration, settings
from envctl.config.moment import moment
from envctl.config.substitute import UnknownVariable, substitute
from envctl.errors import ConfigError, Refused

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90), ("4m", 240), ("72h", 259_200), ("14d", 1_209_600), ("1h30m", 5400), ("0", 0),
     (0, 0), ("", 0), ("1.5s", 1.5), ("500ms", 0.5)],
)  # fmt: skip
def test_durations(text: str | int, expected: float) -> None:
    assert duration.seconds(text) == expected


@pytest.mark.parametrize(
    "text", ["-1s", "-4m", "5", 5, "soon", "4 m", "1y2", "s", "--1s", "1e9999h", "nan", "9" * 99]
)
def test_durations_that_cannot_be_used(text: str | int) -> None:
    with pytest.raises(ConfigError, match="timeout") as caught:
        duration.seconds(text, what="timeout")
    assert "90s, 4m, 72h or 14d" in str(caught.value)


@given(st.text() | st.from_regex(r"-?[0-9.]{0,6}(ns|us|ms|s|m|h|d|w|y|mo|x)?", fullmatch=True))
def test_any_duration_is_a_number_or_a_config_error(text: str) -> None:
    try:
        assert duration.seconds(text) >= 0
    except ConfigError as error:
        assert error.exit_code == 2  # noqa: PT017


VARIABLES = {"name": "x", "branch": "${commit}", "commit": "abc", "image.api": "r/api:1"}


def test_references_are_replaced_in_scalars_only() -> None:
    value = {"${name}": ["a-${name}", {"k": "${image.api}"}, 5, True, None]}
    assert substitute(value, VARIABLES) == {"${name}": ["a-x", {"k": "r/api:1"}, 5, True, None]}


def test_nothing_is_replaced_twice() -> None:
    assert substitute("${branch}", VARIABLES) == "${commit}"


def test_a_doubled_dollar_is_a_literal() -> None:
    assert substitute("$${name} ${name}", VARIABLES) == "${name} x"


@given(st.text())
def test_whatever_a_branch_is_called_it_stays_one_scalar(branch: str) -> None:
    found = substitute({"host": "${branch}", "n": ["p ${branch} s"]}, {"branch": branch})
    assert found == {"host": branch, "n": [f"p {branch} s"]}


@given(st.text())
def test_text_without_references_stays_as_it_is(text: str) -> None:
    plain = text.replace("{", "(")
    assert substitute(plain, VARIABLES) == plain


@pytest.mark.parametrize(
    ("text", "hint"),
    [("${nmae}", "did you mean ${name}?"), ("${zzz}", "known are"), ("${}", "known are"),
     ("${image.web}", "--image web=REFERENCE"), ("${env.HOME}", "is not known")],
)  # fmt: skip
def test_an_unknown_reference_says_what_is_near(text: str, hint: str) -> None:
    with pytest.raises(UnknownVariable) as caught:
        substitute(text, VARIABLES)
    assert hint in str(caught.value)


def test_options_win_over_variables() -> None:
    env = {"ENVCTL_PROJECT": "p", "ENVCTL_NAME": "n", "ENVCTL_CONTEXT": "c",
           "ENVCTL_IMAGE_SHOP_API": "r/a:1", "ENVCTL_IMAGE_EMPTY": ""}  # fmt: skip
    found = settings.read(env, name="mine", images=("web=r/w:2", "shop-api=r/a:9"))
    assert (found.project, found.name, found.context) == ("p", "mine", "c")
    assert found.images == {"shop-api": "r/a:9", "web": "r/w:2"}


@pytest.mark.parametrize("option", ["web", "web=", "=r/w:1", ""])
def test_an_image_option_that_is_none(option: str) -> None:
    with pytest.raises(ConfigError, match="NAME=REFERENCE"):
        settings.read({}, images=(option,))


def test_a_security_profile_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="ENVCTL_SECURITY"):
        settings.read({"ENVCTL_SECURITY": "privileged"})


@pytest.mark.parametrize(
    ("context", "file", "setting", "allowed"),
    [
        ("preview", ("preview",), None, True),
        ("prod", ("preview",), None, False),
        ("prod", None, None, True),
        ("prod", None, "preview", False),
        ("prod", ("prod",), "preview", False),
        ("preview", ("prod",), "preview", False),
        ("preview", ("*",), "pre*", True),
        ("preview", ("*",), "", False),
        ("kind-a", settings.LOCAL_CONTEXTS, None, True),
        ("kind", settings.LOCAL_CONTEXTS, None, False),
        ("PREVIEW", ("preview",), None, False),
    ],
)
def test_a_context_must_be_allowed_by_file_and_settings(
    context: str, file: tuple[str, ...] | None, setting: str | None, allowed: bool
) -> None:
    found = settings.read({} if setting is None else {"ENVCTL_ALLOWED_CONTEXTS": setting})
    if allowed:
        settings.check_context(context, file, found, "envctl.yaml")
        return
    with pytest.raises(Refused, match="is not allowed") as caught:
        settings.check_context(context, file, found, "envctl.yaml")
    assert caught.value.exit_code == 77
    assert caught.value.next


def test_gitlab_merge_request(tmp_path: Path) -> None:
    found = ci.detect(
        {
            "GITLAB_CI": "true",
            "CI_COMMIT_REF_NAME": "refs/merge-requests/7/head",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix/cart",
            "CI_COMMIT_SHA": "merged",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "tested",
            "CI_PIPELINE_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
            "GITLAB_USER_LOGIN": "ann",
        },
        tmp_path,
    )
    assert found == ci.CIContext("gitlab", "fix/cart", "tested", "42", "7", "ann")
    assert found.default_name().startswith("mr-7-fix-cart-")


def test_gitlab_branch(tmp_path: Path) -> None:
    env = {"GITLAB_CI": "true", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_SHA": "c",
           "CI_PIPELINE_ID": "x42"}  # fmt: skip
    found = ci.detect(env, tmp_path)
    assert (found.default_name(), found.pipeline, found.merge_request) == ("main", "", "")


@pytest.mark.parametrize(
    ("ref", "head", "branch", "number"),
    [("refs/pull/12/merge", "feature", "feature", "12"), ("refs/heads/main", "", "main", "")],
)
def test_actions(tmp_path: Path, ref: str, head: str, branch: str, number: str) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_REF": ref, "GITHUB_HEAD_REF": head,
           "GITHUB_REF_NAME": "main", "GITHUB_SHA": "c", "GITHUB_RUN_ID": "9",
           "GITHUB_ACTOR": "bob"}  # fmt: skip
    found = ci.detect(env, tmp_path)
    assert found == ci.CIContext("actions", branch, "c", "9", number, "bob")


def test_a_workflow_says_what_the_variables_of_a_merged_pull_request_do_not(tmp_path: Path) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": "merge",
           "ENVCTL_MERGE_REQUEST": "7", "ENVCTL_COMMIT": "head"}  # fmt: skip
    found = ci.detect(env, tmp_path)
    assert (found.merge_request, found.commit) == ("7", "head")


def test_on_a_laptop_git_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    for word in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(word, raising=False)
    subprocess.run(["git", "init", "-q", "-b", "fix/cart", str(tmp_path)], check=True)
    found = ci.detect({}, tmp_path)
    assert (found.system, found.branch, found.commit, found.owner) == ("", "fix/cart", "", "ann")
    assert found.default_name().startswith("ann-fix-cart-")


def test_outside_a_repository_there_is_still_a_name(tmp_path: Path) -> None:
    found = ci.detect({}, tmp_path)
    assert found.branch == ""
    assert found.default_name()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24", "2026-12-25T00:00:00+00:00"),
        ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00+00:00"),
        ("2026-12-24T18:00:00+02:00", "2026-12-24T16:00:00+00:00"),
    ],
)
def test_moments(text: str, expected: str) -> None:
    assert moment(text).isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-12-24T18:00:00", "2026-13-01", "9999-12-31"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ConfigError, match="--until"):
        moment(text, what="--until")
