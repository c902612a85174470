"""Kubeconfig files: where a context's cluster is, and a context more in the user's own file."""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from envctl.adapters.kubernetes import connect
from envctl.adapters.kubernetes.translate import bad_kubeconfig
from envctl.errors import ConfigError, Unavailable
from envctl.model.kubeconfig import Config, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envctl.adapters.kubernetes.connect import Target

#: Seconds to wait for kubectl, or another envctl, that is writing the same file.
PATIENCE = 5.0
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def cluster_of(target: Target, env: Mapping[str, str]) -> Config:
    """The cluster entry of a context, whole in itself: a certificate's file becomes its content.

    Raises ConfigError where the kubeconfig does not hold it.
    """
    if target.context == connect.IN_CLUSTER:
        host, port = env.get("KUBERNETES_SERVICE_HOST", ""), env.get("KUBERNETES_SERVICE_PORT", "")
        address = f"[{host}]" if ":" in host else host
        data = _encoded(_SERVICE_ACCOUNT / "ca.crt")
        return {"server": f"https://{address}:{port}", "certificate-authority-data": data}
    cluster, path = entry(target)
    found = {key: value for key, value in cluster.items() if key != "extensions"}
    file = str(found.pop("certificate-authority", None) or "")
    if file and "certificate-authority-data" not in found:
        found["certificate-authority-data"] = _encoded(path.parent / file)
    return found


def entry(target: Target) -> tuple[Config, Path]:
    """The cluster entry of a context as it stands, and the file that it is in."""
    context, _ = _entry(target, "contexts", "context", target.context)
    return _entry(target, "clusters", "cluster", str(context.get("cluster", "")))


def user_of(target: Target) -> tuple[Config, Path]:
    """The user entry of a context, and the file that it is in; raises ConfigError."""
    context, _ = _entry(target, "contexts", "context", target.context)
    return _entry(target, "users", "user", str(context.get("user", "")))


def _entry(target: Target, section: str, key: str, name: str) -> tuple[Config, Path]:
    """The first entry of that name in the files, as kubectl merges them."""
    for part in target.kubeconfig.split(os.pathsep):
        for entry in connect.read(Path(part)).get(section) or []:
            if entry.get("name") == name:
                return entry.get(key) or {}, Path(part)
    raise bad_kubeconfig(f"for context {target.context!r}", f"It has no {key} {name!r}")


def _encoded(path: Path) -> str:
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise bad_kubeconfig(str(path), error) from error


def users_file(env: Mapping[str, str]) -> Path:
    """The kubeconfig that kubectl would write to: the first that exists, else the first."""
    listed = [
        Path(part).expanduser() for part in env.get("KUBECONFIG", "").split(os.pathsep) if part
    ]
    listed = listed or [Path(env.get("HOME", "~")).expanduser() / ".kube" / "config"]
    return next((path for path in listed if path.exists()), listed[0])


def merge_into(path: Path, addition: Config) -> None:
    """Put the entries of ``addition`` into a kubeconfig; every other one stays as it is.

    The file is replaced as a whole, readable by its owner alone. Raises ConfigError where it cannot
    be read or written, Unavailable where somebody else is writing it.
    """
    real = path.resolve()  # a link stays a link
    try:
        real.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(real):
            before: dict[str, Any] = connect.read(real) if _filled(real) else {}
            text = yaml.safe_dump(merged(before, addition), sort_keys=False, allow_unicode=True)
            _replace(real, text)
    except OSError as error:
        raise ConfigError(
            f"The kubeconfig {path} cannot be written.",
            why=f"{error.strerror or error}.",
            next="Correct its permissions, or leave out --merge and keep the output yourself.",
        ) from error


def _filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold kubectl's own lock on the file: one that exists, with .lock at the end of its name."""
    lock = path.with_name(f"{path.name}.lock")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError as error:
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The kubeconfig {path} is locked.",
                    why=f"{lock} has been there for {PATIENCE:.0f} s.",
                    next="Wait for whoever writes it, or delete the lock if nobody does.",
                ) from error
            time.sleep(0.1)
        else:
            break
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    """Write beside the file (mode 600 from the start), then put it in its place."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
