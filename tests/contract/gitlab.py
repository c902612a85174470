"""A GitLab for tests: its API as far as envctl uses it, over TLS by a private CA, below a prefix.

    gitlab = GitLab(tmp_path)
    gitlab.start()
    merge_request = gitlab.project.open(12, "feature/basket")
    gitlab.fault(Fault.BAD_GATEWAY, times=2)        # the next two requests
    environ |= gitlab.variables(iid=12)             # what a job of that merge request is told
    ...
    gitlab.stop()                                   # raises if GitLab's API has no such thing

``python -m tests.contract.gitlab`` serves one until it is interrupted, and prints the variables.
"""

from __future__ import annotations

import json
import ssl
import sys
import tempfile
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.contract import faults, openapi, tls
from tests.contract.faults import Fault, Planned
from tests.contract.gitlab_routes import answer
from tests.contract.gitlab_rules import Answer, GitLabState, Request
from tests.contract.gitlab_state import Project, Token

API = "/api/v4"


@dataclass(frozen=True)
class Logged:
    """A request as the server saw it; ``path`` is below /api/v4, ``token`` as it was sent."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str
    status: int


class GitLab:
    """One server. ``project`` is the first of ``projects``, with the ID 7."""

    token = "glpat-contract"
    job_token = "glcbt-contract"

    def __init__(
        self, folder: Path, *, secure: bool = True, prefix: str = "/git", port: int = 0
    ) -> None:
        self.prefix = prefix
        self.certificate = tls.private_ca(folder / "tls") if secure else None
        self.requests: list[Logged] = []
        self.violations: list[str] = []
        self.state = GitLabState()
        self.state.tokens = {self.token: Token(), self.job_token: Token("alice", job=True)}
        self.project = self.add_project(7, "shop/web")
        self._faults: list[Planned] = []
        self._lock = threading.Lock()
        self._port = port
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """The URL that people open; its port is free again after ``stop``."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self._port}{self.prefix}"

    @property
    def ca_file(self) -> str:
        """The PEM file of its CA; empty without TLS."""
        return str(self.certificate.ca_file) if self.certificate else ""

    @property
    def tokens(self) -> dict[str, Token]:
        """Its tokens, to be changed."""
        return self.state.tokens

    def add_project(self, number: int, path: str) -> Project:
        """Add a project."""
        self.state.projects[number] = Project(number, path)
        return self.state.projects[number]

    def start(self) -> None:
        """Listen; after ``stop`` again at the same port."""
        server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        server.daemon_threads = True
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate.certificate, self.certificate.key)
            # The handshake belongs to the connection's own thread, not to the one that accepts.
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._port = server.server_address[1]
        self.state.url = self.url
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop; raises AssertionError if it did what GitLab's published API does not have."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        assert not self.violations, self.violations

    def fault(self, fault: Fault, **planned: Any) -> Planned:
        """Have requests fail (see faults.Planned): by default the next one, whichever it is."""
        found = Planned(fault, **planned)
        self._faults.append(found)
        return found

    def heal(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def writes(self) -> list[Logged]:
        """The requests that were to change something."""
        return [request for request in self.requests if request.method != "GET"]

    def variables(
        self, iid: int = 0, *, token: bool = True, project: Project | None = None
    ) -> dict[str, str]:
        """The variables of a job in a pipeline of the merge request ``iid``, or of a branch."""
        project = project or self.project
        found = {
            "GITLAB_CI": "true",
            "CI": "true",
            "CI_SERVER_URL": self.url,
            "CI_API_V4_URL": self.url + API,
            "CI_PROJECT_ID": str(project.id),
            "CI_PROJECT_PATH": project.path,
            "CI_PROJECT_URL": f"{self.url}/{project.path}",
            "CI_JOB_TOKEN": self.job_token,
            "CI_JOB_URL": f"{self.url}/{project.path}/-/jobs/1",
            "CI_PIPELINE_ID": "1000",
            "CI_COMMIT_SHA": "a" * 40,
            "CI_COMMIT_REF_NAME": "main",
            "GITLAB_USER_LOGIN": "alice",
        }
        if self.certificate:
            found["CI_SERVER_TLS_CA_FILE"] = self.ca_file
        if token:
            found["ENVCTL_FORGE_TOKEN"] = self.token
        if iid:
            merge_request = project.merge_requests[iid]
            found |= {
                "CI_MERGE_REQUEST_IID": str(iid),
                "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": merge_request.source_branch,
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": merge_request.target_branch,
                "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(
                    merge_request.source_project or project.id
                ),
                "CI_COMMIT_REF_NAME": merge_request.source_branch,
                "CI_COMMIT_SHA": merge_request.sha,
                "CI_PIPELINE_SOURCE": "merge_request_event",
            }
        return found

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gitlab = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def _serve(self) -> None:
                gitlab.serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                """The log is ``requests``."""

        return Handler

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, rightly or as a fault says."""
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length)
        url = urlsplit(handler.path)
        path = url.path.removeprefix(self.prefix)
        if not url.path.startswith(self.prefix + API):
            faults.send(handler, 200, faults.HTML, {"Content-Type": "text/html"})
            return
        header = next((h for h in ("private-token", "job-token") if handler.headers.get(h)), "")
        sent = handler.headers.get(header, "") if header else ""
        request = Request(
            handler.command, path.removeprefix(API), dict(parse_qsl(url.query)),
            json.loads(raw) if raw else None, self.tokens.get(sent), header,
        )  # fmt: skip
        with self._lock:
            planned = next((p for p in self._faults if p.matches(request.method, path)), None)
            if planned:
                planned.hits += 1
            given = (
                Answer(200, {})
                if planned and planned.refuses(request.method)
                else (self._answer(request))
            )
            status = given.status if planned is None else 0
            self.requests.append(Logged(request.method, request.path, request.query,
                                        request.body, sent, status))  # fmt: skip
        content = json.dumps(given.document).encode()
        if planned:
            faults.strike(planned, handler, content)
        else:
            faults.send(handler, given.status, content, given.headers)

    def _answer(self, request: Request) -> Answer:
        route, given = answer(self.state, request)
        self.violations += openapi.violations(
            request.method, route, request.query, request.body, given.status, given.document
        )
        return given


def main() -> None:
    """Serve until interrupted; the variables are printed as lines for a shell."""
    with tempfile.TemporaryDirectory() as folder:
        gitlab = GitLab(Path(folder))
        gitlab.project.open(1)
        gitlab.start()
        for name, value in gitlab.variables(1).items():
            print(f"export {name}='{value}'")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            gitlab.stop()


if __name__ == "__main__":
    main()
