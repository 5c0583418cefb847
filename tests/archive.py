"""A server on this machine in the place of an archive, with the faults that real ones have."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Archive:
    """Files by name; each request for one meets the next of its faults, if it has any left.

    A fault has `status`, with `headers` or not; or `after`, the bytes after which the connection is
    cut, `stall`, seconds before that; or `more`, the bytes by which the size that is
    stated first is too large.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[dict[str, Any]]] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.observations: list[dict[str, Any]] = []
        self.products: dict[str, list[dict[str, Any]]] = {}
        self.has_ranges = True
        self.address = ""

    def asked(self, key: str) -> list[str]:
        """A header of each request; empty where it has none."""
        return [headers.get(key, "") for _, headers in self.requests]

    def invoke(self, text: str) -> dict[str, Any]:
        """Answer a request for observations or products (MAST API, "Mashup Request")."""
        request = json.loads(text)
        if request["service"] == "Mast.Caom.Filtered":
            wanted = {f["paramName"]: f["values"] for f in request["params"]["filters"]}
            rows = [
                row
                for row in self.observations
                if all(str(row[key]) in values for key, values in wanted.items())
            ]
        else:
            ids = request["params"]["obsid"].split(",")
            rows = [row for id_ in ids for row in self.products[id_]]
        types = {int: "int", str: "string"}
        fields = [{"name": k, "type": types[type(v)]} for k, v in (rows or [{}])[0].items()]
        paging = {"page": 1, "pagesFiltered": 1, "rows": len(rows)}
        return {"status": "COMPLETE", "msg": "", "fields": fields, "data": rows, "paging": paging}


class Handler(BaseHTTPRequestHandler):
    archive: Archive

    def log_message(self, *arguments: object) -> None:
        pass

    def respond(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path.endswith("/invoke"):
            answer: Any = self.archive.invoke(parse_qs(text)["request"][0])
        else:
            columns = ("obs_collection", "proposal_id", "instrument_name", "calib_level")
            answer = {name: {"hist": True} for name in columns}
        self.respond(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def do_GET(self) -> None:
        archive = self.archive
        archive.requests.append((self.path, dict(self.headers)))
        parts = urlsplit(self.path)
        name = parse_qs(parts.query).get("uri", [parts.path])[0].rpartition("/")[2]
        faults = archive.faults.get(name, [])
        fault = faults.pop(0) if faults else {}
        if "status" in fault:
            self.respond(fault["status"], {"Content-Length": "0"} | fault.get("headers", {}))
            return
        if name not in archive.files:
            self.respond(404, {"Content-Length": "0"})
            return
        content = archive.files[name]
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) or ["", "0"]
        first = int(start[1]) if archive.has_ranges else 0
        if first and first >= len(content):
            self.respond(416, {"Content-Length": "0"})
            return
        size = len(content) - first + (0 if first else fault.get("more", 0))
        headers = {"Content-Length": f"{size}"} | archive.headers.get(name, {})
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        self.respond(206 if first else 200, headers)
        end = first + fault["after"] if "after" in fault else len(content)
        self.wfile.write(content[first:end])
        if fault.get("stall"):
            self.wfile.flush()
            time.sleep(fault["stall"])
        self.close_connection = True


@contextmanager
def serve() -> Iterator[Archive]:
    """Serve an archive while the context lasts."""
    archive = Archive()
    handler = type("ArchiveHandler", (Handler,), {"archive": archive})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        archive.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield archive
        finally:
            server.shutdown()
            thread.join()
