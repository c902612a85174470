from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envctl.config import yamlfile
from envctl.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path, text: str | bytes) -> yamlfile.Document:
    file = folder / "envctl.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return yamlfile.load(file)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    assert caught.value.exit_code == 2
    assert caught.value.next
    return str(caught.value)


def test_values_and_their_lines(tmp_path: Path) -> None:
    document = load(tmp_path, "a: 1\nb:\n  - x\n  - c: true\n    d: null\ne: 1.5\nf: 2026-01-02\n")
    assert document.value == {
        "a": 1, "b": ["x", {"c": True, "d": None}], "e": 1.5, "f": "2026-01-02",
    }  # fmt: skip
    assert document.line(("b", 1, "d")) == 5
    assert document.line(("b", 1, "nowhere")) == 4
    assert document.line(("nowhere",)) == 1


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "").value is None


def test_a_duplicate_key_is_refused_with_both_lines(tmp_path: Path) -> None:
    text = refusal(tmp_path, "a: 1\nb: 2\na: 3\n")
    assert "envctl.yaml:3" in text
    assert "'a' stands twice" in text
    assert "line 1" in text


def test_a_nested_duplicate_key_is_refused(tmp_path: Path) -> None:
    assert "envctl.yaml:3" in refusal(tmp_path, "x:\n  k: 1\n  k: 2\n")


def test_aliases_may_repeat_a_value(tmp_path: Path) -> None:
    document = load(tmp_path, "a: &x {k: 1}\nb: *x\n")
    assert document.value == {"a": {"k": 1}, "b": {"k": 1}}


def test_merge_keys_do_not_overrule_what_is_written(tmp_path: Path) -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  c: 3\n"
    assert load(tmp_path, text).value["z"] == {"a": 1, "b": 1, "c": 3}


def bomb(separator: str, open_: str, close: str, fan: int = 9, levels: int = 12) -> str:
    lines = [f"a0: &a0 {open_}{'lol: 1' if open_ == '{' else 'lol'}{close}"]
    for level in range(1, levels):
        inner = separator.join([f"*a{level - 1}"] * fan)
        body = f"{{<<: [{inner}]}}" if open_ == "{" else f"[{inner}]"
        lines.append(f"a{level}: &a{level} {body}")
    return "\n".join(lines)


@pytest.mark.parametrize("kind", ["[]", "{}"])
def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    began = time.process_time()  # a busy machine is no bomb
    assert "Expanded" in refusal(tmp_path, bomb(", ", kind[0], kind[1]))
    assert time.process_time() - began < 10


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}", "&a [*a, *a]"])
def test_a_value_inside_itself_is_refused(tmp_path: Path, text: str) -> None:
    assert "envctl.yaml:1" in refusal(tmp_path, text)


@pytest.mark.parametrize("depth", [100, 5_000])
def test_depth_is_bounded(tmp_path: Path, depth: int) -> None:
    assert "deep" in refusal(tmp_path, "[" * depth + "]" * depth)


def test_a_file_of_50_megabytes_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    file = tmp_path / "envctl.yaml"
    with file.open("wb") as out:
        out.truncate(50 * 1024 * 1024)
    began = time.monotonic()
    with pytest.raises(ConfigError, match="larger than 1024 KiB"):
        yamlfile.load(file)
    assert time.monotonic() - began < 30


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    text = refusal(tmp_path, "name: ä".encode("latin-1"))
    assert "not UTF-8" in text
    assert "Byte 6 is 0xe4" in text


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbfa: 1").value == {"a": 1}


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        yamlfile.load(tmp_path / "envctl.yaml")
    with pytest.raises(ConfigError, match="Is a directory"):
        yamlfile.load(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [id]",
        "a: !!python/name:os.system x",
        "a: !!binary aGk=",
        "a: !mine {x: 1}",
        "a: !!set {x, y}",
        "a: =",
        "? [a, b]\n: c",
        "<<: x",
        "a: <<",
        'a: !!int ""',
        "a: !!int x",
        'a: !!float ""',
        "a: !!bool perhaps",
        "a: " + "9" * 5000,
        'a: "\\U00110000"',
        "a: " + ":".join(["1"] * 300) + ".5",
        "a: 1\n--- \nb: 2",
        "a: [1, 2",
        "a:\n\t- tab",
        "a: \x07",
        "%YAML 9.9\n---\na: 1",
    ],
)
def test_odd_yaml_is_refused_in_words(tmp_path: Path, text: str) -> None:
    assert "envctl.yaml" in refusal(tmp_path, text)


PIECES = st.sampled_from(
    ["a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "&x", "*x", "<<: ", "!!int ", "!!bool ",
     "!!float ", "!!null ", "!!str ", "!t ", '"', "'", "\\U0011", "|", ">", "#", "? ", "%YAML",
     "---", "...", "1", "0x", "_", ".5", "1:2", "2026-99-99", "\x00", "\x85", "é", "~", "="]
)  # fmt: skip


@given(st.text() | st.lists(PIECES, max_size=25).map("".join))
@example("a: &a {<<: *a}")
def test_any_text_is_a_value_or_a_config_error(tmp_path: Path, text: str) -> None:
    try:
        document = load(tmp_path, text.encode("utf-8", "surrogatepass"))
    except ConfigError as error:
        assert "envctl.yaml" in str(error)  # noqa: PT017
    else:
        assert document.value is None or isinstance(
            document.value, dict | list | str | int | float | bool
        )
