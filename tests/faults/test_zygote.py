"""The processes that the other tests of this folder race and kill are real ones."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

from envctl import __version__
from tests.faults.zygote import Zygote
from tests.until import until

if TYPE_CHECKING:
    from pathlib import Path

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: a, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: a, user: {{}}}}]
contexts: [{{name: envctl-local, context: {{cluster: a, user: a}}}}]
"""


def test_a_fork_runs_in_a_session_of_its_own_and_tells_how_it_ended(tmp_path: Path) -> None:
    with Zygote() as zygote:
        done = zygote.start(["--version"], cwd=tmp_path, env={})
        assert done.wait(30) == 0
        assert done.stdout == f"envctl {__version__}\n"
        wrong = zygote.start(["plan", "--nothing"], cwd=tmp_path, env={})
        assert wrong.wait(30) == 2
        assert "No such option" in wrong.stderr
        with socket.create_server(("127.0.0.1", 0)) as silent:
            config = tmp_path / "kubeconfig"
            config.write_text(KUBECONFIG.format(port=silent.getsockname()[1]))
            waiting = zygote.start(
                ["list", "--context", "envctl-local"], cwd=tmp_path, env={"KUBECONFIG": str(config)}
            )
            assert os.getsid(waiting.pid) == waiting.pid
            waiting.kill(signal.SIGSTOP)
            until(lambda: waiting.stopped)
            waiting.kill(signal.SIGKILL)
            assert waiting.wait(30) == -signal.SIGKILL
