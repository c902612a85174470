"""Tools and what they render: no orphan, no secret in an argument, the tool's own words."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.adapters import processes, tools
from envctl.adapters.kubernetes.connect import Target
from envctl.adapters.sources import chart, objects
from envctl.adapters.sources.helm import HelmReleases
from envctl.adapters.sources.kustomize import Kustomize, words
from envctl.adapters.sources.manifests import Manifests
from envctl.errors import ConfigError, EnvctlError, Refused, TimedOut
from envctl.model import step
from envctl.model.environment import Environment
from envctl.model.objects import Obj, key_of
from envctl.model.spec import Component, HelmSource, JobSource, KustomizeSource, ManifestsSource
from envctl.model.step import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

ENVIRONMENT = Environment("shop", "fix", "shop-fix")


def alive(marker: str) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker.encode() in (process / "cmdline").read_bytes():
                state = (process / "stat").read_text().rpartition(")")[2].split()[0]
                found += [int(process.name)] if state != "Z" else []
    return found


async def no_longer(marker: str) -> bool:
    for _ in range(100):
        if not alive(marker):
            return True
        await asyncio.sleep(0.02)
    return False


@pytest.mark.parametrize("ignore", ["", "trap '' TERM; "])
async def test_a_cancelled_tool_leaves_no_child(
    monkeypatch: pytest.MonkeyPatch, ignore: str
) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.3)
    marker = f"99{os.getpid()}.{len(ignore)}"
    script = f"({ignore}sleep {marker}; true) >/dev/null 2>&1 & wait"
    task = asyncio.create_task(tools.run(["sh", "-c", script]))
    while not alive(f"sleep\0{marker}"):  # noqa: ASYNC110 - another process has no event
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await no_longer(f"sleep\0{marker}")


async def test_a_tool_does_not_outlive_a_killed_envctl() -> None:
    marker = f"97{os.getpid()}"
    code = (
        "import asyncio; from envctl.adapters import tools; "
        f"asyncio.run(tools.run(['sleep', '{marker}']))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    while not alive(f"sleep\0{marker}"):  # noqa: ASYNC110 - another process has no event
        await asyncio.sleep(0.01)
    process.kill()
    await process.wait()
    assert await no_longer(f"sleep\0{marker}")


async def test_a_late_tool_is_ended_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.3)
    began = time.monotonic()
    with pytest.raises(TimedOut, match="sh -c did not end"):
        await tools.run(["sh", "-c", "sleep 50"], timeout=0.1)
    assert time.monotonic() - began < 30


async def test_a_tool_gets_its_input_and_says_how_it_ended() -> None:
    done = await tools.run(["sh", "-c", "cat; echo oops >&2; exit 3"], stdin=b"hello")
    assert (done.code, done.stdout, done.stderr) == (3, b"hello", "oops\n")


def test_a_missing_tool_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ENVCTL_HELM", raising=False)
    with pytest.raises(ConfigError, match="helm is missing") as caught:
        tools.require("helm", (), "A component of type helm")
    assert "ENVCTL_HELM" in str(caught.value)
    (tmp_path / "own").mkdir()
    own = tool(tmp_path / "own" / "helm", "true")
    assert tools.find("helm", (tmp_path / "own",)) == str(own)


def tool(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


# Charts


def test_a_charts_digest_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/a.yaml").write_text("a")
    first = chart.digest_of(tmp_path)
    assert chart.digest_of(tmp_path) == first
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text("x")
    assert chart.digest_of(tmp_path) == first
    (tmp_path / "templates/a.yaml").rename(tmp_path / "templates/b.yaml")
    assert chart.digest_of(tmp_path) != first


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_out_of_a_chart_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/token").write_text("secret")
    inside = tmp_path / "chart"
    inside.mkdir()
    target = tmp_path / "outside"
    (inside / "link").symlink_to(target / "token" if kind == "file" else target)
    with pytest.raises(Refused, match="leads out of the chart"):
        chart.digest_of(inside)


def test_a_link_inside_a_chart_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").symlink_to("a")
    assert chart.digest_of(tmp_path)


# Helm

EVIL = "a,image.repository=evil"
PASSWORD = "hunter2"


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helm that writes down how it was called and what its values files held."""
    log = tmp_path / "log"
    tool(
        tmp_path / "helm",
        f"""echo "$@" >> {log}
previous=""
for word in "$@"; do
  [ "$previous" = --values ] && cat "$word" >> {tmp_path}/values
  previous="$word"
done
case "$1" in
  version) echo "v4.3.1" ;;
  template) cat {tmp_path}/template 2>/dev/null || (cat {tmp_path}/stderr >&2; exit 1) ;;
  upgrade) echo "$HELM_DRIVER" > {tmp_path}/driver
    cat {tmp_path}/release && ls -A "${{TMPDIR:-.}}" > {tmp_path}/named ;;
  get) cat {tmp_path}/manifest.$7 2>/dev/null || cat {tmp_path}/manifest ;;
  uninstall) cat {tmp_path}/stderr >&2; exit 1 ;;
esac""",
    )
    manifest = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}"
    (tmp_path / "release").write_text(json.dumps({"manifest": manifest}))
    (tmp_path / "manifest").write_text(manifest)
    monkeypatch.setenv("ENVCTL_HELM", str(tmp_path / "helm"))
    return tmp_path


