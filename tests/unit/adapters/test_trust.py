from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from envctl.adapters.kubernetes import trust
from envctl.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tracked(tmp_path: Path) -> Path:
    file = tmp_path / "repo/kubeconfig"
    file.parent.mkdir()
    file.write_text("")
    subprocess.run(["git", "init", "-q", str(file.parent)], check=True)
    subprocess.run(["git", "-C", str(file.parent), "add", "kubeconfig"], check=True)
    return file


@pytest.mark.parametrize(
    "user",
    [{"exec": {"command": "x"}}, {"auth-provider": {"name": "x"}}, {"tokenFile": "/run/token"},
     {"client-key": "/run/key", "client-certificate": "c"}],
)  # fmt: skip
def test_a_tracked_kubeconfig_reaches_for_nothing(user: dict[str, Any], tracked: Path) -> None:
    with pytest.raises(Refused, match="in the repository names"):
        trust.check_user(user, tracked)
    beside = tracked.with_name("untracked")
    beside.write_text("")
    trust.check_user(user, beside)
    link = tracked.parent.parent / "link"
    link.symlink_to(tracked)
    with pytest.raises(Refused):
        trust.check_user(user, link)


def test_where_git_cannot_be_asked_a_checkout_is_not_trusted(
    tracked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Refused):
        trust.check_user({"exec": {}, "tokenFile": "x"}, tracked.with_name("untracked"))
    trust.check_user({"exec": {"command": "x"}}, tracked.parent.parent / "outside")


def test_inline_credentials_are_only_credentials(tracked: Path) -> None:
    trust.check_user({"token": "x", "client-key-data": "x"}, tracked)


@pytest.mark.parametrize(
    "server", ["https://127.0.0.1:6443", "https://localhost:1", "https://[::1]:1", "https://a.localhost"]
)  # fmt: skip
def test_loopback_may_go_unverified(server: str) -> None:
    trust.check_server({"server": server, "insecure-skip-tls-verify": True})


@pytest.mark.parametrize(
    "server", ["https://10.0.0.1", "https://localhost.evil.org", "https://127.0.0.1.evil.org", ""]
)
def test_nobody_else_goes_unverified(server: str) -> None:
    with pytest.raises(Refused, match="trusts whoever answers"):
        trust.check_server({"server": server, "insecure-skip-tls-verify": True})
    trust.check_server({"server": server})
