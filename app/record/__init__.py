"""What was decided, durable before it is answered. Small on purpose: the record proper takes its place."""

from app.record.ids import Ids
from app.record.store import DecisionRecord, RowRefused, Store, StoreBusy, StoreError, StoreUnavailable

__all__ = ["DecisionRecord", "Ids", "RowRefused", "Store", "StoreBusy", "StoreError", "StoreUnavailable"]
