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


def test_a_missing_library_is_named() -> None:
    with pytest.raises(ImportError, match="nothing"):
        library._folder_of("nothing")
