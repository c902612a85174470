"""A bill of materials is what CycloneDX says that one is: python -m tools.supply.check FILE ...

Needs what requirements/supply.txt brings.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main() -> None:
    """End with 1 where a file is none."""
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for name in sys.argv[1:]:
        error = validator.validate_str(Path(name).read_text())
        if error is not None:
            sys.exit(f"{name} is no CycloneDX 1.6: {error}")
        print(f"  {name} is a CycloneDX 1.6 document")


if __name__ == "__main__":
    main()
