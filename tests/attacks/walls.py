"""What the attacks with the pipeline's credential are aimed at: ours, a stranger's, another's."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.cluster.app import deployment
from tests.cluster.node import Envctl, Kubectl, Node
from tests.cluster.setup import CONTEXT, SetUp
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.attacks.account import Try
    from tests.cluster.node import Finished

#: A pod that no scheduler places, so that nothing changes it.
VICTIM = """\
apiVersion: v1
kind: Pod
metadata: {name: victim}
spec: {schedulerName: nobody, containers: [{name: a, image: "docker.io/envctl/pause:1"}]}
"""
PRIZE = "apiVersion: v1\nkind: Secret\nmetadata: {name: prize}\nstringData: {password: prize}\n"
RECORD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: envctl-record}\n"
QUOTA = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: envctl}\nspec: {hard: {pods: 9}}\n"
LEASE = """\
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: EU, labels: {envctl.dev/project: P-eu, envctl.dev/name: x}}
spec: {holderIdentity: somebody}
"""


@dataclass(frozen=True)
class Walls:
    """A set-up, an environment of its project, and whom it must not reach."""

    setup: SetUp
    accounts: dict[str, Kubectl]
    before: dict[str, Any] = field(default_factory=dict)

    def real(self, text: str) -> str:
        """A text with the names that are meant by it."""
        project = self.setup.project
        words = {"OWN": "it", "NOT": "not", "POOR": "poor", "OPEN": "open", "EU": "eu-x"}
        for word, name in words.items():
            text = text.replace(word, f"{project}-{name}")
        return (
            text.replace("P-", f"{project}-")
            .replace("=P ", f"={project} ")
            .replace("project: P,", f"project: {project},")
        )

    def attempt(self, attack: Try, *more: str) -> Finished:
        """Run the command with the account's credential."""
        stdin = self.real(attack.stdin) if attack.stdin else None
        arguments = self.real(attack.arguments).split(" ")
        return self.accounts[attack.account].run(*arguments, *more, stdin=stdin)

    @contextlib.contextmanager
    def without(self, policy: str) -> Iterator[None]:
        """The set-up, and one of its policies binds nobody."""
        admin, kind = self.setup.kubectl, "validatingadmissionpolicybinding"
        binding = admin("get", kind, self.real(f"P-{policy}"))
        binding["metadata"] = {
            key: binding["metadata"][key]
            for key in ("name", "labels")
            if key in binding["metadata"]
        }
        assert admin.run("delete", kind, binding["metadata"]["name"]).returncode == 0
        try:
            yield
        finally:
            admin.apply(json.dumps(binding))

    def others(self) -> dict[str, Any]:
        """What must stay as it is: everything of the others, and the shape of the own."""
        admin, kinds = self.setup.kubectl, "secrets,pods,configmaps,rolebindings"
        found = [o for word in ("NOT", "EU") for o in admin.items(kinds, "-n", self.real(word))]
        found += admin.items("namespaces", "-l", "envctl.dev/project")
        found += admin.items(
            "leases",
            "-n",
            "envctl-system",
            "-l",
            self.real("envctl.dev/project in (P-,P-eu)").replace("-,", ","),
        )
        mine = (self.real("P-"), self.real("EU"))
        return {
            f"{o['kind']}/{o['metadata'].get('namespace')}/{o['metadata']['name']}":
                o["metadata"]["resourceVersion"]
            for o in found if o["metadata"]["name"].startswith(mine) or "namespace" in o["metadata"]
        }  # fmt: skip


def build(setup: SetUp) -> Walls:
    """Everything that an attack may be aimed at, and the accounts that it is made with."""
    admin = setup.kubectl
    real = Walls(setup, {}).real
    other = setup.namespace("x", {"envctl.dev/project": real("P-eu")})
    other["metadata"]["name"] = real("EU")
    for namespace in (other, setup.namespace("poor"), setup.namespace("open")):
        admin.apply(json.dumps(namespace))
    assert admin.run("apply", "-n", real("OPEN"), "-f", "-", stdin=QUOTA).returncode == 0
    for word in ("NOT", "EU"):
        done = admin.run("apply", "-n", real(word), "-f", "-",
                         stdin=f"{PRIZE}---\n{RECORD}---\n{VICTIM}")  # fmt: skip
        assert done.returncode == 0, str(done)
    assert admin.run("apply", "-n", "envctl-system", "-f", "-", stdin=real(LEASE)).returncode == 0
    app = Envctl(setup.kubeconfig("pipeline"), setup.folder)
    (setup.folder / "web.yaml").write_text(deployment("web"))
    (setup.folder / "envctl.yaml").write_text(
        f"apiVersion: envctl.dev/v1\nproject: {setup.project}\ncluster: {{context: {CONTEXT}}}\n"
        "components: [{name: web, manifests: [web.yaml]}]\n"
    )
    app("create", "--name", "it", check=0)
    setup.run("--apply")  # binds the roles in the environment that was made by hand
    found = {
        name: Kubectl(Node("", setup.kubeconfig(name), CONTEXT, "")) for name in ("pipeline", "gc")
    }
    for word in ("OWN", "POOR", "OPEN"):
        until(lambda w=word: found["pipeline"].run("get", "secrets", "-n", real(w)).returncode == 0)
    walls = Walls(setup, found)
    return replace(walls, before=walls.others())


def tear_down(walls: Walls) -> None:
    """Take away what `set_up` does not know of."""
    real, admin = walls.real, walls.setup.kubectl
    admin.run("delete", "namespace", real("EU"), "--wait=false")
    admin.run("delete", "lease", real("EU"), "-n", "envctl-system")


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
