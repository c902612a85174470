"""``envctl cluster``: what an administrator does once for a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from envctl.cli import boundary
from envctl.cli.lean import Verb, Verbs
from envctl.cli.options import ContextOption, Options, OutputOption
from envctl.errors import EXIT_OK, ConfigError

if TYPE_CHECKING:
    from envctl.model.setup import Setup
    from envctl.output.lines import Lines
    from envctl.output.sink import Output
    from envctl.workflow.cluster_init import Changed

app = typer.Typer(
    cls=Verbs, help="What an administrator sets up once in a cluster.", no_args_is_help=True
)


@app.callback()
def _root() -> None:
    """Keep `init` a word of its own while it is the only one."""


def _many(name: str, help_: str) -> object:
    return typer.Option(name, help=help_, show_default=False)


@app.command(cls=Verb)
def init(
    apply: Annotated[
        bool, typer.Option("--apply", help="Apply it, instead of printing it.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take all of it away again.")] = False,
    name: Annotated[
        str, typer.Option("--name", "-n", help="The set-up's name; several stand side by side.")
    ] = "envctl",
    project: Annotated[
        list[str], _many("--project", "A project whose environments may be made; repeatable.")
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    oidc_group: Annotated[
        list[str], _many("--oidc-group", "A group that pipelines log in with; repeatable.")
    ] = [],  # noqa: B006
    oidc_user: Annotated[
        list[str], _many("--oidc-user", "A user that pipelines log in as; repeatable.")
    ] = [],  # noqa: B006
    gitlab_project: Annotated[
        list[int], _many("--gitlab-project", "ID of a project whose jobs the agent impersonates.")
    ] = [],  # noqa: B006
    gitlab_group: Annotated[
        list[int], _many("--gitlab-group", "ID of a group whose jobs the agent impersonates.")
    ] = [],  # noqa: B006
    gc_group: Annotated[
        list[str], _many("--gc-group", "A group that runs `envctl gc`, beside its own account.")
    ] = [],  # noqa: B006
    view_group: Annotated[
        list[str], _many("--view-group", "A group of people who may look; repeatable.")
    ] = [],  # noqa: B006
    domain: Annotated[
        list[str], _many("--domain", "Ingress hosts must be below it; repeatable.")
    ] = [],  # noqa: B006
    security: Annotated[
        str,
        typer.Option("--security", help="The least Pod Security standard: baseline, restricted."),
    ] = "baseline",
    max_quota: Annotated[
        list[str], _many("--max-quota", "RESOURCE=QUANTITY, the most of an environment's quota.")
    ] = [],  # noqa: B006
    egress: Annotated[
        list[str],
        _many(
            "--egress",
            "Whom pods may talk to at the most: dns, same-environment, internet "
            "(all three unless given) or anything; repeatable.",
        ),
    ] = [],  # noqa: B006
    allow_load_balancers: Annotated[
        bool,
        typer.Option(
            "--allow-load-balancers", help="Allow Services of type LoadBalancer and NodePort."
        ),
    ] = False,
    context: ContextOption = "",
    output: OutputOption = None,
) -> None:
    """Print what a cluster needs for envctl: accounts, their rights, and the limits they keep.

    With --apply it is applied, as often as you like; with --remove it is taken away. Without
    --oidc-group, --oidc-user, --gitlab-project or --gitlab-group, the pipeline gets a
    ServiceAccount.

    Example: envctl cluster init --project shop --domain preview.example.org --apply
    """  # fmt: skip

    async def verb(out: Output) -> int:
        from envctl.config import setup as config

        if apply and remove:
            raise ConfigError(
                "--apply and --remove are given together.",
                why="One brings the set-up, the other takes it away.",
                next="Leave one of them out.",
            )
        setup = config.read(
            name=name, projects=project, users=oidc_user, groups=oidc_group,
            gitlab_projects=gitlab_project, gitlab_groups=gitlab_group, gc_groups=gc_group,
            view_groups=view_group, domains=domain, quota=max_quota, egress=egress,
            security=security, load_balancers=allow_load_balancers,
        )  # fmt: skip
        if apply or remove:
            await _work(out, options, setup, remove=remove)
        else:
            _print(out, setup)
        return EXIT_OK

    options = Options("cluster init", context=context, output=output)
    boundary.run(options, verb, quiet=not (apply or remove))


def _print(out: Output, setup: Setup) -> None:
    from envctl.model import setup_objects
    from envctl.model.setup import WHY
    from envctl.output.manifests import stream
    from envctl.output.options import Mode

    objects = setup_objects.objects(setup)
    if out.mode is Mode.JSON:
        out.document({"apiVersion": "v1", "kind": "List", "items": objects})
    else:
        out.verbatim(stream(objects, WHY))


async def _work(out: Output, options: Options, setup: Setup, *, remove: bool) -> None:
    from envctl.cli.wiring import connected, settings_of, target_without_file
    from envctl.workflow import cluster_init

    target = target_without_file(options, settings_of(options))
    async with connected(target, out) as cluster:
        work = cluster_init.remove if remove else cluster_init.apply
        changes = await work(cluster, setup)
    out.document({"objects": [change.as_json() for change in changes]}, _lines(changes))


def _lines(changes: list[Changed]) -> Lines:
    from envctl.output.lines import Span, line

    if not changes:
        return [line("nothing of it is there", "good")]
    width = max(len(change.result) for change in changes)
    return [
        (Span(change.result.ljust(width), "dim" if change.result == "unchanged" else "good"),
         Span(f"  {change.object}"))
        for change in changes
    ]  # fmt: skip
