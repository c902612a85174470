"""The pages say what the code does: generated ones are fresh, written ones name every fact."""

from __future__ import annotations

import re
import subprocess
import sys

from envctl import errors
from tests.unit.repository.files import ROOT, text


def test_the_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "tools/docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_of_exit_codes_has_every_one_and_no_other() -> None:
    rows = re.findall(r"^\| (\d+) \|", text("docs/exit-codes.md"), re.MULTILINE)
    known = {
        value
        for name, value in vars(errors).items()
        if name.startswith("EXIT_") and isinstance(value, int)
    }
    assert {int(code) for code in rows} == known


def test_the_page_of_json_links_every_schema() -> None:
    linked = set(re.findall(r"\(schemas/([\w-]+\.json)\)", text("docs/json.md")))
    assert linked == {path.name for path in (ROOT / "docs/schemas").glob("*.json")}
