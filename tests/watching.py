"""Services for tests of what is told of them."""

import contextlib
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from app.api.logs import say_mode
from app.record.log.witnessing import WitnessState


def services_with_witness() -> Any:
    """As much of the services as metrics ask for, with a pack in force and a witness."""
    pack = SimpleNamespace(name="small", version="1", digest="sha256:0")
    packs = SimpleNamespace(current=pack, running=SimpleNamespace(follows="store"), problems=())
    return SimpleNamespace(packs=packs, callers=SimpleNamespace(development=False), witness=SimpleNamespace(state=WitnessState()))


@contextlib.contextmanager
def logging_as_before() -> Iterator[None]:
    """Whatever is configured meanwhile, logging is afterwards as it was; no logger remembers it."""
    kept, root, configure = structlog.get_config(), logging.getLogger(), structlog.configure
    handlers, level = root.handlers[:], root.level
    say_mode(development=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", lambda **given: configure(**{**given, "cache_logger_on_first_use": False}))
        yield
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level
    configure(**kept)
    say_mode(development=False)
