"""What happened, durable before it is answered, and provable afterwards."""

from app.record.ids import Ids
from app.record.store.problems import ChoicesStand, HasSuccessor, KeyReused, RowRefused, StoreBusy, StoreError, StoreUnavailable
from app.record.store.record import Record

__all__ = ["ChoicesStand", "HasSuccessor", "Ids", "KeyReused", "Record", "RowRefused", "StoreBusy", "StoreError", "StoreUnavailable"]
