"""What a run hands to its pipeline: variables and links.

The variables are GitLab's dotenv report, the links its annotations report. A URL comes from
envctl.yaml, so one that is more than a URL is left out: a line of its own would be a variable.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from envctl.model.result import UpResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.output.recorder import Recorder

_URL = re.compile(r"https?://[!-~]{1,2000}")


def dotenv(recorder: Recorder) -> str:
    """``ENVCTL_URL`` and the environment's names; empty where there is no environment."""
    if not isinstance(recorder.result, UpResult):
        return ""
    found = recorder.result.environment
    values = {
        "ENVCTL_URL": _url(found.url),
        "ENVCTL_NAME": found.name,
        "ENVCTL_NAMESPACE": found.namespace,
    }
    return "".join(f"{key}={value}\n" for key, value in values.items() if value)


def links(recorder: Recorder, environ: Mapping[str, str]) -> str:
    """Links to the environment, and to its page in GitLab with its pods and their logs."""
    found_links = []
    if isinstance(recorder.result, UpResult):
        found = recorder.result.environment
        found_links.append((f"Environment {found.name}", found.url))
    project, name = environ.get("CI_PROJECT_URL", ""), environ.get("CI_ENVIRONMENT_NAME", "")
    if project and name:
        found_links.append(
            ("Its pods and logs in GitLab", f"{project}/-/environments?search={name}")
        )
    wanted = [
        {"external_link": {"label": label, "url": url}} for label, url in found_links if _url(url)
    ]
    return json.dumps({"envctl": wanted}, indent=2) + "\n"


def _url(text: str) -> str:
    return text if _URL.fullmatch(text) else ""
