from __future__ import annotations

import pytest

from envctl.model import servers

RESTRICTED = (
    'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container '
    '"web" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities '
    '(container "web" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true '
    '(pod or container "web" must set securityContext.runAsNonRoot=true), seccompProfile (pod or '
    'container "web" must set securityContext.seccompProfile.type to "RuntimeDefault" or '
    '"Localhost")'
)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ('299 - "v1 Endpoints is deprecated"', "v1 Endpoints is deprecated"),
        ('299 kube "say \\"no\\" \\\\ yes" "Wed, 21 Oct 2015 07:28:00 GMT"', 'say "no" \\ yes'),
        ('199 - "something of a proxy"', ""),
        ("299 - unquoted", ""),
        ("", ""),
    ],
)
def test_the_text_of_a_header(header: str, text: str) -> None:
    assert servers.warning_in(header) == text


LOG = """\
Pulled: registry.example.org/web:1
I1125 13:28:58.099481    5026 warnings.go:107] "Warning: spec.x: deprecated; use \\"y\\" instead"
W1125 13:28:58.099481    5026 warnings.go:70] policy/v1beta1 is deprecated
I1125 13:28:58.099481    5026 client.go:12] "nothing"
"""


def test_what_helm_has_logged() -> None:
    assert servers.warnings_in(LOG) == [
        'spec.x: deprecated; use "y" instead',
        "policy/v1beta1 is deprecated",
    ]


def test_a_warning_of_pod_security_names_the_rules_and_not_every_container() -> None:
    assert servers.words(RESTRICTED) == (
        "it would violate PodSecurity 'restricted:latest': allowPrivilegeEscalation != false, "
        "unrestricted capabilities, runAsNonRoot != true, seccompProfile"
    )


def test_any_other_warning_stays_as_it_is_on_one_line() -> None:
    assert servers.words("use\nanother  one") == "use another one"
