"""What a command imports before it has done anything: ``-X importtime``, read.

Some libraries cost more than all the rest of a start. They are imported where they are used, and
the list of those that must not come early is held by a test.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.cluster.node import clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Each costs tens of milliseconds, and none is needed to say what a command is for.
FORBIDDEN = (
    "aiohttp", "cryptography", "gitlab", "httpx", "jsonschema", "kubernetes",
    "kubernetes_validate", "prometheus_client", "pydantic", "pyhelm3", "requests", "rich",
    "tenacity", "urllib3", "yaml",
)  # fmt: skip
#: Only who runs a verb needs these, not who asks what there is.
OF_VERBS = ("asyncio", "ssl")
#: The commands that a person waits for without anything being done.
QUICK = (("--help",), ("--version",), ("list", "--help"), ("up", "--help"))
_LINE = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)$", re.MULTILINE)


def timed(arguments: Sequence[str]) -> list[tuple[str, int]]:
    """Every module that is imported, with the microseconds of itself alone."""
    code = "import sys; sys.argv[0] = 'envctl'; from envctl.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *arguments],
        env=clean_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return [(name, int(own)) for own, _, _, name in _LINE.findall(done.stderr)]


def _by_package(arguments: Sequence[str]) -> dict[str, int]:
    """Microseconds of each package, its modules together."""
    cost: dict[str, int] = {}
    for name, own in timed(arguments):
        top = name.partition(".")[0]
        cost[top] = cost.get(top, 0) + own
    return cost


def early(arguments: Sequence[str]) -> list[str]:
    """The forbidden libraries that the command imports, and how many milliseconds each takes."""
    cost = _by_package(arguments)
    is_verb = not arguments[0].startswith("-")
    wanted = {*FORBIDDEN} if is_verb else {*FORBIDDEN, *OF_VERBS}
    return [f"{name}: {cost[name] / 1000:.0f} ms" for name in sorted(wanted & cost.keys())]


def dearest(arguments: Sequence[str], most: int = 6) -> str:
    """The packages whose imports cost the most, in a sentence."""
    cost = _by_package(arguments)
    ordered = sorted(cost.items(), key=lambda item: -item[1])[:most]
    total = sum(cost.values()) / 1000
    words = ", ".join(f"{name} {own / 1000:.1f}" for name, own in ordered)
    return f"imports {total:.0f} ms under `-X importtime`, of which {words}"
