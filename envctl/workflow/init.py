"""``init``: one look at a repository, then the files that are not there yet; never another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from envctl.errors import ConfigError
from envctl.model import detect, pipelines
from envctl.model.found import Findings, InitResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envctl.model.pipelines import Wishes
    from envctl.ports.repository import Folder


class Write(Protocol):
    """Makes the text of envctl.yaml; handed in, since the format belongs to ``config``."""

    def __call__(self, findings: Findings, *, context: str, pipeline: str, domain: str) -> str:
        """The file's text."""
        ...


def init(
    folder: Folder,
    file: str,
    wishes: Wishes,
    label: Callable[[str], str],
    write: Write,
    templates: Mapping[str, str],
) -> InitResult:
    """Look, and write ``file`` and the pipeline's; raises ConfigError where nothing is found."""
    if folder.exists(file):
        return InitResult(file, Findings(wishes.project), exists=True)
    repository = folder.look()
    project = wishes.project or label(repository.name)
    findings = detect.detect(repository, project, label)
    if not findings.components:
        raise _nothing(findings)
    pipeline = pipelines.choose(repository, replace(wishes, project=project), templates)
    content = write(
        findings, context=wishes.context, pipeline=pipelines.context(pipeline, wishes),
        domain=wishes.domain,
    )  # fmt: skip
    if not folder.create(file, content):
        return InitResult(file, findings, exists=True)
    written = [file]
    if pipeline.file and not pipeline.add:
        if folder.create(pipeline.file, pipeline.text):
            written.append(pipeline.file)
            beside = [other for other in pipeline.beside if folder.create(other.file, other.text)]
            written += [other.file for other in beside]
        else:  # it is there, but git ignores it
            pipeline = replace(pipeline, add=True)
    return InitResult(file, findings, pipeline, tuple(written))


def _nothing(findings: Findings) -> ConfigError:
    left = "; ".join(f"{s.path}: {s.why}" for s in findings.skipped[:5])
    return ConfigError(
        "Nothing was found here that could be deployed.",
        why=f"Left out: {left}." if left else "There is no chart, no kustomization, no manifest.",
        next="Run it at the root of the repository, or write envctl.yaml by hand "
        "(`envctl schema` prints what is allowed); nothing was written.",
    )
