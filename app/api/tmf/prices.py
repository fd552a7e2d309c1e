"""A tariff as TM Forum tells of products: an offering, its price, how long it binds, and what the law has us say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.tmf.shapes import Characteristic, Price, Product, ProductPrice, Reference

_UNITS = 100
"""Of a currency's smallest unit in a whole one, as everywhere in a pack."""
_MONTHLY = {"priceType": "recurring", "recurringChargePeriod": "month"}
_TOLD = {"filing_no": "filingNo", "effective": "effective", "disclose": "disclose"}


def offering_of(tariff: Mapping[str, Any]) -> Reference:
    """The published tariff, as an offering."""
    return {"id": tariff["id"], "name": tariff["name"], "@referredType": "ProductOffering"}


def offered(product: Product, tariff: Mapping[str, Any], currency: str) -> Product:
    """A product with what its tariff says.

    Args:
        product: what is recommended.
        tariff: as an answer has it; sums in the currency's smallest unit.
        currency: ISO 4217.
    """
    made: Product = {**product, "productOffering": offering_of(tariff), "productPrice": [_price(tariff, currency)]}
    if tariff["commitment_months"]:
        made["productTerm"] = [{"name": "commitment", "duration": {"amount": tariff["commitment_months"], "units": "month"}}]
    made["productCharacteristic"] = _characteristics(tariff, currency)
    return made


def _price(tariff: Mapping[str, Any], currency: str) -> ProductPrice:
    """What is paid in the end; where another price comes first, that is an alteration of so many months."""
    made: ProductPrice = {"name": tariff["name"], **_MONTHLY, "price": _sum(tariff["fee_after"], currency)}  # type: ignore[typeddict-item]
    if tariff["months"] and tariff["fee"] != tariff["fee_after"]:
        first = _sum(tariff["fee"], currency)
        made["productPriceAlteration"] = [{"name": "at first", **_MONTHLY, "applicationDuration": tariff["months"], "price": first}]  # type: ignore[typeddict-item]
    return made


def _characteristics(tariff: Mapping[str, Any], currency: str) -> list[Characteristic]:
    told: list[Characteristic] = [
        {"name": name, "valueType": "string", "value": tariff[field]} for field, name in _TOLD.items() if tariff[field]
    ]
    if tariff["exit_fee"]:
        told.append({"name": "exitFee", "valueType": "money", "value": _sum(tariff["exit_fee"], currency)["taxIncludedAmount"]})
    return told


def _sum(smallest: float, currency: str) -> Price:
    return {"taxIncludedAmount": {"unit": currency, "value": smallest / _UNITS}}
