"""``envctl local``: the embedded single-node cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envctl.cli import boundary
from envctl.cli.lean import Verb, Verbs
from envctl.cli.options import Options, OutputOption
from envctl.errors import EXIT_OK
from envctl.model.local import Profile, StartRequest

if TYPE_CHECKING:
    from envctl.model.local import LocalStatus
    from envctl.output.lines import Lines
    from envctl.output.sink import Output

app = typer.Typer(
    cls=Verbs,
    help="A real single-node Kubernetes on this machine, without Docker.",
    no_args_is_help=True,
)

ClusterName = Annotated[
    str, typer.Option("--name", "-n", help="Which cluster; several run side by side.")
]


@app.command(cls=Verb)
def start(
    name: ClusterName = "default",
    nodes_fake: Annotated[
        int, typer.Option("--nodes-fake", help="Add this many nodes that only seem to run pods.")
    ] = 0,
    profile: Annotated[
        Profile, typer.Option("--profile", help="The whole node, or no kubelet and no add-ons.")
    ] = Profile.NODE,
    source: Annotated[
        str,
        typer.Option("--from", help="A file or URL made by `bundle`, instead of building."),
    ] = "",
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="The API server's port; 0 finds a free one."),
    ] = 0,
    ingress_port: Annotated[
        int,
        typer.Option(
            "--ingress-port", min=0, max=65535, help="The ingress's port; 0 finds a free one."
        ),
    ] = 0,
    merge_kubeconfig: Annotated[
        bool,
        typer.Option("--merge-kubeconfig", help="Add the context to your own kubeconfig too."),
    ] = False,
    output: OutputOption = None,
) -> None:
    """Start the cluster; the first time its programs are built, which takes a while.

    Example: envctl local start
    """
    request = StartRequest(name, profile, nodes_fake, source, port, ingress_port)
    merge_into = _own_kubeconfig() if merge_kubeconfig else None

    async def verb(out: Output) -> int:
        from envctl.adapters.local.clusters import EmbeddedClusters
        from envctl.workflow import local

        _show(out, await local.start(EmbeddedClusters(), request, out.emit, merge_into))
        return EXIT_OK

    boundary.run(Options("local start", name=name, output=output), verb)


@app.command(cls=Verb)
def stop(
    name: ClusterName = "default",
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete its data too: objects, images, volumes, logs.")
    ] = False,
    output: OutputOption = None,
) -> None:
    """Stop the cluster; its data is kept for the next start unless --delete is given.

    Example: envctl local stop --delete
    """

    async def verb(out: Output) -> int:
        from envctl.adapters.local.clusters import EmbeddedClusters
        from envctl.workflow import local

        _show(out, await local.stop(EmbeddedClusters(), name, delete=delete))
        return EXIT_OK

    boundary.run(Options("local stop", name=name, output=output), verb)


@app.command(cls=Verb)
def status(name: ClusterName = "default", output: OutputOption = None) -> None:
    """Say how the cluster is: running, stopped or absent.

    Example: envctl local status -o json
    """

    async def verb(out: Output) -> int:
        from envctl.adapters.local.clusters import EmbeddedClusters
        from envctl.workflow import local

        _show(out, await local.status(EmbeddedClusters(), name))
        return EXIT_OK

    boundary.run(Options("local status", name=name, output=output), verb)


@app.command(cls=Verb)
def load(
    archives: Annotated[
        list[Path], typer.Argument(metavar="IMAGE.tar...", help="OCI layouts, or `docker save`.")
    ],
    name: ClusterName = "default",
    output: OutputOption = None,
) -> None:
    """Give container images to the cluster, which has no registry to pull them from.

    Example: envctl local load api.tar web.tar
    """

    async def verb(out: Output) -> int:
        from envctl.adapters.local.clusters import EmbeddedClusters
        from envctl.output.lines import line
        from envctl.workflow import local

        images = await local.load(EmbeddedClusters(), name, archives)
        lines = [line(f"loaded {image}", "good") for image in images]
        out.document({"name": name, "images": list(images)}, lines)
        return EXIT_OK

    boundary.run(Options("local load", name=name, output=output), verb)


@app.command(cls=Verb)
def bundle(
    target: Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="What to write.")],
    output: OutputOption = None,
) -> None:
    """Write the built programs as an archive for `start --from`, with its checksum beside it.

    Example: envctl local bundle dist/envctl-cluster.tar.gz
    """

    async def verb(out: Output) -> int:
        from envctl.adapters.local.clusters import EmbeddedClusters
        from envctl.output.lines import line

        digest = await EmbeddedClusters().bundle(target, out.emit)
        lines = [line(f"{target}  sha256 {digest}", "good")]
        out.document({"file": str(target), "sha256": digest}, lines)
        return EXIT_OK

    boundary.run(Options("local bundle", output=output), verb)


def _own_kubeconfig() -> Path:
    """Where kubectl writes: the first file of KUBECONFIG, else the usual one."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def _show(out: Output, found: LocalStatus) -> None:
    from envctl.output.lines import line
    from envctl.workflow.local import summary

    lines: Lines = [line(text) for text in summary(found)]
    out.document(found.as_json(), lines)
