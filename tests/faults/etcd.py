"""etcd of an embedded cluster, asked past the API server: its history is thrown away."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cluster.node import Node

#: Run in the network of the cluster. etcd answers JSON beside gRPC.
_ASK = """\
import json, ssl, sys, urllib.request
pki, *asked = sys.argv[1:]
tls = ssl.create_default_context(cafile=f"{pki}/etcd-ca.crt")
tls.load_cert_chain(f"{pki}/apiserver-etcd.crt", f"{pki}/apiserver-etcd.key")
def ask(path, **body):
    request = urllib.request.Request(
        f"https://127.0.0.1:2379/v3/{path}", json.dumps(body).encode(), method="POST"
    )
    return json.load(urllib.request.urlopen(request, context=tls, timeout=30))
revision = ask("maintenance/status")["header"]["revision"]
ask("kv/compaction", revision=revision, physical=True)
print(revision)
"""


def compact(node: Node) -> int:
    """Forget every revision but the newest, which is returned; raises CalledProcessError."""
    folder = node.kubeconfig.parent
    inside = json.loads((folder / "status.json").read_text())["inside"]
    done = subprocess.run(
        ["nsenter", "--target", str(inside), "--net", sys.executable, "-c", _ASK,
         str(folder / "pki")],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return int(done.stdout)
