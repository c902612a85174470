"""What someone who has just cloned the repository relies on."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest

import envctl
from envctl.adapters.local.host import NEEDED
from tests.unit.repository.files import ROOT, fenced, section, text, tracked

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED = [
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Taskfile.yml",
    ".gitlab-ci.yml",
    "Containerfile",
    ".pre-commit-config.yaml",
    ".ci/run",
    "envctl",
    "cluster/go.mod",
    "examples/shop/envctl.yaml",
    "examples/minimal/envctl.yaml",
    "ci-templates",
    "docs/getting-started.md",
    "docs/envctl-yaml.md",
    "docs/administrator.md",
    "docs/cli.md",
    "docs/json.md",
    "docs/exit-codes.md",
    "docs/architecture.md",
    "docs/local-cluster.md",
    "docs/images/up.svg",
]

# Written so that this file does not hold what it forbids.
REGISTRY_HOSTS = re.compile(
    r"\b(pypi|proxy\.golang|sum\.golang|deb\.debian|security\.debian|registry\.npmjs|crates)"
    r"\.(org|io|com)\b|pythonhosted" + r"\.org|(?<![\w}])(/w" + "ork/|/r" + "oot/|/opt/wh" + "eels)"
)


@pytest.mark.parametrize("name", REQUIRED)
def test_the_layout_is_the_promised_one(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("heading", ["## Try it", "## Run the tests"])
def test_each_heading_has_exactly_one_command_line(heading: str) -> None:
    blocks = fenced(section(text("README.md"), heading))
    assert len(blocks) == 1
    lines = blocks[0].splitlines()
    assert len(lines) == 1, lines
    shell, script = lines[0].split()
    assert shell in {"sh", "bash"}
    assert (ROOT / script).is_file()


def test_the_gate_runs_both_lines_of_the_readme() -> None:
    gate = text(".ci/run")
    for heading in ("## Try it", "## Run the tests"):
        assert fenced(section(text("README.md"), heading))[0].strip() in gate


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = []
    for path in tracked():
        if path.suffix in {".png", ".tar", ".gz"}:
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            if REGISTRY_HOSTS.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found


def test_the_set_up_installs_what_the_embedded_cluster_asks_for() -> None:
    installed = text("tools/setup.sh").split('packages="')[1].split('"')[0].split()
    assert {package for _, package, _ in NEEDED} <= set(installed)


def test_one_version_everywhere() -> None:
    assert tomllib.loads(text("pyproject.toml"))["project"]["version"] == envctl.__version__


def test_the_license_is_apache() -> None:
    assert "Apache License" in text("LICENSE")
    assert "END OF TERMS AND CONDITIONS" in text("LICENSE")


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().startswith((b"#!/bin/sh", b"#!/usr/bin/env bash", b"#!/bin/bash"))


SCRIPTS = [path for path in tracked() if _is_script(path)]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_shell_scripts_parse_and_stop_at_the_first_failure(path: Path) -> None:
    source = path.read_text()
    shell = "bash" if "bash" in source.splitlines()[0] else "sh"
    subprocess.run([shell, "-n", path], check=True)
    assert re.search(r"^(set -eu|exec |set -e)", source, re.MULTILINE), "no set -e"
