from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from envctl.model import redact
from envctl.model.redact import MASK
from envctl.model.telling import telling

CANARY = "c4n4ry-9f3Kq-Zx"
VALUES = st.text(st.characters(codec="utf-8"), min_size=8, max_size=40).filter(
    lambda value: len(value.strip()) >= 8 and not value.strip().isdigit()
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


def secret(**data: str) -> dict[str, Any]:
    encoded = {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}
    return {"kind": "Secret", "metadata": {"name": "keys"}, "type": "Opaque", "data": encoded}


def pod(**container: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}


HIDDEN = redact.known([secret(key=CANARY)])


@pytest.mark.parametrize(
    "text",
    [
        f"connecting with {CANARY}",
        f"{CANARY}{CANARY}",
        f"got {base64.b64encode(CANARY.encode()).decode()}",
        f"Authorization: Basic {base64.b64encode(f'user:{CANARY}'.encode()).decode()}",
        json.dumps({"a": CANARY}),
    ],
)
def test_a_known_value_is_removed_wherever_it_stands(text: str) -> None:
    assert CANARY not in HIDDEN.mask(text)
    assert MASK in HIDDEN.mask(text)


def test_a_known_value_is_removed_from_a_url_too() -> None:
    found = redact.known([secret(key="p@ss w/rd&more")])
    assert found.mask("GET /?k=p%40ss%20w%2Frd%26more&x=1") == f"GET /?k={MASK}&x=1"


@given(VALUES, TEXT, TEXT)
def test_no_text_shows_a_known_value(value: str, before: str, after: str) -> None:
    found = redact.known([secret(key=value)])
    assert value.strip() not in found.mask(before + value + after)


@given(VALUES, st.binary(max_size=8), st.binary(max_size=8))
def test_nor_does_base64_of_a_text_around_it(value: str, before: bytes, after: bytes) -> None:
    found = redact.known([secret(key=value.strip())])
    shown = found.mask(base64.b64encode(before + value.strip().encode() + after).decode())
    assert MASK in shown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=40)
@given(VALUES, st.dictionaries(TEXT, JSON, max_size=4))
@example("-----000", {})
def test_no_object_shows_a_known_value(value: str, rest: dict[str, Any]) -> None:
    found = redact.known([secret(key=value)])
    obj = {**rest, "kind": "Thing", "spec": {value: [value, {"x": f"a{value}b"}], "y": rest}}
    shown = repr(_strings(found.object(obj)))
    assert all(value.strip() not in text for text in _strings(found.object(obj))), shown


@settings(max_examples=40)
@given(st.dictionaries(TEXT, JSON, max_size=4), VALUES)
def test_it_is_pure_and_twice_is_once(obj: dict[str, Any], value: str) -> None:
    found, before = redact.known([secret(key=value)]), json.dumps(obj)
    once = found.object(obj)
    assert json.dumps(obj) == before
    assert found.object(once) == once


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [s for k, v in value.items() for s in (*_strings(k), *_strings(v))]
    return [s for v in value for s in _strings(v)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    "obj",
    [
        secret(password=CANARY),
        {"kind": "Secret", "metadata": {}, "stringData": {"a": CANARY}},
        {"kind": "Secret", "metadata": {"annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"a": CANARY})}}},
        {"kind": "Deployment", "metadata": {"managedFields": [{"x": CANARY}]}},
        {"kind": "ConfigMap", "metadata": {}, "data": {"db.password": CANARY}},
        {"kind": "ConfigMap", "metadata": {}, "data": {"app.ini": f"[db]\npassword = {CANARY}\n"}},
        {"kind": "Thing", "metadata": {"annotations": {"example.org/api-token": CANARY}}},
        pod(env=[{"name": "DB_PASSWORD", "value": CANARY}]),
        pod(env=[{"name": "DATABASE_URL", "value": f"postgres://app:{CANARY}@db:5432/app"}]),
        pod(args=["--token", CANARY]),
        pod(args=[f"--api-key={CANARY}"]),
        pod(command=["sh", "-c", f"export TOKEN={CANARY}; run"]),
    ],
)  # fmt: skip
def test_what_is_named_or_shaped_like_a_credential_is_removed(obj: dict[str, Any]) -> None:
    assert CANARY not in json.dumps(redact.Hidden().object(obj))


@pytest.mark.parametrize(
    "obj",
    [
        secret(password=CANARY),
        pod(env=[{"name": "DB_PASSWORD", "value": CANARY}]),
        pod(env=[{"name": "DATABASE_URL", "value": f"postgres://app:{CANARY}@db:5432/app"}]),
        pod(args=["--token", CANARY]),
        secret(url=f"postgres://app:{CANARY}@db:5432/app"),
        secret(conf=f"user: app\npassword: {CANARY}\n"),
        secret(pull=json.dumps({"auths": {"registry": {"password": CANARY}}})),
    ],
)
def test_what_an_object_holds_is_removed_from_every_log(obj: dict[str, Any]) -> None:
    assert redact.known([obj]).mask(f"I am {CANARY}, hello") == f"I am {MASK}, hello"


@pytest.mark.parametrize(
    "text",
    [
        "couldn't find key password in Secret shop/keys",
        'secret "keys" not found',
        "docker-pullable://registry:5000/shop/api@sha256:0123",
        "http://web:8080/",
        "0/1 nodes are available: 1 Insufficient cpu",
    ],
)  # fmt: skip
def test_what_explains_stays(text: str) -> None:
    assert HIDDEN.strict(text) == text


@pytest.mark.parametrize(
    "piece",
    ["x", "token", "eyJ-", "a.", "a://", "basic ", "x: ", "-", "password=", "http://a:b", CANARY],
)
def test_a_hostile_line_costs_no_more_than_another(piece: str) -> None:
    line, began = piece * (65536 // len(piece)), time.process_time()
    HIDDEN.strict(line)
    telling([line], 1)
    assert time.process_time() - began < 5


def test_names_and_references_stay() -> None:
    env = [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}}]
    obj = pod(env=env, image="shop/api:1")
    obj["spec"] |= {"imagePullSecrets": [{"name": "pull"}], "automountServiceAccountToken": False}
    obj["spec"]["volumes"] = [{"name": "v", "secret": {"secretName": "keys"}}]
    assert HIDDEN.object(obj) == obj


def test_short_and_plain_values_are_not_hunted() -> None:
    found = redact.known([secret(user="app", password="true", port="5432", pin="12")])
    assert found.mask("the app listens on 5432, true") == "the app listens on 5432, true"


def test_a_secrets_keys_stay() -> None:
    assert set(HIDDEN.object(secret(password=CANARY))["data"]) == {"password"}


PEM = "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("name", "value", "goes"),
    [
        ("note", "qZ7kP2wX", True), ("note", "qZ7kP2w", False),
        ("password", "qZ7k", True), ("password", "qZ7", False),
        ("note", "12345678", True), ("note", "1234567", False), ("password", "1234567", False),
        ("password", "true", False), ("note", "  qZ7kP2wX\n", True),
    ],
)  # fmt: skip
def test_how_long_a_value_must_be_to_be_hunted(name: str, value: str, goes: bool) -> None:
    for obj in (secret(**{name: value}),
                {"kind": "Secret", "metadata": {}, "stringData": {name: value}}):  # fmt: skip
        said = redact.known([obj]).mask(f"<{value.strip()}>")
        assert said == (f"<{MASK}>" if goes else f"<{value.strip()}>")


