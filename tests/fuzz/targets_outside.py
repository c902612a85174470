"""What stands on the machine or comes from a forge: kubeconfigs and answers over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import httpx
import yaml

from envctl.adapters.forge import answers, gitea, gitlab, notes
from envctl.adapters.forge.answers import Asked
from envctl.adapters.forge.channel import _target
from envctl.adapters.kubernetes import connect, kubeconfig
from envctl.config.forge import ForgeSettings
from envctl.model.forge import ForgeProject, MergeRequest
from tests.fuzz import samples
from tests.fuzz.reader import Reader
from tests.fuzz.targets_config import FILE

_KUBECONFIG = FILE.parent / "kubeconfig"
_SERVER = "https://git.example"
_TOKEN = "glpat-canary-7f3a"
_ASKED = Asked(
    ForgeSettings("gitea", _SERVER, f"{_SERVER}/api/v1", _TOKEN, "T"), "read it", "Scope"
)
_ADDITION = {"clusters": [{"name": "x", "cluster": {}}], "users": [{"name": "x", "user": {}}],
             "contexts": [{"name": "x", "context": {}}], "current-context": "x"}  # fmt: skip


def _use(text: str) -> None:
    _KUBECONFIG.write_text(text, encoding="utf-8", errors="surrogatepass")
    target = connect.choose("", {"KUBECONFIG": str(_KUBECONFIG)}, ())
    kubeconfig.cluster_of(target, {})
    kubeconfig.user_of(target)
    kubeconfig.merge_into(_KUBECONFIG, _ADDITION)


def kubeconfig_text(data: bytes) -> None:
    """A kubeconfig as a file, byte by byte."""
    _use(data.decode("utf-8", "surrogateescape"))


def kubeconfig_values(data: bytes) -> None:
    """A kubeconfig of which some values are others."""
    try:
        text = yaml.safe_dump(Reader(data).changed(samples.KUBECONFIG))
    except yaml.YAMLError:
        return
    _use(text)


def clients(data: bytes) -> None:
    """The same, as far as a client that is ready to ask; no program is run for a credential."""
    changed = Reader(data).changed(samples.KUBECONFIG)
    try:
        text = yaml.safe_dump(changed)
    except yaml.YAMLError:
        return
    _KUBECONFIG.write_text(text, encoding="utf-8", errors="surrogatepass")
    if "exec" not in text and "auth-provider" not in text:
        asyncio.run(_open())


async def _open() -> None:
    target = connect.choose("", {"KUBECONFIG": str(_KUBECONFIG)}, ())
    client = await connect.open_client(target, "envctl")
    await client.close()


def forge_answers(data: bytes) -> None:
    """An answer of a forge, or of what stands before it: a state of the merge request, or none."""
    reader = Reader(data)
    status = reader.choose((200, 200, 301, 401, 403, 404, 409, 422, 429, 500, 503))
    found = reader.changed(samples.PULL)
    content = json.dumps(found).encode() if reader.below(4) else reader.rest()
    names = ("retry-after", "content-type", "location", "x-ratelimit-remaining")
    headers = [
        (name, reader.text().encode(errors="replace").replace(b"\n", b" ")) for name in names
    ]
    response = httpx.Response(status, headers=headers, content=content,
                              request=httpx.Request("GET", _SERVER))  # fmt: skip
    answers.retry_after(response.headers)
    _target(_SERVER, response)
    if status != 200:
        error = answers.error_of_status(response, _ASKED)
        assert _TOKEN not in str(error)
        raise error
    document = answers.complete(response, _ASKED, dict)
    with contextlib.suppress(answers.Outage):
        _is_merge_request(gitlab._merge_request(document, ForgeProject(_SERVER, "3"), "7", _ASKED))
    _is_merge_request(gitea._pull_request(document, "7", _ASKED))
    notes.carries(document, "<!-- a -->")
    notes.same(document, "a")
    gitea._says(reader.json(), {"state": "success"})
    gitea._last(response, 3)


def _is_merge_request(found: Any) -> None:
    assert isinstance(found, MergeRequest)
    assert all(
        isinstance(text, str) for text in (found.iid, found.source_branch, found.url, found.sha)
    )


TARGETS = {
    "kubeconfig text": (kubeconfig_text, (
        yaml.safe_dump(samples.KUBECONFIG).encode(), b"contexts: 1", b"[]", b"\xff", b"a: &a [*a]",
    )),
    "kubeconfig values": (kubeconfig_values, (b"", bytes(range(60)))),
    "clients": (clients, (b"", bytes(range(60)))),
    "forge answers": (forge_answers, (b"", bytes(range(60)), b"\x00\x00\x00<html>")),
}  # fmt: skip
