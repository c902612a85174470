"""What the embedded cluster is made of: each program, where it comes from, how it is built.

The versions stand in the Go modules under ``cluster/``; here they are said once more where a
program prints its own. Most share one module, and with it most of their compiled packages: helm
alone takes two minutes to build, and seconds after Kubernetes.
"""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KUBERNETES = "v1.37.2"
HELM = "v4.3.1"
HELM3 = "v3.22.0"
CONTAINERD = "v2.4.2"
COREDNS = "1.15.0"
TRAEFIK = "3.7.13"
KWOK = "v0.8.0"
KUSTOMIZE = "v5.8.1"

#: Raise it when the way of building changes, so that what was built before is not used.
_RECIPE = "1"
_COMPONENT = "k8s.io/component-base/version"
_CNI = "github.com/containernetworking/plugins/plugins"
_CNI_KINDS = ("main/ptp", "main/loopback", "meta/portmap", "ipam/host-local")
_CONTAINERDS = ("containerd", "containerd-shim-runc-v2", "ctr")
_CONTAINERD = "github.com/containerd/containerd/v2"


@dataclass(frozen=True, slots=True)
class Program:
    """One run of ``go build``. ``usual`` is seconds on two cores with nothing compiled before.

    ``own`` are the folders of the module that its packages are in: when they, or the module's
    versions, change, it is built again. ``links`` are other names that the program answers to.
    """

    name: str
    packages: tuple[str, ...]
    makes: tuple[str, ...]
    usual: int
    own: tuple[str, ...] = ()
    module: str = "."
    variables: tuple[tuple[str, str], ...] = ()
    tags: str = ""
    links: tuple[tuple[str, str], ...] = ()

    def digest(self, sources: Path) -> str:
        """Names this program's content: the same inputs give the same name."""
        state = hashlib.sha256(f"{_RECIPE} {platform.machine()} {self!r}".encode())
        module = sources / self.module
        for path in [module / "go.mod", module / "go.sum", *_files(module, self.own)]:
            state.update(str(path.relative_to(sources)).encode())
            state.update(path.read_bytes())
        return state.hexdigest()[:16]


def _files(module: Path, folders: Iterable[str]) -> list[Path]:
    return sorted(path for own in folders for path in (module / own).rglob("*") if path.is_file())


PROGRAMS = (
    Program(
        "kubernetes",
        ("./cmd/kubernetes",),
        ("kubernetes",),
        480,
        own=("cmd/kubernetes",),
        variables=(
            (f"{_COMPONENT}.gitVersion", KUBERNETES),
            (f"{_COMPONENT}.gitMajor", "1"),
            (f"{_COMPONENT}.gitMinor", "37"),
            (f"{_COMPONENT}.gitTreeState", "clean"),
            ("sigs.k8s.io/kustomize/api/provenance.version", KUSTOMIZE),
        ),
        links=(("kubectl", "kubernetes"), ("kustomize", "kubernetes")),
    ),
    Program(
        "envctl-node",
        ("./cmd/envctl-node", "./cmd/node-agents"),
        ("envctl-node", "node-agents"),
        15,
        own=("cmd/envctl-node", "cmd/node-agents", "internal"),
    ),
    Program("coredns", ("./cmd/coredns",), ("coredns",), 30, own=("cmd/coredns",)),
    Program("pause", ("./cmd/pause",), ("pause",), 2, own=("cmd/pause",)),
    Program(
        "containerd",
        tuple(f"{_CONTAINERD}/cmd/{name}" for name in _CONTAINERDS),
        _CONTAINERDS,
        60,
        variables=((f"{_CONTAINERD}/version.Version", CONTAINERD),),
        tags="no_btrfs no_devmapper no_zfs",
    ),
    Program(
        "cni",
        tuple(f"{_CNI}/{kind}" for kind in _CNI_KINDS),
        tuple(kind.partition("/")[2] for kind in _CNI_KINDS),
        5,
    ),
    Program(
        "helm",
        ("helm.sh/helm/v4/cmd/helm",),
        ("helm",),
        20,
        variables=(
            ("helm.sh/helm/v4/internal/version.version", HELM),
            ("helm.sh/helm/v4/internal/version.gitTreeState", "clean"),
        ),
    ),
    Program(
        "helm3",
        ("helm.sh/helm/v3/cmd/helm",),
        ("helm",),
        10,
        variables=(
            ("helm.sh/helm/v3/internal/version.version", HELM3),
            ("helm.sh/helm/v3/internal/version.gitTreeState", "clean"),
        ),
    ),
    Program(
        "kwok",
        ("sigs.k8s.io/kwok/cmd/kwok",),
        ("kwok",),
        15,
        variables=(("sigs.k8s.io/kwok/pkg/consts.Version", KWOK),),
    ),
    Program(
        "traefik",
        ("github.com/traefik/traefik/v3/cmd/traefik",),
        ("traefik",),
        210,
        own=("ext", "lego"),
        module="traefik",
        variables=(("github.com/traefik/traefik/v3/pkg/version.Version", TRAEFIK),),
    ),
)  # fmt: skip
