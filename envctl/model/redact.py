"""Takes secrets out of what is shown and written: known values by themselves, others by their form.

Known are the values of every Secret of the environment, and what objects hold under a name that
says so; they are removed wherever they appear, as they are, escaped, and inside base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from envctl.model.credentials import ASSIGNED, CERTAIN, found_in, is_credential, is_flag, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envctl.model.objects import Obj

MASK = "***"
#: Characters of a value below which it is not looked for in other texts: it would be everywhere.
SHORTEST = 8
#: The same for a value whose name says that it is a credential.
SHORTEST_NAMED = 4
#: Characters of a value that are looked for; the whole of a certificate is many lines, each is one.
_LONGEST = 4096
#: Around what is secret of a key, and in every key (RFC 7468): its other lines are looked for.
_BOUNDARY = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")
_DROPPED = ("managedFields",)
_RELEASE = "helm.sh/release.v1"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Hidden:
    """The values that nothing may show; ``hidden`` and ``known`` make one."""

    values: frozenset[str] = frozenset()
    _pattern: re.Pattern[str] | None = field(default=None, compare=False)

    @property
    def longest(self) -> int:
        """Characters of the longest value: text that was cut may end in the middle of one."""
        return max(map(len, self.values), default=0)

    def mask(self, text: str) -> str:
        """``text`` without known values, and without what by its form can only be a credential."""
        for pattern in CERTAIN:
            text = pattern.sub(_masked, text)
        while self._pattern and self._pattern.search(text):
            text = self._pattern.sub(MASK, text)
        return text

    def __or__(self, other: Hidden) -> Hidden:
        """What either of them hides."""
        return self if other.values <= self.values else _hiding(self.values | other.values)

    def strict(self, text: str) -> str:
        """``mask``, and whatever is given a name that says credential: for files that are kept."""
        return self.mask(ASSIGNED.sub(_masked, text))

    def object(self, obj: Obj) -> Obj:
        """A copy of an object without secrets, and without what only repeats it."""
        clean: Obj = _without(obj, self, "", ())
        if obj.get("kind") == "Secret":
            for part in ("data", "stringData"):
                values = obj.get(part) or {}
                if values:
                    clean[part] = dict.fromkeys(map(self.mask, values), MASK)
        return clean


def hidden(values: Iterable[str]) -> Hidden:
    """Hide exactly these values, in every form in which a text may hold them."""
    return _hiding(frozenset(form for value in values for form in _forms(value[:_LONGEST])))


def _hiding(forms: frozenset[str]) -> Hidden:
    if not forms:
        return Hidden()
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return Hidden(forms, re.compile("|".join(map(re.escape, longest_first))))


def known(objects: Iterable[Obj], others: Iterable[str] = ()) -> Hidden:
    """What is secret in these objects, and ``others``, which are named credentials already."""
    values = {value for value in others if len(value) >= SHORTEST and not is_plain(value)}
    for obj in objects:
        if obj.get("kind") == "Secret":
            if obj.get("type") == _RELEASE:  # its content is in the objects that Helm made of it
                continue
            for key, value in _secret_values(obj):
                values |= set(_parts(key, value))
        else:
            values |= {v for v in _credentials(obj) if _worth(v, named=True)}
    return hidden(values)


def _secret_values(secret: Obj) -> Iterator[tuple[str, str]]:
    for key, value in (secret.get("stringData") or {}).items():
        yield key, str(value)
    for key, value in (secret.get("data") or {}).items():
        yield f"{key} token", str(value)  # as it stands in the API: base64
        try:
            yield key, base64.b64decode(str(value), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            continue


def _parts(key: str, value: str) -> Iterator[str]:
    """A Secret's value, each of its lines, and the credentials inside it."""
    named = is_credential(key)
    for part in {value, value.strip(), *(line.strip() for line in value.splitlines())}:
        if _worth(part, named=named) and not _BOUNDARY.match(part):
            yield part
    yield from (part for part in found_in(value) if _worth(part, named=True))


def _worth(value: str, *, named: bool) -> bool:
    return len(value) >= (SHORTEST_NAMED if named else SHORTEST) and not is_plain(value)


def _credentials(value: Any, name: str = "") -> Iterator[str]:
    """Every string of an object that its name or its form says is a credential."""
    if isinstance(value, str):
        if name and is_credential(name):
            yield value
        yield from found_in(value)
    elif isinstance(value, dict):
        variable = value.get("name", "") if isinstance(value.get("value"), str) else ""
        for key, inner in value.items():
            yield from _credentials(inner, str(variable) if key == "value" else str(key))
    elif isinstance(value, list):
        for before, inner in zip(["", *value], value, strict=False):
            flag = isinstance(before, str) and is_flag(before)
            yield from _credentials(inner, "token" if flag else "")


def _without(value: Any, secrets: Hidden, name: str, path: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return MASK if name and value and is_credential(name) else secrets.strict(value)
    if isinstance(value, dict):
        variable = value.get("name", "") if isinstance(value.get("value"), str) else ""
        return {
            secrets.mask(str(key)): _without(
                inner, secrets, str(variable) if key == "value" else _field(key, path), (*path, key)
            )
            for key, inner in value.items()
            if key not in _DROPPED and key != _LAST_APPLIED
        }
    if isinstance(value, list):
        return [
            _without(inner, secrets, "token" if isinstance(b, str) and is_flag(b) else "", path)
            for b, inner in zip(["", *value], value, strict=False)
        ]
    return value


def _field(key: Any, path: tuple[str, ...]) -> str:
    """The name that says what a field holds; a reference's key is the name of one, no value."""
    return "" if path and path[-1].endswith("Ref") else str(key)


def _masked(match: re.Match[str]) -> str:
    begin, end = match.start("secret") - match.start(), match.end("secret") - match.start()
    return f"{match[0][:begin]}{MASK}{match[0][end:]}"


def _forms(value: str) -> Iterator[str]:
    """A value as it is, in JSON, in a URL, and in base64 at each of the three places it may begin.

    The characters at both ends of the base64 depend on what stands beside it and are left out.
    """
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield quote(value, safe="")
    raw = value.encode(errors="surrogatepass")
    yield base64.b64encode(raw).decode()
    for shift in range(3):
        whole = len(raw) - (-shift % 3) - (len(raw) - (-shift % 3)) % 3
        inner = raw[-shift % 3 :][: max(whole, 0)]
        if len(inner) >= SHORTEST_NAMED + 2:
            yield base64.b64encode(inner).decode()
            yield base64.urlsafe_b64encode(inner).decode()
