from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.config import load, settings
from envctl.config.ci import CIContext
from envctl.errors import ConfigError
from envctl.model.spec import CommandSource, HelmSource, JobSource, ManifestsSource

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "apiVersion: envctl.dev/v1\nproject: shop\n"
ONE = "components:\n- {name: web, manifests: [web.yaml]}\n"
CI = CIContext("gitlab", "fix/cart", "abc", "42", "7", "ann")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    for folder in (".git", "deploy/chart", "deploy/overlay"):
        (root / folder).mkdir(parents=True)
    for file in ("web.yaml", "job.yaml", "deploy/chart/Chart.yaml", "deploy/values.yaml",
                 "deploy/overlay/kustomization.yaml"):  # fmt: skip
        (root / file).write_text("")
    (tmp_path / "secret.yaml").write_text("")
    return root


def read(
    root: Path, text: str, env: dict[str, str] | None = None, ci: CIContext = CI, **options: str
) -> load.Loaded:
    file = root / "envctl.yaml"
    file.write_text(HEAD + textwrap.dedent(text))
    return load.load(load.read(file), settings.read(env or {}, **options), ci)


def refusal(root: Path, text: str, env: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read(root, text, env)
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert re.search(r"envctl\.yaml:\d+: ", message), message
    return message


def components(*items: str) -> str:
    return "components:\n" + "".join(f"- {item}\n" for item in items)


def checks(*items: str) -> str:
    return ONE + "checks:\n" + "".join(f"- {item}\n" for item in items)


def test_the_words_of_a_command_are_filled_in_and_its_files_found(repository: Path) -> None:
    (repository / "smoke").mkdir()
    text = checks('{name: a, command: [sh, smoke, "", "${namespace}", ../.., job.yaml]}')
    (check,) = read(repository, text).spec.checks
    assert isinstance(check.source, CommandSource)
    assert check.source.argv == (
        "sh",
        "smoke",
        "",
        "shop-mr-7-fix-cart-c4dm41",
        "../..",
        "job.yaml",
    )
    assert check.source.folder == repository
    assert not check.source.pytest
    assert check.source.named == (repository / "smoke", repository / "job.yaml")


def test_a_run_of_pytest_is_a_command(repository: Path) -> None:
    (repository / "e2e").mkdir()
    (check,) = read(repository, checks("{name: a, pytest: [e2e, -x]}")).spec.checks
    assert check.source == CommandSource(
        ("pytest", "e2e", "-x"), repository, (repository / "e2e",), pytest=True
    )


def test_every_type_of_component(repository: Path) -> None:
    text = """\
    environment: {host: "${name}.example.org", lifetime: {ttl: 1h, max: 2d}}
    components:
    - {name: db, helm: {chart: deploy/chart, values: [deploy/values.yaml, {tag: "${commit}"}]}}
    - {name: api, needs: [db], kustomize: deploy/overlay, images: {a: "${image.api}"}}
    - {name: web, manifests: ["*.yaml"], expose: {service: web, port: 80}, timeout: 90s}
    - {name: migrate, job: job.yaml}
    checks:
    - {name: smoke, job: job.yaml}
    """
    loaded = read(repository, text, {"ENVCTL_IMAGE_API": "r/a:1"})
    db, api, web, migrate = loaded.spec.components
    assert isinstance(db.source, HelmSource)
    assert db.source.values == (repository / "deploy/values.yaml", {"tag": "abc"})
    assert (api.needs, dict(api.images)) == (("db",), {"a": "r/a:1"})
    assert isinstance(web.source, ManifestsSource)
    assert [f.name for f in web.source.files] == ["envctl.yaml", "job.yaml", "web.yaml"]
    assert (web.timeout, web.type, migrate.type) == (90, "manifests", "job")
    assert loaded.spec.checks[0].source == JobSource(repository / "job.yaml")
    environment = loaded.environment
    assert environment.namespace == f"shop-{environment.name}"
    assert environment.url == f"https://{environment.name}.example.org/"
    assert (environment.ttl, environment.max_age) == (3600, 172_800)


def test_planning_starts_from_the_same_data_every_time(repository: Path) -> None:
    assert read(repository, ONE) == read(repository, ONE)


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        (ONE + "checkss: []\n", 5, "unknown key 'checkss' in the file; did you mean 'checks'?"),
        (ONE + "environment: {hosst: x}\n", 5, "did you mean 'host'?"),
        (ONE + "environment:\n  zzz: 1\n", 6, "known are access"),
        ("components: {}\n", 3, "components is a mapping, expected a list"),
        ("components: []\n", 3, "fewer than 1"),
        ("components:\n- {name: 5, job: job.yaml}\n", 4, "expected text"),
        ("components:\n- name: a\n  needs: b\n", 5, "components[0].needs is text, expected a list"),
        ("components:\n- {job: job.yaml}\n", 4, "lacks the key 'name'"),
        (ONE + "environment: {security: privileged}\n", 5, "expected baseline, restricted"),
        (ONE + "environment: {access: {egress: [everyone]}}\n", 5, "none of what is allowed"),
        (ONE + 'cluster: {context: ""}\n', 5, "empty"),
        (ONE + "environment: {lifetime: {ttl: -1h}}\n", 5, "negative"),
        (ONE + "environment: {lifetime: {idle: soon}}\n", 5, "number with a unit"),
        (ONE + "environment: {host: '${nmae}.x'}\n", 5, "did you mean ${name}?"),
        (components("{name: A, job: job.yaml}"), 4, "not a valid component name"),
        (components("{name: a}"), 4, "no source"),
        (components("{name: a, job: job.yaml, kustomize: deploy/overlay}"), 4, "kustomize and job"),
        (components(f"{{name: {'a' * 41}, job: job.yaml}}"), 4, "too long"),
        (components("{name: a, job: job.yaml, timeout: 0}"), 4, "every wait ends"),
        (components("{name: a, job: job.yaml, timeout: '-5s'}"), 4, "negative"),
        (components("{name: a, job: none.yaml}"), 4, "'none.yaml' does not exist"),
        (components("{name: a, manifests: [none/*.yaml]}"), 4, "matches no file"),
        (components("{name: a, kustomize: deploy/chart}"), 4, "no kustomization.yaml"),
        (components("{name: a, helm: {chart: deploy/none}}"), 4, "no chart in 'deploy/none'"),
        (components("{name: a, helm: {chart: deploy/overlay}}"), 4, "no Chart.yaml"),
        (components("{name: a, helm: {chart: oci://r/c}}"), 4, "has no version"),
        (components("{name: a, helm: {chart: c, repository: https://r}}"), 4, "has no version"),
        (components("{name: a, helm: {chart: deploy/chart, values: [no.yaml]}}"), 4, "no.yaml"),
        (components("{name: a, job: job.yaml, images: {x: '${image.x}'}}"), 4, "--image x="),
        (components("{name: a, job: job.yaml}", "{name: a, job: job.yaml}"), 3, "used twice"),
        (components("{name: a, needs: [b], job: job.yaml}"), 3, "'b', which does not exist"),
        (components("{name: a, needs: [a], job: job.yaml}"), 3, "a → a"),
        (components('{name: a, job: "x\\0y"}'), 4, "cannot be used"),
        (components(f"{{name: a, job: {'x' * 5000}}}"), 4, "cannot be used"),
        (components('{name: a, manifests: ["x\\0y/*.yaml"]}'), 4, "x"),
        (checks("{name: a}"), 6, "nothing to run; exactly one of job, command, pytest"),
        (checks("{name: a, job: job.yaml, command: [x]}"), 6, "has job and command"),
        (checks("{name: a, command: []}"), 6, "fewer than 1"),
        (checks("{name: a, command: sh x.sh}"), 6, "is text, expected a list"),
        (checks("{name: a, command: ['', x]}"), 6, "begins with nothing"),
        (checks('{name: a, command: [x, "a\\0b"]}'), 6, "a NUL"),
        (checks("{name: a, command: [x], images: {b: c}}"), 6, "has no images"),
    ],
)
def test_what_is_wrong_has_a_line(repository: Path, text: str, line: int, hint: str) -> None:
    message = refusal(repository, text)
    assert f"envctl.yaml:{line}: " in message
    assert hint in message


