"""Programs that do not start, or do not stay."""

from __future__ import annotations

from tests.failures.case import Case, Object, Part, Says, Twin
from tests.failures.objects import (
    BUSYBOX,
    OUT_OF_MEMORY_TWICE,
    THIRD_END,
    container,
    deployment,
    pod,
    shell,
)

_TRACE = """\
echo 'Traceback (most recent call last):' >&2
echo '  File "/app/web.py", line 12, in <module>' >&2
echo "KeyError: 'DATABASE_URL'" >&2
exit 1"""
#: Counts its starts in a volume that outlives the container.
_COUNT = "echo x >> /data/starts; starts=$(wc -l < /data/starts); "


def _counting(line: str, **more: object) -> Object:
    """A Deployment whose process knows how often it was started."""
    mounts = [{"name": "data", "mountPath": "/data"}]
    return deployment(
        pod(
            shell(_COUNT + line, volumeMounts=mounts, **more),
            volumes=[{"name": "data", "emptyDir": {}}],
        )
    )


def _memory(line: str) -> Part:
    return Part((deployment(pod(shell(line, resources={"limits": {"memory": "24Mi"}}))),))


#: Some 100 MB in one variable of the shell.
_EAT = "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo never"

CASES = (
    Case(
        "bad command",
        (Part((deployment(pod(container(image=BUSYBOX, command=["/bin/serve", "--all"]))),)),),
        Says("Deployment/web", ("cannot be started", "/bin/serve"), "the container's command"),
        knows=r"StartError|RunContainerError",
    ),
    Case(
        "bad command in a shell",
        (Part((deployment(pod(shell("serve --all"))),)),),
        Says("Deployment/web", ("exit code 127", "serve: not found"), "the container's command"),
        knows=r'"exitCode":127',
    ),
    Case(
        "crash at start",
        (Part((deployment(pod(shell(_TRACE))),)),),
        Says("Deployment/web", ("exit code 1", "KeyError: 'DATABASE_URL'"), "log"),
        knows=THIRD_END,
        twin=Twin(
            # Waits for its database by dying, as many do.
            (Part((_counting("[ $starts -gt 2 ] || exit 1; exec sleep 1000"),)),),
            done=lambda stage: stage.restarts() == 2,
        ),
    ),
    Case(
        "crash after it was ready",
        (
            Part(
                (deployment(pod(shell("echo serving; sleep 2; echo lost my config >&2; exit 3"))),)
            ),
        ),
        Says("Deployment/web", ("exit code 3", "lost my config"), "log"),
        knows=THIRD_END,
        twin=Twin(
            (Part((_counting("[ $starts -gt 2 ] || { sleep 1; exit 1; }; exec sleep 1000"),)),),
            done=lambda stage: stage.restarts() == 2,
        ),
    ),
    Case(
        "out of memory",
        (_memory(_EAT),),
        Says("Deployment/web", ("OOMKilled", "memory"), "memory limit"),
        knows=OUT_OF_MEMORY_TWICE,
    ),
    Case(
        "out of memory some seconds after it was ready",
        (_memory(f"sleep 2; {_EAT}"),),
        Says("Deployment/web", ("OOMKilled", "memory"), "memory limit"),
        knows=OUT_OF_MEMORY_TWICE,
        twin=Twin((_memory("x=$(head -c 1000000 /dev/zero | tr '\\0' x); exec sleep 1000"),)),
    ),
    Case(
        "ends where it should serve",
        (Part((deployment(pod(shell("echo nothing to do"))),)),),
        Says("Deployment/web", ("exit code 0", "nothing to do"), "log"),
        knows=THIRD_END,
        nightly=True,
    ),
)
