"""A client of the HTTP interface, for scripts and for event loops: `docs/client.md`.

Answers are the JSON objects of the document in `openapi/`, so that fields that a newer service adds arrive too.
"""

from app.client.asking import Ask
from app.client.asynchronous import AsyncWanliuClient
from app.client.batching import LineAnswer
from app.client.blocking import WanliuClient
from app.client.problems import FieldError, NotJsonError, WanliuError
from app.client.sending import DEVELOPMENT_ADDRESS

__all__ = ["DEVELOPMENT_ADDRESS", "Ask", "AsyncWanliuClient", "FieldError", "LineAnswer", "NotJsonError", "WanliuClient", "WanliuError"]
