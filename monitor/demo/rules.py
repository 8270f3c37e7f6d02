"""What the town's team wants to be warned of, in the query language."""

from __future__ import annotations

from datetime import timedelta

from monitor.model import Rule, RuleKind, Severity

_CHARGER = "(lader* OR oplader* OR charger* OR glimworm* OR tuinlamp* OR @dekoopklok)"
_HEAT = (
    "(heet OR heter OR heets OR gloeiend* OR rook* OR roken OR smelt* OR gesmolten OR schroei* OR brandblaar "
    'OR brandplek OR verbrand* OR oververhit* OR smoke OR smoking OR overheat* OR "in brand")'
)
_FAKE = (
    "(sms OR sms'je OR smsje OR nepmail* OR nepbericht* OR phishing OR oplicht* OR scam OR vals* OR douanekosten "
    'OR "niet klikken" OR "did you send this")'
)
_LAW = (
    "(advoca* OR schadeclaim* OR ingebrekestelling OR rechter OR dagvaard* OR regres OR schadevergoeding OR solicitor "
    'OR lawyer OR "in gebreke" OR "juridische stappen")'
)
_DISPLEASED = "(intent:crisis OR intent:complaint OR sentiment:negative)"
_DELIVERY = "(theme:delivery OR bezorg* OR pakket* OR gelever* OR levering OR staking)"
_FEE = (
    '(bezorgkosten OR verzendkosten OR bezorgtarief OR "delivery fee" OR verhoging OR "te duur" OR "tien euro" '
    'OR "6,95" OR "6.95")'
)
_CODE = "(code OR codes OR kortingscode OR zomer15 OR app)"
_PRESS = "(handle:(pjalkema OR dekoopklok) OR source:radio)"

RULES = (
    Rule(
        id="danger",
        name="Gevaar: product wordt heet of rookt",
        kind=RuleKind.ANY,
        query=f"{_CHARGER} {_HEAT} {_DISPLEASED} own:false NOT channel:news",
        severity=Severity.HIGH,
        window=timedelta(hours=12),
        realert=timedelta(days=3),
    ),
    Rule(
        id="fraud",
        name="Oplichting in onze naam",
        kind=RuleKind.FREQUENCY,
        query=f"{_FAKE} own:false NOT channel:news",
        severity=Severity.HIGH,
        window=timedelta(hours=3),
        threshold=2,
        realert=timedelta(days=3),
    ),
    Rule(
        id="press",
        name="De pers vraagt",
        kind=RuleKind.ANY,
        query=f"{_PRESS} own:false",
        severity=Severity.MEDIUM,
        window=timedelta(hours=12),
        realert=timedelta(hours=24),
    ),
    Rule(
        id="legal",
        name="Juridische stappen aangekondigd",
        kind=RuleKind.ANY,
        query=f"{_LAW} (intent:crisis OR intent:complaint) own:false NOT channel:news",
        severity=Severity.HIGH,
        window=timedelta(hours=12),
        realert=timedelta(hours=24),
    ),
    Rule(
        id="delivery-wave",
        name="Golf van klachten over bezorging",
        kind=RuleKind.SPIKE,
        query=f"{_DELIVERY} {_DISPLEASED} own:false NOT channel:news NOT ({_FEE} OR theme:price)",
        severity=Severity.MEDIUM,
        window=timedelta(hours=3),
        threshold=5,
        factor=4.0,
        realert=timedelta(hours=24),
    ),
    Rule(
        id="site",
        name="Klachten over site, app of kortingscode",
        kind=RuleKind.FREQUENCY,
        query=f"(theme:site OR {_CODE}) (intent:complaint OR sentiment:negative) own:false NOT channel:news",
        severity=Severity.MEDIUM,
        window=timedelta(hours=2),
        threshold=3,
        realert=timedelta(hours=12),
    ),
    Rule(
        id="churn",
        name="Klanten dreigen te vertrekken om de prijs",
        kind=RuleKind.FREQUENCY,
        query=f"({_FEE} OR theme:price) {_DISPLEASED} own:false NOT channel:news NOT {_CODE} NOT theme:site",
        severity=Severity.MEDIUM,
        window=timedelta(hours=2),
        threshold=3,
        realert=timedelta(hours=24),
    ),
    Rule(
        id="buying-rise",
        name="Meer koopinteresse dan gewoonlijk",
        kind=RuleKind.SPIKE,
        query="intent:buying_signal own:false",
        severity=Severity.LOW,
        window=timedelta(hours=6),
        threshold=5,
        factor=3.0,
        realert=timedelta(hours=6),
    ),
    Rule(
        id="reach",
        name="Lof van een groot account",
        kind=RuleKind.ANY,
        query="followers:>=40000 sentiment:positive own:false",
        severity=Severity.LOW,
        window=timedelta(hours=6),
        realert=timedelta(hours=24),
    ),
)
"""Rules by what they watch; every alert of the fortnight that is due rests on one of them."""
