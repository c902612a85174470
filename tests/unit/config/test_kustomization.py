from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envctl.config import kustomization

if TYPE_CHECKING:
    from pathlib import Path

FETCHED = [
    "https://example.org/base.yaml", "https://example.org/a?ref=v1", "github.com/a/b",
    "GitHub.com/a/b", "git@example.org:a/b", "ssh://git@example.org/a", "git::https://x/y",
    "gh:a/b", "gone.yaml", "a.git", "a.git?ref=main",
]  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = tmp_path / "repo"
    for folder in ("over", "base", "more"):
        (found / folder).mkdir(parents=True)
    (found / "over/a.yaml").write_text("")
    (tmp_path / "other").mkdir()
    (found / "base/kustomization.yaml").write_text("")
    return found


def remote(root: Path, text: str, folder: str = "over") -> tuple[str, ...]:
    (root / folder / "kustomization.yaml").write_text(text)
    return kustomization.remote(root / folder, root)


def test_what_is_in_the_repository_is_not_fetched(root: Path) -> None:
    text = "resources: [a.yaml, ../base]\npatches: [{path: gone.yaml}]\nnamespace: https://x\n"
    assert remote(root, text) == ()
    assert remote(root, "bases: [../base, ../over]\n") == (), "a circle ends"
    assert remote(root, "generators:\n- |\n  apiVersion: v1\n  kind: X\n") == ()


@pytest.mark.parametrize("entry", FETCHED)
def test_what_kustomize_would_fetch_is_found(entry: str, root: Path) -> None:
    assert remote(root, f"resources: ['{entry}']\n") == (entry,)
    (root / "base/kustomization.yaml").write_text(f"components: ['{entry}']\n")
    assert remote(root, "resources: [../base]\n") == (entry,), "in a base, too"


@pytest.mark.parametrize(
    "text",
    [
        "resources: [../../other]",
        "RESOURCES: [../../other]",
        "resources: [/etc]",
        "components: [link]",
        "resources: ['file:///srv/other']",
        "resources: [FILE:///srv/other]",
        "generators: [link/kustomization.yaml]",
        "a: [",
        "[" * 60_000,
        "- " * 60_000,
        "resources: ['\\q']",
    ],
)
def test_what_leads_out_or_cannot_be_read_is_refused(text: str, root: Path) -> None:
    (root.parent / "other/kustomization.yaml").write_text("")
    (root / "over/link").symlink_to(root.parent / "other")
    if "\\q" in text:
        text = 'resources: ["\\q"]'
    with pytest.raises(kustomization.NotFollowed):
        remote(root, text)


def test_a_kustomization_without_end_is_refused(root: Path) -> None:
    for number in range(kustomization.MAX_FOLDERS + 1):
        (root / f"n{number}").mkdir()
        (root / f"n{number}/kustomization.yaml").write_text(f"resources: [../n{number + 1}]\n")
    with pytest.raises(kustomization.NotFollowed, match="more than"):
        kustomization.remote(root / "n0", root)
    with pytest.raises(kustomization.NotFollowed, match="larger"):
        remote(root, "#" * (kustomization.MAX_BYTES + 1))
