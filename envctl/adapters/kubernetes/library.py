"""What is needed of the ``kubernetes`` library and of aiohttp, without what is not.

Together they take longer to import than a verb takes to do its work:

- ``kubernetes/__init__.py`` imports the synchronous client, and with it requests, urllib3, oauth
  and a websocket client. The package is therefore entered in ``sys.modules`` as a folder before
  ``kubernetes.aio`` is imported from it, which needs nothing of the rest. Whoever imports
  ``kubernetes`` first keeps what they have.
- reading a kubeconfig imports the client of the generated models, and with it pydantic. Nobody
  asks it for one, so its place is held while that module is imported.
- aiohttp reads the system's certificate authorities twice as it is imported, for connections that
  bring no TLS context. Each of ours does (``kubernetes.aio.client.rest``).
"""

from __future__ import annotations

import importlib
import importlib.util
import ssl
import sys
from contextlib import contextmanager, nullcontext
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = ("kubernetes", "kubernetes.aio")
#: The client of the generated models; ``config`` imports it for functions that nobody calls.
_MODELS = "kubernetes.aio.client.api_client"
_READ = ("load_default_certs", "set_default_verify_paths")


@contextmanager
def _without_authorities() -> Iterator[None]:
    """A TLS context that is made inside trusts nobody, as none is read; at once, and safe."""
    before = {name: vars(ssl.SSLContext).get(name) for name in _READ}
    for name in _READ:
        setattr(ssl.SSLContext, name, lambda *_: None)
    try:
        yield
    finally:
        for name, own in before.items():
            if own is None:
                delattr(ssl.SSLContext, name)
            else:
                setattr(ssl.SSLContext, name, own)


with _without_authorities():
    import aiohttp

__all__ = ["aiohttp", "load"]


def load(name: str) -> Any:
    """A module below ``kubernetes.aio``, such as ``client``; raises ImportError without it."""
    for package in _PACKAGES:
        if package not in sys.modules:
            sys.modules[package] = _folder_of(package)
    with _without_models() if name.startswith("config") else nullcontext():
        return importlib.import_module(f"kubernetes.aio.{name}")


@contextmanager
def _without_models() -> Iterator[None]:
    """Hold the place of the models' client while it would be imported in vain."""
    if _MODELS in sys.modules:
        yield
        return
    client = importlib.import_module("kubernetes.aio.client")
    held: Any = ModuleType(_MODELS)
    held.ApiClient = None
    sys.modules[_MODELS] = held
    try:
        yield
    finally:
        del sys.modules[_MODELS]
        for name in ("ApiClient", "api_client"):
            vars(client).pop(name, None)


def _folder_of(package: str) -> ModuleType:
    """The package as the namespace of its modules alone; its ``__init__`` is not run."""
    found = importlib.util.find_spec(package)
    if found is None or found.submodule_search_locations is None:
        raise ImportError(f"no package {package}", name=package)
    spec = ModuleSpec(package, None, is_package=True)
    spec.submodule_search_locations = found.submodule_search_locations
    return importlib.util.module_from_spec(spec)
