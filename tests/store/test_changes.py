"""Addresses change once their owners said yes, and the directory's edits reach mail that waits."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailgate.model.directory import Contact
from mailgate.model.outcome import Composed, NewToken
from mailgate.model.people import Change, Session
from mailgate.model.web_ports import Refused
from mailgate.store import Store
from tests.store.builders import DAY, HOUR, NOW, link, notice, outcome, take, with_link
from tests.store.builders import admission as offered
from tests.store.house import ANNA, FLORIST, JAN, MAIL, OLA, SHOP, House, make_house

NEW = "nowa@piekarnia.example"
IDLE = timedelta(minutes=30)


@pytest.fixture
def house(store: Store) -> House:
    return make_house(store)


def change(house: House, kind: Any = "add", to: str = NEW, **changes: Any) -> Change:
    whose = {"add": None, "address": house.contacts[JAN], "main": house.contacts[ANNA]}[kind]
    values: dict[str, Any] = {
        "id": 0,
        "account_id": "1001",
        "kind": kind,
        "contact_id": whose.id if whose else None,
        "role": whose.role if whose else "additional",
        "name": "Nowa",
        "language": None,
        "old_address": whose.address if whose else "",
        "new_address": to,
        "requested_by": ANNA,
        "nonce": "n",
        "new_sha256": f"new {to}",
        "old_sha256": f"old {to}" if kind == "main" else None,
        "state": "open",
        "tries": 0,
        "created_at": NOW,
        "expires_at": NOW + DAY,
    }
    return Change(**{**values, **changes})


def ask(house: House, asked: Change) -> Change:
    mail = notice(f"V{asked.new_address}", to=asked.new_address, template="verify-address")
    return house.store.changes.ask(asked, [mail], NOW)


def tell(done: Change, contacts: Sequence[Contact]) -> Composed:
    new = next(c for c in contacts if c.address == done.new_address)
    if done.kind == "add":
        mail = notice("A1", to=new.address, template="access-token")
        token = NewToken(new.id, "new token", NOW + DAY, ("panel", "tickets:read"), mail)
        return Composed(token=token)
    return Composed(
        tuple(
            notice(f"T{to}", to=to, template="address-changed")
            for to in (done.old_address, done.new_address)
        )
    )


def addresses(house: House, account: str = "1001") -> dict[str, str]:
    (entry,) = house.store.directory.export(account)
    return {c.address: c.role for c in entry.contacts}


# --- a new contact --------------------------------------------------------------------------------


def test_a_new_contact_counts_once_the_address_said_yes(house: House) -> None:
    ask(house, change(house))
    assert NEW not in addresses(house)
    assert [c.new_address for c in house.store.changes.of_account("1001", NOW)] == [NEW]
    done = house.store.changes.confirm(f"new {NEW}", NOW, tell)
    assert done is not None
    assert done.state == "done"
    assert addresses(house)[NEW] == "additional"
    assert house.store.changes.of_account("1001", NOW) == []
    assert house.store.changes.confirm(f"new {NEW}", NOW, tell) is None


def test_the_page_behind_a_link_knows_whose_side_it_is_and_how_it_ended(house: House) -> None:
    ask(house, change(house, "main"))
    find = house.store.changes.find
    found = {side: find(f"{side} {NEW}", NOW) for side in ("new", "old")}
    assert {side: page.side for side, page in found.items() if page} == {"new": "new", "old": "old"}
    assert find("new other", NOW) is None
    house.store.changes.refuse(f"old {NEW}", NOW)
    page = find(f"new {NEW}", NOW)
    assert page is not None
    assert (page.change.state, page.company) == ("refused", "Piekarnia Anna Nowak")


def test_a_link_that_came_too_late_changes_nothing(house: House) -> None:
    ask(house, change(house))
    assert house.store.changes.confirm(f"new {NEW}", NOW + DAY, tell) is None
    assert not house.store.changes.refuse(f"new {NEW}", NOW + DAY)
    assert house.store.changes.of_account("1001", NOW + DAY) == []
    assert NEW not in addresses(house)


def test_of_many_confirmations_at_once_one_makes_the_contact(house: House) -> None:
    ask(house, change(house))
    confirm = house.store.changes.confirm
    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(confirm, f"new {NEW}", NOW, tell) for _ in range(12)]
        assert sum(one.result() is not None for one in done) == 1


def test_an_address_that_became_a_contact_meanwhile_is_refused(house: House) -> None:
    ask(house, change(house, to=NEW))
    entry = house.store.directory.export("1001")[0]
    joined = (*entry.contacts, Contact(99, "1001", NEW.upper(), "technical"))
    house.store.directory.import_entries([replace(entry, contacts=joined)], NOW)
    with pytest.raises(Refused, match="address-taken"):
        house.store.changes.confirm(f"new {NEW}", NOW, tell)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"to": JAN.upper()}, "address-taken"),
        ({"account_id": "9999"}, "not-found"),
        ({"role": "main"}, "not-found"),
        ({"kind": "address", "account_id": "1002"}, "not-found"),
        ({"kind": "address", "old_address": OLA}, "not-found"),
        ({"kind": "main", "contact_id": 10**9}, "not-found"),
        ({"kind": "main", "to": ANNA}, "address-taken"),
    ],
)
def test_what_does_not_fit_the_account_is_refused(
    house: House, wrong: dict[str, Any], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        ask(house, change(house, **wrong))
    assert house.store.views.outbox() == []


def test_the_main_contacts_address_changes_by_main_only_and_that_of_others_never(
    house: House,
) -> None:
    anna, jan = house.contacts[ANNA], house.contacts[JAN]
    for kind, whose in (("address", anna), ("main", jan)):
        asked = change(house, kind, contact_id=whose.id, old_address=whose.address)
        with pytest.raises(Refused, match="not-found"):
            ask(house, asked)


def test_a_customer_cannot_have_us_write_to_the_whole_world(house: House) -> None:
    for number in range(10):
        ask(house, change(house, to=f"a{number}@x.example"))
    with pytest.raises(Refused, match="too-many"):
        ask(house, change(house, to="a10@x.example"))


def test_asking_again_for_an_address_replaces_what_waits(house: House) -> None:
    first = ask(house, change(house, role="technical"))
    again = change(house, new_sha256="second")
    second = house.store.changes.ask(again, [notice("N2", to=NEW)], NOW)
    assert [c.id for c in house.store.changes.of_account("1001", NOW)] == [second.id]
    assert house.store.changes.confirm(first.new_sha256, NOW, tell) is None
    assert house.store.changes.confirm("second", NOW, tell) is not None


def test_a_change_is_cancelled_by_its_own_account(house: House) -> None:
    made = ask(house, change(house))
    assert not house.store.changes.cancel(made.id, "1002", FLORIST, NOW)
    assert house.store.changes.cancel(made.id, "1001", ANNA, NOW)
    assert house.store.changes.confirm(f"new {NEW}", NOW, tell) is None


def test_codes_are_counted_before_they_are_looked_at(house: House) -> None:
    made = ask(house, change(house, "main"))
    with ThreadPoolExecutor(4) as pool:
        tries = list(pool.map(lambda _: house.store.changes.count_try(made.id), range(8)))
    assert sorted(tries) == list(range(1, 9))


# --- another address ------------------------------------------------------------------------------


def sign_in(house: House, who: str) -> str:
    sha = f"session of {who}"
    made = Session(
        sha, "customer", "link", "c", NOW, NOW, NOW + 12 * HOUR, contact_id=house.id(who)
    )
    house.store.sessions.start(made, who)
    return sha


def token(house: House, who: str) -> str:
    sha = f"token of {who}"
    mail = notice(f"A{who}", to=who, template="access-token")
    assert house.store.access_tokens.issue(house.id(who), sha, mail, "kasia", NOW, NOW + DAY)
    return sha


@pytest.mark.parametrize(("kind", "whose"), [("address", JAN), ("main", ANNA)])
def test_what_the_old_address_was_given_ends_with_it(house: House, kind: Any, whose: str) -> None:
    """Promise L15."""
    session, access = sign_in(house, whose), token(house, whose)
    role = addresses(house)[whose]
    ask(house, change(house, kind))
    if kind == "main":
        house.store.changes.confirm(f"old {NEW}", NOW, tell)
    assert house.store.changes.confirm(f"new {NEW}", NOW, tell)
    assert whose not in addresses(house)
    assert addresses(house)[NEW] == role
    assert house.store.sessions.find(session, NOW, IDLE) is None
    assert house.store.access_tokens.use(access, NOW) is None
    told = {
        r.notice.to for r in house.store.views.outbox() if r.notice.template == "address-changed"
    }
    assert told == {whose, NEW}


@pytest.mark.parametrize("first", ["old", "new"])
def test_the_main_address_changes_once_both_said_yes(house: House, first: str) -> None:
    ask(house, change(house, "main"))
    half = house.store.changes.confirm(f"{first} {NEW}", NOW, tell)
    assert half is not None
    assert half.state == "open"
    assert house.store.changes.confirm(f"{first} {NEW}", NOW, tell) is not None, "twice is once"
    assert addresses(house)[ANNA] == "main"
    other = "old" if first == "new" else "new"
    done = house.store.changes.confirm(f"{other} {NEW}", NOW, tell)
    assert done is not None
    assert (done.state, addresses(house)[NEW]) == ("done", "main")


def test_one_no_is_enough(house: House) -> None:
    ask(house, change(house, "main"))
    house.store.changes.confirm(f"new {NEW}", NOW, tell)
    assert house.store.changes.refuse(f"old {NEW}", NOW)
    assert house.store.changes.confirm(f"old {NEW}", NOW, tell) is None
    assert addresses(house)[ANNA] == "main"


def test_another_contact_can_become_the_main_one(house: House) -> None:
    ask(house, change(house, "main", to=OLA))
    house.store.changes.confirm(f"old {OLA}", NOW, tell)
    house.store.changes.confirm(f"new {OLA}", NOW, tell)
    found = addresses(house)
    assert (found[OLA], found[ANNA]) == ("main", "additional")


def test_a_change_asked_of_a_directory_that_is_another_now_falls(house: House) -> None:
    ask(house, change(house, "address"))
    house.store.edits.remove_contact("1001", house.id(JAN), ANNA, NOW)
    assert house.store.changes.confirm(f"new {NEW}", NOW, tell) is None
    assert set(addresses(house)) == {ANNA, OLA}
    assert house.store.changes.of_account("1001", NOW) == []


def test_who_asked_and_who_agreed_is_on_record(house: House) -> None:
    ask(house, change(house, "main"))
    house.store.changes.confirm(f"old {NEW}", NOW, tell)
    house.store.changes.confirm(f"new {NEW}", NOW, tell)
    acts = [(e.what, e.who) for e in house.store.audit.entries(subject="account:1001").rows]
    assert acts == [("change-done", NEW), ("change-confirmed", ANNA), ("change-asked", ANNA)]


# --- edits, and mail that waits -------------------------------------------------------------------


def due(house: House) -> set[str]:
    """What a worker would be given now."""
    found = set()
    while item := house.store.queue.claim("w/0", NOW):
        found.add(item.queue_id)
    return found


@pytest.fixture
def waiting(house: House) -> dict[str, str]:
    """A message of each kind; all but the first three have nothing to gain from an edit."""
    closed = house.ticket("closed", "pending")
    house.store.tickets.close(closed.number, "kasia", "done", NOW)
    return {
        "pending": house.receive("pending", "pending"),
        "unauthorized": house.receive("unauthorized", "unauthorized", sender=JAN),
        "held": house.receive("held", "held", opens=False),
        "authorized": house.receive("authorized"),
        "filed": house.receive("filed", "filed", opens=False),
        "florist": house.receive("florist", "pending", sender=FLORIST),
        "stranger": house.receive("stranger", "unauthorized", sender=None),
    }


@pytest.mark.parametrize("edit", ["shares", "role", "remove", "add", "import"])
def test_an_edit_has_what_waits_for_the_account_decided_again(
    house: House, waiting: dict[str, str], edit: str
) -> None:
    edits, jan = house.store.edits, house.id(JAN)
    if edit == "shares":
        assert edits.set_shares("1001", frozenset({(jan, house.service(MAIL))}), ANNA, NOW)
    elif edit == "role":
        assert edits.set_contact(
            "1001", jan, name="", role="additional", language=None, signs_in=True, who=ANNA, now=NOW
        )
    elif edit == "remove":
        assert edits.remove_contact("1001", jan, ANNA, NOW)
    elif edit == "add":
        ask(house, change(house))
        house.store.changes.confirm(f"new {NEW}", NOW, tell)
    else:
        entry = house.store.directory.export("1001")[0]
        house.store.directory.import_entries([replace(entry, shares=frozenset())], NOW, "kasia")
    assert due(house) == {waiting[kind] for kind in ("pending", "unauthorized", "held")}


def test_mail_of_a_stranger_is_decided_again_once_the_stranger_is_a_contact(
    house: House, waiting: dict[str, str]
) -> None:
    stranger = "stranger@freemail.example"
    ask(house, change(house, to=stranger))
    house.store.changes.confirm(f"new {stranger}", NOW, tell)
    assert waiting["stranger"] in due(house)


def test_an_edit_that_changes_nothing_disturbs_nobody(
    house: House, waiting: dict[str, str]
) -> None:
    jan = house.contacts[JAN]
    same = frozenset({(jan.id, house.service(SHOP))})
    assert house.store.edits.set_shares("1001", same, ANNA, NOW)
    assert house.store.edits.set_contact(
        "1001",
        jan.id,
        name=jan.name,
        role=jan.role,
        language=None,
        signs_in=True,
        who=ANNA,
        now=NOW,
    )
    assert due(house) == set()
    assert house.store.audit.entries(who=ANNA).rows == ()
    assert waiting


def test_what_a_worker_is_deciding_meanwhile_is_decided_once_more(house: House) -> None:
    (made,) = house.store.intake.admit([offered("busy")])
    busy = take(house.store, made.queue_id)
    house.store.edits.set_shares("1001", frozenset(), ANNA, NOW)
    decided = outcome(busy, "unauthorized", contact=house.contacts[JAN])
    house.store.queue.apply(decided, with_link(link(busy)), NOW)
    assert due(house) == {made.queue_id}


OTHERS = [
    lambda house: frozenset({(house.id(FLORIST), house.service(SHOP))}),
    lambda house: frozenset({(house.id(JAN), house.service("kwiaciarnia.example"))}),
    lambda house: frozenset({(10**9, house.service(SHOP))}),
]


@pytest.mark.parametrize("pairs", OTHERS, ids=["contact", "service", "nobody"])
def test_what_is_of_another_account_is_never_shared(house: House, pairs: Any) -> None:
    assert not house.store.edits.set_shares("1001", pairs(house), ANNA, NOW)
    assert house.store.directory.export("1001")[0].shares == {(house.id(JAN), house.service(SHOP))}


def test_contacts_of_another_account_are_out_of_reach(house: House) -> None:
    edits, florist = house.store.edits, house.id(FLORIST)
    named = {"name": "x", "language": None, "signs_in": True, "who": ANNA, "now": NOW}
    assert not edits.set_contact("1001", florist, role="main", **named)  # type: ignore[arg-type] # keywords
    assert not edits.remove_contact("1001", florist, ANNA, NOW)
    assert not edits.set_account("9999", "x", "pl", ANNA, NOW)
    assert addresses(house, "1002") == {FLORIST: "main"}


@pytest.mark.parametrize("who", [JAN, OLA, FLORIST, "anna@piekarnia.example.evil.example"])
def test_nobody_but_the_main_contact_and_staff_edits_an_account(house: House, who: str) -> None:
    edits, jan = house.store.edits, house.id(JAN)
    made = ask(house, change(house))
    named = {"name": "x", "role": "technical", "language": None, "signs_in": True, "now": NOW}
    assert not edits.set_account("1001", "x", "pl", who, NOW)
    assert not edits.set_contact("1001", jan, who=who, **named)  # type: ignore[arg-type] # keywords
    assert not edits.remove_contact("1001", jan, who, NOW)
    assert not edits.set_shares("1001", frozenset(), who, NOW)
    assert not house.store.changes.cancel(made.id, "1001", who, NOW)
    with pytest.raises(Refused, match="not-found"):
        ask(house, change(house, to="other@x.example", requested_by=who))
    assert house.store.audit.entries(who=who).rows == ()
    assert edits.set_shares("1001", frozenset(), "kasia", NOW)
    assert edits.set_account("1001", "Piekarnia", "pl", ANNA.upper(), NOW)


def test_there_is_always_a_main_contact_who_can_sign_in(house: House) -> None:
    edits, anna, jan = house.store.edits, house.id(ANNA), house.id(JAN)
    named = {"name": "x", "language": None, "who": ANNA, "now": NOW}
    for whose, role, signs_in in (
        (anna, "technical", True),
        (jan, "main", True),
        (anna, "main", False),
    ):
        with pytest.raises(Refused, match="main-stays"):
            edits.set_contact("1001", whose, role=role, signs_in=signs_in, **named)  # type: ignore[arg-type] # keywords
    with pytest.raises(Refused, match="main-stays"):
        edits.remove_contact("1001", anna, ANNA, NOW)


def test_an_account_has_the_name_and_the_language_it_was_given(house: House) -> None:
    assert house.store.edits.set_account("1001", "Piekarnia Nowak", "en", ANNA, NOW)
    account = house.store.lookup.account("1001")
    assert account is not None
    assert (account.company, account.language) == ("Piekarnia Nowak", "en")
    (act,) = house.store.audit.entries(who=ANNA).rows
    assert act.why["changes"]["language"] == ["pl", "en"]


def test_a_new_contact_gets_a_token_once_the_address_is_verified(house: House) -> None:
    """Row B2."""
    ask(house, change(house))
    assert house.store.access_tokens.of_account("1001") == []
    assert house.store.changes.confirm(f"new {NEW}", NOW, tell)
    found = house.store.access_tokens.use("new token", NOW)
    assert found is not None
    assert (found[1].address, found[0].issued_by, found[0].scopes) == (
        NEW, ANNA, ("panel", "tickets:read"),
    )  # fmt: skip
    mails = [r.notice.to for r in house.store.views.outbox() if r.notice.template == "access-token"]
    assert mails == [NEW]
