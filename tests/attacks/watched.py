"""Runs envctl so that nothing that it starts goes unseen: every argument list is written down.

Python itself tells of each program that it starts (an audit hook cannot be passed by), and the
tools are started through a script that writes down what it was given. Sampling /proc would miss
those that are short.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOOK = """\
import json, os, sys

def _tell(event, args):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
        with open(os.environ["CANARY_ARGV"], "a") as file:
            file.write(json.dumps([event, repr(args[:2])]) + "\\n")

sys.addaudithook(_tell)
if os.environ.get("CANARY_BUG"):
    import envctl.adapters.sources.manifests as manifests

    async def render(self, component, environment):
        held = [path.read_text() for path in component.source.paths]
        raise RuntimeError(f"{len(held)} files were read")

    manifests.Manifests.render = render
"""
_TOOL = """\
#!/bin/sh
printf '%s\\n' "$0" "$@" >>"$CANARY_ARGV"
exec "{real}" "$@"
"""


def environment(folder: Path, tools: Path) -> dict[str, str]:
    """Variables for a watched run; what was started stands in ``folder/argv`` afterwards."""
    site, temporary = folder / "site", folder / "tmp"
    for each in (site, temporary):
        each.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(_HOOK)
    found = {
        "PYTHONPATH": str(site),
        "CANARY_ARGV": str(folder / "argv"),
        "TMPDIR": str(temporary),
    }
    for tool in ("helm", "kustomize", "kubectl"):
        script = folder / tool
        script.write_text(_TOOL.format(real=tools / tool))
        script.chmod(0o755)
        found[f"ENVCTL_{tool.upper()}"] = str(script)
    return found


def forms(secret: str) -> Iterator[str]:
    """The secret as it may hide: as it is, escaped, quoted for a URL, in base64 however it lies."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield secret.encode().hex()
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret.encode()).decode()
        # Without the characters that depend on what stands before and after it.
        yield text[(before * 8 + 5) // 6 : -4]


def found_in(text: str, secrets: dict[str, str]) -> list[str]:
    """Which secrets stand in a text, in whatever form."""
    return sorted(
        f"{name} as {form!r}"
        for name, secret in secrets.items()
        for form in forms(secret)
        if form in text
    )