def release(folder: Path) -> Component:
    values = (folder / "values.yaml", {"branch": EVIL, "password": PASSWORD})
    (folder / "values.yaml").write_text("from: file\n")
    return Component("web", "helm", HelmSource("oci://r/web", "", "1.2.3", values))


@dataclass
class Kept:
    """The records of a release; what is asked of them stands in the log of Helm's calls."""

    log: Path
    statuses: tuple[str, ...] = ()
    forgotten: bool = False

    async def history(self) -> list[tuple[int, str]]:
        self._told("history")
        return list(enumerate(self.statuses, 1))

    async def forget(self, made: Sequence[Obj]) -> None:
        assert self.forgotten, f"nothing is to be forgotten: {made}"
        self._told(f"forgotten {' '.join(str(key_of(obj)) for obj in made)}")

    def _told(self, what: str) -> None:
        with self.log.open("a") as log:
            log.write(f"{what}\n")


async def test_helms_arguments_hold_neither_values_nor_secrets(helm: Path) -> None:
    releases = HelmReleases(Target("preview", "/k"), ())
    said: list[str] = []
    found = await releases.deploy(release(helm), ENVIRONMENT, 60, said.append, Kept(helm / "log"))
    assert [o["metadata"]["name"] for o in found] == ["a"]
    (helm / "template").write_text("")
    await releases.render(release(helm), ENVIRONMENT)
    calls = (helm / "log").read_text()
    assert "upgrade web oci://r/web" in calls
    assert "--server-side=true --force-conflicts --disable-openapi-validation" in calls
    assert "--version 1.2.3" in calls
    assert "--namespace shop-fix" in calls
    for word in ("--set", EVIL, PASSWORD, "--create-namespace", "--wait"):
        assert word not in calls
    assert PASSWORD in (helm / "values").read_text()


async def test_helm_3_applies_by_itself_and_validates_by_itself(helm: Path) -> None:
    script = (helm / "helm").read_text()
    (helm / "helm").write_text(script.replace("v4.3.1", "v3.22.0"))
    await HelmReleases(None, ()).deploy(release(helm), ENVIRONMENT, 60, print, Kept(helm / "log"))
    calls = (helm / "log").read_text()
    assert "upgrade web" in calls
    assert "--disable-openapi-validation" not in calls
    assert "--server-side" not in calls


