"""The embedded cluster's pure parts: what is asked of the machine, names, recipes, words."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from envctl.adapters.local import archive, host, merging, places, recipe, toolchain
from envctl.errors import ConfigError, EnvctlError
from envctl.model.local import LocalState, LocalStatus, Profile, StartRequest
from envctl.workflow import local

RUNNING = LocalStatus(
    "default", LocalState.RUNNING, "envctl-local", "/k", "http://localhost:8080", "v1.37.2", 1
)


def root() -> int:
    return 0


@pytest.mark.parametrize(
    ("platform", "uid", "missing", "words"),
    [
        ("darwin", 0, "", "needs Linux"),
        ("linux", 1000, "", "needs root"),
        ("linux", 0, "runc", "apt-get install --no-install-recommends runc"),
        ("linux", 0, "nft", "apt-get install --no-install-recommends nftables"),
    ],
)
def test_what_a_machine_lacks_is_said(platform: str, uid: int, missing: str, words: str) -> None:
    def which(program: str) -> str | None:
        return None if program == missing else f"/usr/sbin/{program}"

    with pytest.raises(ConfigError) as refused:
        host.check_machine(platform, lambda: uid, which)
    assert words in str(refused.value)
    assert "kind, k3d, minikube" in refused.value.next
    assert refused.value.exit_code == 2


def test_a_machine_that_has_everything_is_fine() -> None:
    host.check_machine("linux", root, lambda program: f"/usr/sbin/{program}")


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="GB left") as refused:
        host.check_room(tmp_path / "not" / "there", 1 << 60)
    assert "ENVCTL_CACHE_DIR" in refused.value.next


def test_a_port_is_what_was_asked_for_or_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Port {port} is taken"):
            host.choose_port(port, 0, 1, "--port")
        assert host.choose_port(0, port, port, "--port") > port
    assert host.choose_port(0, port, 1, "--port") == port


@pytest.mark.parametrize("name", ["", "Upper", "-x", "x-", "a/b", "..", "x" * 31])
def test_a_name_that_kubernetes_refuses_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        places.place(name)


def test_clusters_have_contexts_and_groups_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENVCTL_LOCAL_DIR", str(tmp_path))
    default, other = places.place("default"), places.place("other")
    assert (default.context, other.context) == ("envctl-local", "envctl-local-other")
    monkeypatch.setenv("ENVCTL_LOCAL_DIR", str(tmp_path / "elsewhere"))
    assert places.place("default").cgroup != default.cgroup


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENVCTL_CACHE_DIR", "ENVCTL_LOCAL_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert places.cache_folder() == Path("/c/envctl")
    assert places.clusters_folder() == Path("/s/envctl/clusters")


async def test_without_go_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "go.mod").write_text("module x\n\ngo 1.26.6\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(toolchain.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ConfigError, match=r"Go 1\.26\.6 or newer is needed") as refused:
        await toolchain.find_go(tmp_path)
    assert "pip install 'envctl[local]'" in refused.value.next


@pytest.mark.parametrize(
    ("version", "enough"), [("1.26.5", False), ("1.26.6", True), ("1.27", True)]
)
async def test_a_go_that_is_too_old_is_not_used(
    version: str, enough: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "go.mod").write_text("module x\n\ngo 1.26.6\n")
    go = tmp_path / "go"
    go.write_text(f"#!/bin/sh\necho go{version}\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(toolchain.sys, "executable", "/nowhere/python")
    if enough:
        assert await toolchain.find_go(tmp_path) == str(go)
    else:
        with pytest.raises(ConfigError, match="is needed") as refused:
            await toolchain.find_go(tmp_path)
        assert f"{go} is 1.26.5" in refused.value.why


def test_a_program_is_named_by_what_it_is_made_from(tmp_path: Path) -> None:
    (tmp_path / "cmd").mkdir()
    for name in ("go.mod", "go.sum", "cmd/main.go", "README"):
        (tmp_path / name).write_text("one")
    program = recipe.Program("p", ("./cmd",), ("p",), 1, own=("cmd",))
    before = program.digest(tmp_path)
    (tmp_path / "README").write_text("two")
    assert program.digest(tmp_path) == before
    (tmp_path / "cmd" / "main.go").write_text("two")
    after = program.digest(tmp_path)
    assert after != before
    (tmp_path / "go.sum").write_text("two")
    assert program.digest(tmp_path) not in {before, after}


def test_versions_of_the_recipe_are_those_of_the_modules() -> None:
    sources = places.sources_folder()
    module = (sources / "go.mod").read_text()
    for name, version in (
        ("k8s.io/kubernetes", recipe.KUBERNETES),
        ("helm.sh/helm/v4", recipe.HELM),
        ("helm.sh/helm/v3", recipe.HELM3),
        ("github.com/containerd/containerd/v2", recipe.CONTAINERD),
        ("sigs.k8s.io/kwok", recipe.KWOK),
        ("github.com/coredns/coredns", f"v{recipe.COREDNS}"),
        ("sigs.k8s.io/kustomize/kustomize/v5", recipe.KUSTOMIZE),
    ):
        assert f"\t{name} {version}\n" in module.replace(" // indirect", ""), name
    traefik = (sources / "traefik" / "go.mod").read_text()
    assert f"github.com/traefik/traefik/v3 v{recipe.TRAEFIK}" in traefik
    manifests = sources / "internal" / "node" / "manifests"
    assert f"traefik:{recipe.TRAEFIK}" in (manifests / "traefik.yaml").read_text()
    assert f"coredns:{recipe.COREDNS}" in (manifests / "coredns.yaml").read_text()


def test_a_bundle_is_used_only_with_its_checksum(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENVCTL_CACHE_DIR", str(tmp_path / "cache"))
    programs = tmp_path / "programs"
    (programs / "bin").mkdir(parents=True)
    (programs / "bin" / "kubernetes").write_text("program")
    (programs / "bin" / "kubernetes").chmod(0o755)
    (programs / "bin" / "kubectl").symlink_to("kubernetes")
    (programs / "versions.json").write_text(f'{{"machine": "{archive.platform.machine()}"}}')
    bundle = tmp_path / "cluster.tar.gz"
    digest = archive.write_bundle(programs, bundle)

    unpacked = archive.unpack(str(bundle), lambda _: None)
    assert (unpacked / "bin" / "kubectl").read_text() == "program"
    assert (unpacked / "bin" / "kubectl").stat().st_mode & 0o111
    assert archive.checksum_of(bundle).read_text().startswith(digest)

    bundle.write_bytes(bundle.read_bytes() + b"x")
    with pytest.raises(ConfigError, match="not what its checksum says"):
        archive.unpack(str(bundle), lambda _: None)
    archive.checksum_of(bundle).unlink()
    with pytest.raises(ConfigError, match="no checksum"):
        archive.unpack(str(bundle), lambda _: None)
    with pytest.raises(ConfigError, match="does not exist"):
        archive.unpack(str(tmp_path / "none.tar.gz"), lambda _: None)
    with pytest.raises(ConfigError, match="cannot be fetched"):
        archive.unpack("ftp://example.org/x.tar.gz", lambda _: None)


def test_a_bundle_of_another_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENVCTL_CACHE_DIR", str(tmp_path / "cache"))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "versions.json").write_text('{"machine": "vax"}')
    archive.write_bundle(programs, tmp_path / "cluster.tar.gz")
    with pytest.raises(EnvctlError, match="is for vax"):
        archive.unpack(str(tmp_path / "cluster.tar.gz"), lambda _: None)


def kubeconfig(name: str) -> str:
    entries = {kind: [{"name": name}] for kind in ("clusters", "users", "contexts")}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": name} | entries)


def test_merging_keeps_what_is_there(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.write_text(kubeconfig("envctl-local"))
    theirs.write_text(kubeconfig("work"))
    for _ in range(2):
        merging.merge(mine, theirs)
        found = yaml.safe_load(theirs.read_text())
        assert [entry["name"] for entry in found["contexts"]] == ["work", "envctl-local"]
        assert found["current-context"] == "work"
    assert theirs.stat().st_mode & 0o777 == 0o600


def test_merging_leaves_what_it_cannot_read(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.write_text(kubeconfig("envctl-local"))
    theirs.write_text("- a\n- list\n")
    with pytest.raises(ConfigError, match="left as it is"):
        merging.merge(mine, theirs)
    assert theirs.read_text() == "- a\n- list\n"


@pytest.mark.parametrize(
    "request_",
    [StartRequest("x", fake_nodes=-1), StartRequest("x", api_port=80, ingress_port=80)],
)
async def test_what_cannot_be_is_refused_before_anything_is_done(request_: StartRequest) -> None:
    with pytest.raises(ConfigError):
        await local.start(None, request_, lambda _: None)  # type: ignore[arg-type]


def test_a_status_in_words() -> None:
    assert "http://NAME.localhost:8080" in "\n".join(local.summary(RUNNING))
    stopped = LocalStatus("default", LocalState.STOPPED, "envctl-local")
    assert "stop --delete" in "\n".join(local.summary(stopped))
    assert local.summary(LocalStatus("x", LocalState.ABSENT, "c")) == ["cluster x is absent"]
    assert list(RUNNING.as_json()) == [
        "name", "state", "context", "kubeconfig", "ingress", "version", "nodes",
    ]  # fmt: skip
    assert Profile("control-plane") is Profile.CONTROL_PLANE
