"""Runs a Gitea of the test's own, as another user, and asks its API."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Gitea refuses to run as root.
NOBODY = 65534
ADMIN = "maintainer"
_SETTINGS = """\
RUN_MODE = prod
RUN_USER = {user}
WORK_PATH = {folder}/work

[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {folder}/program
DISABLE_SSH = true
OFFLINE_MODE = true

[database]
DB_TYPE = sqlite3
PATH = {folder}/work/gitea.db

[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
PASSWORD_HASH_ALGO = pbkdf2$1$1

[log]
MODE = file
LEVEL = Info

[actions]
ENABLED = true

[repository]
DEFAULT_BRANCH = main

[queue]
TYPE = channel

[indexer]
ISSUE_INDEXER_TYPE = db

[cron]
ENABLED = false

[service]
DISABLE_REGISTRATION = true
"""


class Gitea:
    """One Gitea on a free loopback port, with an administrator; ``stop`` leaves nothing of it."""

    def __init__(self, program: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="envctl-gitea-"))
        self._process: subprocess.Popen[bytes] | None = None
        # The cache need not be readable by others.
        shutil.copytree(program, self._folder / "program", copy_function=shutil.copyfile)
        (self._folder / "program" / "gitea").chmod(0o755)
        (self._folder / "work").mkdir()
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._config = self._folder / "app.ini"
        self._config.write_text(
            _SETTINGS.format(
                user=_name_of(NOBODY), folder=self._folder, port=port, secret=secrets.token_hex(32)
            )
        )
        for path in (self._folder, *self._folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        self._cli("migrate")
        self.password = secrets.token_urlsafe(16)
        self.user(ADMIN, "--admin", "--password", self.password)
        self.token = self.make_token(ADMIN, "all")
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                self._command("web"), stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, **self._as_nobody(),
            )  # fmt: skip
        until(self._answers, seconds=60)

    def stop(self) -> None:
        """End it; its data stays, for another ``start``."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def delete(self) -> None:
        """End it and delete its data."""
        self.stop()
        shutil.rmtree(self._folder)

    def user(self, name: str, *options: str) -> None:
        """Make a user."""
        self._cli("admin", "user", "create", "--username", name, "--email", f"{name}@example.org",
                  "--must-change-password=false", *options)  # fmt: skip

    def stranger(self) -> tuple[str, str]:
        """Somebody new, without rights in any repository: the name and a token."""
        name = f"stranger-{secrets.token_hex(4)}"
        self.user(name, "--random-password")
        return name, self.make_token(name, "write:repository,write:user,write:issue")

    def make_token(self, user: str, scopes: str) -> str:
        """A token of a user with these scopes and no others."""
        return self._cli(
            "admin", "user", "generate-access-token", "--username", user, "--raw",
            "--token-name", secrets.token_hex(4), "--scopes", scopes,
        ).split()[-1]  # fmt: skip

    def api(self, method: str, path: str, body: Any = None, *, token: str = "") -> Any:
        """One request below /api/v1 as the administrator, or with another token; must succeed."""
        answer = httpx.request(
            method, f"{self.url}/api/v1/{path}", json=body, timeout=60,
            headers={"Authorization": f"token {token or self.token}"},
        )  # fmt: skip
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "out").read_text()
        try:
            return httpx.get(f"{self.url}/api/v1/version", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def _cli(self, *args: str) -> str:
        done = subprocess.run(
            self._command(*args), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=120, **self._as_nobody(),
        )  # fmt: skip
        assert done.returncode == 0, f"gitea {' '.join(args)}: {done.stdout}{done.stderr}"
        return done.stdout

    def _command(self, *args: str) -> list[str]:
        return [str(self._folder / "program" / "gitea"), "--config", str(self._config), *args]

    def _as_nobody(self) -> Mapping[str, Any]:
        work = str(self._folder / "work")
        return {
            "user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": work,
            "env": {"HOME": work, "PATH": os.environ["PATH"], "USER": _name_of(NOBODY)},
        }  # fmt: skip


def _name_of(uid: int) -> str:
    import pwd

    return pwd.getpwuid(uid).pw_name


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