async def test_helm_keeps_its_records_where_envctl_looks_for_them(
    helm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_DRIVER", "configmap")
    await HelmReleases(None, ()).deploy(release(helm), ENVIRONMENT, 60, print, Kept(helm / "log"))
    assert (helm / "driver").read_text() == "secret\n"


async def test_values_are_in_no_file_that_has_a_name(helm: Path, monkeypatch: Any) -> None:
    """One that is killed leaves none behind; those that it is given stay where they are."""
    (helm / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(helm / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    await HelmReleases(None, ()).deploy(release(helm), ENVIRONMENT, 60, print, Kept(helm / "log"))
    assert (helm / "named").read_text() == "", "while helm runs"
    assert PASSWORD in (helm / "values").read_text()


@pytest.mark.parametrize(
    ("statuses", "said", "called"),
    [
        (["deployed"], [], None),
        (["deployed", "failed"], ["upgraded from there"], None),
        (["superseded", "pending-upgrade"], ["rolling back to revision 1"], "rollback web 1"),
        (["pending-install"], ["installed anew"], "forgotten ConfigMap/a"),
        (["uninstalling"], ["installed anew"], "forgotten ConfigMap/a"),
    ],
)
async def test_what_a_killed_helm_left_is_repaired_first(
    helm: Path, statuses: list[str], said: list[str], called: str | None
) -> None:
    (helm / "stderr").write_text("Error: uninstall: Release not loaded: web: release: not found")
    heard: list[str] = []
    forgotten = called is not None and called.startswith("forgotten")
    records = Kept(helm / "log", tuple(statuses), forgotten)
    await HelmReleases(None, ()).deploy(release(helm), ENVIRONMENT, 60, heard.append, records)
    assert len(heard) == len(said)
    assert all(part in text for part, text in zip(said, heard, strict=True))
    calls = (helm / "log").read_text()
    assert called in calls if called else "rollback" not in calls
    assert calls.index("upgrade") > calls.index(called or "history")


CLAIM = "---\nkind: PersistentVolumeClaim\napiVersion: v1\nmetadata: {name: data}"


async def test_a_claim_that_only_an_unfinished_upgrade_has_is_not_rolled_back(helm: Path) -> None:
    records = Kept(helm / "log", ("deployed", "pending-upgrade"))
    (helm / "manifest.2").write_text((helm / "manifest").read_text() + "\n" + CLAIM)
    await HelmReleases(None, ()).deploy(release(helm), ENVIRONMENT, 60, print, records)
    assert "rollback web 2" in (helm / "log").read_text(), "its data would have been deleted"


@pytest.mark.parametrize(
    "ending",
    [
        "kill -9 $$",
        'echo "Error: could not get server version: the server reported a conflict" >&2; exit 1',
        'echo "Error: query: Internal error occurred: injected" >&2; exit 1',
        'echo "Error: Job/web/m not ready. status: Unknown, message: " >&2; exit 1',
    ],
)
async def test_a_try_that_can_be_repeated_is_and_begins_with_the_repair(
    helm: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "HELM", RetryPolicy("helm", 3, 0.01, 0.02))
    script = (helm / "helm").read_text()
    once = f"upgrade) [ -e {helm}/once ] || {{ touch {helm}/once; {ending}; }}; "
    (helm / "helm").write_text(script.replace("upgrade) ", once, 1))
    await HelmReleases(None, ()).deploy(release(helm), ENVIRONMENT, 60, print, Kept(helm / "log"))
    calls = [line.split()[0] for line in (helm / "log").read_text().splitlines()]
    assert calls == ["version", "history", "upgrade", "history", "upgrade"]


async def test_a_chart_that_does_not_render_says_helms_own_words(helm: Path) -> None:
    message = 'Error: template: web/templates/a.yaml:3:5: executing "a": nil pointer'
    (helm / "stderr").write_text(message)
    with pytest.raises(ConfigError, match=r"web/templates/a\.yaml:3:5") as caught:
        await HelmReleases(None, ()).render(release(helm), ENVIRONMENT)
    assert "does not render" in caught.value.what


async def test_uninstalling_what_is_gone_is_no_error(helm: Path) -> None:
    (helm / "stderr").write_text("Error: uninstall: Release not loaded: web: release: not found")
    await HelmReleases(None, ()).uninstall("web", "shop-fix", 10)


async def test_uninstalling_that_fails_is_one(helm: Path) -> None:
    (helm / "stderr").write_text("Error: pre-delete hooks failed: deadline exceeded")
    with pytest.raises(EnvctlError, match="pre-delete hooks failed"):
        await HelmReleases(None, ()).uninstall("web", "shop-fix", 10)


async def test_a_helm_that_is_too_old(tmp_path: Path, monkeypatch: Any) -> None:
    tool(tmp_path / "helm", '[ "$1" = version ] && echo v3.8.1 || echo "[]"')
    monkeypatch.setenv("ENVCTL_HELM", str(tmp_path / "helm"))
    with pytest.raises(ConfigError, match="too old"):
        await HelmReleases(None, ()).deploy(
            release(tmp_path), ENVIRONMENT, 60, print, Kept(tmp_path / "log")
        )


async def test_helm_is_asked_for_its_version_once_however_many_ask_at_once(helm: Path) -> None:
    (helm / "template").write_text("")
    releases = HelmReleases(None, ())
    await asyncio.gather(*(releases.render(release(helm), ENVIRONMENT) for _ in range(5)))
    calls = [line.split()[0] for line in (helm / "log").read_text().splitlines()]
    assert sorted(calls) == ["template"] * 5 + ["version"]


async def test_a_releases_fingerprint_follows_its_values(tmp_path: Path) -> None:
    releases = HelmReleases(None, ())
    part = release(tmp_path)
    first = await releases.fingerprint(part, ENVIRONMENT)
    assert await releases.fingerprint(part, ENVIRONMENT) == first
    (tmp_path / "values.yaml").write_text("from: elsewhere\n")
    assert await releases.fingerprint(part, ENVIRONMENT) != first


# Kustomize and manifests


async def test_a_kustomization_that_does_not_build(tmp_path: Path, monkeypatch: Any) -> None:
    tool(tmp_path / "kustomize", 'echo "Error: no such resource in /x" >&2; exit 1')
    monkeypatch.setenv("ENVCTL_KUSTOMIZE", str(tmp_path / "kustomize"))
    part = Component("api", "kustomize", KustomizeSource(tmp_path))
    with pytest.raises(ConfigError, match="no such resource in /x"):
        await Kustomize(()).render(part, ENVIRONMENT)


async def test_a_kustomization_is_built_once_and_without_plugins(
    tmp_path: Path, monkeypatch: Any
) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
           "spec": {"containers": [{"image": "r:5000/a:1"}]}}  # fmt: skip
    tool(tmp_path / "kustomize", f"echo \"$@\" >> {tmp_path}/log\necho '{json.dumps(pod)}'")
    monkeypatch.setenv("ENVCTL_KUSTOMIZE", str(tmp_path / "kustomize"))
    images = {"r:5000/a": "r:5000/a@sha256:1"}
    part = Component("api", "kustomize", KustomizeSource(tmp_path), images=images)
    source = Kustomize(())
    await source.fingerprint(part, ENVIRONMENT)
    found = await source.render(part, ENVIRONMENT)
    assert found.objects[0]["spec"]["containers"][0]["image"] == "r:5000/a@sha256:1"
    assert (tmp_path / "log").read_text() == f"build {tmp_path}\n"


async def test_a_check_is_exactly_one_job(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}")
    with pytest.raises(ConfigError, match="is not one Job"):
        await Manifests().render(Component("a", "job", JobSource(file)), ENVIRONMENT)


async def test_manifests_in_the_order_of_their_files(tmp_path: Path) -> None:
    files = []
    for name in ("b", "a"):
        files.append(tmp_path / f"{name}.yaml")
        item = f"{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}}}"
        files[-1].write_text(f"---\napiVersion: v1\nkind: List\nitems: [{item}]\n---\n")
    found = await Manifests().render(
        Component("x", "manifests", ManifestsSource(tuple(files))), ENVIRONMENT
    )
    assert [o["metadata"]["name"] for o in found.objects] == ["b", "a"]


META = "apiVersion: v1\nkind: ConfigMap\nmetadata: "


@pytest.mark.parametrize(
    "text",
    [
        "kind: [", "5", "a: b", "kind: ConfigMap", "apiVersion: v1\nkind: ConfigMap",
        META + "{}", META + "{name: 5}", META + "{generateName: a}", META + "[name]",
        META + "{name: a, labels: [x]}", META + "{name: a, annotations: x}",
        META + "{name: a, labels: {x: [1]}}",
        META + "{name: a/../../../kube-system/x}", META + "{name: ..}", META + '{name: "a%2fb"}',
        META + '{name: "a?force=true"}',
        "apiVersion: 5\nkind: ConfigMap\nmetadata: {name: a}",
        "apiVersion: v1\nkind: 5\nmetadata: {name: a}",
        "apiVersion: v1/../x\nkind: ConfigMap\nmetadata: {name: a}",
        'a: !!int ""', "a: !!bool x", "a: !!timestamp x", "a: 2026-99-99",
        "a: &a [*a]", "a: " + "9" * 5000, "a: " + ":".join(["1"] * 300) + ".5", '"\\U00110000"',
        "? [a]\n: b", "a: !!python/name:os.system x", "\x07",
        "kind: List\napiVersion: v1\nitems: 5", "kind: List\napiVersion: v1\nitems: [5]",
    ],
)  # fmt: skip
def test_what_is_no_kubernetes_object_is_refused_in_words(text: str) -> None:
    with pytest.raises(ConfigError, match=r"web\.yaml"):
        objects.parse(text, "web.yaml")


@pytest.mark.parametrize("kind", ["[]", "{}"])
def test_a_bomb_of_aliases_in_a_manifest_is_refused(kind: str) -> None:
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, 12):
        inner = ", ".join([f"*a{level - 1}"] * 9)
        body = f"{{<<: [{inner}]}}" if kind == "{}" else f"[{inner}]"
        lines.append(f"a{level}: &a{level} {body}")
    began = time.monotonic()
    with pytest.raises(ConfigError, match=r"web\.yaml"):
        objects.parse("\n".join(lines), "web.yaml")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("one", ["[", "- ", "{a: ", "? ", "a: [", "[]: "])
def test_what_is_nested_without_end_is_refused_and_ends_nothing(one: str) -> None:
    """The parser calls itself in C for each level: more than it can take ends the process."""
    for count in (objects.MAX_DEPTH + 2, 1_000, 2_400, 60_000):
        closing = {"[": "]", "{a: ": "}"}.get(one, "") * count
        for text in (one * count, one * count + closing):
            said = "deep" if closing and text.endswith(closing) else r"web\.yaml"
            with pytest.raises(ConfigError, match=said):
                objects.parse(text, "web.yaml")


def test_what_is_deep_and_no_bomb_is_parsed() -> None:
    value = "{a: " * 100 + "1" + "}" * 100
    (found,) = objects.parse(
        f"{{apiVersion: v1, kind: Thing, metadata: {{name: a}}, spec: {value}}}", "web.yaml"
    )
    assert found["spec"]["a"]


PIECES = st.sampled_from(
    ["apiVersion: v1\n", "kind: Pod\n", "metadata: ", "{name: a}", "\n", "spec: ", "[", "]", "{",
     "}", ", ", "&x ", "*x ", "<<: ", "!!int ", "!!set ", "!!omap ", "!!pairs ", '"', "- ", "---\n",
     "containers: ", "a: ", "5", "items: ", "kind: List\n", "template: "]
)  # fmt: skip


@given(st.text() | st.lists(PIECES, max_size=20).map("".join))
def test_any_text_is_objects_or_a_config_error(text: str) -> None:
    try:
        found = objects.parse(text, "web.yaml")
    except ConfigError:
        return
    objects.with_images(found, {"a": "b"})


LOGGED = (
    """E1125 09:56:13.368036    4760 run.go:72] "command failed" err="lstat '/a': no \\"b\\""\n"""
)


@pytest.mark.parametrize(
    "said",
    [
        """Error: lstat '/a': no "b"\n""",
        """error: lstat '/a': no "b\"""",
        LOGGED,
        f"W1125 09:56:13 old\n{LOGGED}",
    ],
)
def test_what_kustomize_says_is_told_without_what_is_around_it(said: str) -> None:
    assert words(said) == """lstat '/a': no "b\""""
