"""Access to a cluster from a job's own token: ENVCTL_API_SERVER, ENVCTL_API_TOKEN, ENVCTL_API_CA.

The tools that envctl runs read a kubeconfig, so that one is written: outside of the checkout, for
its owner alone, and removed when the process ends. Its folder bears the job's number, so that
whoever cleans up after a process that was killed knows what to remove.
"""

from __future__ import annotations

import atexit
import base64
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER, TOKEN, CA = "ENVCTL_API_SERVER", "ENVCTL_API_TOKEN", "ENVCTL_API_CA"
#: The context's name where ENVCTL_CONTEXT and --context give none.
CONTEXT = "pipeline"


def with_token(env: Mapping[str, str], context: str) -> Mapping[str, str]:
    """The environment with KUBECONFIG for the job's token, or as it is where no server is named.

    Raises ConfigError where the token is missing, or where something of it cannot be used.
    """
    server, token = env.get(SERVER, ""), env.get(TOKEN, "").strip()
    if not server:
        return env
    if not re.fullmatch(r"https://[^\s/]\S*", server):
        raise _unusable(SERVER, "It is no https:// URL")
    if not token:
        raise _unusable(TOKEN, f"It is empty, and {SERVER} is set")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise _unusable(TOKEN, "It holds characters that no token has")
    path = _folder(env.get("CI_JOB_ID", "")) / "kubeconfig"
    _write(path, _kubeconfig(server, token, _authority(env.get(CA, "")), context or CONTEXT))
    return {**env, "KUBECONFIG": str(path)}


def _kubeconfig(server: str, token: str, authority: str, context: str) -> str:
    import yaml

    cluster = {"server": server}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": context, "user": {"token": token}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        }
    )


def _authority(value: str) -> str:
    """The certificate: as text, or what the file holds that a CI variable of that kind names."""
    if not value or value.lstrip().startswith("-----BEGIN"):
        return value
    try:
        return Path(value).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(CA, "It is neither a certificate nor a file that can be read") from error


def _folder(job: str) -> Path:
    """A new folder of this process, in one of the job's; both for their owner alone."""
    number = job if re.fullmatch(r"[A-Za-z0-9]{1,40}", job) else str(os.getpid())
    parent = Path(tempfile.gettempdir()) / f"envctl-job-{number}"
    parent.mkdir(mode=0o700, exist_ok=True)
    found = parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(
            f"The folder {parent} is not this user's alone.",
            why="A credential is not written to where somebody else can read it.",
            next="Remove it, or set TMPDIR to a folder of this user's.",
        )
    folder = Path(tempfile.mkdtemp(dir=parent))
    atexit.register(_remove, folder)
    return folder


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.parent.rmdir()
    except OSError:  # another envctl of the same job is using it
        return


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _unusable(variable: str, why: str) -> ConfigError:
    return ConfigError(
        f"{variable} cannot be used.",
        why=f"{why}.",
        next="Correct the variable of the CI, or the template's inputs `credential` and `server`.",
    )
