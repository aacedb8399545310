"""A stand-in for the hub's HTTP interface: just what ``create_repo`` and ``create_commit`` of its library call."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.tuner.local_server import listening

TOKEN = "hf_for_tests"


@dataclass
class Hub:
    """What was pushed: files by their names, whether the repository is private, and the requests that came."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    private: bool | None = None
    commits: int = 0
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub on this machine, until the block ends."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _send(self, content: Any, status: int = 200) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _known(self) -> bool:
            hub.asked.append(self.path)
            if self.headers.get("Authorization") == f"Bearer {TOKEN}":
                return True
            self._body()
            self._send({"error": "Invalid credentials"}, 401)
            return False

        def do_GET(self) -> None:
            if self._known():
                self._send({"name": "me", "type": "user", "auth": {"type": "access_token"}})

        def do_PUT(self) -> None:
            hub.blobs[self.path.rpartition("/")[2]] = self._body()
            self._send({})

        def do_POST(self) -> None:
            if not self._known():
                return
            body = self._body()
            if self.path.endswith("/validate-yaml"):
                self._send({"errors": [], "warnings": []})
            elif self.path.endswith("/repos/create"):
                hub.private = json.loads(body).get("visibility") == "private" or json.loads(body).get("private")
                self._send({"url": f"{hub.address}/me/model", "name": "me/model", "id": "me/model"})
            elif "/preupload/" in self.path:
                self._send({"files": [_mode(one) for one in json.loads(body)["files"]]})
            elif self.path.endswith("/info/lfs/objects/batch"):
                self._send({"transfer": "basic", "objects": [self._upload(one) for one in json.loads(body)["objects"]]})
            else:
                self._commit(body)

        def _upload(self, one: dict[str, Any]) -> dict[str, Any]:
            return {**one, "actions": {"upload": {"href": f"{hub.address}/blob/{one['oid']}"}}}

        def _commit(self, body: bytes) -> None:
            hub.commits += 1
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    hub.files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    hub.files[value["path"]] = hub.blobs[value["oid"]]
            self._send({"commitUrl": f"{hub.address}/me/model/commit/1", "commitOid": "1"})

    with listening(Handler) as hub.address:
        yield hub


def _mode(file: dict[str, Any]) -> dict[str, Any]:
    large = str(file["path"]).endswith(".safetensors")
    return {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
