"""A merge request reads, runs and writes nothing outside of its repository and its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks import files, objects
from tests.attacks.attack import LOOT, seen

if TYPE_CHECKING:
    from tests.attacks.attack import Attack
    from tests.cluster.app import App

EVIL = "#!/bin/sh\ntouch OUTSIDE/ran\ncat\n"


@pytest.mark.parametrize("attack", objects.ALL, ids=lambda attack: attack.name)
def test_objects_stay_in_the_environment(attack: Attack, app: App) -> None:
    done = attack.run(app)
    assert done.returncode == attack.code, str(done)
    assert attack.says in seen(done), str(done)
    admitted = app.kubectl.exists("namespace", app.namespace)
    assert admitted == (attack.stopped_by != "envctl"), "envctl refuses before it writes"
    assert not app.kubectl.exists("clusterrolebinding", f"{app.project}-grab")
    assert not admitted or not app.kubectl.items("pods", "-n", app.namespace)


@pytest.mark.parametrize("attack", files.ALL, ids=lambda attack: attack.name)
def test_a_repository_stays_in_itself(attack: Attack, app: App) -> None:
    outside = app.folder.parent / f"{app.folder.name}-outside"
    for folder in (app.folder, app.folder / "kust"):
        folder.mkdir(exist_ok=True)
        (folder / "evil.sh").write_text(EVIL.replace("OUTSIDE", str(outside)))
        (folder / "evil.sh").chmod(0o755)
    done = attack.run(app)
    assert done.returncode == attack.code, str(done)
    assert attack.says in seen(done), str(done)
    assert LOOT not in seen(done), str(done)
    assert not (outside / "ran").exists(), "a program of the repository ran"
    if attack.code:
        assert not app.kubectl.exists("namespace", app.namespace), "something was written"
    else:
        assert LOOT not in str(app.state())
