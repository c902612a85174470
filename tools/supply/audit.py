"""No version in the lock files is known to be vulnerable, as far as an advisory source answers.

    python -m tools.supply.audit PIP_AUDIT

``PIP_AUDIT`` is pip-audit's command, from requirements/supply.txt. It asks the package index for
the advisories of each pinned version. A mirror that passes on packages may have none: then this
says so, and ends with 0, unless ``ENVCTL_ADVISORIES=required``, as in .gitlab-ci.yml. A finding
ends with 1, always.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.supply.locks import LOCKS, RUN, pins

#: Advisories that do not concern envctl → why. Each is looked at again with every new version.
ACCEPTED: dict[str, str] = {}
TIMEOUT = 240


def main() -> None:
    """Ask for one package first: a source that does not know it will not know the others."""
    command = sys.argv[1]
    first = pins(RUN)[0]
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "probe.txt"
        hashes = " ".join(f"--hash=sha256:{digest}" for digest in first.hashes)
        probe.write_text(f"{first.name}=={first.version} {hashes}\n")
        if not _answered(_ask(command, [probe])):
            _unreachable("it does not know even one of the packages")
            return
    found = _ask(command, list(LOCKS))
    known, findings = _answered(found), _findings(found)
    print(f"  {len(known)} of {len(found)} packages have an answer, {len(findings)} findings")
    for line in findings:
        print(line, file=sys.stderr)
    if findings:
        sys.exit(1)
    if len(known) < len(found):
        _unreachable(f"it does not know {', '.join(sorted({d['name'] for d in found} - known))}")


def _ask(command: str, files: list[Path]) -> list[dict[str, Any]]:
    """The packages of these files, each with its vulnerabilities or why there is no answer."""
    arguments = [part for file in files for part in ("--requirement", str(file))]
    ignored = [part for name in ACCEPTED for part in ("--ignore-vuln", name)]
    done = subprocess.run(
        [command, *arguments, *ignored, "--disable-pip", "--require-hashes", "--format=json",
         "--progress-spinner=off"],
        capture_output=True, text=True, check=False, timeout=TIMEOUT,
    )  # fmt: skip
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        lines = done.stderr.strip().splitlines()
        _unreachable(lines[-1] if lines else f"pip-audit ended with {done.returncode}")
        return []
    return found


def _answered(found: list[dict[str, Any]]) -> set[str]:
    return {dependency["name"] for dependency in found if "skip_reason" not in dependency}


def _findings(found: list[dict[str, Any]]) -> list[str]:
    return sorted(
        f"{one['name']} {one['version']}: {vulnerability['id']}, mended in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for one in found
        for vulnerability in one.get("vulns") or []
    )


def _unreachable(why: str) -> None:
    """Say that nothing was learned; that is a failure only where it was asked for."""
    print(f"  no advisory source answers here: {why}. The versions were NOT checked.")
    if os.environ.get("ENVCTL_ADVISORIES") == "required":
        sys.exit("ENVCTL_ADVISORIES=required, and the advisories cannot be had")


if __name__ == "__main__":
    main()
