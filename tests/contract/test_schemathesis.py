"""The API held against its own document by Schemathesis: whatever is sent, right or wrong, the answer is one that the document announces.

The same cases in every run. More of them, and others each time: `make fuzz` (docs/api.md).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.stateful import OpenAPIStateMachine

from app.api.application import create_app
from app.api.batch.shapes import NDJSON
from app.record.callers import ROLES
from app.settings import Settings
from tests.contract.conftest import ROOT
from tests.contract.documented import EXPORTED
from tests.contract.serving import served
from tests.packs_in_force import add_callers

pytestmark = pytest.mark.contract

CASES = int(os.environ.get("WANLIU_FUZZ_CASES", "10"))
"""Per operation, and twice: without callers and with them."""
RANDOM = "WANLIU_FUZZ_CASES" in os.environ
DEADLINE = "Wanliu-Deadline-Ms"
STEPS, WALKS = 6, 40
HOW = hypothesis.settings(
    max_examples=CASES, derandomize=not RANDOM, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
NO_SCHEMA_CAN_SAY = re.compile(
    r"(^|\.)(at|as_of|contact_at)$|^subscriber\.(zone|custom\.\w+|usage|billing)$|^answers\.|^note$|^files\b"
    r"|^(history|reference|reason|Idempotency-Key)$"
    r"|^(stage|phase|moment|signal|offered|tariff|suppressed|clause|outcome|since|until|cursor|since_size|role|caller|agent|pack|campaign)$"
    r"|^(X-Subscriber-Id|subject|decisions|from|to|basis|fields)$"
    r"|^(input|mapping|limits)$"
    r"|^(callback|query|answers|choice|channel|actions?|decision_id|items|items\.\d+\.\w+|outcome|next|parent)\b"
)
"""Fields held against the clock, the zones of the world, each other, and the pack; a note of nothing but spaces; a pack with mistakes;
what an outcome needs; a key that was used before; what is on record and what the pack calls it;
a subscriber in the path or the header, and by a token too; how much is exported, and times that are none; addresses that lead
nowhere, and files that are not there."""


def _few_characters(part: Any) -> Any:
    """The document with some characters standing for those of all scripts, which Hypothesis takes seven seconds a pattern to list."""
    if isinstance(part, list):
        return [_few_characters(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {key: _few(value) if key == "pattern" and isinstance(value, str) else _few_characters(value) for key, value in part.items()}


def _few(pattern: str) -> str:
    all_scripts = re.sub(r" -~.*\U0010fffd", " -~\u4e00-\u4e2d", pattern)
    return all_scripts.replace("\u4e00-\u9fff", "\u4e00-\u4e2d")


@schemathesis.serializer("application/x-ndjson")
def _lines(_: Any, value: Any) -> bytes:
    """Lines as they are; other things as JSON on one."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else json.dumps(value).encode()


def _schema(without_edges: str) -> Any:
    edges = [] if RANDOM else [{"include-name-regex": without_edges, "phases": {"coverage": {"enabled": False}}}]
    return schemathesis.openapi.from_dict(_few_characters(EXPORTED), config=SchemathesisConfig.from_dict({"operations": edges}))


schema, for_callers = _schema("^POST .*/(decisions|recheck|queryProductRecommendation|partyInteraction)$"), _schema(".")
"""`make fuzz` goes along the edges of every field. Here those with thousands of them are left out, which a subscriber has, and a key, which
changes nothing about them."""
judged_here = CHECKS.get_by_names(["positive_data_acceptance"])
not_refused = CHECKS.get_by_names(["negative_data_rejection"])
"""Headers that nobody knows are passed over, as HTTP has it: proxies and browsers add theirs. A batch is answered line by line, also where
none of them is one."""
not_in_development = CHECKS.get_by_names(["ignored_auth"])
"""The service without callers asks for no key."""


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a service without callers listens."""
    with served(create_app(_settings(tmp_path_factory))) as address:
        yield address


@pytest.fixture(scope="module")
def with_callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """Where a service with a caller of each role listens, and their keys."""
    settings = _settings(tmp_path_factory)
    keys = add_callers(settings, **{role: role for role in ROLES if role != "self_service"})
    with served(create_app(settings)) as address:
        yield address, keys


def _settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("fuzzed")
    return Settings(pack=ROOT, database_url=f"sqlite:///{folder}/wanliu.db", key_file=folder / "wanliu.keys", store_deadline_ms=30_000)


def patient(case: schemathesis.Case) -> schemathesis.Case:
    """The case with as long a deadline as there may be, where it has a right one: with a short one it may be refused rightly, by 503."""
    given = str(case.headers.get(DEADLINE, "")) if case.headers else ""
    if given.isdecimal() and 1 <= int(given) <= 60_000:
        case.headers[DEADLINE] = "60000"
    return case


def judge(case: schemathesis.Case, response: Any, excluded: list[Any], headers: dict[str, str] | None = None) -> None:
    """See that the answer is one that the document announces, and that what it allows is refused only for what no schema can say."""
    unheard = any("schemathesis-unknown" in name for name in case.headers or ())
    taken = not_refused if unheard or case.media_type == NDJSON else ()
    case.validate_response(response, excluded_checks=[*judged_here, *taken, *excluded], headers=headers)
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE or response.status_code != 422:
        return
    fields = [error["field"] for error in response.json()["errors"]]
    assert fields
    assert [field for field in fields if not NO_SCHEMA_CAN_SAY.search(field)] == []


@schema.parametrize()
@HOW
def test_the_service_keeps_its_document(case: schemathesis.Case, development: str) -> None:
    """In development mode, where every call may be made: never a 5xx, never a status, type, header or shape that was not announced."""
    judge(case, patient(case).call(base_url=development), not_in_development)


@for_callers.parametrize()
@HOW
def test_it_keeps_it_for_callers(case: schemathesis.Case, with_callers: tuple[str, dict[str, str]]) -> None:
    """With callers, asked by one who may: the same, and nobody gets in without a key."""
    address, keys = with_callers
    roles = [role for role in case.operation.definition.raw.get("x-roles", ()) if role in keys] or ["compliance"]
    headers = {"authorization": f"Bearer {keys[roles[0]]}"}
    judge(case, patient(case).call(base_url=address, headers=headers), [], headers)


def test_it_keeps_it_along_its_links(development: str) -> None:
    """From a decision to what became of it, to reading, replay and proof; from a pack to its steps: as the document's links go on."""

    class Walks(schema.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: schemathesis.Case) -> None:
            patient(case)

        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"base_url": development}

        def validate_response(self, response: Any, case: schemathesis.Case, **_: Any) -> None:
            case.validate_response(response, excluded_checks=[*judged_here, *not_in_development])

    assert issubclass(Walks, OpenAPIStateMachine)
    Walks.run(settings=hypothesis.settings(HOW, max_examples=WALKS, stateful_step_count=STEPS))
