"""Events of use, bills, payment and loyalty."""

from typing import Literal

from app.engine.vocabulary.events.base import AMOUNT, CHANNEL, FEE, KIND, PRODUCT, Event
from app.engine.vocabulary.model import fact
from app.engine.vocabulary.types import Code, Days, Money, Percent, SignedMoney
from app.engine.vocabulary.words import Channel, Tier

AllowanceKind = Literal["voice", "data", "abroad"]


class UseEvent(Event, title="First use", json_schema_extra={"x-zh": "业务首次使用"}):
    """A service was used for the first time."""

    type: Literal["use"]
    product: Code | None = PRODUCT


class OverageEvent(Event, title="Overage", json_schema_extra={"x-zh": "超套"}):
    """An allowance was used up and charged beyond."""

    type: Literal["overage"]
    kind: AllowanceKind | None = KIND
    fee: Money | None = FEE


class ThresholdEvent(Event, title="Usage threshold", json_schema_extra={"x-zh": "用量提醒"}):
    """Use reached a share of the allowance."""

    type: Literal["threshold"]
    kind: AllowanceKind | None = KIND
    share: Percent | None = fact("Share", "使用比例", "in percent: 50, 80 or 100")


class ThrottleEvent(Event, title="Throttling", json_schema_extra={"x-zh": "达量限速"}):
    """Data was slowed down after its limit."""

    type: Literal["throttle"]


class BillEvent(Event, title="Bill", json_schema_extra={"x-zh": "出账"}):
    """A bill was issued."""

    type: Literal["bill"]
    total: SignedMoney | None = fact("Bill total", "账单金额")
    quoted: Money | None = fact("Quoted amount", "承诺金额", "what was quoted when it was sold")


class BillEnquiryEvent(Event, title="Bill enquiry", json_schema_extra={"x-zh": "账单查询/咨询"}):
    """The person looked at or asked about a bill."""

    type: Literal["bill_enquiry"]
    channel: Channel | None = CHANNEL


class TopupEvent(Event, title="Top-up", json_schema_extra={"x-zh": "充值缴费"}):
    """Money was paid in."""

    type: Literal["topup"]
    amount: Money | None = AMOUNT


class OverdueEvent(Event, title="Overdue", json_schema_extra={"x-zh": "欠费"}):
    """A payment is late."""

    type: Literal["overdue"]
    amount: Money | None = AMOUNT
    overdue_days: Days | None = fact("Days overdue", "欠费天数")


class PointsRedeemEvent(Event, title="Points redeemed", json_schema_extra={"x-zh": "积分兑换"}):
    """Points were spent."""

    type: Literal["points_redeem"]
    kind: Literal["telecom", "goods", "partner"] | None = KIND


class TierChangeEvent(Event, title="Tier change", json_schema_extra={"x-zh": "等级变动"}):
    """The VIP tier changed."""

    type: Literal["tier_change"]
    old: Tier | None = fact("Old tier", "原等级")
    new: Tier | None = fact("New tier", "新等级")


class BenefitUseEvent(Event, title="Benefit used", json_schema_extra={"x-zh": "权益使用"}):
    """A benefit was used."""

    type: Literal["benefit_use"]
    benefit: Code | None = fact("Benefit", "权益")
