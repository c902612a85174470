"""A repository on the tests' Gitea, and what people do there."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.gitea.server import ADMIN
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.gitea.server import Gitea


@dataclass(frozen=True)
class Repository:
    """One repository, ``owner/name``; what is done is done with ``token``."""

    gitea: Gitea
    owner: str = ADMIN
    token: str = ""
    name: str = field(default_factory=lambda: f"app-{uuid.uuid4().hex[:8]}")

    @property
    def path(self) -> str:
        """As the API names it."""
        return f"{self.owner}/{self.name}"

    def create(self, files: Mapping[str, str]) -> Repository:
        """Make it, with a first commit on ``main``."""
        self.gitea.api("POST", "user/repos", {
            "name": self.name, "auto_init": True, "default_branch": "main"})  # fmt: skip
        self.commit("main", files)
        return self

    def fork(self, owner: str, token: str) -> Repository:
        """Somebody else's fork of it, to be worked on with their token."""
        self.gitea.api("POST", f"repos/{self.path}/forks", {}, token=token)
        return Repository(self.gitea, owner, token, self.name)

    def commit(self, branch: str, files: Mapping[str, str], *, new: bool = False) -> str:
        """Commit files, on a new branch from main if asked; the commit's SHA."""
        target = {"branch": "main", "new_branch": branch} if new else {"branch": branch}
        changes = [self._change(path, text, "main" if new else branch)
                   for path, text in files.items()]  # fmt: skip
        made = self._api("POST", f"repos/{self.path}/contents",
                         {**target, "message": "change", "files": changes})  # fmt: skip
        sha: str = made["commit"]["sha"]
        return sha

    def pull(self, head: str, *, token: str = "") -> int:
        """Open a pull request into main; its number."""
        made = self.gitea.api("POST", f"repos/{self.path}/pulls", {
            "head": head, "base": "main", "title": f"Change of {head}"}, token=token)  # fmt: skip
        number: int = made["number"]
        return number

    def merge(self, number: int) -> None:
        """Merge it, and delete its branch."""
        # Gitea first looks in the background whether it can be merged.
        until(lambda: self._pull(number)["mergeable"], seconds=30)
        self._api("POST", f"repos/{self.path}/pulls/{number}/merge",
                  {"Do": "merge", "delete_branch_after_merge": True})  # fmt: skip

    def close(self, number: int) -> None:
        """Close it without merging it."""
        self._api("PATCH", f"repos/{self.path}/pulls/{number}", {"state": "closed"})

    def reopen(self, number: int) -> None:
        """Open it again."""
        self._api("PATCH", f"repos/{self.path}/pulls/{number}", {"state": "open"})

    def delete_branch(self, name: str) -> None:
        """Delete a branch, which closes its pull requests."""
        self._api("DELETE", f"repos/{self.path}/branches/{name}")

    def comments(self, number: int) -> list[dict[str, Any]]:
        """What was written below a pull request."""
        found: list[dict[str, Any]] = self._api(
            "GET", f"repos/{self.path}/issues/{number}/comments"
        )
        return found

    def secret(self, name: str, value: str) -> None:
        """Give the repository's workflows a secret."""
        self._api("PUT", f"repos/{self.path}/actions/secrets/{name}", {"data": value})

    def dispatch(self, workflow: str, **inputs: str) -> None:
        """Start a workflow by hand."""
        self._api("POST", f"repos/{self.path}/actions/workflows/{workflow}/dispatches",
                  {"ref": "refs/heads/main", "inputs": inputs})  # fmt: skip

    def approve(self, password: str) -> None:
        """Let the last run go on that was held back, as a maintainer does on its page."""
        run = self._api("GET", f"repos/{self.path}/actions/runs")["workflow_runs"][0]["id"]
        with httpx.Client(base_url=self.gitea.url, timeout=60, follow_redirects=True) as browser:
            browser.post("/user/login", data={"user_name": ADMIN, "password": password})
            answer = browser.post(f"/{self.path}/actions/runs/{run}/approve")
            assert answer.is_success, answer.text[:500]

    def _pull(self, number: int) -> Any:
        return self._api("GET", f"repos/{self.path}/pulls/{number}")

    def _change(self, path: str, text: str, ref: str) -> dict[str, str]:
        content = base64.b64encode(text.encode()).decode()
        listed = self._api("GET", f"repos/{self.path}/git/trees/{ref}?recursive=true")["tree"]
        sha = next((entry["sha"] for entry in listed if entry["path"] == path), None)
        if sha is None:
            return {"operation": "create", "path": path, "content": content}
        return {"operation": "update", "path": path, "content": content, "sha": sha}

    def _api(self, method: str, path: str, body: Any = None) -> Any:
        return self.gitea.api(method, path, body, token=self.token)
