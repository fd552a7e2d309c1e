"""A small pack that is valid, as files in memory, and ways to change it: what tests of packs start from."""

from collections.abc import Mapping

from app.engine.pack import check_files
from app.engine.problems import Problem

HEAD = """\
pack: {name: small, version: 1.0.0, jurisdiction: cn, currency: CNY, zone: Asia/Shanghai, salt: small-salt}
"""

RULES = """\
parameters:
  - id: param.floor
    is: 1500
    unit: money
    why: {en: Under this a call bill is noise., zh: 低于此值不作判断。}
custom:
  - id: custom.band
    type: enum
    values: [a, b]
    title: {en: Band, zh: 分档}
facts:
  - id: facts.toll
    title: {en: Toll charges, zh: 通话费}
    unit: money
    is: last(billing.toll_fee)
  - id: facts.worth
    title: {en: Worth, zh: 价值}
    values: [low, high]
    first:
      - if: value.annual >= 100000
        is: high
      - is: low
questions:
  - {fact: home.has_broadband, who: both, en: Do you have broadband?, zh: 您家有宽带吗？}
ages: {churn: 35}
signals:
  - id: high.toll
    title: {en: High tolls, zh: 高资费}
    levels:
      - severe: facts.toll >= 2 * param.floor
      - high: facts.toll >= param.floor
    reason: {en: "{facts.toll:money} in calls.", zh: "通话费{facts.toll:money}。"}
"""

PLACES = """\
stages:
  - id: warning
    title: {en: Warning, zh: 预警}
    any:
      leaving: count(events.intent_leave, days=30) >= 1
  - id: stable
    title: {en: Stable, zh: 稳定}
moments:
  - id: complaint
    title: {en: Complaint, zh: 投诉}
    revealed_by: count(events.complaint, days=7) >= 1
    relevance: {care: 2.0}
phases:
  - id: hands_off
    title: {en: Hands off, zh: 不介入}
    mix: {policy: 0, service: 1, emotional: 0.5}
  - id: prevention
    title: {en: Prevention, zh: 预防}
    any: {toll: signal('high.toll')}
    mix: {policy: 1, service: 1, emotional: 1}
  - id: retention
    title: {en: Retention, zh: 维系}
    mix: {policy: 1, service: 1, emotional: 1}
"""

POLICY = """\
tariffs:
  - id: plan_59
    kind: plan
    name: {en: Plan 59, zh: 59元套餐}
    filing_no: CN-0001
    fee: 5900
    fee_after: 5900
    voice_minutes: 200
    data_mb: 20480
    voice_rate: 15
    data_rate: 500
    regions: [all]
    on_sale_from: 2026-01-01
    effective: next_cycle
    disclose: {en: "{tariff.name} costs {tariff.fee:money} a month.", zh: "{tariff.name}每月{tariff.fee:money}。"}
arbitration:
  max_actions: 3
  per_category: 1
  commitments: 1
  service_first: [care]
  concession: {agent: 3000}
  valid_days: 7
contact:
  - id: consent
    title: {en: Consent, zh: 同意}
    applies: action.marketing
    permits: consent.marketing == 'yes'
    reason: {en: No consent., zh: 未同意。}
guardrails:
  jurisdiction: cn
  hands_off:
    - id: port_out_in_progress
      title: {en: Porting out, zh: 携出中}
      when: port.state == 'applied'
      moment: port_out
      source: {en: Rules on porting, zh: 携号转网规定}
      checked: counsel
  clauses:
    - id: minors
      title: {en: Minors, zh: 未成年人}
      applies: action.marketing
      permits: not holder.user_is_minor
      unknown: allow
      because: {en: Most are not., zh: 多数不是。}
      reason: {en: A minor., zh: 未成年人。}
      source: {en: Law on minors, zh: 未成年人保护法}
      checked: "yes"
"""

