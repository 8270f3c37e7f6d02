"""Several processes on one record."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from monitor.model import Collected
from monitor.store import SqlStore
from tests.contracts.store import a_delivery, an_alert, opened
from tests.factories import a_mention
from tests.store import workers

PAGES = 20


def test_two_collectors_of_the_same_pages_count_each_mention_once(url: str, store: SqlStore, side_by_side: Any) -> None:
    first, second = side_by_side(workers.save_shuffled, [(url, 1, PAGES), (url, 2, PAGES)])
    rounds = [one + other for one, other in zip(first, second, strict=True)]
    every = PAGES * workers.PAGE
    assert rounds == [
        Collected(new=every, unchanged=every, pages=2 * PAGES),
        Collected(changed=every, unchanged=every, pages=2 * PAGES),
        Collected(unchanged=2 * every, pages=2 * PAGES),
        Collected(unchanged=2 * every, pages=2 * PAGES),
    ]
    found = store.mentions.to_index(2 * every)
    assert len(found) == every
    assert all(stored.mention.engagement.likes == 7 for stored in found)
    assert all(len(store.mentions.versions(stored.mention.id)) == 1 for stored in found[::50])


@pytest.mark.parametrize(
    ("worker", "number"),
    [
        pytest.param(workers.claim_all, 200, id="compare and set"),
        pytest.param(
            workers.claim_by_looking_first,
            20,
            id="read, then write",
            marks=pytest.mark.xfail(reason="two agents own one case", strict=True, raises=AssertionError),
        ),
    ],
)
def test_eight_agents_never_own_the_same_case(
    url: str, store: SqlStore, side_by_side: Any, worker: Callable[..., None], number: int
) -> None:
    ids = [opened(store, a_mention(native_id=str(place))).id for place in range(number)]
    wins = side_by_side(worker, [(url, f"agent{place}", ids) for place in range(8)])
    assert Counter(case_id for won in wins for case_id in won) == Counter(ids)
    for case_id in ids:
        case, events = store.cases.get(case_id), store.cases.events(case_id)
        assert case is not None
        assert [event.version for event in events] == [1, 2]
        assert events[1].actor == case.assignee


def test_four_workers_never_take_the_same_delivery(url: str, store: SqlStore, side_by_side: Any) -> None:
    store.alerts.raise_(an_alert(), [a_delivery(channel=str(number)) for number in range(300)])
    taken = side_by_side(workers.deliver_all, [(url, f"w{place}") for place in range(4)])
    ids = [one.id for one in store.alerts.deliveries("a1")]
    assert sorted(delivery for part in taken for delivery in part) == ids
    assert len(ids) == 300


def test_four_starts_at_once_bring_the_schema_up_to_date(tmp_path: Any, side_by_side: Any) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'monitor.db'}"
    assert side_by_side(workers.upgrade, [(url,)] * 4) == ["ok"] * 4
