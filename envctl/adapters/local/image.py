"""Writes a container image from files, without a registry, a daemon or root.

The embedded cluster has nothing to pull from, so an image travels as an OCI layout in
one tar, which containerd imports. Made of one layer, it is enough for a static program,
for busybox, or for an unpacked Debian package. The same input gives the same bytes:
owners, times and order are fixed, so an image can be cached and compared by its digest.
"""

import hashlib
import io
import json
import os
import platform
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

CHUNK = 1 << 20
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
DIRECTORY_MODE = 0o755


@dataclass(frozen=True)
class Add:
    """A file or a folder (with all that is in it) of this machine, and where it goes."""

    source: Path
    target: str


@dataclass(frozen=True)
class Directory:
    """An empty directory that the program needs, with the owner that may write to it."""

    target: str
    uid: int = 0
    gid: int = 0
    mode: int = DIRECTORY_MODE


@dataclass(frozen=True)
class Link:
    """A symbolic link: ``target`` is the path in the image, ``to`` is what it says."""

    target: str
    to: str


@dataclass(frozen=True)
class Image:
    """What an image is made of; ``name`` is complete (``docker.io/shop/api:1``)."""

    name: str
    contents: tuple[Add | Directory | Link, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    architecture: str = ""


@dataclass(frozen=True)
class _Entry:
    info: tarfile.TarInfo
    source: Path | None = None


def write_image(image: Image, output: Path) -> str:
    """Write ``image`` to ``output`` as an OCI layout tar and return its manifest's digest.

    The file appears complete or not at all. Raises ValueError for a name or a path that
    an image cannot have, OSError for a source that cannot be read.
    """
    _check_name(image.name)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=output.parent) as layer:
        digest, size = _write_layer(image, layer)
        config = _json(_config(image, digest))
        manifest = _json(_manifest(config, digest, size))
        partial = output.with_name(f".{output.name}.{os.getpid()}")
        try:
            with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as tar:
                _add_bytes(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
                _add_bytes(tar, "index.json", _json(_index(image, manifest)))
                _add_bytes(tar, _blob(_sha256(config)), config)
                _add_bytes(tar, _blob(_sha256(manifest)), manifest)
                layer.seek(0)
                tar.addfile(_file_info(_blob(digest), size), layer)
            partial.replace(output)
        finally:
            partial.unlink(missing_ok=True)
    return f"sha256:{_sha256(manifest)}"


def _check_name(name: str) -> None:
    repository, _, tag = name.rpartition(":")
    if not repository or "/" in tag or "/" not in repository or name != name.lower().strip():
        raise ValueError(
            f"image name {name!r} is not complete: expected registry/path:tag in lower case, "
            "for example docker.io/shop/api:1"
        )


def _write_layer(image: Image, layer: BinaryIO) -> tuple[str, int]:
    entries: dict[str, _Entry] = {}
    for content in image.contents:
        for entry in _entries(content):
            _add_parents(entries, entry.info.name)
            entries[entry.info.name] = entry
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(entries):
            _add_entry(tar, entries[name])
    layer.seek(0)
    digest = hashlib.sha256()
    size = 0
    while chunk := layer.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _entries(content: Add | Directory | Link) -> Iterator[_Entry]:
    if isinstance(content, Directory):
        info = _directory_info(_inside(content.target))
        info.uid, info.gid, info.mode = content.uid, content.gid, content.mode
        yield _Entry(info)
    elif isinstance(content, Link):
        yield _Entry(_link_info(_inside(content.target), content.to))
    else:
        yield from _walk(content.source, _inside(content.target))


def _walk(source: Path, target: str) -> Iterator[_Entry]:
    if source.is_symlink() and target:
        yield _Entry(_link_info(target, str(source.readlink())))
    elif source.is_dir():
        if target:
            yield _Entry(_directory_info(target))
        for child in sorted(source.iterdir()):
            yield from _walk(child, f"{target}/{child.name}" if target else child.name)
    elif source.is_file():
        info = _file_info(target or source.name, source.stat().st_size)
        if os.access(source, os.X_OK) and source.stat().st_mode & 0o111:
            info.mode = 0o755
        yield _Entry(info, source)
    else:
        raise FileNotFoundError(f"{source} is neither a file nor a folder")


def _inside(target: str) -> str:
    path = PurePosixPath(target)
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f"path {target!r} in the image must be absolute and free of '..'")
    return str(path).lstrip("/")


def _add_parents(entries: dict[str, _Entry], name: str) -> None:
    for parent in PurePosixPath(name).parents:
        if str(parent) != "." and str(parent) not in entries:
            entries[str(parent)] = _Entry(_directory_info(str(parent)))


def _add_entry(tar: tarfile.TarFile, entry: _Entry) -> None:
    if entry.source is None:
        tar.addfile(entry.info)
        return
    with entry.source.open("rb") as content:
        tar.addfile(entry.info, content)


def _file_info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info


def _directory_info(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, DIRECTORY_MODE
    return info


def _link_info(name: str, to: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = tarfile.SYMTYPE, to, 0o777
    return info


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_file_info(name, len(content)), io.BytesIO(content))


def _config(image: Image, layer: str) -> dict[str, object]:
    run: dict[str, object] = {
        "Entrypoint": list(image.entrypoint),
        "Cmd": list(image.command),
        "Env": list(image.environment),
        "User": image.user,
        "WorkingDir": image.workdir,
        "Labels": dict(image.labels),
    }
    return {
        "architecture": image.architecture or MACHINES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {key: value for key, value in run.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
    }


def _manifest(config: bytes, layer: str, size: int) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(CONFIG_TYPE, _sha256(config), len(config)),
        "layers": [_descriptor(LAYER_TYPE, layer, size)],
    }


def _index(image: Image, manifest: bytes) -> dict[str, object]:
    entry = _descriptor(MANIFEST_TYPE, _sha256(manifest), len(manifest))
    entry["annotations"] = {
        "io.containerd.image.name": image.name,
        "org.opencontainers.image.ref.name": image.name.rpartition(":")[2],
    }
    return {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}


def _descriptor(kind: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
