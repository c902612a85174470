"""The asynchronous half of the ``kubernetes`` library, without the other one.

``kubernetes/__init__.py`` imports the synchronous client, and with it requests, urllib3, oauth and
a websocket client: 0.15 s of the half second that a verb takes, for what envctl never calls. The
package is therefore entered in ``sys.modules`` as a folder before ``kubernetes.aio`` is imported
from it, which needs nothing of the rest. Whoever imports ``kubernetes`` first keeps what they have.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

_PACKAGES = ("kubernetes", "kubernetes.aio")


def load(name: str) -> Any:
    """A module below ``kubernetes.aio``, such as ``client``; raises ImportError without it."""
    for package in _PACKAGES:
        if package not in sys.modules:
            sys.modules[package] = _folder_of(package)
    return importlib.import_module(f"kubernetes.aio.{name}")


def _folder_of(package: str) -> ModuleType:
    """The package as the namespace of its modules alone; its ``__init__`` is not run."""
    found = importlib.util.find_spec(package)
    if found is None or found.submodule_search_locations is None:
        raise ImportError(f"no package {package}", name=package)
    spec = ModuleSpec(package, None, is_package=True)
    spec.submodule_search_locations = found.submodule_search_locations
    return importlib.util.module_from_spec(spec)
