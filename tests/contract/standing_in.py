"""What the examples of the document need to be sent for real: decisions, packs, webhooks and persons that are there."""

from __future__ import annotations

import datetime
import itertools
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from starlette.testclient import TestClient

from app.api.exemplary import Sent, examples_of, usual_parameters
from app.api.services import Services
from app.campaign.jobs.working import JobWorker, Pace
from app.settings import Settings
from tests.packs_in_force import version, with_key

ROOT = Path(__file__).parents[2]
PLACE_OF_ID = str(usual_parameters()["decision_id"])
TMF = {"": "/tmf-api/recommendationManagement/v4", "OfCustomer": "/customer/v4"}
NOT_SEALED = 409
HERE = "127.0.0.1:9"
"""Where callbacks go: nobody listens there."""


def settings_for_callbacks(folder: Path) -> Settings:
    """A service in development mode that may tell receivers on this machine of events."""
    return Settings(
        pack=ROOT,
        database_url=f"sqlite:///{folder}/development.db",
        store_deadline_ms=30_000,
        callbacks_private=True,
        campaign_worker=False,
        host="127.0.0.1",
    )


def lay_out(folder: Path) -> None:
    """Put customers into a folder of campaigns, and a mapping for what holds now."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "examples" / "customers.csv", folder)
    lines = (ROOT / "examples" / "customers.map.yaml").read_text("utf-8").splitlines(keepends=True)
    (folder / "customers.map.yaml").write_text("".join(line for line in lines if not line.lstrip().startswith("as_of:")), "utf-8")


@dataclass
class Stage:
    """Sends examples: most of them in development mode, where everybody may do everything; steps with packs as two persons."""

    http: TestClient
    company: TestClient
    keys: Mapping[str, str]
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def send(self, method: str, path: str, operation: dict[str, Any], sent: Sent | None) -> httpx2.Response:
        """Send an example, with what it speaks of put there first."""
        name = operation["operationId"]
        given = {**examples_of(name).parameters, **(sent.parameters if sent else {})}
        person = f"s-{next(self.numbers):05}"
        headers = {"X-Subscriber-Id": person} if "X-Subscriber-Id" in given else {}
        if name == "searchDecisions":
            self._answered("GET", f"/v1/decisions/{self.decision(person)}/proof", {})
        if name == "releaseSubscriber":
            self.decision(person)
            self.http.post("/v1/subscribers/-/hold", json={"reason": "court file 12"}, headers={"X-Subscriber-Id": person})
        decision_id = self.decision(person) if self._speaks_of_one(path, sent, given) else PLACE_OF_ID
        path = path.format(**self.parts(name, decision_id)) if "{" in path else path
        if name == "commissionCampaign":
            self.with_campaign_files()
        query = {key: value for key, value in given.items() if key != "X-Subscriber-Id"}
        asked: dict[str, Any] = {"params": query, "headers": headers}
        if sent is not None and sent.body is not None:
            (media,) = operation["requestBody"]["content"]
            written = sent.body if isinstance(sent.body, str) else json.dumps(sent.body)
            for host in ("crm.example", "tmf.example"):
                written = written.replace(host, HERE)
            asked["content"] = written.replace(PLACE_OF_ID, decision_id).replace("1.2.0", f"1.2.{next(self.numbers)}").encode()
            headers["content-type"] = media
        return self._answered(method, path, asked)

    def decision(self, person: str) -> str:
        """A decision about a person, by the first example."""
        body: Any = examples_of("decide").requests["a_desktop"].body
        told = self.http.post("/v1/decisions", json={**body, "subscriber": {**body["subscriber"], "id": person}})
        made: str = told.json()["decision_id"]
        return made

    def parts(self, operation: str, decision_id: str) -> dict[str, str]:
        """What stands in the path of an operation."""
        made = _MADE.get(operation)
        named = {} if made is None else made(self)
        return {"decision_id": decision_id, "subscriber": "-", **named}

    def published(self) -> str:
        number = f"3.{next(self.numbers)}.0"
        digest: str = self._by("ann", "/v1/packs", {"files": version(number)})["pack"]["digest"]
        return digest

    def approved(self) -> str:
        digest = self.published()
        self._by("bob", f"/v1/packs/{digest}/approve", {})
        return digest

    def scheduled(self) -> str:
        digest, at = self.approved(), datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
        self._by("bob", f"/v1/packs/{digest}/activate", {"at": at.isoformat(timespec="seconds")})
        return digest

    def activated(self) -> str:
        digest = self.approved()
        self._by("bob", f"/v1/packs/{digest}/activate", {})
        return digest

    def webhook(self) -> str:
        body = {"callback": f"https://127.0.0.1:9/{next(self.numbers)}", "types": ["wanliu.outcome.v1"]}
        told = self.http.post("/v1/webhooks", json=body)
        assert told.status_code == 201, told.text
        answer = told.json()
        return str(answer.get("id") or answer["webhook"]["id"])

    def recommendation(self, door: str) -> str:
        body: Any = examples_of("createRecommendation").requests["a_customer"].body
        return str(self.http.post(f"{TMF[door]}/queryProductRecommendation", json=body).json()["id"])

    def subscription(self, door: str) -> str:
        told = self.http.post(f"{TMF[door]}/hub", json={"callback": f"https://127.0.0.1:9/{next(self.numbers)}"})
        return str(told.json()["id"])

    def campaign(self, *, cancelled: bool = False, completed: bool = False) -> str:
        services = self.with_campaign_files()
        made = self.http.post("/v1/campaigns", json={"input": "customers.csv", "mapping": "customers.map.yaml", "form": "ndjson"})
        assert made.status_code == 202, made.text
        campaign = str(made.json()["id"])
        if cancelled:
            self.http.post(f"/v1/campaigns/{campaign}/cancel")
        if completed:
            JobWorker(services.record, services.packs.library, services.campaigns, pace=Pace(idle=0.0, look=0.01)).run()
        return campaign

    def with_campaign_files(self) -> Services:
        services: Services = self.http.app.state.services  # type: ignore[attr-defined]
        lay_out(services.campaigns)
        return services

    def _speaks_of_one(self, path: str, sent: Sent | None, given: Mapping[str, Any]) -> bool:
        return "{decision_id}" in path or "X-Subscriber-Id" in given or PLACE_OF_ID in json.dumps(sent.body if sent else None)

    def _answered(self, method: str, path: str, asked: dict[str, Any]) -> httpx2.Response:
        if path.startswith("/v1/packs"):
            name = "ann" if (method, path) == ("POST", "/v1/packs") or method == "GET" else "bob"
            if path == "/v1/packs/rollback":
                self.activated()
            return self.company.request(method, path, **{**asked, "headers": {**asked["headers"], **with_key(self.keys[name])}})
        for _ in range(100):
            answer = self.http.request(method, path, **asked)
            if answer.status_code != NOT_SEALED or "not-sealed" not in answer.text:
                return answer
            time.sleep(0.1)
        return answer

    def _by(self, name: str, path: str, body: Any) -> Any:
        told = self.company.post(path, json=body, headers=with_key(self.keys[name]))
        assert told.is_success, told.text
        return told.json()


_MADE: Mapping[str, Callable[[Stage], dict[str, str]]] = {
    "readPack": lambda stage: {"digest": stage.published()},
    "approvePack": lambda stage: {"digest": stage.published()},
    "rejectPack": lambda stage: {"digest": stage.published()},
    "activatePack": lambda stage: {"digest": stage.approved()},
    "withdrawPack": lambda stage: {"digest": stage.scheduled()},
    **{
        name: lambda stage: {"webhook_id": stage.webhook()}
        for name in ("readWebhook", "removeWebhook", "renewWebhookSecret", "redriveWebhook")
    },
    **{name: lambda stage: {"campaign_id": stage.campaign()} for name in ("readCampaign", "cancelCampaign")},
    "resumeCampaign": lambda stage: {"campaign_id": stage.campaign(cancelled=True)},
    **{
        name: lambda stage: {"campaign_id": stage.campaign(completed=True)}
        for name in ("readCampaignReport", "readCampaignDecisions", "readCampaignRejects")
    },
    **{f"readRecommendation{door}": lambda stage, door=door: {"id": stage.recommendation(door)} for door in TMF},  # type: ignore[misc]
    **{f"unsubscribeFromRecommendations{door}": lambda stage, door=door: {"id": stage.subscription(door)} for door in TMF},  # type: ignore[misc]
}
"""By operation, what its path names."""
