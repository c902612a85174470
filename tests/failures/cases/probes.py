"""Programs that run, and are never ready."""

from __future__ import annotations

from tests.failures.case import Case, Object, Part, Says, Twin
from tests.failures.objects import THIRD_END, deployment, pod, shell

#: Seconds after which a probe that may yet succeed is given up.
_PATIENCE = 14
_SERVE = "mkdir -p /tmp/www && cd /tmp/www && echo ok > index.html && exec httpd -f -p 8080"
_UNHEALTHY = r'"reason":"Unhealthy"'


def _http(path: str = "/", port: int = 8080, **more: object) -> Object:
    get = {"path": path, "port": port, **more}
    return {"httpGet": get, "periodSeconds": 1, "timeoutSeconds": 1}


def _cgi(line: str) -> str:
    """A server whose answer on ``/cgi-bin/ready`` is what a line of shell says."""
    return (
        "mkdir -p /tmp/www/cgi-bin && cd /tmp/www && cat > cgi-bin/ready <<'END'\n"
        f"#!/bin/sh\n{line}\nEND\n"
        "chmod +x cgi-bin/ready && exec httpd -f -p 8080"
    )


def _never(line: str, probe: Object) -> tuple[Part, ...]:
    found = deployment(pod(shell(line, readinessProbe=probe)))
    return (Part((found,), timeout=_PATIENCE),)


def _loop(line: str, probe: Object, **more: object) -> tuple[Part, ...]:
    alive = {**probe, "failureThreshold": 1}
    return (Part((deployment(pod(shell(line, livenessProbe=alive, **more))),)),)


CASES = (
    Case(
        "readiness on the wrong port",
        _never(_SERVE, _http(port=9090)),
        Says("Deployment/web", ("readiness probe", "9090", "connection refused"), "port"),
        knows=_UNHEALTHY,
        exit=124,
        final=False,
    ),
    Case(
        "readiness answers 500",
        _never(
            _cgi("printf 'Status: 500 Oops\\r\\n\\r\\n'"),
            _http("/cgi-bin/ready"),
        ),
        Says("Deployment/web", ("readiness probe", "statuscode: 500"), "probe"),
        knows=_UNHEALTHY,
        exit=124,
        final=False,
        nightly=True,
    ),
    Case(
        "readiness is too slow",
        _never(
            _cgi("sleep 3"),
            _http("/cgi-bin/ready"),
        ),
        Says("Deployment/web", ("readiness probe", "deadline exceeded"), "probe"),
        knows=_UNHEALTHY,
        exit=124,
        final=False,
        twin=Twin(
            (Part((deployment(pod(shell(f"sleep 6; {_SERVE}", readinessProbe=_http()))),)),),
            done=lambda stage: stage.ready(),
        ),
    ),
    Case(
        "probe by the wrong scheme",
        _never(_SERVE, _http(scheme="HTTPS")),
        Says("Deployment/web", ("readiness probe", "HTTP response to HTTPS client"), "scheme"),
        knows=_UNHEALTHY,
        exit=124,
        final=False,
    ),
    Case(
        "liveness loop",
        _loop(_SERVE, _http("/alive")),
        Says("Deployment/web", ("liveness probe", "404"), "startupProbe"),
        knows=THIRD_END,
        twin=Twin(
            _loop(f"sleep 4; {_SERVE}", _http(), startupProbe={**_http(), "failureThreshold": 30})
        ),
    ),
)