def test_a_project_name_that_is_wrong_has_a_line(repository: Path) -> None:
    file = repository / "envctl.yaml"
    file.write_text("apiVersion: envctl.dev/v1\nproject: Shop\n" + ONE)
    with pytest.raises(ConfigError, match=r"envctl\.yaml:2: .*not a valid project name"):
        load.load(load.read(file), settings.read({}), CI)


def test_a_cycle_is_written_out(repository: Path) -> None:
    text = components(
        "{name: a, needs: [b], job: job.yaml}",
        "{name: b, needs: [c], job: job.yaml}",
        "{name: c, needs: [a], job: job.yaml}",
    )
    assert re.search(r"(a → b → c → a|b → c → a → b|c → a → b → c)", refusal(repository, text))


def test_all_mistakes_are_said_at_once(repository: Path) -> None:
    message = refusal(repository, components("{name: a, job: none}", "{name: b, kustomize: none}"))
    assert "2 mistakes" in message
    assert "'none' does not exist" in message
    assert "no kustomization.yaml in 'none'" in message


@pytest.mark.parametrize(
    "item",
    [
        "{name: a, job: ../secret.yaml}",
        "{name: a, job: /etc/hostname}",
        "{name: a, job: link.yaml}",
        "{name: a, manifests: ['../*.yaml']}",
        "{name: a, manifests: ['deploy/../../*.yaml']}",
        "{name: a, manifests: ['/etc/*.yaml']}",
        "{name: a, manifests: ['/**/*.yaml']}",
        "{name: a, manifests: [linked]}",
        "{name: a, manifests: ['linked/*']}",
        "{name: a, kustomize: ..}",
        "{name: a, helm: {chart: ../../etc}}",
        "{name: a, helm: {chart: deploy/chart, values: [../secret.yaml]}}",
        "{name: a, helm: {chart: deploy/chart, values: [link.yaml]}}",
    ],
)
def test_nothing_outside_the_repository_is_read(repository: Path, item: str) -> None:
    (repository / "link.yaml").symlink_to(repository.parent / "secret.yaml")
    (repository / "linked").symlink_to(repository.parent)
    assert "outside the repository" in refusal(repository, components(item))


