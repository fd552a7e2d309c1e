"""What TM Forum's conformance kit for TMF680 does: six things, under both prefixes."""

import pytest
from starlette.testclient import TestClient

from tests.contract.tmf import CUSTOMER, RECOMMENDATIONS, Door

pytestmark = pytest.mark.contract

GIVEN = {
    "productOrderItem": [{"entityId": "order-7", "itemId": "1", "@type": "ItemRef", "@referredType": "ProductOrder"}],
    "category": [{"id": "handsets", "name": "Handsets"}],
    "shoppingCartItem": [{"entityId": "cart-3", "itemId": "2", "name": "A case", "colour": "red"}],
}
NOBODY = "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b"


@pytest.fixture(params=[RECOMMENDATIONS, CUSTOMER])
def query(request: pytest.FixtureRequest) -> str:
    return f"{request.param}/queryProductRecommendation"


@pytest.fixture
def door(http: TestClient) -> Door:
    return Door(http)


def test_1_a_query_without_a_subscriber_is_created_and_echoes_what_was_given(door: Door, query: str) -> None:
    """201 with `id`, `href` and an empty `recommendationItem`, and where it is; what was given stands in it as it was given."""
    response = door.ask(GIVEN, query)
    assert response.status_code == 201
    made = response.json()
    assert made["href"] == f"http://wanliu{query}/{made['id']}" == response.headers["location"]
    assert made["recommendationItem"] == []
    assert made["emptyBecause"] == "no_subscriber"
    assert {name: made[name] for name in GIVEN} == GIVEN


def test_2_the_list_has_it(door: Door, query: str) -> None:
    """200, at once, and each element has `id`, `href` and `recommendationItem`; newest first."""
    made = door.ask(GIVEN, query).json()
    response = door.get(query)
    assert response.status_code == 200
    assert all({"id", "href", "recommendationItem"} <= element.keys() for element in response.json())
    assert response.json()[0] == made


def test_3_it_can_be_read_by_its_id(door: Door, query: str) -> None:
    """200, and the same as when it was created."""
    made = door.ask(GIVEN, query).json()
    response = door.get(f"{query}/{made['id']}")
    assert (response.status_code, response.json()) == (200, made)


def test_4_fields_gives_the_id_and_the_href_alone(door: Door, query: str) -> None:
    """A list that is not empty, whose elements have exactly these two; of one recommendation too."""
    made = door.ask(GIVEN, query).json()
    elements = door.get(query, fields="id").json()
    assert elements
    assert all(element.keys() == {"id", "href"} for element in elements)
    assert door.get(f"{query}/{made['id']}", fields="id").json() == {"id": made["id"], "href": made["href"]}


def test_5_a_filter_by_id_finds_it_alone(door: Door, query: str) -> None:
    """200; an id that nothing has finds nothing."""
    made = door.ask(GIVEN, query).json()
    response = door.get(query, id=made["id"])
    assert (response.status_code, response.json()) == (200, [made])
    for unknown in (NOBODY, "unknown", "%00"):
        response = door.get(query, id=unknown)
        assert (response.status_code, response.json(), response.headers["x-total-count"]) == (200, [], "0")


def test_6_an_unknown_id_is_not_found(door: Door, query: str) -> None:
    """404, with TM Forum's error; also where it could be no id at all."""
    for unknown in (NOBODY, "unknown", "%00", "x" * 199):
        response = door.get(f"{query}/{unknown}")
        assert (response.status_code, response.json()["code"]) == (404, "not-found")
