"""Every package that `pip install envctl` brings has a licence that envctl may be given away with.

    python -m tools.supply.licences

By what the installed packages say of themselves. Ends with 1 where one says something else than the
list below allows, or nothing.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata

from tools.supply.locks import RUN, pins

#: SPDX identifiers. LGPL is used as a library that anybody can replace, which it allows.
ALLOWED = frozenset(
    {
        "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "LGPL-3.0-or-later", "MIT", "MPL-2.0",
        "PSF-2.0",
    }
)  # fmt: skip
#: What some say instead of an identifier.
_MEANT = {
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
#: A licence's whole text is no name.
_LONGEST = 60


def licence(name: str) -> str:
    """What an installed package says of its licence, as SPDX where that can be told; or empty."""
    said = metadata.metadata(name)
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in said.get_all("Classifier") or []
        if text.startswith("License :: ") and not text.endswith("OSI Approved")
    ]
    for text in (said.get("License-Expression"), said.get("License"), *classifiers):
        word = (text or "").strip()
        if word and len(word) <= _LONGEST and "\n" not in word:
            return _MEANT.get(word, word)
    return ""


def allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met by licences of the list: one of `OR`, all of `AND`."""
    if not expression:
        return False
    options = re.split(r"\s+OR\s+", expression.strip("()"))
    return any(
        all(part.strip(" ()") in ALLOWED for part in re.split(r"\s+AND\s+", option))
        for option in options
    )


def main() -> None:
    """Print what each package says, and end with 1 where that is not allowed."""
    wrong = []
    found: dict[str, int] = {}
    for pin in pins(RUN):
        try:
            said = licence(pin.name)
        except metadata.PackageNotFoundError:
            if not pin.marker:
                wrong.append(f"{pin.name} is not installed: run sh tools/setup.sh dev")
            continue
        found[said] = found.get(said, 0) + 1
        if not allowed(said):
            wrong.append(f"{pin.name} {pin.version} says {said or 'nothing'!r} of its licence")
    for name, count in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"  {count:3}  {name}")
    for line in wrong:
        print(f"{line}; allowed are {', '.join(sorted(ALLOWED))}", file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
