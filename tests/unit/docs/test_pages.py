"""The pages say what the code does: generated ones are fresh, written ones name every fact."""

from __future__ import annotations

import re
import subprocess
import sys

from envctl import errors
from tests.unit.repository.files import ROOT, fenced, text, tracked

#: Commands of the pages that tests/cluster/test_docs.py does not run → the file that does.
RUN_ELSEWHERE = {
    "sh examples/try.sh": ".ci/run",
    "bash tests/run": ".ci/run",
    "sh tools/setup.sh dev": ".ci/run",
    "pip install .": ".ci/run",
    "envctl --install-completion": "tests/installed",
}


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


def test_every_command_that_a_page_shows_is_run_somewhere() -> None:
    shown = {
        (line.split("#")[0].strip(), page.relative_to(ROOT))
        for page in tracked()
        if (page.suffix == ".md" and page.is_relative_to(ROOT / "docs"))
        or (page.parent == ROOT and page.suffix == ".md")
        for block in fenced(page.read_text(), "sh")
        for line in block.splitlines()
        if line.strip()
    }
    unknown = sorted(f"{page}: {line}" for line, page in shown if line not in RUN_ELSEWHERE)
    assert not unknown, "mark the block `sh run`, or say in RUN_ELSEWHERE what runs it"
    assert all((ROOT / file).is_file() for file in RUN_ELSEWHERE.values())
