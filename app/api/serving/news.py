"""What a worker knows from its keeper."""

from __future__ import annotations

import socket
from typing import Any

from app.record.log.witnessing import WitnessState


class KeeperNews:
    """What the keeper last told. Before it told anything, nobody was asked anything."""

    def __init__(self, relay: socket.socket) -> None:
        """
        Args:
            relay: this worker's end of the pair of sockets to the keeper, who writes for it.
        """
        self.relay = relay
        self.state = WitnessState()
        """How the log stands with its witness, where it has one."""
        self.workers: dict[str, Any] = {}
        """Figures about all workers: how many answer, how many were replaced and why."""

    def hear(self, news: dict[str, Any]) -> None:
        """Take in what the keeper tells."""
        self.workers = news.get("workers", self.workers)
        witness = news.get("witness")
        if witness is not None:
            self.state = WitnessState(**witness)
