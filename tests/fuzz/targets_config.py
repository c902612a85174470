"""What a merge request's author writes: envctl.yaml, manifests, names, a repository."""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import tempfile
from pathlib import Path

import yaml

from envctl.adapters.sources import objects
from envctl.config import ci, duration, forge, limits, load, names, settings
from envctl.config.substitute import UnknownVariable, substitute
from envctl.model import confined, quantity, words
from envctl.model.detect import detect
from envctl.model.objects import pod_specs
from envctl.model.repository import Repository
from tests.fuzz import samples
from tests.fuzz.reader import Reader

_MEMORY = Path("/dev/shm")
FILE = Path(
    tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None, prefix="envctl-"), "envctl.yaml"
)


@atexit.register
def _remove(owner: int = os.getpid()) -> None:
    """A target that broke something ends a fork, which must leave the others their files."""
    if os.getpid() == owner:
        shutil.rmtree(FILE.parent, ignore_errors=True)


for _name in ("chart/Chart.yaml", "values.yaml", "overlay/kustomization.yaml", "web/a.yaml",
              "job.yaml", ".git/config"):  # fmt: skip
    (FILE.parent / _name).parent.mkdir(exist_ok=True)
    (FILE.parent / _name).write_text("{}")
_CI = ci.CIContext("gitlab", "fix/a", "8f3a2c11", "4711", "7", "ann")
_VARIABLES = {"name": "mr-7", "image.api": "api:1", "branch": "x}\n${name}"}


def _load() -> None:
    document = load.read(FILE)
    loaded = load.load(document, settings.Settings(), _CI)
    names.check_label("namespace", loaded.environment.namespace, 63)
    for component in loaded.spec.components:
        names.check_label("component", component.name, names.MAX_COMPONENT)


def config_text(data: bytes) -> None:
    """envctl.yaml as a file, byte by byte."""
    FILE.write_bytes(data)
    _load()


def config_values(data: bytes) -> None:
    """An envctl.yaml of which some values are others."""
    reader = Reader(data)
    value = reader.changed(samples.CONFIG)
    try:
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
        FILE.write_text(text, encoding="utf-8", errors="surrogatepass")
    except yaml.YAMLError:
        return
    _load()


def name_rules(data: bytes) -> None:
    """Names made of a branch are what Kubernetes takes; any other name is refused in words."""
    reader = Reader(data)
    branch = reader.text() + reader.rest().decode("utf-8", "replace")
    names.check_label("environment", names.slug(branch.encode("utf-8", "replace").decode()), 24)
    names.check_label("environment", names.merge_request_name("7", branch), names.MAX_NAME)
    for name in names.of_branch(branch, default=True):
        assert name
    assert names.check_label("project", branch, names.MAX_PROJECT) == branch


def ci_variables(data: bytes) -> None:
    """What a CI's variables say, whatever is in them."""
    reader = Reader(data)
    keys = ("CI_MERGE_REQUEST_IID", "CI_COMMIT_REF_NAME", "CI_PIPELINE_ID", "GITHUB_REF",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "GITHUB_RUN_ID", "GITHUB_HEAD_REF",
            "ENVCTL_MAX_TTL", "ENVCTL_MAX_QUOTA", "ENVCTL_PROFILE", "ENVCTL_SECURITY",
            "ENVCTL_ALLOWED_CONTEXTS", "ENVCTL_PROJECT", "ENVCTL_NAME", "ENVCTL_IMAGE_API",
            "CI_SERVER_URL", "CI_PROJECT_ID", "GITLAB_USER_LOGIN", "ENVCTL_FORGE_KIND",
            "ENVCTL_FORGE_URL", "CI_API_V4_URL")  # fmt: skip
    env = {reader.choose(keys): reader.text() for _ in range(reader.below(8))}
    env |= {reader.choose(("GITLAB_CI", "GITHUB_ACTIONS")): "true"}
    found = ci.detect(env, FILE.parent)
    forge.read(env, found, is_file=lambda _: False)
    chosen = settings.read(env)
    settings.check_context(reader.text(), None, chosen, "the file")
    load.identify(chosen, found, "shop")