def test_a_link_in_a_circle_is_a_mistake(repository: Path) -> None:
    (repository / "loop").symlink_to("loop")
    refusal(repository, components("{name: a, job: loop}"))


def test_a_branch_with_newlines_and_quotes_stays_one_scalar(repository: Path) -> None:
    evil = 'x"\n- {name: evil, job: job.yaml}\n"${commit}'
    text = components("{name: a, helm: {chart: deploy/chart, values: [{b: '${branch}'}]}}")
    loaded = read(repository, text, ci=CIContext("gitlab", evil, "abc", "1", "", "ann"))
    assert len(loaded.spec.components) == 1
    source = loaded.spec.components[0].source
    assert isinstance(source, HelmSource)
    assert source.values == ({"b": evil},)
    assert re.fullmatch(r"[a-z0-9-]+", loaded.environment.name)


def test_default_images_may_name_the_commit_and_options_win(repository: Path) -> None:
    text = "images: {api: 'r/api:${commit}', web: r/web:1}\n" + components(
        "{name: a, job: job.yaml, images: {x: '${image.api}', y: '${image.web}'}}"
    )
    loaded = read(repository, text, {"ENVCTL_IMAGE_WEB": "r/web:${commit}"})
    assert loaded.spec.components[0].images == {"x": "r/api:abc", "y": "r/web:${commit}"}


@pytest.mark.parametrize(
    ("file", "setting", "expected"),
    [("baseline", "", "baseline"), ("baseline", "restricted", "restricted"),
     ("restricted", "baseline", "restricted"), ("restricted", "", "restricted")],
)  # fmt: skip
def test_settings_can_only_tighten_security(
    repository: Path, file: str, setting: str, expected: str
) -> None:
    text = ONE + f"environment: {{security: {file}}}\n"
    loaded = read(repository, text, {"ENVCTL_SECURITY": setting})
    assert loaded.spec.guardrails.security == expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("", ()), ("ClusterRole", ("ClusterRole",)), ("*", ("ClusterRole", "CustomThing")),
     ("StorageClass", ()), ("CustomThing, ClusterRole", ("ClusterRole", "CustomThing"))],
)  # fmt: skip
def test_kinds_outside_need_the_file_and_the_settings(
    repository: Path, setting: str, expected: tuple[str, ...]
) -> None:
    text = ONE + "environment: {clusterScoped: [ClusterRole, CustomThing]}\n"
    loaded = read(repository, text, {"ENVCTL_CLUSTER_SCOPED": setting})
    assert loaded.spec.guardrails.cluster_scoped == expected


def test_without_a_list_only_local_contexts_are_allowed(repository: Path) -> None:
    assert read(repository, ONE).spec.allowed_contexts == settings.LOCAL_CONTEXTS


@pytest.mark.parametrize(
    ("host", "ingress", "url"),
    [("a.localhost", "http://127.0.0.1:8080/", "http://a.localhost:8080/"),
     ("a.localhost", "", "http://a.localhost/"), ("a.example.org", "", "https://a.example.org/")],
)  # fmt: skip
def test_the_url_of_a_host(repository: Path, host: str, ingress: str, url: str) -> None:
    file = repository / "envctl.yaml"
    file.write_text(HEAD + ONE + f"environment: {{host: {host}}}\n")
    assert load.load(load.read(file), settings.read({}), CI, ingress).environment.url == url


def test_without_a_file_project_and_name_suffice() -> None:
    found = load.identify(settings.read({}, project="shop", name="fix"), CIContext())
    assert found.namespace == "shop-fix"
    with pytest.raises(ConfigError, match="No project is named"):
        load.identify(settings.read({}), CIContext())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8) | st.just("${name}"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "helm", "chart", "job", "needs", "values", "x", "manifests",
                             "timeout", "host", "egress", "service", "port"]),
            inner, max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["components", "checks", "environment", "cluster", "images", "project"]),
        VALUES,
    )
)
def test_any_content_is_a_spec_or_a_config_error(repository: Path, content: object) -> None:
    import json

    assert isinstance(content, dict)
    file = repository / "envctl.yaml"
    file.write_text(json.dumps({"apiVersion": "envctl.dev/v1", "project": "shop", **content}))
    try:
        load.load(load.read(file), settings.read({}), CI)
    except ConfigError as error:
        assert "envctl.yaml" in str(error)  # noqa: PT017
