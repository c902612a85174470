"""The lock files are in step with pyproject.toml, and pin everything by content."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.unit.repository.files import text

LOCKS = ("run", "local", "dev", "fuzz", "supply")


def _pins(lock: str) -> dict[str, Version]:
    pins = re.findall(r"^([a-z0-9._-]+)==(\S+)", text(f"requirements/{lock}.txt"), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def _wanted(lock: str) -> list[str]:
    pyproject = tomllib.loads(text("pyproject.toml"))
    wanted = list(pyproject["project"]["dependencies"]) if lock != "supply" else []
    groups = pyproject["dependency-groups"]
    if lock in {"fuzz", "supply"}:
        wanted += [entry for entry in groups[lock] if isinstance(entry, str)] + groups["build"]
    if lock in {"local", "dev"}:
        wanted += pyproject["project"]["optional-dependencies"]["local"] + groups["build"]
    if lock == "dev":
        wanted += [entry for entry in groups["dev"] if isinstance(entry, str)]
    return wanted


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_pinned_to_a_version_that_pyproject_allows(lock: str) -> None:
    pins = _pins(lock)
    for line in _wanted(lock):
        requirement = Requirement(line)
        pinned = pins.get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{line}: not locked; run sh tools/lock.sh"
        assert requirement.specifier.contains(pinned), f"{line}: locked at {pinned}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_place_to_fetch_from(lock: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text(f"requirements/{lock}.txt")))
    for entry in entries:
        if entry.lstrip().startswith("#"):
            continue
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
        assert "://" not in entry
        assert "--index-url" not in entry


def test_the_locks_agree_with_each_other() -> None:
    dev = _pins("dev")
    for lock in ("run", "local"):
        for name, version in _pins(lock).items():
            assert dev[name] == version, name
    for name, version in _pins("run").items():
        assert _pins("fuzz")[name] == version, name


@pytest.mark.parametrize("path", ["tools/setup.sh", ".ci/run", "Containerfile"])
def test_a_lock_file_is_installed_as_it_is_whatever_was_released_since(path: str) -> None:
    joined = text(path).replace("\\\n", " ")
    installs = [line for line in joined.splitlines() if "--require-hashes" in line]
    assert installs
    for install in installs:
        assert "--no-deps" in install, install
