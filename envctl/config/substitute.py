r"""``${name}`` in scalars, after parsing, from a fixed set; there is no other templating.

Because it happens after parsing, a branch named ``x"\nimage: evil`` stays one scalar.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(\$)?\{([^}]*)\}")

#: Name → meaning; the reference of envctl.yaml is generated from this.
VARIABLES: dict[str, str] = {
    "project": "the project's name",
    "name": "the environment's name",
    "namespace": "the environment's namespace",
    "host": "environment.host",
    "url": "the environment's URL",
    "branch": "the branch as it is called in the repository",
    "commit": "the commit that is deployed",
    "pipeline": "the pipeline's number, empty on a laptop",
    "mergeRequest": "the merge request's number, empty without one",
    "owner": "who started the run",
    "image.NAME": "a reference from --image, ENVCTL_IMAGE_NAME or `images`",
}


class UnknownVariable(ValueError):
    """A reference to something that is not in the set; the message says what is near."""


def substitute(value: Any, variables: Mapping[str, str]) -> Any:
    """Replace references in every string below ``value``; raises UnknownVariable."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _replace(match, variables), value)
    if isinstance(value, list):
        return [substitute(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: substitute(item, variables) for key, item in value.items()}
    return value


def _replace(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match[1]:  # $${x} is a literal ${x}
        return match[0][1:]
    name = match[2]
    if name in variables:
        return variables[name]
    if name.startswith("image."):
        raise UnknownVariable(
            f"${{{name}}} has no value; pass --image {name[6:]}=REFERENCE or set it in `images`"
        )
    near = difflib.get_close_matches(name, variables, n=1)
    hint = f"did you mean ${{{near[0]}}}?" if near else f"known are {', '.join(variables)}"
    raise UnknownVariable(f"${{{name}}} is not known; {hint}")
