"""What an API server says beside its answer: the ``Warning`` headers of RFC 7234, in few words.

Helm writes them down as client-go does (k8s.io/client-go/rest, warnings.go), in klog's format.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r'^\s*299 \S+ "((?:[^"\\]|\\.)*)"')
_SECURITY = re.compile(r'would violate PodSecurity "(?P<level>[^"]+)": (?P<why>.+)', re.DOTALL)
_LOGGED = re.compile(
    r'^[IWE]\d{4} [^\]]*\bwarnings\.go:\d+\] (?:"(?:Warning: )?((?:[^"\\]|\\.)*)"|(.+))$',
    re.MULTILINE,
)
#: What Pod Security adds to each rule: which containers, and what each of them must set.
_DETAIL = re.compile(r" \((?:[^()]|\([^()]*\))*\)")


def warning_in(header: str) -> str:
    """The text of one header; empty where it is none of Kubernetes'."""
    found = _HEADER.match(header)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else ""


def warnings_in(log: str) -> list[str]:
    """The texts that a tool over client-go has logged."""
    found = _LOGGED.findall(log)
    return [re.sub(r"\\(.)", r"\1", quoted) if quoted else bare for quoted, bare in found]


def words(text: str) -> str:
    """A warning on one line; of a Pod Security one the broken rules without who breaks them."""
    found = _SECURITY.search(text)
    if found:
        text = f"it would violate PodSecurity {found['level']!r}: {_DETAIL.sub('', found['why'])}"
    return " ".join(text.split())
