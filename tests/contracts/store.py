"""What every record must do. Subclass and give the fixture `reopen`: it opens the same record once more."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.errors import Conflict, StoreError
from monitor.model import (
    Alert,
    Author,
    Case,
    CaseEvent,
    CaseStatus,
    Collected,
    Cursor,
    Delivery,
    DeliveryState,
    Engagement,
    Enrichment,
    Entity,
    Evidence,
    Mention,
    Page,
    Sentiment,
    Severity,
    Skipped,
    SourceHealth,
    SourceStatus,
    Stored,
)
from monitor.protocols import CaseFilter, Store
from tests.factories import NOON, a_mention

LATER = NOON + timedelta(minutes=5)
ACTIVE = (CaseStatus.NEW, CaseStatus.OPEN, CaseStatus.PENDING)


def a_page(*mentions: Mention, at: Any = 1, skipped: tuple[Skipped, ...] = ()) -> Page:
    return Page(mentions=mentions, cursor=Cursor(source_id="praatpaal", value={"at": at}), skipped=skipped)


def an_enrichment(stored: Stored, **changes: Any) -> Enrichment:
    values: dict[str, Any] = {
        "mention_id": stored.mention.id,
        "content_hash": stored.mention.content_hash,
        "model": "rules-1",
        "intents": ("complaint",),
    }
    return Enrichment(**(values | changes))


def a_case(mention: Mention, **changes: Any) -> Case:
    values: dict[str, Any] = {
        "version": 1,
        "topic_id": "zonnekade",
        "author_key": mention.author_key,
        "thread_key": mention.thread_key,
        "channel": mention.channel,
        "source_id": mention.source_id,
        "queue": "care",
        "opened_at": NOON,
        "last_customer_at": NOON,
    }
    return Case(**(values | changes))


def an_event(case: Case, action: str = "open", actor: str = "system", **changes: Any) -> CaseEvent:
    values: dict[str, Any] = {"case_id": case.id, "version": case.version, "at": NOON, "actor": actor, "action": action}
    return CaseEvent(**(values | changes))


def an_alert(**changes: Any) -> Alert:
    values: dict[str, Any] = {
        "id": "a1",
        "rule_id": "wave",
        "severity": Severity.MEDIUM,
        "title": "Storing",
        "summary": "12 mensen",
        "group": "delivery",
        "window_start": NOON - timedelta(hours=1),
        "opened_at": NOON,
        "updated_at": NOON,
        "mention_ids": ("m1",),
        "count": 12,
        "expected": 2.5,
    }
    return Alert(**(values | changes))


def a_delivery(**changes: Any) -> Delivery:
    return Delivery(**({"alert_id": "a1", "channel": "console", "next_at": NOON} | changes))


def stored_after(store: Store, mention: Mention, now: datetime = NOON) -> Stored:
    store.mentions.save_page(a_page(mention), now)
    return store.mentions.get([mention.id])[mention.id]


def opened(store: Store, mention: Mention, **changes: Any) -> Case:
    stored = stored_after(store, mention)
    case = a_case(mention, **changes)
    return store.cases.open(case, an_event(case), stored)


def moved(store: Store, case: Case, action: str = "claim", actor: str = "joke", **changes: Any) -> Case:
    ahead = replace(case, version=case.version + 1, **changes)
    return store.cases.move(ahead, an_event(ahead, action, actor))


class StoreContract:
    """The stories. `reopen` is given by the subclass."""

    @pytest.fixture
    def store(self, reopen: Callable[[], Store]) -> Store:
        return reopen()

    # --- pages --------------------------------------------------------------------------------------------------------

    def test_a_saved_mention_comes_back_as_it_was(self, store: Store) -> None:
        whole = a_mention(
            title="Pakket",
            url="https://example.nl/1",
            language="nl",
            edited_at=LATER,
            parent_id="0",
            thread_id="0",
            rating=2.5,
            rating_max=5.0,
            engagement=Engagement(likes=3, replies=0, shares=2**40, views=None),
            is_private=True,
            is_own=True,
            is_automatic=True,
            author=Author(
                native_id="u1", name="Zoë 🙂", handle="zoe", url="https://x.nl/zoe", followers=3, verified=True
            ),
        )
        stored = stored_after(store, whole)
        assert stored.mention == whole
        assert (stored.enrichment, stored.case) == (None, None)
        assert store.mentions.count() == 1

    def test_every_mention_of_a_page_is_counted_once(self, store: Store) -> None:
        first, second = a_mention(), a_mention(native_id="2")
        skipped = (Skipped(reason="an advertisement"), Skipped(reason="no text", raw=b"{}"))
        page = a_page(first, second, first, skipped=skipped)
        assert store.mentions.save_page(page, NOON) == Collected(new=2, unchanged=1, skipped=2, pages=1)
        again = a_page(
            replace(first, text="Anders"), replace(second, engagement=Engagement(likes=9)), a_mention(native_id="3")
        )
        assert store.mentions.save_page(again, LATER) == Collected(new=1, changed=1, unchanged=1, pages=1)
        assert store.mentions.get([second.id])[second.id].mention.engagement.likes == 9

    def test_the_cursor_moves_with_its_page_also_when_the_page_is_empty(self, reopen: Callable[[], Store]) -> None:
        assert reopen().cursors.get("praatpaal") == Cursor(source_id="praatpaal")
        value = {"since": "2026-06-01T00:00:00Z", "seen": ["a", "b"], "page": 3, "more": None}
        reopen().mentions.save_page(Page(mentions=(), cursor=Cursor(source_id="praatpaal", value=value)), NOON)
        assert reopen().cursors.get("praatpaal").value == value

    def test_nothing_of_a_page_is_kept_when_its_cursor_cannot_be(self, store: Store) -> None:
        page = Page(mentions=(a_mention(),), cursor=Cursor(source_id="praatpaal", value={"at": object()}))
        with pytest.raises(Exception, match="serializable"):
            store.mentions.save_page(page, NOON)
        assert (store.mentions.count(), store.mentions.index_lag()) == (0, 0)

    def test_when_it_was_said_and_first_seen_never_changes(self, store: Store) -> None:
        stored_after(store, a_mention())
        newer = a_mention(text="Anders", published_at=LATER, fetched_at=LATER)
        mention = stored_after(store, newer, LATER).mention
        assert (mention.text, mention.published_at, mention.fetched_at, mention.when) == ("Anders", NOON, NOON, NOON)

    def test_a_time_that_is_told_later_is_taken(self, store: Store) -> None:
        stored_after(store, a_mention(published_at=None, fetched_at=LATER))
        assert stored_after(store, a_mention(fetched_at=LATER)).mention.when == NOON

    def test_what_a_source_does_not_tell_again_is_not_forgotten(self, store: Store) -> None:
        stored_after(store, a_mention(url="https://x.nl/1", thread_id="0", engagement=Engagement(likes=4)))
        poor = a_mention(text="Anders", author=Author(native_id="u1"), engagement=Engagement(views=7))
        mention = stored_after(store, poor).mention
        assert (mention.url, mention.thread_id) == ("https://x.nl/1", "0")
        assert mention.engagement == Engagement(likes=4, views=7)
        assert mention.author == a_mention().author

    def test_an_edit_keeps_what_was_said_before(self, store: Store) -> None:
        mention = a_mention(title="Kop")
        stored_after(store, mention)
        stored_after(store, replace(mention, text="Twee"), LATER)
        stored_after(store, mention, LATER + timedelta(minutes=1))
        versions = store.mentions.versions(mention.id)
        assert [version.text for version in versions] == [mention.text, "Twee"]
        assert [version.seen_at for version in versions] == [NOON, LATER]
        assert versions[0].content_hash == mention.content_hash

    def test_a_removed_mention_keeps_its_place_but_no_text(self, store: Store) -> None:
        mention = a_mention(title="Kop")
        stored = stored_after(store, mention)
        store.enrichments.save([(stored, an_enrichment(stored))])
        stored_after(store, replace(mention, text="Twee"))
        gone = stored_after(store, replace(mention, text="Twee", removed_at=LATER), LATER)
        assert (gone.mention.text, gone.mention.title, gone.mention.removed_at) == ("", None, LATER)
        assert gone.mention.author == mention.author
        assert (gone.enrichment, store.mentions.versions(mention.id)) == (None, [])

    def test_an_older_look_does_not_bring_back_what_was_removed(self, store: Store) -> None:
        mention = a_mention()
        stored_after(store, replace(mention, removed_at=LATER))
        assert store.mentions.save_page(a_page(mention), LATER).unchanged == 1
        assert store.mentions.get([mention.id])[mention.id].mention.text == ""
        newer = replace(mention, fetched_at=LATER + timedelta(minutes=1))
        assert stored_after(store, newer).mention.text == mention.text

    def test_text_that_no_engine_keeps_is_cleaned_and_nothing_else(self, store: Store) -> None:
        kept = "é🙂\u202e\ufeff' \" ; DROP TABLE mentions; --\r\n\t\\"
        mention = a_mention(text=f"a\x00b\ud800{kept}", author=Author(name="\udfff"), raw={"t": "\ud800\x00"})
        store.mentions.save_page(a_page(mention), NOON)
        (stored,) = store.mentions.to_tag(5)
        assert stored.mention.text == f"a\ufffdb\ufffd{kept}"
        assert stored.mention.author == Author(name="\ufffd")

    @pytest.mark.parametrize(
        "broken",
        [{"published_at": NOON.replace(tzinfo=None)}, {"engagement": Engagement(likes=2**70)}],
        ids=["a time without zone", "a number beyond 64 bits"],
    )
    def test_a_mention_that_cannot_be_kept_costs_only_itself(self, store: Store, broken: dict[str, Any]) -> None:
        page = a_page(a_mention(), a_mention(native_id="2", raw={"id": "2"}, **broken))
        assert store.mentions.save_page(page, NOON) == Collected(new=1, skipped=1, pages=1)
        (letter,) = store.dead_letters.waiting(None, 5)
        assert (letter.source_id, letter.raw, letter.attempts) == ("praatpaal", b'{"id": "2"}', 1)
        assert letter.reason.startswith("cannot be stored")

    def test_a_page_of_any_size_is_one_page(self, store: Store) -> None:
        many = [a_mention(native_id=str(number), author=Author(native_id=str(number))) for number in range(1201)]
        assert store.mentions.save_page(a_page(*many), NOON).new == 1201
        assert len(store.mentions.get([mention.id for mention in many])) == 1201
        assert store.mentions.save_page(a_page(*many), NOON).unchanged == 1201

    # --- dead letters -------------------------------------------------------------------------------------------------

    def test_the_same_rubbish_is_one_letter_however_often_it_comes(self, store: Store) -> None:
        page = a_page(skipped=(Skipped(reason="no date", raw=b"<x>"), Skipped(reason="counted only")))
        store.mentions.save_page(page, NOON)
        store.mentions.save_page(page, LATER)
        (letter,) = store.dead_letters.waiting("praatpaal", 5)
        assert (letter.raw, letter.reason, letter.attempts) == (b"<x>", "no date", 2)
        assert (letter.first_at, letter.last_at) == (NOON, LATER)
        assert store.dead_letters.counts() == {"praatpaal": 1}
        assert store.dead_letters.waiting("another", 5) == []

    def test_a_letter_that_is_understood_becomes_its_mentions(self, store: Store) -> None:
        store.mentions.save_page(a_page(skipped=(Skipped(reason="no date", raw=b"<x>"),)), NOON)
        (letter,) = store.dead_letters.waiting(None, 5)
        assert store.dead_letters.settle(letter, a_page(a_mention(), at=99), "", LATER).new == 1
        assert store.dead_letters.counts() == {}
        assert store.cursors.get("praatpaal").value == {"at": 1}

    def test_a_letter_that_fails_again_is_the_same_letter(self, store: Store) -> None:
        store.mentions.save_page(a_page(skipped=(Skipped(reason="no date", raw=b"<x>"),)), NOON)
        (letter,) = store.dead_letters.waiting(None, 5)
        assert store.dead_letters.settle(letter, None, "still no date", LATER) == Collected()
        half = a_page(a_mention(), skipped=(Skipped(reason="half understood", raw=b"<x>"),))
        assert store.dead_letters.settle(letter, half, "", LATER).new == 1
        (again,) = store.dead_letters.waiting(None, 5)
        assert (again.id, again.attempts, again.reason) == (letter.id, 3, "half understood")

    # --- tagging ------------------------------------------------------------------------------------------------------

    def test_an_enrichment_comes_back_whole(self, store: Store) -> None:
        stored = stored_after(store, a_mention())
        enrichment = an_enrichment(
            stored,
            language="nl",
            topics=("zonnekade",),
            sentiment=Sentiment(label="negative", score=0.93, towards="zonnekade"),
            themes=("delivery",),
            entities=(Entity(type="order_number", text="#12", start=0, end=3),),
            scores={"complaint": 0.9},
            cluster_id="c1",
            urgency="high",
            needs_reply="yes",
            stage="aftersales",
            evidence=(Evidence(label="theme:delivery", start=0, end=5, reason="pakket", weight=1.5),),
        )
        assert store.enrichments.save([(stored, enrichment)]) == 1
        assert store.mentions.get([stored.mention.id])[stored.mention.id].enrichment == enrichment

    def test_tagging_is_due_until_it_is_done_and_doing_it_twice_is_harmless(self, store: Store) -> None:
        store.mentions.save_page(a_page(a_mention(), a_mention(native_id="2")), NOON)
        due = store.mentions.to_tag(10)
        assert [stored.no for stored in due] == sorted(stored.no for stored in due)
        assert len(store.mentions.to_tag(1)) == 1
        enriched = [(stored, an_enrichment(stored)) for stored in due]
        assert (store.enrichments.save(enriched), store.enrichments.save(enriched)) == (2, 0)
        assert store.mentions.to_tag(10) == []

    def test_an_edit_while_it_was_tagged_stays_due(self, store: Store) -> None:
        mention = a_mention()
        old = stored_after(store, mention)
        edited = stored_after(store, replace(mention, text="Anders"))
        store.enrichments.save([(old, an_enrichment(old))])
        (due,) = store.mentions.to_tag(10)
        assert (due.mention.text, due.enrichment) == ("Anders", None)
        assert store.mentions.to_triage(10) == []
        store.enrichments.save([(edited, an_enrichment(edited, intents=("question",)))])
        (triage,) = store.mentions.to_triage(10)
        assert triage.enrichment is not None
        assert triage.enrichment.intents == ("question",)

    def test_the_newest_enrichment_of_what_is_said_now_counts(self, store: Store) -> None:
        stored = stored_after(store, a_mention())
        store.enrichments.save([(stored, an_enrichment(stored, model="old"))])
        store.enrichments.save([(stored, an_enrichment(stored, model="new"))])
        store.enrichments.save([(stored, an_enrichment(stored, model="old"))])
        enrichment = store.mentions.get([stored.mention.id])[stored.mention.id].enrichment
        assert enrichment is not None
        assert enrichment.model == "new"

    # --- triage -------------------------------------------------------------------------------------------------------

    def test_triage_sees_each_tagged_version_once_in_order_of_time(self, store: Store) -> None:
        early, late = a_mention(native_id="9"), a_mention(native_id="1", published_at=LATER)
        store.mentions.save_page(a_page(late, early), NOON)
        assert store.mentions.to_triage(5) == []
        store.enrichments.save([(stored, an_enrichment(stored)) for stored in store.mentions.to_tag(5)])
        due = store.mentions.to_triage(5)
        assert [stored.mention.id for stored in due] == [early.id, late.id]
        store.mentions.mark_triaged(due)
        assert store.mentions.to_triage(5) == []
        edited = stored_after(store, replace(late, text="Anders"))
        store.mentions.mark_triaged(due)
        store.enrichments.save([(edited, an_enrichment(edited))])
        assert [stored.mention.text for stored in store.mentions.to_triage(5)] == ["Anders"]

    def test_opening_a_case_triages_its_mention(self, store: Store) -> None:
        stored = stored_after(store, a_mention())
        store.enrichments.save([(stored, an_enrichment(stored))])
        (due,) = store.mentions.to_triage(5)
        case = a_case(due.mention, reasons=("boos",), labels=("vip",), snoozed_until=LATER, is_private=True)
        kept = store.cases.open(case, an_event(case), due)
        assert kept == replace(case, id=kept.id, mention_ids=(due.mention.id,))
        assert store.cases.get(kept.id) == kept
        assert store.mentions.to_triage(5) == []
        assert store.mentions.get([due.mention.id])[due.mention.id].case == kept

    def test_two_active_cases_about_one_matter_cannot_be(self, store: Store) -> None:
        mention, follow_up = a_mention(), a_mention(native_id="2", thread_id="1")
        case = opened(store, mention, assignee="joke")
        stored = stored_after(store, follow_up)
        twin = a_case(follow_up)
        with pytest.raises(Conflict) as refused:
            store.cases.open(twin, an_event(twin), stored)
        assert refused.value.winner == "joke"
        assert len(store.cases.in_thread(mention.thread_key)) == 1
        closed = moved(store, case, "resolve", status=CaseStatus.RESOLVED)
        second = store.cases.open(twin, an_event(twin), stored)
        assert [found.id for found in store.cases.in_thread(mention.thread_key)] == [second.id, case.id]
        assert [found.id for found in store.cases.of_author(mention.author_key or "")] == [second.id, case.id]
        with pytest.raises(Conflict):
            moved(store, closed, "reopen", status=CaseStatus.OPEN)

    def test_a_follow_up_joins_its_case(self, store: Store) -> None:
        late, early = a_mention(native_id="2", published_at=LATER), a_mention()
        case = opened(store, late)
        joined = replace(case, version=2, last_customer_at=LATER)
        kept = store.cases.move(joined, an_event(joined, "join"), [stored_after(store, early)])
        assert kept.mention_ids == (early.id, late.id)
        assert [event.action for event in store.cases.events(case.id)] == ["open", "join"]

    def test_the_loser_of_a_claim_hears_who_won(self, store: Store) -> None:
        case = opened(store, a_mention())
        moved(store, case, assignee="joke")
        with pytest.raises(Conflict, match="joke") as refused:
            moved(store, case, actor="piet", assignee="piet")
        assert refused.value.winner == "joke"
        assert [event.actor for event in store.cases.events(case.id)] == ["system", "joke"]

    def test_where_nobody_has_the_case_the_last_one_to_move_it_won(self, store: Store) -> None:
        case = opened(store, a_mention())
        moved(store, case, "note", actor="fatima")
        with pytest.raises(Conflict) as refused:
            moved(store, case, actor="piet", assignee="piet")
        assert refused.value.winner == "fatima"

    def test_a_case_that_is_not_there_cannot_be_moved(self, store: Store) -> None:
        with pytest.raises(StoreError, match="not in the record"):
            moved(store, a_case(a_mention(), id=77))
        assert store.cases.get(77) is None

    def test_events_come_back_as_they_were(self, store: Store) -> None:
        case = opened(store, a_mention())
        ahead = replace(case, version=2, status=CaseStatus.DISMISSED)
        event = an_event(
            ahead, "dismiss", "joke", before={"status": "new"}, after={"status": "dismissed"}, note="spam é"
        )
        store.cases.move(ahead, event)
        assert store.cases.events(case.id)[1] == event
        assert list(store.cases.log(NOON, LATER)) == store.cases.events(case.id)
        assert list(store.cases.log(LATER, LATER)) == []

    def test_the_list_is_paged_by_due_time_with_no_clock_last(self, store: Store) -> None:
        dues = [None, LATER, NOON, None, NOON]
        for number, due in enumerate(dues):
            opened(store, a_mention(native_id=str(number)), due_at=due)
        whole = store.cases.find(CaseFilter(statuses=ACTIVE), now=NOON, limit=9)
        assert [case.due_at for case in whole] == [NOON, NOON, LATER, None, None]
        after, paged = None, []
        while part := store.cases.find(CaseFilter(statuses=ACTIVE), now=NOON, limit=2, after=after):
            paged += part
            after = (part[-1].due_at or datetime.max.replace(tzinfo=UTC), part[-1].id)
        assert paged == whole

    @pytest.mark.parametrize(
        ("wanted", "numbers"),
        [
            (CaseFilter(), {0, 1, 2}),
            (CaseFilter(statuses=(CaseStatus.RESOLVED,)), {2}),
            (CaseFilter(statuses=(CaseStatus.NEW,)), {0}),
            (CaseFilter(statuses=(*ACTIVE, CaseStatus.RESOLVED)), {0, 1, 2}),
            (CaseFilter(queue="press"), {1}),
            (CaseFilter(assignee="joke"), {1}),
            (CaseFilter(unassigned=True), {0, 2}),
            (CaseFilter(channel="email"), {2}),
            (CaseFilter(snoozed=False), {0, 2}),
            (CaseFilter(snoozed=True), {1}),
            (CaseFilter(intent="question"), {1}),
            (CaseFilter(intent="quest"), set()),
            (CaseFilter(ids=(2, 3)), {1, 2}),
            (CaseFilter(ids=()), set()),
        ],
        ids=str,
    )
    def test_a_list_shows_what_was_asked_for(self, store: Store, wanted: CaseFilter, numbers: set[int]) -> None:
        changes: list[dict[str, Any]] = [
            {},
            {"queue": "press", "assignee": "joke", "snoozed_until": LATER, "status": CaseStatus.OPEN},
            {"channel": "email", "status": CaseStatus.RESOLVED},
        ]
        for number, change in enumerate(changes):
            stored = stored_after(store, a_mention(native_id=str(number)))
            intents = ("question", "complaint") if number == 1 else ("complaint",)
            store.enrichments.save([(stored, an_enrichment(stored, intents=intents))])
            stored = store.mentions.get([stored.mention.id])[stored.mention.id]
            case = a_case(stored.mention, **change)
            store.cases.open(case, an_event(case), stored)
        assert {case.id - 1 for case in store.cases.find(wanted, now=NOON, limit=9)} == numbers

    def test_the_rail_counts_what_waits(self, store: Store) -> None:
        late = opened(store, a_mention(native_id="0"), due_at=NOON - timedelta(minutes=1))
        opened(store, a_mention(native_id="1"), queue="press", assignee="joke", due_at=LATER)
        opened(store, a_mention(native_id="2"), status=CaseStatus.PENDING, assignee="joke")
        sleeping = opened(store, a_mention(native_id="3"), snoozed_until=LATER)
        opened(store, a_mention(native_id="4"), status=CaseStatus.RESOLVED)
        counts = store.cases.counts(NOON)
        assert (counts.todo, counts.late, counts.unassigned, counts.pending, counts.snoozed) == (2, 1, 1, 1, 1)
        assert (counts.by_queue, counts.by_assignee) == ({"care": 1, "press": 1}, {"joke": 1})
        assert store.cases.counts(LATER).todo == 3
        assert store.cases.wake(NOON) == []
        assert store.cases.wake(LATER) == [sleeping]
        assert store.cases.get(late.id) == late

    def test_what_was_opened_or_reopened_since(self, store: Store) -> None:
        case = opened(store, a_mention())
        assert (store.cases.opened_since(NOON), store.cases.opened_since(NOON - timedelta(seconds=1))) == (0, 1)
        closed = moved(store, case, "resolve", status=CaseStatus.RESOLVED)
        reopened = replace(closed, version=3, status=CaseStatus.OPEN)
        event = an_event(reopened, "reopen", at=LATER, before={"status": "resolved"}, after={"status": "open"})
        store.cases.move(reopened, event)
        assert store.cases.opened_since(NOON) == 1

    # --- the feed of the search index ---------------------------------------------------------------------------------

    def test_whatever_a_document_shows_raises_its_revision(self, store: Store) -> None:
        mention = a_mention()
        stored = stored_after(store, mention)
        seen = [stored.revision]

        def rose() -> bool:
            seen.append(store.mentions.get([mention.id])[mention.id].revision)
            return seen[-1] > seen[-2]

        store.mentions.save_page(a_page(replace(mention, engagement=Engagement(likes=5))), NOON)
        assert rose(), "a counter"
        store.mentions.save_page(a_page(replace(mention, text="Anders")), NOON)
        assert rose(), "an edit"
        stored = store.mentions.to_tag(5)[0]
        store.enrichments.save([(stored, an_enrichment(stored))])
        assert rose(), "tags"
        store.enrichments.save([(stored, an_enrichment(stored, model="new"))])
        assert rose(), "tags of another model"
        case = store.cases.open(a_case(mention), an_event(a_case(mention)), stored)
        assert rose(), "a case"
        moved(store, case, assignee="joke")
        assert rose(), "a move"
        named = a_mention(native_id="2", author=Author(native_id="u1", name="Fatima B.", handle="fatima_ea"))
        store.mentions.save_page(a_page(named), NOON)
        assert rose(), "the author's new name"
        store.mentions.save_page(a_page(replace(mention, removed_at=LATER)), NOON)
        assert rose(), "gone at its source"
        store.mentions.mark_triaged([stored])
        store.mentions.mark_indexed([(stored.no, seen[-1])])
        assert not rose(), "marks are no changes"

    def test_an_older_mark_never_hides_a_newer_change(self, store: Store) -> None:
        mention = a_mention()
        store.mentions.save_page(a_page(mention), NOON)
        (read,) = store.mentions.to_index(5)
        stored_after(store, replace(mention, text="Anders"))
        store.mentions.mark_indexed([(read.no, read.revision)])
        (due,) = store.mentions.to_index(5)
        assert (due.mention.text, store.mentions.index_lag()) == ("Anders", 1)
        store.mentions.mark_indexed([(due.no, due.revision)])
        store.mentions.mark_indexed([(read.no, read.revision)])
        assert (store.mentions.to_index(5), store.mentions.index_lag()) == ([], 0)
        store.mentions.forget_indexed()
        assert store.mentions.index_lag() == 1

    def test_the_feed_gives_the_lowest_revision_first(self, store: Store) -> None:
        store.mentions.save_page(a_page(*(a_mention(native_id=str(number)) for number in range(5))), NOON)
        store.mentions.save_page(a_page(a_mention(native_id="0", text="Anders")), LATER)
        revisions = [stored.revision for stored in store.mentions.to_index(9)]
        assert revisions == sorted(revisions)
        assert store.mentions.to_index(9)[-1].mention.text == "Anders"

    def test_a_span_of_time_is_read_in_order_and_whole(self, store: Store) -> None:
        many = [a_mention(native_id=str(n), published_at=NOON + timedelta(seconds=n // 100)) for n in range(1100)]
        store.mentions.save_page(a_page(*many), NOON)
        found = list(store.mentions.between(NOON, NOON + timedelta(seconds=11)))
        assert {stored.mention.id for stored in found} == {mention.id for mention in many}
        assert len(found) == len(many)
        whens = [stored.mention.when for stored in found]
        assert whens == sorted(whens)
        assert len(list(store.mentions.between(NOON, NOON + timedelta(seconds=1)))) == 100

    def test_the_newest_mentions_of_one_author(self, store: Store) -> None:
        mine = [a_mention(native_id=str(n), published_at=NOON + timedelta(seconds=n)) for n in range(3)]
        store.mentions.save_page(a_page(*mine, a_mention(native_id="9", author=Author(native_id="other"))), NOON)
        newest = store.mentions.of_author(mine[0].author_key or "", 2)
        assert [stored.mention.native_id for stored in newest] == ["2", "1"]

    # --- alerts -------------------------------------------------------------------------------------------------------

    def test_an_alert_is_raised_once(self, store: Store) -> None:
        alert, delivery = an_alert(), a_delivery()
        assert store.alerts.raise_(alert, [delivery, replace(delivery, channel="mail")])
        assert not store.alerts.raise_(replace(alert, title="Anders"), [replace(delivery, channel="sms")])
        assert store.alerts.get("a1") == alert
        assert [one.channel for one in store.alerts.deliveries("a1")] == ["console", "mail"]
        assert store.alerts.get("another") is None

    def test_a_growing_alert_calls_again_only_when_it_is_worse(self, store: Store) -> None:
        store.alerts.raise_(an_alert(), [a_delivery()])
        more = an_alert(count=30, updated_at=LATER, severity=Severity.LOW, opened_at=LATER)
        assert store.alerts.raise_(more, [a_delivery(severity=Severity.LOW)])
        kept = store.alerts.get("a1")
        assert kept == an_alert(count=30, updated_at=LATER)
        worse = an_alert(severity=Severity.CRITICAL, count=20)
        again = a_delivery(severity=Severity.CRITICAL)
        assert (store.alerts.raise_(worse, [again]), store.alerts.raise_(worse, [again])) == (True, False)
        assert [one.severity for one in store.alerts.deliveries("a1")] == [Severity.MEDIUM, Severity.CRITICAL]
        assert store.alerts.newest(5) == [an_alert(severity=Severity.CRITICAL, count=30)]

    def test_the_last_alert_of_a_rule_and_group(self, store: Store) -> None:
        store.alerts.raise_(an_alert(), [])
        store.alerts.raise_(an_alert(id="a2", opened_at=LATER), [])
        store.alerts.raise_(an_alert(id="a3", group="price", opened_at=LATER + timedelta(hours=1)), [])
        last = store.alerts.last_of("wave", "delivery")
        assert last is not None
        assert last.id == "a2"
        assert store.alerts.last_of("wave", "other") is None
        assert [alert.id for alert in store.alerts.newest(2)] == ["a3", "a2"]

    def test_the_first_to_acknowledge_has_it(self, store: Store) -> None:
        store.alerts.raise_(an_alert(), [])
        assert store.alerts.acknowledge("a1", "joke", NOON).acknowledged_by == "joke"
        with pytest.raises(Conflict) as refused:
            store.alerts.acknowledge("a1", "piet", LATER)
        assert refused.value.winner == "joke"
        with pytest.raises(StoreError, match="not in the record"):
            store.alerts.acknowledge("a9", "piet", LATER)

    def test_a_delivery_is_leased_to_one_worker_and_queued_again_when_the_lease_runs_out(self, store: Store) -> None:
        store.alerts.raise_(an_alert(), [a_delivery(), a_delivery(channel="mail", next_at=LATER)])
        (taken,) = store.alerts.take_due("w1", NOON, 5)
        assert (taken.channel, taken.state, taken.attempts) == ("console", DeliveryState.SENDING, 0)
        assert store.alerts.take_due("w2", NOON + timedelta(seconds=59), 5) == []
        (again,) = store.alerts.take_due("w2", NOON + timedelta(seconds=60), 5)
        assert (again.id, again.attempts) == (taken.id, 1)
        store.alerts.record(replace(again, state=DeliveryState.QUEUED, attempts=2, next_at=LATER, note="timeout"))
        assert [one.channel for one in store.alerts.take_due("w1", LATER, 5)] == ["console", "mail"]

    def test_what_was_delivered_stays_delivered(self, store: Store) -> None:
        store.alerts.raise_(an_alert(), [a_delivery()])
        (taken,) = store.alerts.take_due("w1", NOON, 5)
        done = replace(taken, state=DeliveryState.DELIVERED, attempts=1)
        store.alerts.record(done)
        store.alerts.record(replace(taken, state=DeliveryState.QUEUED, note="a slow twin gave up"))
        assert store.alerts.deliveries("a1") == [done]
        assert store.alerts.take_due("w1", LATER, 5) == []

    # --- the rest -----------------------------------------------------------------------------------------------------

    def test_health_is_kept_as_it_was_last(self, store: Store) -> None:
        health = SourceHealth(source_id="praatpaal")
        store.sources.save_health(health)
        worse = replace(
            health, status=SourceStatus.LIMITED, attempts=3, failures=1.5, next_attempt_at=LATER, note="429"
        )
        store.sources.save_health(worse)
        assert store.sources.health() == {"praatpaal": worse}

    def test_a_lease_is_held_by_one_until_it_is_let_go_or_runs_out(self, store: Store) -> None:
        with store.lease("index", "a", NOON, 60) as first, store.lease("index", "b", NOON, 60) as second:
            assert (first, second) == (True, False)
            with store.lease("collect", "b", NOON, 60) as other:
                assert other
            with store.lease("index", "b", NOON + timedelta(seconds=60), 60) as run_out:
                assert run_out
        with store.lease("index", "b", NOON, 60) as let_go:
            assert let_go

    def test_a_small_named_value(self, reopen: Callable[[], Store]) -> None:
        assert reopen().get_meta("index_generation") is None
        reopen().set_meta("index_generation", "a")
        reopen().set_meta("index_generation", "b")
        assert reopen().get_meta("index_generation") == "b"
