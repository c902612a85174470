"""A repository reads nothing outside of itself, runs no program and passes no options on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks import files
from tests.attacks.attack import LOOT, seen

if TYPE_CHECKING:
    from tests.attacks.attack import Attack
    from tests.cluster.app import App

EVIL = "#!/bin/sh\ntouch OUTSIDE/ran\ncat\n"


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
