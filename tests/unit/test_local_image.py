"""The image writer: complete, deterministic, and only what was given."""

from __future__ import annotations

import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from envctl.adapters.local.image import Add, Directory, Image, Link, write_image
from envctl.adapters.local.image_command import main

if TYPE_CHECKING:
    from pathlib import Path

NAME = "docker.io/shop/api:1"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "data").write_text("data")
    program = folder / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (folder / "link").symlink_to("program")
    return folder


def blobs(archive: Path) -> tuple[dict[str, Any], dict[str, Any], tarfile.TarFile]:
    """Index entry, config and layer, found as a runtime finds them."""
    with tarfile.open(archive) as tar:

        def read(name: str) -> bytes:
            member = tar.extractfile(name)
            assert member is not None
            return member.read()

        def blob(descriptor: dict[str, Any]) -> bytes:
            content = read("blobs/" + descriptor["digest"].replace(":", "/"))
            assert len(content) == descriptor["size"]
            return content

        (entry,) = json.loads(read("index.json"))["manifests"]
        manifest = json.loads(blob(entry))
        layer = blob(manifest["layers"][0])
        return (
            entry,
            json.loads(blob(manifest["config"])),
            tarfile.open(fileobj=io.BytesIO(layer)),
        )


def test_an_image_has_what_it_was_given(source: Path, tmp_path: Path) -> None:
    image = Image(
        NAME,
        (Add(source, "/srv"), Directory("/data", 999, 998, 0o700), Link("/bin/sh", "busybox")),
        entrypoint=("/srv/program", "-x"),
        environment=("A=b",),
        user="999",
        architecture="arm64",
    )
    digest = write_image(image, tmp_path / "image.tar")
    entry, config, layer = blobs(tmp_path / "image.tar")
    assert entry["digest"] == digest
    assert entry["annotations"]["io.containerd.image.name"] == NAME
    assert config["architecture"] == "arm64"
    assert config["config"] == {
        "Entrypoint": ["/srv/program", "-x"],
        "Env": ["A=b"],
        "User": "999",
    }
    members = {member.name: member for member in layer}
    assert list(members) == sorted(members)
    assert members["srv/program"].mode == 0o755
    assert members["srv/sub/data"].mode == 0o644
    assert members["srv/link"].linkname == "program"
    assert members["bin/sh"].linkname == "busybox"
    assert (members["data"].uid, members["data"].gid, members["data"].mode) == (999, 998, 0o700)
    assert all(member.mtime == 0 for member in members.values())


def test_the_same_files_make_the_same_bytes(source: Path, tmp_path: Path) -> None:
    image = Image(NAME, (Add(source, "/"),))
    write_image(image, tmp_path / "one.tar")
    os.utime(source / "program", (1, 1))
    (source / "sub").chmod(0o711)
    write_image(image, tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


@pytest.mark.parametrize("name", ["api", "api:1", "docker.io/shop/api", "docker.io/Shop/api:1"])
def test_an_incomplete_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not complete"):
        write_image(Image(name), tmp_path / "image.tar")


@pytest.mark.parametrize("target", ["relative", "/a/../../b"])
def test_a_path_outside_the_image_is_refused(target: str, source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be absolute"):
        write_image(Image(NAME, (Add(source, target),)), tmp_path / "image.tar")
    assert not list(tmp_path.glob("*.tar"))


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = str(tmp_path / "image.tar")
    assert main(["--name", NAME, "--add", "/nowhere:/x", "-o", output]) == 2
    assert "neither a file nor a folder" in capsys.readouterr().err
    assert main(["--name", NAME, "--dir", "/x:y", "-o", output]) == 2
    assert "expected /PATH" in capsys.readouterr().err


def test_the_command_writes(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "image.tar"
    options = ["--add", f"{source}:/", "--dir", "/tmp:0:0:1777", "--link", "/sh:program"]
    assert main(["--name", NAME, *options, "--label", "a=b", "-o", str(output)]) == 0
    assert NAME in capsys.readouterr().out
    _, config, layer = blobs(output)
    assert config["config"]["Labels"] == {"a": "b"}
    assert layer.getmember("tmp").mode == 0o1777
