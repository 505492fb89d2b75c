"""An OpenAI-compatible server on this machine, whose answers and faults a test scripts."""

from __future__ import annotations

import contextlib
import json
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import Self

SOON = {"Retry-After-Ms": "1"}  # the official client waits this long, so that tests need not wait half a second


@dataclass(frozen=True)
class Reply:
    """What goes over the wire for one request."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    delay_s: float = 0.0
    n_bytes_sent: int | None = None  # fewer than promised: the connection breaks in the middle of the body


Script = Callable[[dict[str, Any]], Reply]


def says(text: str, *, finish_reason: str = "stop", usage: bool = True, **wire: Any) -> Script:
    """Answer with a text."""

    def reply(body: dict[str, Any]) -> Reply:
        completion: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish_reason,
                    "message": {"role": "assistant", "content": text},
                }
            ],
        }
        if usage:
            completion["usage"] = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
        return Reply(json.dumps(completion).encode(), **wire)

    return reply


def rows(**wire: Any) -> Script:
    """Answer with as many new rows as asked for, mixed from those shown; the same request gets the same rows."""
    return lambda body: says(mixed_rows(body), **wire)(body)


def fails(status: int, message: str = "this is the server's complaint", **headers: str) -> Script:
    """Refuse with a status, as OpenAI words it."""
    complaint = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
    return lambda body: Reply(json.dumps(complaint).encode(), status=status, headers=headers or SOON)


def sends(content: bytes, content_type: str = "text/html") -> Script:
    """Send bytes that are no completion."""
    return lambda body: Reply(content, content_type=content_type)


def breaks_off() -> Script:
    """Promise a whole answer and close the connection in the middle of it."""
    return lambda body: Reply(rows()(body).body, n_bytes_sent=40)


def refuses(parameter: str) -> Script:
    """Refuse requests with this parameter, answer others."""
    return lambda body: (fails(400, f"Unknown parameter: '{parameter}'.") if parameter in body else rows())(body)


class FakeEndpoint:
    """Serves on 127.0.0.1 while its ``with`` block lasts.

    ``script`` is used up request by request, then ``otherwise`` answers.  ``bodies``, ``keys`` and ``headers`` are what
    came in.
    """

    def __init__(self, *script: Script, otherwise: Script | None = None, port: int = 0) -> None:
        self.script = deque(script)
        self.otherwise = otherwise or rows()
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.n_at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.port = self._server.server_port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def n_requests(self) -> int:
        return len(self.bodies)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.01), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join()

    def stop(self) -> None:
        """Stop listening, in the middle of a run if a script calls it."""
        self._server.shutdown()
        self._server.server_close()

    def reply_to(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        with self._lock:
            self.bodies.append(body)
            self.keys.append(headers.get("Authorization", "").removeprefix("Bearer "))
            self.headers.append(headers)
            self.n_at_once += 1
            self.most_at_once = max(self.most_at_once, self.n_at_once)
            script = self.script.popleft() if self.script else self.otherwise
        reply = script(body)
        time.sleep(reply.delay_s)
        return reply

    def finished(self) -> None:
        with self._lock:
            self.n_at_once -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a reply that hangs must not hold up the end of a test

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that went away."""


def _handler(endpoint: FakeEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = endpoint.reply_to(body, dict(self.headers))
            endpoint.finished()
            with contextlib.suppress(OSError):
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: reply.n_bytes_sent])
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the standard library
            """Print nothing."""

    return Handler


def shown_rows(body: dict[str, Any]) -> list[dict[str, str]]:
    """Return the real rows in a prompt, as a careful reader sees them."""
    prompt = body["messages"][-1]["content"]
    block = prompt.partition("<rows>\n")[2].partition("\n</rows>")[0]
    return [_cells(line.removesuffix(".")) for line in block.splitlines()]


def _cells(line: str) -> dict[str, str]:
    cells = re.findall(r'(?:^|, )(.+?) is ("(?:[^"\\]|\\.)*"|.*?)(?=, [^,"]+? is |$)', line)
    return {name: json.loads(value) if value.startswith('"') else value for name, value in cells}


def mixed_rows(body: dict[str, Any]) -> str:
    """Return new rows in which every cell comes from some row shown: JSON where a schema asks for it, else lines."""
    shown = shown_rows(body)
    found = re.search(r"Write exactly (\d+) new rows", body["messages"][-1]["content"])
    assert found is not None
    rng = random.Random(json.dumps(body))  # noqa: S311 - no secret
    made = [{name: rng.choice(shown)[name] for name in shown[0]} for _ in range(int(found[1]))]
    if "response_format" not in body:
        return "\n".join(", ".join(f"{name} is {_quoted(value)}" for name, value in row.items()) + "." for row in made)
    types = body["response_format"]["json_schema"]["schema"]["properties"]["rows"]["items"]["properties"]
    return json.dumps({"rows": [{name: _typed(value, types[name]) for name, value in row.items()} for row in made]})


def _quoted(value: str) -> str:
    return json.dumps(value) if re.search(r'[,"<\n]| is |\.$', value) else value


def _typed(value: str, schema: dict[str, Any]) -> Any:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "null" in kinds and value == "missing":
        return None
    if "boolean" in kinds:
        return value == "True"
    return json.loads(value) if {"integer", "number"} & set(kinds) else value
