"""Lets a library that brings `requests` send through our own client, under the same guard and limits."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from monitor.net.client import HttpClient

_OURS = frozenset({"user-agent", "accept-encoding", "connection", "content-length", "host"})


class GuardedAdapter(BaseAdapter):
    """Mounted on a requests session for http:// and https://. Statuses come back; the network raises ours."""

    def __init__(self, http: HttpClient) -> None:
        super().__init__()
        self._http = http

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        """Send a prepared request; `stream`, `timeout`, `verify` and the like are our client's business."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if body is not None and not isinstance(body, bytes):
            raise TypeError("only whole bodies are sent")
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in _OURS}
        answer = self._http.exchange(request.method or "GET", request.url or "", headers=headers, body=body)
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response.headers.pop("content-encoding", None)
        response.url = answer.url
        response.request = request
        response.encoding = "utf-8"
        response.reason = str(answer.status)
        response._content = answer.body  # noqa: SLF001 - the documented way to build a Response does not exist
        return response

    def close(self) -> None:
        """The client is closed by its owner."""
