"""Fixtures of the tests that run on a real Kubernetes node: the folders in ``NODE_TIER``.

The node is started once, before the first test and outside every test's timeout, and shared by
all xdist workers. A test gets a project name that no other test has, so that tests run side by
side without seeing each other, and whatever is left of that project is taken away afterwards.

``ENVCTL_TEST_KUBECONFIG`` (with ``ENVCTL_TEST_CONTEXT``) points the tests at another cluster;
``ENVCTL_TEST_KEEP_NODE=1`` leaves a node that the tests have started running at the end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import textwrap
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster import busybox, nginx
from tests.cluster import node as nodes
from tests.cluster.app import App
from tests.cluster.node import Envctl, Kubectl, Node
from tests.gitea.build import built as built_gitea
from tests.gitea.server import Gitea

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STARTED = pytest.StashKey[bool]()
_HERE = Path(__file__).parent
#: What runs on the node. Of its own accord: `attacks` and `failures` one case a test, `faults` a
#: sample with a fixed seed, `bench` what is exact: requests and processes, no time.
NODE_TIER = tuple(_HERE / name for name in ("attacks", "bench", "cluster", "failures", "faults"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the node, so that ``-m 'not cluster'`` leaves it out."""
    for item in items:
        if any(folder in item.path.parents for folder in NODE_TIER):
            item.add_marker(pytest.mark.cluster)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the node before any test's clock runs, in the process that starts the workers."""
    config = session.config
    is_worker = hasattr(config, "workerinput")
    asked = any(_asked_for(config, file) for tier in NODE_TIER for file in tier.glob("test_*.py"))
    if is_worker or config.option.collectonly or not asked:
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled(), _one_at_a_time():
        if any(_asked_for(config, file) for file in _HERE.glob("cluster/test_gitea*.py")):
            built_gitea()
        if nodes.named_by_environment():
            return
        if nodes.running() is None:
            nodes.start()
            config.stash[_STARTED] = True
        busybox.load(Envctl(), nodes.NODE_NAME)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the node if this run has started it."""
    if session.config.stash.get(_STARTED, False) and not os.environ.get("ENVCTL_TEST_KEEP_NODE"):
        nodes.stop()


def _asked_for(config: pytest.Config, file: Path) -> bool:
    """Whether the command line names the file, or a folder that it is in."""
    named = [Path(config.invocation_params.dir, arg.split("::")[0]) for arg in config.args]
    return any(path == file or path in file.parents for path in named)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two test runs on one machine must not both start the node."""
    path = Path(tempfile.gettempdir()) / f"envctl-test-{nodes.NODE_NAME}-{os.getuid()}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def node() -> Node:
    """The running node."""
    found = nodes.named_by_environment() or nodes.running()
    assert found is not None, "the node of the tests was running when they began, and is not now"
    return found


@pytest.fixture(scope="session")
def kubectl(node: Node) -> Kubectl:
    """kubectl on the node: ``kubectl("get", "pods", "-n", ns)`` is the parsed document."""
    return Kubectl(node)


@pytest.fixture(scope="session")
def gitea() -> Iterator[Gitea]:
    """A running Gitea; its tests are in one xdist group, so that there is only one."""
    server = Gitea(built_gitea())
    yield server
    server.delete()


@pytest.fixture
def envctl(node: Node, tmp_path: Path) -> Envctl:
    """The real command in a process of its own, in the test's folder, on the node."""
    return Envctl(node.kubeconfig, tmp_path)


@pytest.fixture(scope="session")
def nginx_image(node: Node, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the charts of `helm create` ask for is on the node."""
    nginx.load(Envctl(), node, tmp_path_factory.mktemp("nginx"))


@pytest.fixture
def project(kubectl: Kubectl) -> Iterator[str]:
    """A project name of this test's own; its namespaces are deleted when the test ends."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    yield name
    label = f"envctl.dev/project={name}"
    kubectl.run("delete", "namespace", "-l", label, "--wait=false")
    kubectl.run("delete", "lease", "-n", "envctl-system", "-l", label, "--wait=false")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Write files, given as ``{path: text}``, into the test's folder and return the folder."""

    def _write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"))
        return tmp_path

    return _write


@pytest.fixture
def app(
    envctl: Envctl,
    node: Node,
    kubectl: Kubectl,
    project: str,
    write: Callable[[dict[str, str]], Path],
) -> App:
    """A small application of three components and a check, to be broken by the test."""
    return App(envctl, node, kubectl, project, write)
