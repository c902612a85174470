"""Numbers decide: a change that makes the model worse ends with 4, beside the branch it goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.app import job

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


def test_a_change_is_judged_by_what_main_measured(app: App) -> None:
    measuring(app, 0.9)
    assert results(app, 0) == ({">=": "unknown", ">": "passed"}, None)

    app.envctl("up", "--name", "main", check=0)
    assert results(app, 0) == ({">=": "passed", ">": "passed"}, 0.9)

    measuring(app, 0.8)
    assert results(app, 4) == ({">=": "failed", ">": "passed"}, 0.9)
    uid = app.get("job", "quality")["metadata"]["uid"]
    done = app.run("up", check=4)
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
