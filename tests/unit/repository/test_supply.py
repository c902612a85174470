"""What comes from outside: read right, judged right, and listed whole."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.repository.files import ROOT, text
from tools.supply import audit, licences, sbom
from tools.supply.locks import LOCKS, RUN, pins

if TYPE_CHECKING:
    from pathlib import Path

GO = """\
/out/helm: go1.26.6
\tpath\thelm.sh/helm/v4/cmd/helm
\tmod\thelm.sh/helm/v4\tv4.3.1\th1:UndCoLe9=
\tdep\ta.b/c\tv1.0.0\th1:AAA=
\tdep\ta.b/old\tv1.0.0
\t=>\ta.b/new\tv2.0.0\th1:BBB=
\tbuild\t-trimpath=true
"""


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_every_pin_is_read_with_its_hashes(path: Path) -> None:
    found = pins(path)
    assert len(found) == path.read_text().count("==") - path.read_text().count(
        "system =="
    ) - path.read_text().count("platform ==")
    assert all(pin.hashes for pin in found)


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("GPL-3.0-only OR BSD-2-Clause", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("", False),
        ("LicenseRef-Proprietary", False),
    ],
)
def test_which_licences_may_be(expression: str, good: bool) -> None:
    assert licences.allowed(expression) is good


def test_the_licences_of_what_a_user_gets_are_allowed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.supply.licences"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _audited(tmp_path: Path, answers: str, required: str = "") -> subprocess.CompletedProcess[str]:
    """What is said where pip-audit gives these answers for every package that it is asked about."""
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{answers}\nEND\nexit 1\n")
    tool.chmod(0o755)
    return subprocess.run(
        [sys.executable, "-m", "tools.supply.audit", str(tool)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "ENVCTL_ADVISORIES": required},
    )  # fmt: skip


KNOWN = '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}'
UNKNOWN = '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}'
FOUND = (
    '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", '
    '"fix_versions": ["2"]}]}]}'
)


@pytest.mark.parametrize(
    ("answers", "required", "code", "said"),
    [
        (KNOWN, "", 0, "1 of 1 packages have an answer, 0 findings"),
        (KNOWN, "required", 0, "0 findings"),
        (FOUND, "", 1, "a 1: PYSEC-1, mended in 2"),
        (UNKNOWN, "", 0, "NOT checked"),
        (UNKNOWN, "required", 1, "cannot be had"),
        ("no JSON", "", 0, "NOT checked"),
        ("no JSON", "required", 1, "cannot be had"),
    ],
)
def test_a_finding_fails_and_silence_is_said(
    tmp_path: Path, answers: str, required: str, code: int, said: str
) -> None:
    done = _audited(tmp_path, answers, required)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr


def test_every_accepted_advisory_has_a_reason() -> None:
    assert all(len(why) > 20 for why in audit.ACCEPTED.values())


def test_the_bill_of_the_wheel_has_every_package_and_is_the_same_twice() -> None:
    command = [sys.executable, "-m", "tools.supply.sbom", "wheel"]
    first, second = (subprocess.check_output(command, cwd=ROOT, text=True) for _ in range(2))
    assert first == second
    document = json.loads(first)
    listed = {component["purl"] for component in document["components"]}
    assert listed == {f"pkg:pypi/{pin.name}@{pin.version}" for pin in pins(RUN)}
    assert all(component["hashes"] for component in document["components"])


def test_what_is_linked_into_a_go_program_is_listed() -> None:
    found = {component["purl"] for component in sbom.go(GO)}
    assert found == {
        "pkg:golang/stdlib@go1.26.6",
        "pkg:golang/helm.sh/helm/v4@v4.3.1",
        "pkg:golang/a.b/c@v1.0.0",
        "pkg:golang/a.b/new@v2.0.0",
    }


def test_a_debian_package_is_listed() -> None:
    found = sbom.debian("git\t1:2.39.5-0+deb12u2\tamd64")
    assert found["purl"] == "pkg:deb/debian/git@1%3A2.39.5-0%2Bdeb12u2?arch=amd64"


def test_the_image_holds_its_bill_and_what_it_runs_on_alone() -> None:
    final = text("Containerfile").rpartition("\nFROM ")[2]
    assert "tools.supply.sbom image" in final
    installed = final.split("apt-get install", 1)[1].split("&&", 1)[0].split()
    assert {word for word in installed if not word.startswith(("-", "\\"))} == {
        "ca-certificates", "git", "python3",
    }  # fmt: skip


def test_what_the_image_is_built_with_is_sent_to_its_build() -> None:
    sent = [line[1:] for line in text(".containerignore").splitlines() if line.startswith("!")]
    modules = re.findall(r"-m (tools[.\w]+)", text("Containerfile"))
    assert modules
    for path in (module.replace(".", "/") for module in modules):
        assert any(path == one or path.startswith(f"{one}/") for one in sent), path