OFFER = """\
action: to_plan_59
title: {en: Move to plan 59, zh: 换59元套餐}
kind: offer
lever: policy
duty: offer
category: plan
phases: [prevention, retention]
eligible:
  not_already: plan.id != 'plan_59'
applicable:
  tolls: signal('high.toll')
suitable:
  cheaper: fee_on('plan_59', 3) < mean(billing.total, 3)
propensity:
  - if: level('high.toll') == 'severe'
    is: 0.4
  - is: 0.2
value: 0.05 * value.annual
tariff: plan_59
channels:
  app: {text: {en: "{tariff.name} for {tariff.fee:money}.", zh: "{tariff.name}，{tariff.fee:money}。"}}
confirm: holder
"""

CARE = """\
action: thank_you
title: {en: Thank you, zh: 感谢}
kind: care
lever: emotional
duty: care
category: care
phases: [prevention, retention]
propensity: 0.5
value: 100
channels:
  app: {text: {en: Thank you., zh: 感谢您。}}
"""

HELP = """\
action: port_help
title: {en: Help with porting, zh: 携转协助}
kind: information
lever: service
duty: owed
category: porting
purpose: port_assistance
phases: [hands_off]
applicable:
  under_way: port.state == 'applied'
propensity: 1
value: 0
channels:
  app: {text: {en: Your number is on its way., zh: 您的号码正在办理携出。}}
eligible:
  usual: not (known(custom.band) and known(churn.score) and facts.worth == 'low' and home.has_broadband)
"""

SMALL: Mapping[str, bytes] = {
    "policies/care/thank_you.yaml": CARE.encode(),
    "policies/help/port_help.yaml": HELP.encode(),
    "policies/offers/to_plan_59.yaml": OFFER.encode(),
    "policies/policy.yaml": POLICY.encode(),
    "rules/pack.yaml": HEAD.encode(),
    "rules/places.yaml": PLACES.encode(),
    "rules/rules.yaml": RULES.encode(),
}
"""The small pack: one plan, one fact of each form, one signal, one offer, one care, one help with porting."""


def small(**added: str) -> dict[str, bytes]:
    """The small pack with more files of rules, named for their keyword."""
    return dict(SMALL) | {f"rules/{name}.yaml": text.encode() for name, text in added.items()}


def changed(*replaced: tuple[str, str], **added: str) -> dict[str, bytes]:
    """The small pack with pieces of its text replaced; each must stand in exactly one file, once."""
    files = small(**added)
    for old, new in replaced:
        (holder,) = (name for name, content in files.items() if content.decode().count(old) == 1)
        files[holder] = files[holder].decode().replace(old, new).encode()
    return files


def facts(**given: str) -> str:
    """Derived facts by name, each with its expression."""
    return "facts:\n" + "".join(f"  - id: facts.{name}\n    title: {{en: A, zh: B}}\n    is: {text}\n" for name, text in given.items())


def signals(**given: str) -> str:
    """Signals of one level, `x.name` each."""
    rows = (
        f"  - id: x.{name}\n    title: {{en: A, zh: B}}\n    levels:\n      - high: {text}\n    reason: {{en: A, zh: B}}\n"
        for name, text in given.items()
    )
    return f"signals:\n{''.join(rows)}"


def patterns(**given: str) -> str:
    """Patterns that a recent fault makes, `x.name` each, by their condition."""
    rows = (
        f"  - id: x.{name}\n    title: {{en: A, zh: B}}\n    when: {text}\n    facts: {{fault: events.fault}}\n"
        "    where: fault.days <= 7\n    level: high\n    reason: {en: A, zh: B}\n"
        for name, text in given.items()
    )
    return f"patterns:\n{''.join(rows)}"


def problems(files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with a pack, as it is printed. What a test adds and nothing uses is left out: other tests look after that."""
    return [str(problem) for problem in check_files(files) if not problem.code.startswith("unused-")]


def codes(found: tuple[Problem, ...]) -> list[str]:
    """The codes of problems, in order."""
    return [problem.code for problem in found]
