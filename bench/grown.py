"""Packs of any number of rules, half of them signals and half actions, three tests each, no two tests alike."""

from __future__ import annotations

from app.engine.pack import Pack, build_pack
from tests.packs import SMALL

PER_FILE = 200
_signal = """\
  - id: grown.s{i}
    title: {{en: Sign {i}, zh: 迹象{i}}}
    levels:
      - high: value.annual >= {annual} and churn.score >= {score} and last(billing.total) > {bill}
    reason: {{en: "Spends {{value.annual:money}} a year.", zh: "年消费{{value.annual:money}}。"}}
"""
_action = """\
action: grown_{i}
title: {{en: Care {i}, zh: 关怀{i}}}
kind: care
lever: service
duty: care
category: care_{group}
phases: [prevention, retention]
eligible:
  with_us: account.tenure_months >= {months}
applicable:
  sign: signal('grown.s{i}')
suitable:
  pays: mean(billing.total, 3) < {mean}
propensity: 0.{propensity}
value: 0.01 * value.annual
channels:
  call_centre: {{script: {{en: Thank you., zh: 感谢您。}}}}
  app: {{text: {{en: Thank you., zh: 感谢您。}}}}
"""


def grown(rules: int) -> Pack:
    """A pack with so many rules beside the few of the tests' small pack."""
    files, half = dict(SMALL), rules // 2
    for start in range(0, half, PER_FILE):
        texts = [
            _signal.format(i=i, annual=1_000 + 200_000 * i // half, score=f"{i / half:.5f}", bill=100 + 30_000 * i // half)
            for i in range(start, min(start + PER_FILE, half))
        ]
        files[f"rules/grown_{start}.yaml"] = ("signals:\n" + "".join(texts)).encode()
    for i in range(half):
        text = _action.format(i=i, group=i % 40, months=f"{60 * i / half:.3f}", mean=5_000 + 40_000 * i // half + i, propensity=1 + i % 9)
        files[f"policies/grown/grown_{i}.yaml"] = text.encode()
    return build_pack(files)
