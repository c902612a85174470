"""What the last lines of a container's log say about what to do next.

Only for causes that a program cannot explain better itself: where it gives a reason of its own,
its log is the explanation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What the container runtime itself writes when the program is none for this machine, or has an
#: interpreter that the image lacks: the same at every start.
_FINAL = re.compile(
    r"^(?:exec \S+|standard_init_linux\.go:\d+: exec user process caused)"
    r": \"?(?:exec format error|no such file or directory)"
)
_NEXT = (
    (
        re.compile(r"exec format error"),
        "Build the image for the node's processor: `docker build --platform linux/amd64`, say.",
    ),
    (
        re.compile(r"read-only file ?system", re.IGNORECASE),
        "Mount an emptyDir where it writes, or leave readOnlyRootFilesystem out.",
    ),
    (
        re.compile(
            r"NXDOMAIN|no such host|bad address|Name or service not known|ENOTFOUND|EAI_AGAIN|"
            r"(?:[Tt]emporary failure in|[Uu]nable to|[Cc]ould not|[Cc]annot) "
            r"(?:name resolution|resolve host)|UnknownHostException"
        ),
        "Correct the host's name: in the environment it is a Service's own name.",
    ),
    (
        re.compile(r"connection refused|ECONNREFUSED", re.IGNORECASE),
        "Name the component that it connects to in `needs`, and check the port.",
    ),
    (
        re.compile(r"permission denied|EACCES|operation not permitted", re.IGNORECASE),
        "Let its user (runAsUser, fsGroup) have the right, or write elsewhere.",
    ),
)


def is_final(lines: Iterable[str]) -> bool:
    """Whether the runtime said that the program can never run as it is."""
    return any(_FINAL.match(line) for line in lines)


def next_step(lines: Iterable[str]) -> str:
    """What to do next by a log's last lines; empty where they say nothing that we know."""
    text = "\n".join(list(lines)[-5:])
    return next((advice for pattern, advice in _NEXT if pattern.search(text)), "")
