"""Loyalty, worth and the risk of leaving."""

from typing import Annotated

from app.engine.vocabulary.model import fact
from app.engine.vocabulary.sections.base import Section
from app.engine.vocabulary.types import Count, Day, PointsAmount, Reader, Share, SignedMoney, Text, WordSet
from app.engine.vocabulary.words import Tier


class Points(Section, title="Points", json_schema_extra={"x-zh": "积分"}):
    """The loyalty account."""

    balance: PointsAmount | None = fact("Points", "积分余额")
    expiring: PointsAmount | None = fact("Expiring points", "到期积分")
    expiring_on: Day | None = fact("Points expire on", "积分到期日")
    redeemed_12m: Annotated[int, Reader.whole("", 0, 10**9)] | None = fact(
        "Redeemed in 12 months", "近12月兑换", "points or times, as the operator counts"
    )


class Vip(Section, title="VIP", json_schema_extra={"x-zh": "会员"}):
    """The tier held and what comes with it."""

    tier: Tier | None = fact("Tier held", "会员等级", "the derived one is `facts.vip_tier`")
    expires_on: Day | None = fact("Tier expires on", "等级有效期")
    benefits_unused: Count | None = fact("Unused benefits", "未用权益数")
    benefits_expire_on: Day | None = fact("Benefits expire on", "权益到期日")
    interests: WordSet | None = fact("Interests", "兴趣偏好", "declared only")
    occasions: WordSet | None = fact("Occasions", "纪念日/家人喜好", "declared only; given by the person for this use and deletable")


class Value(Section, title="Value", json_schema_extra={"x-zh": "价值"}):
    """What the subscriber is worth to the operator."""

    arpu_6m: SignedMoney | None = fact("ARPU of 6 cycles", "近6期ARPU(不含终端分期)")
    annual: SignedMoney | None = fact("Yearly revenue", "年收入贡献")
    referrals_12m: Count | None = fact("Referrals in 12 months", "近12月推荐人数", "word of mouth (口碑)")


class Churn(Section, title="Churn", json_schema_extra={"x-zh": "离网风险"}):
    """A model's estimate of leaving."""

    score: Share | None = fact("Probability of leaving", "离网概率", "of a model; too old after 35 days", restricted="risk")
    model: Text | None = fact("Model version", "模型版本", "no model fed with port data")
