import json

import pytest

from monitor.web.case import Verb
from tests.web.desk import Browser, Office, several

CASES = "/api/v1/cases"
JSON = {"content-type": "application/json"}


def move(browser: Browser, verb: str, case: int = 1, **values: object):
    return browser.post(f"{CASES}/{case}/{verb}", json={"agent": "Noor", "version": 1} | values)


@pytest.mark.parametrize("size", [1, 7, 50, 200])
def test_paging_covers_each_case_once(tmp_path, fresh_file, size):
    office = Office(tmp_path, fresh=fresh_file)
    office.fill(several(53))
    noor, found, after = office.browser(), [], None
    for _ in range(100):
        page = noor.get(CASES, params={"limit": size} | ({"after": after} if after else {})).json()
        assert len(page["cases"]) <= size
        found += [case["id"] for case in page["cases"]]
        after = page["next"]
        if after is None:
            break
    everything = [case.id for case in office.cases()]
    office.close()
    assert found == everything
    assert len(set(found)) == 53


def test_cases_can_be_asked_for_by_status_queue_and_assignee(noor: Browser):
    move(noor, "claim", case=2)

    def ids(**wanted: str) -> set[int]:
        return {case["id"] for case in noor.get(CASES, params=wanted).json()["cases"]}

    assert ids(status="open") == ids(assignee="Noor") == {2}
    assert ids(status="new") == {1, 3}
    assert ids(queue="klachten") == {1, 2, 3}
    assert ids(queue="overig") == set()
    assert noor.get(CASES, params={"status": "gone"}).status_code == 422


def test_a_case_tells_its_events(noor: Browser):
    move(noor, "claim")
    case = noor.get(f"{CASES}/1").json()
    assert (case["status"], case["assignee"], case["version"]) == ("open", "Noor", 2)
    assert [event["action"] for event in case["events"]] == ["opened", "claim"]
    assert case["events"][1]["after"] == {"status": "open", "assignee": "Noor"}


BEFORE = {"release": ["claim"], "reopen": ["resolve"], "undo": ["claim"]}
VALUES = {
    "assign": {"value": "Sem"},
    "note": {"note": "bel terug"},
    "answer": {"note": "We zoeken het uit."},
    "snooze": {"value": "2026-06-02T09:00:00+02:00"},
    "dismiss": {"value": "spam"},
    "label": {"value": "pers, vip"},
}
AFTER = {
    "claim": {"assignee": "Noor", "status": "open"},
    "release": {"assignee": None},
    "assign": {"assignee": "Sem"},
    "note": {"status": "new"},
    "answer": {"status": "pending", "due_at": None, "first_reply_at": "2026-06-01T12:00:00+00:00"},
    "snooze": {"snoozed_until": "2026-06-02T07:00:00+00:00"},
    "escalate": {"escalated_to": "lead"},
    "resolve": {"status": "resolved"},
    "dismiss": {"status": "dismissed"},
    "reopen": {"status": "open"},
    "label": {"labels": ["pers", "vip"]},
    "undo": {"assignee": None, "status": "new"},
}


@pytest.mark.parametrize("verb", [verb.value for verb in Verb])
def test_each_verb_moves_a_case_and_is_logged(office: Office, noor: Browser, verb):
    version = 1
    for step in BEFORE.get(verb, []):
        version = move(noor, step).json()["version"]
    answer = move(noor, verb, version=version, **VALUES.get(verb, {}))
    assert answer.status_code == 200
    told = answer.json()
    assert told["version"] == version + 1
    assert {name: told[name] for name in AFTER[verb]} == AFTER[verb]
    newest = office.store.cases.events(1)[-1]
    assert (newest.action, newest.actor, newest.version) == (verb, "Noor", version + 1)


def test_the_loser_is_told_who_won(office: Office, noor: Browser):
    assert move(noor, "claim", agent="Sem").status_code == 200
    for verb in ("claim", "resolve", "answer"):
        late = move(noor, verb, note="x")
        assert late.status_code == 409
        assert late.json()["winner"] == "Sem"
    assert move(noor, "claim", version=2).json()["winner"] == "Sem"
    assert len(office.store.cases.events(1)) == 2