def test_each_line_of_a_value_is_hidden_and_what_frames_them_is_not() -> None:
    found = redact.known([secret(tls=PEM)])
    for line in ("MIIEvQIBADANBgkq", "hkiG9w0BAQEFAASC"):
        assert found.mask(f"x{line}x") == f"x{MASK}x"
    assert found.mask("-----BEGIN CERTIFICATE-----") == "-----BEGIN CERTIFICATE-----"


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_base64_of_either_alphabet_is_found_wherever_it_begins(shift: int) -> None:
    value = "\u00ff\u00fe?>~\u00ffqZ7kP2wX\u00ff?>"
    found = redact.known([secret(note=value)])
    around = b"a" * shift + value.encode() + b"b" * 5
    for encoded in (base64.b64encode(around), base64.urlsafe_b64encode(around)):
        assert MASK in found.mask(encoded.decode())


@pytest.mark.parametrize("ascii_", [True, False])
def test_a_value_is_found_as_json_writes_it(ascii_: bool) -> None:
    value = 'say "caf\u00e9"\\now'
    text = json.dumps({"a": value}, ensure_ascii=ascii_)
    assert redact.known([secret(note=value)]).mask(text) == f'{{"a": "{MASK}"}}'


def test_the_longer_of_two_values_goes_first() -> None:
    found = redact.hidden(["qZ7kP2wX", "qZ7kP2wX-and-more"])
    assert found.mask("<qZ7kP2wX-and-more>") == f"<{MASK}>"
    assert found.longest >= len("qZ7kP2wX-and-more")
    assert redact.Hidden().longest == 0
    assert redact.hidden([]) == redact.Hidden()


def test_what_a_secret_holds_that_is_no_text_is_hidden_as_it_stands() -> None:
    raw = base64.b64encode(b"\xff\xfe\x00\x01\x80\x81").decode()
    found = redact.known([{"kind": "Secret", "metadata": {}, "data": {"blob": raw, "bad": "%%%"}}])
    assert found.mask(f"data: {raw}") == f"data: {MASK}"


def test_helms_own_records_hide_nothing() -> None:
    record = {**secret(release=CANARY), "type": "helm.sh/release.v1"}
    assert redact.known([record, secret(note="qZ7kP2wX")]).mask(CANARY) == CANARY


@pytest.mark.parametrize(
    ("other", "goes"), [("qZ7kP2wX", True), ("qZ7kP2w", False), ("None", False)]
)
def test_what_is_handed_in_is_hidden_too(other: str, goes: bool) -> None:
    assert (redact.known([], [other]).mask(other) == MASK) is goes


def test_a_name_that_says_credential_hides_its_value_and_not_its_reference() -> None:
    plain = {"kind": "Thing", "spec": {"password": "abc", "empty": {"token": ""},
             "tokenRef": {"name": "keys", "key": "token", "password": "which"}}}  # fmt: skip
    shown = redact.Hidden().object(plain)["spec"]
    assert shown["password"] == MASK
    assert shown["empty"] == {"token": ""}
    assert shown["tokenRef"] == {"name": "keys", "key": "token", "password": "which"}


def test_a_secret_inside_of_a_list_is_hunted_by_the_flag_before_it() -> None:
    found = redact.known([pod(args=["--verbose", "qZ7k-one", "--password", "qZ7k-two"])])
    assert found.mask("qZ7k-one qZ7k-two") == f"qZ7k-one {MASK}"
