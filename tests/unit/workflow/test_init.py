"""`init` writes what is valid as it stands, and never over anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from envctl.adapters.repository import LocalFolder
from envctl.adapters.templates import workflows
from envctl.config import load, names, starter
from envctl.config.ci import CIContext
from envctl.config.settings import LOCAL_CONTEXTS, Settings
from envctl.config.substitute import substitute
from envctl.errors import ConfigError
from envctl.model import pipelines
from envctl.model.found import Findings, InitResult, Part
from envctl.model.pipelines import Wishes
from envctl.model.repository import Repository
from envctl.output.init import init_lines
from envctl.output.lines import plain_text
from envctl.workflow.init import init

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WEB = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    def _write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return _write


def run(folder: Path, **wishes: str) -> InitResult:
    return init(
        LocalFolder(folder), "envctl.yaml", Wishes(**{"project": "shop"} | wishes),
        starter.label, starter.text, workflows(),
    )  # fmt: skip


def read(folder: Path) -> load.Loaded:
    return load.load(load.read(folder / "envctl.yaml"), Settings(name="x"), CIContext())


def test_what_is_written_is_valid_and_says_the_same(
    write: Callable[[dict[str, str]], Path],
) -> None:
    folder = write({
        "charts/db/Chart.yaml": "{name: db, version: 1.0.0}",
        "deploy/web/web.yaml": WEB,
        "deploy/my files/x: y #.yaml": WEB.replace("web", "odd"),
        "tests/smoke.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: smoke}\n",
        "overlays/dev/kustomization.yaml": "{}",
        "not.yaml": "{{ .Values.x }}: [",
    })  # fmt: skip
    result = run(folder, context="group/project:agent")
    spec = read(folder).spec
    assert [c.name for c in spec.components] == [p.name for p in result.findings.components]
    assert {c.name: c.needs for c in spec.components}["web"] == ("db",)
    assert [c.name for c in spec.checks] == ["smoke"]
    assert spec.context == "group/project:agent"
    assert spec.allowed_contexts == ("group/project:agent", *LOCAL_CONTEXTS)
    assert result.written == ("envctl.yaml",)
    screen = plain_text(init_lines(result))
    assert "wrote envctl.yaml" in screen
    assert "--ci says which one" in screen


def test_run_again_it_writes_nothing(write: Callable[[dict[str, str]], Path]) -> None:
    folder = write({"web.yaml": WEB, "envctl.yaml": "mine"})
    result = run(folder)
    assert result.exists
    assert result.written == ()
    assert (folder / "envctl.yaml").read_text() == "mine"
    assert "is there already; nothing was written" in plain_text(init_lines(result))


def test_a_link_that_leads_nowhere_is_there_too(write: Callable[[dict[str, str]], Path]) -> None:
    folder = write({"web.yaml": WEB})
    (folder / "envctl.yaml").symlink_to("elsewhere")
    assert run(folder).exists
    assert not (folder / "elsewhere").exists()


def test_a_file_that_came_in_between_is_not_written_over(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    assert folder.create("a/b.yml", "one")
    assert not folder.create("a/b.yml", "two")
    assert (tmp_path / "a/b.yml").read_text() == "one"


def test_where_nothing_is_found_nothing_is_written(
    write: Callable[[dict[str, str]], Path],
) -> None:
    folder = write({"docker-compose.yml": "services: {}"})
    with pytest.raises(ConfigError, match=r"Nothing was found.*Compose is not Kubernetes"):
        run(folder)
    assert [f.name for f in folder.iterdir()] == ["docker-compose.yml"]


def test_files_outside_are_not_read(
    write: Callable[[dict[str, str]], Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("outside") / "x.yaml"
    secret.write_text(WEB.replace("web", "outside"))
    folder = write({"web.yaml": WEB})
    (folder / "link.yaml").symlink_to(secret)
    assert "link.yaml" not in LocalFolder(folder).look().documents


def test_a_pipeline_that_is_there_gets_lines_to_add(
    write: Callable[[dict[str, str]], Path],
) -> None:
    folder = write({"web.yaml": WEB, ".gitlab-ci.yml": "test: {script: [x]}\n"})
    result = run(folder, context="a/b:c", image="r/e:1", templates="p/envctl")
    assert (folder / ".gitlab-ci.yml").read_text() == "test: {script: [x]}\n"
    assert result.written == ("envctl.yaml",)
    added = yaml.safe_load(result.as_json()["ci"]["add"])
    assert added["include"][0] == {
        "project": "p/envctl", "file": "ci-templates/gitlab/environment.yml",
        "inputs": {"project": "shop", "image": "r/e:1", "context": "a/b:c"},
    }  # fmt: skip
    assert "add to .gitlab-ci.yml:" in plain_text(init_lines(result))


@pytest.mark.parametrize(
    ("system", "file"),
    [("gitlab", ".gitlab-ci.yml"), ("gitea", ".gitea/workflows/envctl.yml"),
     ("github", ".github/workflows/envctl.yml")],
)  # fmt: skip
def test_a_pipeline_that_is_not_there_is_written(
    system: str, file: str, write: Callable[[dict[str, str]], Path]
) -> None:
    folder = write({"web.yaml": WEB})
    result = run(folder, system=system)
    beside = () if system == "gitlab" else (file.replace("envctl.yml", "envctl-gc.yml"),)
    assert result.written == ("envctl.yaml", file, *beside)
    for other in beside:
        assert "ENVCTL_PROJECT: shop\n" in (folder / other).read_text()
    pipeline = (folder / file).read_text()
    assert yaml.safe_load(pipeline)
    assert "shop" in pipeline
    (context,) = set(read(folder).spec.allowed_contexts) - set(LOCAL_CONTEXTS)
    assert f"{context}  # where it is with you" in pipeline  # else the job would be refused
    assert result.as_json()["ci"]["add"] == ""


def test_the_workflows_are_the_templates_with_what_is_known_filled_in(
    write: Callable[[dict[str, str]], Path],
) -> None:
    folder = write({"web.yaml": WEB})
    run(folder, system="gitea", image="r.example.org/e:2", context="blue", project="tea")
    written = (folder / ".gitea/workflows/envctl.yml").read_text().splitlines()
    template = workflows()["environment"].splitlines()
    changed = {new.strip() for old, new in zip(template, written, strict=True) if old != new}
    assert changed == {
        "ENVCTL_PROJECT: tea", "ENVCTL_CONTEXT: blue", "ENVCTL_ALLOWED_CONTEXTS: blue",
        "image: r.example.org/e:2",
    }  # fmt: skip


def test_a_workflow_that_is_there_is_not_overwritten(
    write: Callable[[dict[str, str]], Path],
) -> None:
    mine = {".gitea/workflows/envctl-gc.yml": "name: mine\n"}
    folder = write({"web.yaml": WEB, **mine})
    result = run(folder, system="gitea")
    assert result.written == ("envctl.yaml", ".gitea/workflows/envctl.yml")
    assert (folder / ".gitea/workflows/envctl-gc.yml").read_text() == "name: mine\n"


@pytest.mark.parametrize(
    ("files", "origin", "system"),
    [
        ((".gitlab-ci.yml", ".github/workflows/x.yml"), "", "gitlab"),
        ((".gitea/workflows/x.yml",), "", "gitea"),
        ((".github/workflows/x.yml",), "", "github"),
        ((), "git@gitlab.example.org:group/shop.git", "gitlab"),
        ((), "https://user:pw@gitea.example.org:3000/a/b", "gitea"),
        ((), "ssh://git@codeberg.org/a/gitlab", "gitea"),
        ((), "https://github.com/a/b", "github"),
        ((), "https://git.example.org/gitlab/b", "none"),
        ((), "", "none"),
    ],
)
def test_the_ci_is_known_by_its_files_else_by_the_host(
    files: tuple[str, ...], origin: str, system: str
) -> None:
    assert pipelines.guess(Repository("shop", files, {}, origin)) == system


@given(st.text(max_size=60))
def test_any_text_becomes_a_valid_name(text: str) -> None:
    found = starter.label(text)
    assert names.check_label("project", found, names.MAX_PROJECT) == found


_PATH = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1)


@given(_PATH, _PATH)
@example("a${name}b.yaml", "x")
@example("$${x}${", "x")
def test_any_path_and_reason_stand_in_the_file_as_they_are(path: str, why: str) -> None:
    part = Part("web", "manifests", path, why, files=(path,), needs=("db",))
    found = yaml.safe_load(starter.text(Findings("shop", (part,))))
    (written,) = found["components"]
    assert substitute(written["manifests"][0], {}) == path
    assert written["needs"] == ["db"]