@pytest.mark.parametrize(
    ("verb", "values"),
    [
        ("snooze", {"value": "yesterday"}),
        ("snooze", {"value": "2026-06-02T09:00:00"}),
        ("snooze", {"value": "0001-01-01T00:00:00+14:00"}),
        ("snooze", {"value": "9999-12-31T23:59:59-14:00"}),
        ("snooze", {"value": ""}),
        ("dismiss", {"value": "bored"}),
        ("note", {"note": " "}),
        ("reopen", {}),
        ("release", {}),
        ("undo", {}),
    ],
)
def test_a_move_that_a_case_cannot_make_changes_nothing(office: Office, noor: Browser, verb, values):
    answer = move(noor, verb, **values)
    assert answer.status_code == 409
    assert answer.json()["error"]
    assert len(office.store.cases.events(1)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"agent": "Noor", "version": 1, "admin": True},
        {"agent": "Noor"},
        {"version": 1},
        {"agent": "Noor", "version": "1"},
        {"agent": "Noor", "version": 1.0},
        {"agent": "Noor", "version": True},
        {"agent": "Noor", "version": -1},
        {"agent": "Noor", "version": 2**60},
        {"agent": "", "version": 1},
        {"agent": " \n", "version": 1},
        {"agent": "N" * 61, "version": 1},
        {"agent": ["Noor"], "version": 1},
        {"agent": "Noor", "version": 1, "note": "n" * 10_001},
    ],
)
def test_a_body_that_is_not_exactly_right_is_refused(office: Office, noor: Browser, body):
    answer = noor.post(f"{CASES}/1/claim", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"][0]["field"]
    assert len(office.store.cases.events(1)) == 1


GOOD = b'{"agent":"Noor","version":1}'


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", None])
def test_only_json_is_read(office: Office, noor: Browser, kind):
    headers = {} if kind is None else {"content-type": kind}
    assert noor.post(f"{CASES}/1/claim", content=GOOD, headers=headers).status_code == 415
    assert len(office.store.cases.events(1)) == 1


HOSTILE = {
    "NaN": b'{"agent":"Noor","version":NaN}',
    "infinity": b'{"agent":"Noor","version":1e999}',
    "lone surrogate": b'{"agent":"\\ud800","version":1}',
    "raw surrogate": b'{"agent":"\xed\xa0\x80","version":1}',
    "long integer": b'{"agent":"Noor","version":' + b"9" * 5_000 + b"}",
    "deep list": b"[" * 100_000,
    "deep closed list": b"[" * 100_000 + b"]" * 100_000,
    "deep value": b'{"agent":"Noor","version":' + b"[" * 500 + b"]" * 500 + b"}",
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-8 mark": b"\xef\xbb\xbf" + GOOD,
    "invalid UTF-8": b'{"agent":"\xff","version":1}',
    "empty": b"",
    "null": b"null",
    "text": b'"Noor"',
    "list": b"[1]",
    "two values": GOOD + GOOD,
    "comma": b'{"agent":"Noor","version":1,}',
    "NUL": GOOD + b"\x00",
    "control": b'{"agent":"No\x01or","version":1}',
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_json_is_refused_and_breaks_nothing(office: Office, noor: Browser, name):
    answer = noor.post(f"{CASES}/1/claim", content=HOSTILE[name], headers=JSON)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]
    assert len(office.store.cases.events(1)) == 1


def test_what_a_body_says_is_kept_clean(office: Office, noor: Browser):
    body = json.dumps({"agent": "No\u0000or\n", "version": 1, "note": "a\u0000b\r\nc"})
    assert noor.post(f"{CASES}/1/note", content=body, headers=JSON).status_code == 200
    newest = office.store.cases.events(1)[-1]
    assert (newest.actor, newest.note) == ("No\ufffdor", "a\ufffdb\nc")


def test_the_description_names_every_route(office: Office, noor: Browser):
    told = noor.get("/openapi.json").json()["paths"]
    assert set(told) == {CASES, f"{CASES}/{{case_id}}", f"{CASES}/{{case_id}}/{{verb}}", "/health"}
    assert set(told[f"{CASES}/{{case_id}}/{{verb}}"]["post"]["responses"]) >= {"200", "400", "404", "409", "413", "415"}
    assert noor.get("/docs").status_code == 404
    assert office.app.openapi()["info"]["title"] == "Luisterpost"


def test_health_counts_what_is_there(noor: Browser):
    assert noor.get("/health").json() == {
        "status": "ok",
        "sources": {"current": 1, "total": 1},
        "index_lag": 0,
        "mentions": 3,
    }
