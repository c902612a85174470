"""The asynchronous half of the Kubernetes library comes alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from envctl.adapters.kubernetes import library

ALONE = """
import sys
from envctl.adapters.kubernetes import library
client, config = library.load("client"), library.load("config")
client.ApiClient, config.load_kube_config, client.CoreV1Api, client.V1Pod
found = {"requests", "urllib3.response", "oauthlib", "kubernetes.client", "kubernetes.dynamic"}
print(*sorted(found & set(sys.modules)))
"""


def test_the_synchronous_half_is_not_imported() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], check=True, capture_output=True, text=True)
    assert not done.stdout.strip()


def test_who_imported_it_whole_keeps_it() -> None:
    whole = "import kubernetes\n" + ALONE.replace("kubernetes.dynamic", "") + "kubernetes.client"
    done = subprocess.run([sys.executable, "-c", whole], check=True, capture_output=True, text=True)
    assert "requests" in done.stdout


WITHOUT = """
import ssl, sys
from envctl.adapters.kubernetes import library
config, rest = library.load("config.kube_config"), library.load("client.rest")
from aiohttp.connector import _SSL_CONTEXT_VERIFIED, _SSL_CONTEXT_UNVERIFIED
read = [c.cert_store_stats()["x509"] for c in (_SSL_CONTEXT_VERIFIED, _SSL_CONTEXT_UNVERIFIED)]
assert read == [0, 0], read
assert _SSL_CONTEXT_VERIFIED.verify_mode == ssl.CERT_REQUIRED
assert "pydantic" not in sys.modules
assert "set_default_verify_paths" not in vars(ssl.SSLContext)
assert ssl.SSLContext.load_default_certs.__module__ == "ssl"
assert "ApiClient" in repr(library.load("client").ApiClient)
"""


def test_neither_authorities_nor_models_are_read_in_vain() -> None:
    """What aiohttp would fall back to trusts nobody; what comes after finds all as it was."""
    subprocess.run([sys.executable, "-c", WITHOUT], check=True)


def test_a_missing_library_is_named() -> None:
    with pytest.raises(ImportError, match="nothing"):
        library._folder_of("nothing")
