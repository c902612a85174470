"""The built programs as one archive with a checksum, for machines that should not build."""

from __future__ import annotations

import hashlib
import platform
import shutil
import tarfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.adapters.local.places import cache_folder
from envctl.adapters.local.supervise import read_json
from envctl.errors import ConfigError, EnvctlError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1 << 20
#: Seconds without a byte after which a download has failed.
_SILENCE = 30
_HELP = (
    "Make an archive with `envctl local bundle`, or leave out --from to build the programs here."
)


def write_bundle(programs: Path, output: Path) -> str:
    """Write the programs as ``.tar.gz``, and ``.sha256`` beside it; returns the checksum."""
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f".{output.name}.partial")
    try:
        with tarfile.open(partial, "w:gz", compresslevel=6) as archive:
            for path in sorted(programs.rglob("*")):
                archive.add(path, str(path.relative_to(programs)), recursive=False, filter=_plain)
        digest = _digest(partial)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    checksum_of(output).write_text(f"{digest}  {output.name}\n")
    return digest


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Who built it, and when, is no part of it."""
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info


def checksum_of(archive: Path) -> Path:
    """Where the checksum of an archive is."""
    return archive.with_name(f"{archive.name}.sha256")


def unpack(source: str, report: Callable[[str], None]) -> Path:
    """The folder of the programs in an archive, a file or a URL, once its checksum is right.

    Raises ConfigError for an archive that is not what it should be, Unavailable for a URL that
    does not answer.
    """
    fetched = "://" in source
    archive = _fetch(source, report) if fetched else Path(source)
    if not archive.is_file():
        raise ConfigError(
            f"The archive {source} does not exist.", why="--from names it.", next=_HELP
        )
    report("checking the checksum")
    digest = _verified(archive, source)
    target = cache_folder() / "cluster" / f"from-{digest[:16]}"
    if not target.is_dir():
        report("unpacking")
        _extract(archive, target, source)
    if fetched:
        archive.unlink()
    return target


def _fetch(source: str, report: Callable[[str], None]) -> Path:
    if not source.startswith(("https://", "http://", "file://")):
        raise ConfigError(
            f"{source} cannot be fetched.", why="--from takes a file, http or https.", next=_HELP
        )
    folder = cache_folder() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(source.encode()).hexdigest()[:16] + ".tar.gz"
    for url, path in (
        (f"{source}.sha256", checksum_of(folder / name)),
        (source, folder / name),
    ):
        report(f"fetching {url}")
        try:
            with urllib.request.urlopen(url, timeout=_SILENCE) as answer, path.open("wb") as file:  # noqa: S310 - the scheme was checked
                shutil.copyfileobj(answer, file, CHUNK)
        except OSError as error:
            raise Unavailable(
                f"{url} could not be fetched.", why=f"{error}.", next=f"Try again later. {_HELP}"
            ) from error
    return folder / name


def _verified(archive: Path, source: str) -> str:
    beside = checksum_of(archive)
    if not beside.is_file():
        raise ConfigError(
            f"{source} has no checksum.",
            why=f"{beside.name} is expected beside it.",
            next=f"Put the file that was made with it there. {_HELP}",
        )
    expected = (beside.read_text().split() or [""])[0].lower()
    found = _digest(archive)
    if found != expected:
        raise ConfigError(
            f"{source} is not what its checksum says.",
            why=f"Expected sha256 {expected or '(nothing)'}, found {found}.",
            next=f"Fetch it again: it is damaged, or somebody has changed it. {_HELP}",
        )
    return found


def _extract(archive: Path, target: Path, source: str) -> None:
    partial = target.with_name(f".{target.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with tarfile.open(archive) as content:
            content.extractall(partial, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise EnvctlError(f"{source} cannot be unpacked.", why=f"{error}.", next=_HELP) from error
    machine = read_json(partial / "versions.json").get("machine", "")
    if machine != platform.machine():
        raise ConfigError(
            f"{source} is for {machine or 'something else'}.",
            why=f"This machine is {platform.machine()}.",
            next=_HELP,
        )
    partial.rename(target)


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
