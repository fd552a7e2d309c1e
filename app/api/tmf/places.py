"""Where our resources are, as whoever asks can reach them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import Request

PREFIXES = ("/tmf-api/recommendationManagement/v4", "/customer/v4")
"""Where recommendations are served, the same thing twice: as TM Forum's guidelines and as its document of TMF680 v4.0.0 have it."""
INTERACTIONS = "/tmf-api/partyInteraction/v4"
_LABEL = r"[A-Za-z0-9_-]{1,63}"
_HOST = re.compile(rf"({_LABEL}(\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(:[0-9]{{1,5}})?")
_LONGEST_HOST = 255
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")


@dataclass(frozen=True, slots=True)
class Base:
    """What stands before our paths, such as `https://nba.example`; and under which prefix recommendations were asked for."""

    address: str
    prefix: str = PREFIXES[0]

    def href(self, recommendation_id: str) -> str:
        """Of a recommendation."""
        return f"{self.address}{self.prefix}/queryProductRecommendation/{recommendation_id}"

    def hub(self, subscription_id: str) -> str:
        """Of a subscription."""
        return f"{self.address}{self.prefix}/hub/{subscription_id}"

    def schema(self, name: str) -> str:
        """Where our own shape of this name is told."""
        return f"{self.address}/openapi.json#/components/schemas/{name}"


def base_of(request: Request, public_url: str | None) -> Base:
    """Where whoever sent a request reaches us.

    Args:
        request: what it says of the host is believed where it is a host's name, and nothing more is done with it.
        public_url: what a proxy makes of our address; believed before the request.
    """
    path = request.scope["path"]
    prefix = next((known for known in PREFIXES if path.startswith(f"{known}/")), PREFIXES[0])
    if public_url is not None:
        return Base(public_url.rstrip("/"), prefix)
    host = request.headers.get("host", "")
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        host = _own_host(request)
    return Base(f"{request.scope['scheme']}://{host}", prefix)


def is_uri(text: str) -> bool:
    """May it stand where TM Forum's document asks for a URI?"""
    return bool(_URI.fullmatch(text)) and not re.search(r"%(?![0-9A-Fa-f]{2})", text) and text.count("#") <= 1


def _own_host(request: Request) -> str:
    server = request.scope.get("server") or ("localhost", None)
    name = f"[{server[0]}]" if ":" in server[0] else server[0]
    return name if server[1] is None else f"{name}:{server[1]}"
