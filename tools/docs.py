"""Make the generated pages of docs/ anew; with --check, only say which of them are stale.

A page that repeats what the code says would be wrong within a month. These pages are made from the
code, and a test runs this with --check.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import docs_cli
import docs_gitlab
import docs_house
import docs_schema

from envctl.config.schema import SCHEMA

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "docs" / "examples" / "envctl.yaml"


def pages() -> dict[str, str]:
    """Path below docs/ → what must stand there."""
    return {
        "envctl-yaml.md": docs_schema.page(EXAMPLE.read_text()),
        "schemas/envctl.json": json.dumps(SCHEMA, indent=2) + "\n",
        "cli.md": docs_cli.page(),
        "ci-gitlab-inputs.md": docs_gitlab.page(ROOT / "ci-templates" / "gitlab"),
        "images/house.svg": docs_house.picture(),
    }


def main() -> int:
    """Write what is stale, or with --check report it; returns 1 if anything was reported."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args().check
    stale = []
    for name, text in pages().items():
        path = ROOT / "docs" / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for name in stale:
        print(f"docs/{name}: {'stale; run `task docs`' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