def small_values(data: bytes) -> None:
    """Durations, quantities, options: one word each."""
    text = Reader(data).text() + data.decode("utf-8", "replace")
    number = quantity.parse(text)
    assert number is None or number == number  # noqa: PLR0124 - it is no NaN
    quantity.share(text, "4Gi")
    limits.read({"ENVCTL_MAX_QUOTA": text})
    found = duration.seconds(text)
    assert found >= 0
    words.duration(found)


def substitution(data: bytes) -> None:
    """``${…}`` is replaced once, in scalars alone: what a value says is not read again."""
    reader = Reader(data)
    value = reader.json()
    text = reader.rest().decode("utf-8", "replace")
    try:
        substitute(value, _VARIABLES)
        found = substitute(text, _VARIABLES)
    except UnknownVariable:
        return
    most = len(text) + text.count("${") * max(map(len, _VARIABLES.values()))
    assert len(found) <= most


def manifests(data: bytes) -> None:
    """A file of manifests, or what a chart renders to."""
    for obj in objects.with_images(objects.parse(data, "a.yaml"), {"web": "web:2"}):
        _look_at(obj)


def manifest_values(data: bytes) -> None:
    """A manifest of which some values are others."""
    reader = Reader(data)
    obj = reader.changed(reader.choose(samples.OBJECTS))
    try:
        text = yaml.safe_dump(obj, allow_unicode=True)
    except (yaml.YAMLError, ValueError):
        return
    for found in objects.with_images(objects.parse(text, "a.yaml"), {"web": "web:2"}):
        _look_at(found)


def _look_at(obj: dict[str, object]) -> None:
    confined.problem(obj, "a.example")
    confined.secrets_read(obj)
    pod_specs(obj)


def repository(data: bytes) -> None:
    """What ``init`` finds in a repository, whatever its YAML says."""
    reader = Reader(data)
    paths = ["charts/web/Chart.yaml", "charts/web/values.yaml", "deploy/a.yaml", "skaffold.yaml",
             "kustomize/base/kustomization.yaml", "kustomize/overlays/dev/kustomization.yaml",
             "deploy/b.yaml", "compose.yaml"]  # fmt: skip
    likely = [
        {"name": "web", "version": "1", "dependencies": [{"name": "db", "repository": "file://x"}]},
        {"resources": ["../base"], "images": [{"name": "web"}], "namespace": "a"},
        {"apiVersion": "skaffold/v4beta1", "build": {"artifacts": [{"image": "web"}]},
         "deploy": {"helm": {"releases": [{"name": "web", "chartPath": "charts/web",
                                           "valuesFiles": ["charts/web/values.yaml"]}]}}},
        *samples.OBJECTS,
    ]  # fmt: skip
    documents = {
        path: tuple(reader.changed(reader.choose(likely)) for _ in range(reader.below(3)))
        for path in paths
    }
    detect(Repository("shop", tuple(sorted(paths)), documents), "shop", names.slug)


_YAML = yaml.safe_dump(samples.CONFIG).encode()
TARGETS = {
    "config text": (config_text, (
        _YAML, b"a: &a [*a]", b"a: &x {b: 1}\nc: {<<: *x, b: 2}", b"- !!binary 4",
        b"a: 1_0:9\nb: 0o7\nc: .inf\nd: 2026-11-25\ne: !!float x", b"\xff\xfe", b"{a: 1, a: 2}",
    )),
    "config values": (config_values, (b"", bytes(range(64)))),
    "names": (name_rules, (b"\x03\x00feature/Fix-Foo", "ﬁx/ÄÖ".encode(), b"a,image=evil")),
    "CI variables": (ci_variables, (b"", bytes(range(48)))),
    "small values": (small_values, (b"1h30m", b"-5m", b"4Gi", b"1e999", b"0.5Ei", b"1" * 60)),
    "substitution": (substitution, (b"\x00${name}$${x}${image.api}", b"\x00${${name}}")),
    "manifests": (manifests, (
        yaml.safe_dump_all(samples.OBJECTS[:3]).encode(), b"--- {}\n---\n- a", b"kind: List",
        base64.b64decode("a2luZDogTGlzdAppdGVtczogW3t9XQ=="), b"a: !!timestamp x", b"? {a: b}\n: c",
    )),
    "manifest values": (manifest_values, (b"", bytes(range(64)))),
    "repository": (repository, (b"", bytes(range(200)))),
}  # fmt: skip
