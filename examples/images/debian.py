"""Takes servers out of Debian packages: only their own files and the libraries they load.

The machine's apt does the work, told of an empty system of its own inside the cache folder:
it finds every package that is needed, and nothing is installed or changed on the machine.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from images.recipe import BuildError
from images.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from images.recipe import DebianServer

#: What the loader's --verify answers for a program and for a module; 1 is a static program.
LOADABLE = (0, 2)


def unpack_server(server: DebianServer, lists: Path, work: Path) -> Path:
    """Give a folder below ``work`` that is the root of the server's image.

    ``lists`` is a folder that keeps apt's lists of packages for the next server.
    """
    packages = work / "packages"
    for archive in _download(server, lists, work / "apt"):
        run(("dpkg-deb", "-x", archive, packages), what=f"unpacking {archive.name}")
    root = work / "root"
    for pattern in server.files:
        _copy_matches(packages, pattern, root)
    _copy_libraries(packages, root)
    return root


def _download(server: DebianServer, lists: Path, cache: Path) -> list[Path]:
    for folder in (cache / "archives" / "partial", lists / "lists" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    nothing_installed = cache / "status"  # so that every dependency is fetched
    nothing_installed.write_text("")
    options = {
        "Dir::State": lists,
        "Dir::State::status": nothing_installed,
        "Dir::Cache": cache,
        "APT::Sandbox::User": "root",
        "APT::Keep-Downloaded-Packages": "true",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    run([*apt, "update"], what="asking for the lists of Debian packages")
    install = [*apt, "install", "--download-only", "--yes", "--no-install-recommends"]
    run([*install, *server.packages], what=f"downloading {' '.join(server.packages)}")
    return sorted((cache / "archives").glob("*.deb"))


def _copy_matches(packages: Path, pattern: str, root: Path) -> None:
    found = sorted(packages.glob(pattern))
    if not found:
        raise BuildError(f"no file {pattern} is in the Debian packages; did the release rename it?")
    for path in found:
        target = root / path.relative_to(packages)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(path, target)


def _copy_libraries(packages: Path, root: Path) -> None:
    """Copy what the loader says the programs and modules in ``root`` need."""
    loader = next(iter(sorted(packages.glob("**/*-linux-gnu*/ld-linux-*.so.*"))), None)
    if loader is None:
        raise BuildError("the Debian packages hold no program loader (ld-linux)")
    folders = sorted({path.parent for path in packages.glob("**/*-linux-gnu*/*.so.*")})
    listing = (loader, "--inhibit-cache", "--library-path", ":".join(map(str, folders)), "--list")
    for program in list(_dynamic(loader, root)):
        for library in _libraries(run((*listing, program), what=f"libraries of {program.name}")):
            if not library.startswith(f"{packages}/"):
                raise BuildError(f"{program.name} needs {library}, which no package brings")
            _copy_as_named(library.removeprefix(f"{packages}/"), packages, root)
    where = root / "lib64" / loader.name
    where.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(loader, where)


def _dynamic(loader: Path, root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and _is_elf(path):
            verdict = subprocess.run((loader, "--verify", path), check=False).returncode
            if verdict in LOADABLE:
                yield path


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _libraries(listing: str) -> Iterator[str]:
    for line in listing.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow and not name.startswith("/"):
            yield rest.rpartition(" (")[0] or name


def _copy_as_named(name: str, packages: Path, root: Path) -> None:
    target = root / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(packages / name, target)  # the file itself, under the name programs ask for
