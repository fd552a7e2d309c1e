"""What can be seen of a request without parsing it: enough to refuse it where nothing but its place in the queue matters."""

from __future__ import annotations

import re

_MOST_LINES = rb"{0,40}+"
_ODD = rb"content-length|transfer-encoding|connection:(?! ?keep-alive\r)|proxy-connection|keep-alive|upgrade|expect|wanliu-deadline-ms"
_LINE = rb"(?!(?i:" + _ODD + rb"))[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+\r\n"
_LINES = rb"(?:" + _LINE + rb")" + _MOST_LINES
_HEAD = re.compile(rb"(GET|POST) (/[\w./~-]*+) HTTP/1\.1\r\n" + _LINES + rb"(?:(?i:content-length): ?(\d{1,7})\r\n" + _LINES + rb")?\r\n")
_LARGEST_HEAD = 16_384


def glance(data: bytes) -> tuple[str, str] | None:
    """Method and path where these bytes are one whole request, no more and no less, as most clients write it.

    None where it is not whole, or has anything that says how it is framed, how its connection goes on or how long its caller waits: that
    is for the parser to see.
    """
    head = _HEAD.match(data)
    if head is None or head.end() > _LARGEST_HEAD or len(data) != head.end() + int(head[3] or 0):
        return None
    return head[1].decode("ascii"), head[2].decode("ascii")
