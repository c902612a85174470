"""Who envctl is measured beside, each in a pinned version: helm 4 and 3, kubectl, helmfile.

helm and kubectl were built with the cluster. helmfile's go.mod replaces modules, which ``go
install`` of a version refuses, so its module is fetched, copied and built, once a machine.

``helmfile apply`` asks a Helm plugin what would change. That plugin, helm-diff, is in no registry
that the tests may use; in its place stands a script that makes the two calls that it makes too, and
no more of them: what the release has, and what the chart renders now. So apply is not slower here
than it is in truth. krane is a Ruby program, and left out.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from envctl.adapters.local.places import cache_folder, sources_folder
from envctl.adapters.local.toolchain import find_go
from tests.bench.lab import say
from tests.cluster.node import clean_environment, tool

if TYPE_CHECKING:
    from pathlib import Path

MODULE, VERSION = "github.com/helmfile/helmfile", "v1.8.0"
#: Builds need as much of the machine as they can get, and nothing of the user's own Go settings.
_GO = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}
_PLUGIN = """\
name: diff
version: 3.0.0
usage: compare a release with what its chart renders
description: the calls of helm-diff, and nothing more
command: "$HELM_PLUGIN_DIR/diff.sh"
"""
_SCRIPT = """\
#!/bin/sh
# diff upgrade NAME CHART --namespace NAMESPACE ...: exit code 2 where there is a difference.
set -eu
while [ "$1" != upgrade ]; do shift; done
shift
name= chart= namespace=default
while [ $# -gt 0 ]; do
  case $1 in
    --namespace) namespace=$2; shift ;;
    --kube-context | --context | --values | --output) shift ;;
    -*) ;;
    *) if [ -z "$name" ]; then name=$1; else chart=$1; fi ;;
  esac
  shift
done
was=$(mktemp) now=$(mktemp)
trap 'rm -f "$was" "$now"' EXIT
"$HELM_BIN" get manifest "$name" --namespace "$namespace" >"$was" || exit 2
"$HELM_BIN" template "$name" "$chart" --namespace "$namespace" --is-upgrade --no-hooks \\
  --skip-tests --validate >"$now"
lines() { grep -v '^$' "$1" | sort | sha256sum; }
[ "$(lines "$was")" = "$(lines "$now")" ] || exit 2
"""


@cache
def helmfile() -> str:
    """The path of helmfile; built if need be."""
    target = cache_folder() / "bench" / f"helmfile-{VERSION}" / "helmfile"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            say(f"building helmfile {VERSION}, usually 5 min on two cores")
            _build(target)
    return str(target)


def _build(target: Path) -> None:
    go = asyncio.run(find_go(sources_folder()))
    environment = {**os.environ, **_GO}
    told = subprocess.run(
        [go, "mod", "download", "-json", f"{MODULE}@{VERSION}"],
        cwd=target.parent, env=environment, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    sources = target.parent / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(json.loads(told.stdout)["Dir"], sources, copy_function=shutil.copyfile)
    for path in (sources, *sources.rglob("*")):  # the module cache is read-only
        path.chmod(0o755 if path.is_dir() else 0o644)
    package = f"{MODULE}/pkg/app/version.version"
    partial = target.with_suffix(".partial")
    subprocess.run(
        [go, "build", "-trimpath", "-buildvcs=false", "-mod=mod",
         "-ldflags", f"-s -w -X {package}={VERSION}", "-o", str(partial), "."],
        cwd=sources, env=environment, check=True,
    )  # fmt: skip
    shutil.rmtree(sources)
    partial.rename(target)


def plugins(folder: Path) -> dict[str, str]:
    """The variables with which helm finds the plugin that helmfile asks; its files go there."""
    home = folder / "plugins" / "diff"
    home.mkdir(parents=True, exist_ok=True)
    (home / "plugin.yaml").write_text(_PLUGIN)
    script = home / "diff.sh"
    script.write_text(_SCRIPT)
    script.chmod(0o755)
    return {"HELM_PLUGINS": str(home.parent)}


def helmfile_command(verb: str, file: Path, *options: str) -> list[str]:
    """helmfile with the newer Helm; as many releases at once as ``needs`` allows, its default."""
    return [helmfile(), "--helm-binary", tool("helm"), "--file", str(file), verb, *options]


def versions() -> dict[str, str]:
    """Who was measured, and in which version."""
    kubectl = json.loads(_says(tool("kubectl"), "version", "--client", "-o", "json"))
    return {
        "Helm": _says(tool("helm"), "version", "--template", "{{.Version}}"),
        "Helm 3": _says(tool("helm3"), "version", "--template", "{{.Version}}"),
        "kubectl": kubectl["clientVersion"]["gitVersion"],
        "helmfile": VERSION,
    }


def _says(*command: str) -> str:
    done = subprocess.run(
        command, env=clean_environment(), check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
