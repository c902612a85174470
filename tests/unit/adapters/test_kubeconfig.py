"""The user's kubeconfig is theirs: a context is added, and nothing else happens to the file."""

from __future__ import annotations

import base64
import os
import stat
from typing import TYPE_CHECKING

import pytest
import yaml

from envctl.adapters.kubernetes import kubeconfig as files
from envctl.adapters.kubernetes.connect import Target
from envctl.errors import ConfigError, Unavailable
from envctl.model.kubeconfig import build

if TYPE_CHECKING:
    from pathlib import Path

NEW = build("envctl-shop-a", {"server": "https://x"}, "shop-a", "token")
MINE = """\
clusters: [{name: a, cluster: {server: "https://a", certificate-authority: pki/ca.crt}}]
users: [{name: me, user: {token: mine}}]
contexts: [{name: a, context: {cluster: a, user: me}}]
current-context: a
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(MINE)
    path.chmod(0o644)
    return path


def test_it_is_added_and_only_its_owner_can_read_the_file(mine: Path) -> None:
    files.merge_into(mine, NEW)
    found = yaml.safe_load(mine.read_text())
    assert [context["name"] for context in found["contexts"]] == ["a", "envctl-shop-a"]
    assert found["current-context"] == "a"
    assert stat.S_IMODE(mine.stat().st_mode) == 0o600
    assert [path.name for path in mine.parent.iterdir()] == ["config"], "no lock, no other file"


def test_a_file_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    path = tmp_path / ".kube" / "config"
    files.merge_into(path, NEW)
    assert yaml.safe_load(path.read_text()) == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_file_is_one_without_contexts(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.touch()
    files.merge_into(path, NEW)
    assert yaml.safe_load(path.read_text()) == NEW


def test_a_link_stays_a_link(mine: Path) -> None:
    link = mine.with_name("link")
    link.symlink_to(mine)
    files.merge_into(link, NEW)
    assert link.is_symlink()
    assert "envctl-shop-a" in mine.read_text()


@pytest.mark.parametrize("text", ["- a list\n", "{unclosed", "a: &x [*x"])
def test_a_file_that_cannot_be_read_is_left_as_it_is(mine: Path, text: str) -> None:
    mine.write_text(text)
    with pytest.raises(ConfigError):
        files.merge_into(mine, NEW)
    assert mine.read_text() == text


def test_whoever_holds_kubectls_lock_is_waited_for(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.0)
    lock = mine.with_name("config.lock")
    lock.touch()
    with pytest.raises(Unavailable, match="locked"):
        files.merge_into(mine, NEW)
    assert lock.exists(), "it is not ours to remove"
    assert mine.read_text() == MINE


def test_a_failure_leaves_the_file_and_no_other(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device", descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        files.merge_into(mine, NEW)
    assert mine.read_text() == MINE
    assert [path.name for path in mine.parent.iterdir()] == ["config"]


def test_kubectl_would_write_to_the_same_file(tmp_path: Path, mine: Path) -> None:
    other = tmp_path / "other"
    both = {"KUBECONFIG": f"{other}{os.pathsep}{mine}", "HOME": "/home/me"}
    assert files.users_file(both) == mine
    assert files.users_file({"KUBECONFIG": str(other)}) == other
    assert str(files.users_file({"HOME": "/home/me"})) == "/home/me/.kube/config"


def test_the_cluster_is_whole_in_itself(mine: Path) -> None:
    (mine.parent / "pki").mkdir()
    (mine.parent / "pki" / "ca.crt").write_text("certificate")
    found = files.cluster_of(Target("a", str(mine)), {})
    assert found == {
        "server": "https://a",
        "certificate-authority-data": base64.b64encode(b"certificate").decode(),
    }


def test_a_certificate_that_is_not_there_is_named(mine: Path) -> None:
    with pytest.raises(ConfigError, match=r"pki/ca\.crt"):
        files.cluster_of(Target("a", str(mine)), {})
