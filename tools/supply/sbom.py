r"""The bill of materials of the wheel or of the image: CycloneDX 1.6, the same for the same inputs.

    python3 -m tools.supply.sbom wheel                             > envctl.cdx.json
    python3 -m tools.supply.sbom image DEBIAN GO ...               > image.cdx.json

``DEBIAN`` is what `dpkg-query --show --showformat='${Package}\t${Version}\t${Architecture}\n'`
says, each ``GO`` what `go version -m PROGRAM` says: what was linked into a program stands in it.
Needs nothing but Python, so that it runs while the image is built.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.supply.locks import ROOT, RUN, Pin, pins

Component = dict[str, Any]


def document(name: str, components: list[Component]) -> dict[str, Any]:
    """The document: no time and no serial number, which would differ from run to run."""
    version = _version()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "container" if name.endswith("image") else "application",
                "bom-ref": name,
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": sorted(components, key=lambda component: str(component["bom-ref"])),
    }


def _version() -> str:
    text = (ROOT / "envctl" / "__init__.py").read_text()
    match = re.search(r'__version__ = "([^"]+)"', text)
    return match[1] if match else "0"


def _component(purl: str, name: str, version: str, **more: Any) -> Component:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            **more}  # fmt: skip


def python(pin: Pin) -> Component:
    """A Python package; its hashes are those of the archives, of which one is installed."""
    hashes = [{"alg": "SHA-256", "content": digest} for digest in pin.hashes]
    more = {"properties": [_property("marker", pin.marker)]} if pin.marker else {}
    purl = f"pkg:pypi/{pin.name}@{pin.version}"
    return _component(purl, pin.name, pin.version, hashes=hashes, **more)


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"envctl:{name}", "value": value}


def debian(line: str) -> Component:
    r"""A Debian package, of a line ``PACKAGE\tVERSION\tARCHITECTURE``."""
    name, version, architecture = line.split("\t")
    purl = f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={architecture}"
    return _component(purl, name, version)


def go(text: str) -> list[Component]:
    """The modules in a Go program, with the hashes of their sources as go.sum has them."""
    lines = [line.split("\t") for line in text.splitlines()]
    found: list[Component] = []
    for fields in lines:
        match fields:
            case ["", "mod" | "dep" | "=>", module, version, *rest]:
                if fields[1] == "=>":
                    found.pop()  # what is replaced is not there
                more = {"properties": [_property("go.sum", rest[0])]} if any(rest) else {}
                found.append(_component(f"pkg:golang/{module}@{version}", module, version, **more))
            case [program] if program.rpartition(": ")[2].startswith("go1"):
                version = program.rpartition(": ")[2]
                found.append(_component(f"pkg:golang/stdlib@{version}", "stdlib", version))
    return found


def main() -> None:
    """Print the document."""
    what, files = sys.argv[1], [Path(name).read_text() for name in sys.argv[2:]]
    components = [python(pin) for pin in pins(RUN)]
    if what == "image":
        components += [debian(line) for line in files[0].splitlines() if line]
        components += [component for text in files[1:] for component in go(text)]
    unique = {component["bom-ref"]: component for component in components}
    name = "envctl" if what == "wheel" else "envctl-image"
    print(json.dumps(document(name, list(unique.values())), indent=2))


if __name__ == "__main__":
    main()
