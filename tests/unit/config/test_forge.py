"""Which forge, and where its token may be sent, is decided by the CI's variables alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envctl.config import ci, forge
from envctl.errors import ConfigError

if TYPE_CHECKING:
    from envctl.config.forge import ForgeSettings

GITLAB = {
    "GITLAB_CI": "true",
    "CI_SERVER_URL": "https://git.example.org:8443/git/",
    "CI_API_V4_URL": "https://git.example.org:8443/git/api/v4",
    "CI_PROJECT_ID": "7",
    "CI_JOB_TOKEN": "job-secret",
}
ACTIONS = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://git.example.org/sub",
    "GITHUB_API_URL": "https://git.example.org/sub/api/v1",
    "GITHUB_REPOSITORY": "shop/web",
    "GITHUB_TOKEN": "github-secret",
}
ANYWHERE = {
    "ENVCTL_FORGE_URL": "https://git.example.org",
    "ENVCTL_FORGE_KIND": "gitlab",
    "ENVCTL_FORGE_TOKEN": "own-secret",
}


def read(*given: dict[str, str], files: tuple[str, ...] = (), **more: str) -> ForgeSettings | None:
    env: dict[str, str] = {}
    for part in (*given, more):
        env |= part
    return forge.read(env, ci.detect(env, Path("/nowhere")), is_file=lambda path: path in files)


def found(*given: dict[str, str], **more: Any) -> ForgeSettings:
    settings = read(*given, **more)
    assert settings is not None
    return settings


def test_nothing_is_known_on_a_laptop() -> None:
    assert read() is None
    assert read(ENVCTL_FORGE_TOKEN="secret") is None


def test_gitlab_is_known_by_its_own_variables() -> None:
    settings = found(GITLAB)
    assert (settings.kind, settings.title) == ("gitlab", "GitLab")
    assert settings.server == "https://git.example.org:8443/git"
    assert settings.api == "https://git.example.org:8443/git/api/v4"
    assert (settings.token, settings.variable) == ("job-secret", "CI_JOB_TOKEN")
    assert settings.job_token


def test_a_token_of_its_own_comes_before_the_jobs() -> None:
    settings = found(GITLAB, ENVCTL_FORGE_TOKEN="own-secret")
    assert (settings.token, settings.variable) == ("own-secret", "ENVCTL_FORGE_TOKEN")
    assert not settings.job_token


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "gitea"),
        ({"GITEA_ACTIONS": "true"}, "gitea"),
        ({"FORGEJO_ACTIONS": "true"}, "forgejo"),
        ({"GITHUB_SERVER_URL": "https://github.com", "GITHUB_API_URL": "https://api.github.com"},
         "github"),
        ({"GITHUB_API_URL": "https://git.example.org/sub/api/v3"}, "github"),
        ({"ENVCTL_FORGE_KIND": "Forgejo"}, "forgejo"),
    ],
)  # fmt: skip
def test_the_forges_with_actions_are_told_apart(more: dict[str, str], kind: str) -> None:
    settings = found(ACTIONS, more)
    assert settings.kind == kind
    assert (settings.token, settings.variable) == ("github-secret", "GITHUB_TOKEN")
    assert found(ACTIONS, GITEA_TOKEN="gitea-secret").variable == "GITEA_TOKEN"


@pytest.mark.parametrize(
    ("url", "kind", "api"),
    [
        ("https://git.example.org/", "gitlab", "https://git.example.org/api/v4"),
        ("https://git.example.org/git/api/v4", "gitlab", "https://git.example.org/git/api/v4"),
        ("https://git.example.org/sub", "gitea", "https://git.example.org/sub/api/v1"),
        ("https://git.example.org", "forgejo", "https://git.example.org/api/v1"),
        ("https://github.com", "github", "https://api.github.com"),
        ("https://git.example.org", "github", "https://git.example.org/api/v3"),
        ("http://127.0.0.1:3000", "gitea", "http://127.0.0.1:3000/api/v1"),
        ("http://[::1]:3000", "gitea", "http://[::1]:3000/api/v1"),
        ("http://localhost:3000", "gitea", "http://localhost:3000/api/v1"),
    ],
)
def test_outside_a_job_three_variables_say_it(url: str, kind: str, api: str) -> None:
    settings = found(ANYWHERE, ENVCTL_FORGE_URL=url, ENVCTL_FORGE_KIND=kind)
    assert settings.api == api
    assert not settings.server.endswith(("/", "/api/v4"))
    assert settings.token == "own-secret"


@pytest.mark.parametrize("job", [GITLAB, ACTIONS])
def test_a_jobs_token_never_goes_to_another_server(job: dict[str, str]) -> None:
    settings = found(job, ENVCTL_FORGE_URL="https://elsewhere.example.org")
    assert (settings.token, settings.variable) == ("", "")
    assert settings.server == "https://elsewhere.example.org"
    assert "elsewhere" in settings.api


def test_the_token_is_in_no_representation() -> None:
    for settings in (found(GITLAB), found(ACTIONS), found(ANYWHERE)):
        assert settings.token
        assert settings.token not in repr(settings)


def test_the_ca_file_of_the_job_is_used_where_it_is_one() -> None:
    offered = {"CI_SERVER_TLS_CA_FILE": "/builds/ca.pem"}
    assert found(GITLAB, offered).ca_file == ""
    assert found(GITLAB, offered, files=("/builds/ca.pem",)).ca_file == "/builds/ca.pem"
    both = {**offered, "ENVCTL_FORGE_CA_FILE": "/etc/own.pem"}
    assert found(GITLAB, both, files=("/etc/own.pem", "/builds/ca.pem")).ca_file == "/etc/own.pem"
    with pytest.raises(ConfigError, match="no file"):
        read(GITLAB, both, files=("/builds/ca.pem",))
    elsewhere = {**offered, "ENVCTL_FORGE_URL": "https://elsewhere.example.org"}
    assert found(GITLAB, elsewhere, files=("/builds/ca.pem",)).ca_file == ""


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"ENVCTL_FORGE_KIND": ""}, "ENVCTL_FORGE_KIND is not"),
        ({"ENVCTL_FORGE_KIND": "bitbucket"}, "'bitbucket'"),
        ({"ENVCTL_FORGE_URL": "git.example.org"}, "no URL"),
        ({"ENVCTL_FORGE_URL": "ftp://git.example.org"}, "no URL"),
        ({"ENVCTL_FORGE_URL": "https://me:secret@git.example.org"}, "no URL"),
        ({"ENVCTL_FORGE_URL": "https://git.example.org?x=1"}, "no URL"),
        ({"ENVCTL_FORGE_URL": "https://git.example.org#x"}, "no URL"),
        ({"ENVCTL_FORGE_URL": "https://git.example.org:port"}, "no URL"),
        ({"ENVCTL_FORGE_URL": "https://[::1"}, "no URL"),
        ({"ENVCTL_FORGE_URL": "http://git.example.org"}, "without TLS"),
        ({"ENVCTL_FORGE_URL": "http://127.0.0.1.example.org"}, "without TLS"),
    ],
)
def test_what_cannot_be_is_said(more: dict[str, str], what: str) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        read(ANYWHERE, more)
    assert caught.value.why
    assert caught.value.next
    assert "secret" not in str(caught.value)


def test_a_network_can_be_declared_trusted() -> None:
    plain = {"CI_SERVER_URL": "http://git.corp", "CI_API_V4_URL": "http://git.corp/api/v4"}
    with pytest.raises(ConfigError, match="without TLS"):
        read(GITLAB, plain)
    assert found(GITLAB, plain, ENVCTL_FORGE_INSECURE="1").api == "http://git.corp/api/v4"
