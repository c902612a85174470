from __future__ import annotations

import base64
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from envctl.adapters.kubernetes import jobtoken
from envctl.errors import ConfigError

TOKEN = "header.payload.signature"
ENV = {"ENVCTL_API_SERVER": "https://k8s.example.org:6443", "ENVCTL_API_TOKEN": TOKEN,
       "CI_JOB_ID": "123"}  # fmt: skip


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_without_a_server_nothing_changes(temporary: Path) -> None:
    env = {"ENVCTL_API_TOKEN": TOKEN, "KUBECONFIG": "/mine"}
    assert jobtoken.with_token(env, "preview") == env
    assert list(temporary.iterdir()) == []


def test_a_kubeconfig_for_its_owner_alone(temporary: Path) -> None:
    path = Path(jobtoken.with_token(ENV, "preview")["KUBECONFIG"])
    assert path.is_relative_to(temporary / "envctl-job-123")
    assert path.stat().st_mode & 0o777 == 0o600
    for folder in (path.parent, path.parent.parent):
        assert folder.stat().st_mode & 0o777 == 0o700
    found = yaml.safe_load(path.read_text())
    assert found["current-context"] == "preview"
    assert found["clusters"][0]["cluster"] == {"server": ENV["ENVCTL_API_SERVER"]}
    assert found["users"][0]["user"] == {"token": TOKEN}


def test_the_certificate_is_a_text_or_a_file(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
    file = tmp_path / "ca.pem"
    file.write_text(pem)
    for value in (pem, str(file)):
        config = jobtoken.with_token({**ENV, "ENVCTL_API_CA": value}, "")["KUBECONFIG"]
        cluster = yaml.safe_load(Path(config).read_text())["clusters"][0]["cluster"]
        assert base64.b64decode(cluster["certificate-authority-data"]).decode() == pem


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENVCTL_API_TOKEN", ""), ("ENVCTL_API_TOKEN", "two words"), ("ENVCTL_API_SERVER", "k8s:6443"),
     ("ENVCTL_API_SERVER", "http://k8s.example.org"), ("ENVCTL_API_CA", "/not/there.pem")],
)  # fmt: skip
def test_what_cannot_be_used_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        jobtoken.with_token({**ENV, name: value}, "")
    assert TOKEN not in str(caught.value)
    assert not value or value not in str(caught.value)


def test_a_folder_of_somebody_else_is_not_used(temporary: Path) -> None:
    (temporary / "envctl-job-123").mkdir(mode=0o777)
    os.chmod(temporary / "envctl-job-123", 0o777)  # noqa: PTH101 - what the test is about
    with pytest.raises(ConfigError, match="alone"):
        jobtoken.with_token(ENV, "")


def test_a_link_is_not_followed(temporary: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (temporary / "envctl-job-123").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="alone"):
        jobtoken.with_token(ENV, "")
    assert list(elsewhere.iterdir()) == []


def test_a_job_name_is_no_path(temporary: Path) -> None:
    path = Path(jobtoken.with_token({**ENV, "CI_JOB_ID": "../../x"}, "")["KUBECONFIG"])
    assert path.is_relative_to(temporary / f"envctl-job-{os.getpid()}")


def test_it_is_gone_when_the_process_has_ended(temporary: Path) -> None:
    program = textwrap.dedent("""
        import os, pathlib
        from envctl.adapters.kubernetes import jobtoken
        print(pathlib.Path(jobtoken.with_token(os.environ, "")["KUBECONFIG"]).exists())
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **ENV, "TMPDIR": str(temporary)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "True\n"
    assert list(temporary.iterdir()) == []
