"""Events of a port-out. For guardrails and `purpose: port_assistance` only."""

from typing import Literal

from app.engine.vocabulary.events.base import Event


class PortQueryEvent(Event, title="Port-out query", json_schema_extra={"x-zh": "携转查询"}):
    """The person asked whether they may leave with their number."""

    type: Literal["port_query"]


class PortCodeEvent(Event, title="Port-out code", json_schema_extra={"x-zh": "携转授权码"}):
    """An authorisation code was issued."""

    type: Literal["port_code"]


class PortApplyEvent(Event, title="Port-out application", json_schema_extra={"x-zh": "携转申请"}):
    """The person applied at another operator."""

    type: Literal["port_apply"]


class PortWithdrawEvent(Event, title="Port-out withdrawn", json_schema_extra={"x-zh": "携转撤回"}):
    """The application was withdrawn."""

    type: Literal["port_withdraw"]


class PortDoneEvent(Event, title="Port-out done", json_schema_extra={"x-zh": "携转完成"}):
    """The number left."""

    type: Literal["port_done"]
