"""An image of the examples is built once, and has another name when its program has changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cluster import images

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)


def _build(examples: Path, *options: str) -> tuple[list[str], str]:
    command = [sys.executable, str(examples / "minimal/build"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines(), done.stderr


def test_the_second_build_does_nothing_and_says_the_same():
    first, _ = _build(images.EXAMPLES)
    second, progress = _build(images.EXAMPLES)
    assert second == first
    assert progress == ""
    assert first[0].startswith("export ENVCTL_IMAGE_HELLO=docker.io/minimal/hello:")


def test_a_moved_checkout_keeps_its_images_and_a_changed_program_does_not(tmp_path: Path):
    for part in ("examples/images", "examples/minimal", "cluster/image.py"):
        source, copy = images.EXAMPLES.parent / part, tmp_path / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    here, _ = _build(images.EXAMPLES)
    moved, progress = _build(tmp_path / "examples")
    assert moved == here
    assert progress == ""
    recipe = tmp_path / "examples/minimal/src/hello/main.go"
    recipe.write_text(recipe.read_text().replace("Hello", "Good evening"))
    script = "from images.recipe import *; from pathlib import Path; "
    script += "print(key(GoProgram('hello', Path('minimal/src'), 'hello')))"
    key = subprocess.check_output(
        [sys.executable, "-c", script], cwd=tmp_path / "examples", text=True
    )
    assert key.strip() not in here[0]


def test_a_program_that_does_not_compile_says_so(tmp_path: Path):
    for part in ("examples/images", "examples/minimal", "cluster", "envctl"):
        shutil.copytree(images.EXAMPLES.parent / part, tmp_path / part)
    broken = tmp_path / "examples/minimal/src/hello/main.go"
    broken.write_text(broken.read_text().replace("log.Fatal(err)", "log.Fatal(eror)"))
    command = [sys.executable, str(tmp_path / "examples/minimal/build")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "undefined: eror" in done.stderr
    assert "Traceback" not in done.stderr
