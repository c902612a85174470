"""Names: of branches, of projects, and what a template makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks.attack import LOOT
from tests.cluster.node import Envctl
from tests.cluster.setup import CONTEXT, set_up

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.app import App
    from tests.cluster.node import Kubectl, Node

_CHART = "{apiVersion: v2, name: a, version: 1.0.0}\n"
#: What `helm create` makes of values: quoted, and by `tpl` where a chart asks for it.
_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  branch: {{ .Values.branch | quote }}
  image: {{ .Values.image | quote }}
  tpl: {{ tpl .Values.branch . | quote }}
"""
_VALUES = '[{branch: "${branch}", image: good}]'
_BRANCHES = {
    "300 characters": "x" * 300,
    "a command": "a;touch${IFS}ran;`touch ran`;$(touch ran)|touch ran&",
    "lines": "a\nimage: evil\n---\nkind: Namespace",
    "upwards": "../../../etc/passwd",
    "an option": "--post-renderer=./evil.sh",
    "one more value, as --set reads it": "a,image=evil",
    "a look-alike": "mаin-\u202etxt.evil",  # noqa: RUF001 - the point of it
    "a variable of envctl": "${image.x}${project}",
    "YAML": "'\"}, image: evil, x: {y: '",
}


def _merge_request(branch: str) -> dict[str, str]:
    return {
        "GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "7", "CI_PIPELINE_ID": "1",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch, "CI_PROJECT_ID": "1",
        "CI_SERVER_URL": "https://gitlab.example.org",
    }  # fmt: skip


@pytest.mark.parametrize("case", _BRANCHES)
def test_a_branch_is_only_a_word(case: str, app: App) -> None:
    branch = _BRANCHES[case]
    app.write({
        "chart/Chart.yaml": _CHART,
        "chart/templates/a.yaml": _MAP,
        "envctl.yaml": app.config(f"  - {{name: a, helm: {{chart: chart, values: {_VALUES}}}}}\n",
                                  checks=""),
    })  # fmt: skip
    before = sorted(path.name for path in app.folder.rglob("*"))
    done = app.envctl("up", "-o", "json", check=0, env=_merge_request(branch))
    name = done.json["environment"]["name"]
    assert name.startswith("mr-7-")
    assert len(done.json["environment"]["namespace"]) <= 63
    data = app.kubectl("get", "configmap", "a", "-n", f"{app.project}-{name}")["data"]
    assert data["branch"] == branch
    assert data["image"] == "good"
    assert data["tpl"] == branch, "nothing in it is a template"
    assert sorted(path.name for path in app.folder.rglob("*")) == before, "nothing ran"


def test_a_branch_that_is_a_template_reads_nothing_in_a_confined_environment(
    app: App, kubectl: Kubectl
) -> None:
    prize = f"{app.project}-prize"
    kubectl.apply(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {prize}, "
                  f"labels: {{envctl.dev/project: {app.project}}}}}\n---\napiVersion: v1\n"
                  f"kind: Secret\nmetadata: {{name: prize, namespace: {prize}}}\n"
                  f"stringData: {{password: {LOOT}}}\n")  # fmt: skip
    branch = f'{{{{ (lookup "v1" "Secret" "{prize}" "prize") | toJson }}}}'
    app.write({
        "chart/Chart.yaml": _CHART,
        "chart/templates/a.yaml": _MAP,
        "envctl.yaml": app.config(f"  - {{name: a, helm: {{chart: chart, values: {_VALUES}}}}}\n",
                                  checks=""),
    })  # fmt: skip
    env = _merge_request(branch) | {"ENVCTL_PROFILE": "confined", "ENVCTL_NAME": "it"}
    app.envctl("up", "-o", "json", check=0, env=env)
    data = app.get("configmap", "a")["data"]
    assert data["branch"] == branch
    assert data["tpl"] == "{}"


def test_two_projects_of_one_name_do_not_share_an_environment(app: App) -> None:
    mine, other = _merge_request("fix"), _merge_request("fix") | {"CI_PROJECT_ID": "2"}
    app.run("up", env=mine)
    before = app.state()
    done = app.run("up", check=77, env=other)
    assert "another project" in done.stdout, str(done)
    assert app.state() == before
    app.run("up", env=mine)


def test_what_a_chart_hides_from_the_rendering_meets_the_cluster(
    node: Node, kubectl: Kubectl, app: App, tmp_path: Path
) -> None:
    """Rendered without a cluster it is harmless; released, it shows what it is."""
    hidden = (
        '{{ if lookup "v1" "Namespace" "" .Release.Namespace }}\n'
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: grab, namespace: PROJECT-not}\n{{ end }}"
    )
    with set_up(node, kubectl, tmp_path) as setup:
        app.envctl = Envctl(setup.kubeconfig("pipeline"), app.folder)
        config = app.config("  - {name: a, helm: {chart: chart}, timeout: 60s}\n", checks="")
        config = config.replace(node.context, CONTEXT).replace(app.project, setup.project)
        app.write({
            "chart/Chart.yaml": _CHART,
            "chart/templates/a.yaml": hidden.replace("PROJECT", setup.project),
            "envctl.yaml": config,
        })  # fmt: skip
        done = app.run("up", check=None)
        assert done.returncode in (1, 77), str(done)
        assert "cannot" in done.stdout, str(done)
        assert not kubectl.exists("configmap", "grab", "-n", f"{setup.project}-not")
