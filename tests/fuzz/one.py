"""One target under atheris, which learns from the branches that an input reaches.

    python -m tests.fuzz.one TARGET [libFuzzer's options and folders ...]

Needs what requirements/fuzz.txt brings; ``tests.fuzz.run`` starts it for each target.
"""

from __future__ import annotations

import logging
import pkgutil
import sys
import warnings
from importlib import import_module
from pathlib import Path

import atheris


def main() -> None:
    """Fuzz until the time is up or something goes wrong, as the options say."""
    warnings.simplefilter("ignore")
    logging.disable()
    name, options = sys.argv[1], sys.argv[2:]
    # All of envctl, at once: what is imported later, in a function, would not be watched.
    with atheris.instrument_imports(include=["envctl"]):
        import envctl

        for module in pkgutil.walk_packages(envctl.__path__, "envctl."):
            import_module(module.name)
    from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    corpus = next((Path(option) for option in options if not option.startswith("-")), None)
    for number, seed in enumerate(target.seeds if corpus else ()):
        (corpus / f"seed-{number:02}").write_bytes(seed)  # type: ignore[operator]
    atheris.Setup([sys.argv[0], *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
