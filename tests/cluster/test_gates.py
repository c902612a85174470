"""Numbers decide: a change that makes the model worse ends with 4, beside the branch it goes to."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.cluster.app import job
from tests.cluster.node import kubectl_command

if TYPE_CHECKING:
    from tests.cluster.app import App

GATES = (
    "  - name: quality\n    job: tests/quality.yaml\n    timeout: 60s\n"
    '    gates: ["accuracy >= baseline - 0.01", "accuracy > 0.5"]\n'
)


def measuring(app: App, accuracy: float) -> None:
    app.write(
        {
            "tests/quality.yaml": job(
                "quality", f"echo accuracy={accuracy} loss=0.1 > /dev/termination-log"
            ),
            "envctl.yaml": app.config(
                "  - {name: config, manifests: [deploy/config.yaml]}\n", checks=GATES
            ),
        }
    )


def results(app: App, check: int) -> tuple[dict[str, str], float | None]:
    """What the gates of one ``up`` said, and what the first was compared with."""
    (found,) = app.up(check=check)["checks"]
    return {g["gate"].split()[1]: g["result"] for g in found["gates"]}, found["gates"][0][
        "baseline"
    ]


def test_a_change_is_judged_by_what_main_measured(app: App, tmp_path: Path) -> None:
    measuring(app, 0.9)
    assert results(app, 0) == ({">=": "unknown", ">": "passed"}, None)

    app.envctl("up", "--name", "main", check=0)
    assert results(app, 0) == ({">=": "passed", ">": "passed"}, 0.9)

    measuring(app, 0.8)
    assert results(app, 4) == ({">=": "failed", ">": "passed"}, 0.9)
    uid = app.get("job", "quality")["metadata"]["uid"]
    plot = tmp_path / "gates.svg"
    done = app.run("up", "--plot", str(plot), check=4)
    assert "accuracy &gt;= baseline - 0.01  failed" in plot.read_text()
    assert plot.read_text().count("<circle") == 4, "main's run and this one, for each gate"
    assert "accuracy is 0.8, and must be >= 0.89" in done.stderr
    assert app.get("job", "quality")["metadata"]["uid"] == uid, "measured once"
    (check,) = app.run("status").json["checks"]
    assert check["result"] == "failed"

    app.envctl("down", "--name", "main", check=0)
    measuring(app, 0.95)
    assert results(app, 0) == ({">=": "passed", ">": "passed"}, 0.9), "it outlives its environment"


def test_a_check_runs_as_often_as_it_says_and_each_run_is_a_sample(app: App) -> None:
    line = 'echo loading; echo {\\"accuracy\\": 0.9$JOB_COMPLETION_INDEX}'
    app.write(
        {
            "tests/quality.yaml": job("quality", line),
            "envctl.yaml": app.config(
                "  - {name: config, manifests: [deploy/config.yaml]}\n",
                checks="  - name: quality\n    job: tests/quality.yaml\n"
                "    runs: 5\n    metrics: json\n"
                '    gates: ["accuracy >= 0.5"]\n',
            ),
        }
    )
    done = app.run("up")
    assert "line 1, 'loading': it is no json" in done.stderr
    (check,) = done.json["checks"]
    assert sorted(check["samples"]["accuracy"]) == [0.9, 0.91, 0.92, 0.93, 0.94]
    assert check["metrics"] == {"accuracy": 0.92}
    assert "100% sure" in check["gates"][0]["why"]
    assert app.up()["result"] == "unchanged"


SMOKE = """\
kubectl --context "$ENVCTL_CONTEXT" -n "$ENVCTL_NAMESPACE" get configmap settings -o name || exit 3
echo p95_ms=12 rps=90
"""


def test_a_check_is_a_command_beside_the_environment(app: App) -> None:
    path = f"{Path(kubectl_command()[0]).parent}{os.pathsep}{os.environ['PATH']}"
    app.env = {"PATH": path}
    app.write(
        {
            "checks/smoke.sh": SMOKE,
            "envctl.yaml": app.config(
                "  - {name: config, manifests: [deploy/config.yaml]}\n",
                checks="  - name: smoke\n    command: [sh, checks/smoke.sh]\n    metrics: logfmt\n"
                '    gates: ["p95_ms < 20"]\n',
            ),
        }
    )
    done = app.run("up", env=app.env)
    (check,) = done.json["checks"]
    assert (check["result"], check["metrics"]) == ("passed", {"p95_ms": 12.0, "rps": 90.0})
    assert "configmap/settings" in done.stderr
    assert app.up(env=app.env)["result"] == "unchanged", "nothing of it changed: it is not run"

    app.write({"checks/smoke.sh": SMOKE + "echo the page is empty >&2; exit 3\n"})
    failed = app.run("up", check=4, env=app.env)
    assert failed.json["failure"]["culprits"][0]["logs"][-1] == "the page is empty"
    assert "exit code 3" in failed.json["failure"]["verdict"]
    (check,) = app.run("status").json["checks"]
    assert check["result"] == "failed"

    refused = app.run("up", check=77, env={**app.env, "CI": "true"})
    assert "ENVCTL_COMMANDS" in refused.json["error"]["why"]
    allowed = {**app.env, "CI": "true", "ENVCTL_COMMANDS": "allow"}
    app.write({"checks/smoke.sh": SMOKE})
    assert app.up(env=allowed)["result"] == "succeeded"


def test_the_tests_of_a_run_of_pytest_are_told_apart(app: App, tmp_path: Path) -> None:
    app.env = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    app.write(
        {
            "e2e/test_shop.py": (
                "import os\n\n\ndef test_name(record_property):\n"
                "    record_property('letters', len(os.environ['ENVCTL_NAME']))\n\n\n"
                "def test_page():\n    assert 'open' == 'closed', 'the shop is not open'\n"
            ),
            "envctl.yaml": app.config(
                "  - {name: config, manifests: [deploy/config.yaml]}\n",
                checks='  - name: e2e\n    pytest: [e2e, -p, "no:cacheprovider"]\n',
            ),
        }
    )
    report = tmp_path / "report.xml"
    failed = app.up("--junit", str(report), check=4, env=app.env)
    assert failed["checks"][0]["metrics"] == {"letters": 2.0}
    (culprit,) = failed["failure"]["culprits"]
    assert culprit["object"] == "Test/e2e.test_shop::test_page"
    assert "the shop is not open" in culprit["message"]
    steps, tests = ET.fromstring(report.read_bytes())
    assert [case.attrib["name"] for case in tests] == ["test_page", "test_name"]
    assert len(steps) > 1
