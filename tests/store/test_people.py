"""Staff, sessions, links, tokens and attempts: who gets in, and who does not any more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from mailgate.model.people import Bound, Session, SignIn
from mailgate.model.web_ports import Refused
from mailgate.settings import Limits
from mailgate.store import Store
from mailgate.store.people_tables import session as session_table
from mailgate.store.tables import contact, share
from tests.store.builders import DAY, HOUR, NOW, make_store, notice
from tests.store.house import ANNA, FLORIST, JAN, House, make_house

MINUTE, IDLE = timedelta(minutes=1), timedelta(minutes=30)


@pytest.fixture
def house(store: Store) -> House:
    return make_house(store)


def add(store: Store, login: str = "kasia", role: Any = "admin") -> int:
    made = store.staff.add(login, "Kasia", "pl", role, "$argon2id$x", "SECRET", "root", NOW)
    return made.id


def session(name: str = "one", **changes: Any) -> Session:
    values: dict[str, Any] = {
        "token_sha256": name.rjust(64, "0"),
        "kind": "customer",
        "via": "link",
        "csrf": "c" * 32,
        "created_at": NOW,
        "seen_at": NOW,
        "ends_at": NOW + 12 * HOUR,
    }
    return Session(**{**values, **changes})


# --- staff ----------------------------------------------------------------------------------------


def test_staff_are_found_by_login_with_what_they_are_checked_against(store: Store) -> None:
    add(store)
    found = store.staff.find("kasia")
    assert found is not None
    assert (found.password_hash, found.totp_secret, found.totp_last_step) == (
        "$argon2id$x",
        "SECRET",
        0,
    )
    assert (found.staff.role, found.staff.totp, found.staff.disabled_at) == ("admin", True, None)
    assert store.staff.get(found.staff.id) == found.staff
    assert store.staff.find("nobody") is None


@pytest.mark.parametrize("login", ["", "Kasia", "a b", "kasia@x.example", "-x", "mailgate", "ł"])
def test_a_login_is_a_plain_word_and_never_an_address(store: Store, login: str) -> None:
    with pytest.raises(Refused, match="bad-login"):
        add(store, login)


def test_a_login_is_given_once_even_after_it_was_disabled(store: Store) -> None:
    add(store)
    add(store, "jan")
    store.staff.disable("kasia", "jan", "left", NOW)
    with pytest.raises(Refused, match="login-taken"):
        add(store)


def test_the_last_admin_cannot_be_disabled(store: Store) -> None:
    add(store, "kasia")
    add(store, "ola", "agent")
    with pytest.raises(Refused, match="last-admin"):
        store.staff.disable("kasia", "kasia", "why", NOW)
    add(store, "jan")
    assert store.staff.disable("kasia", "jan", "left", NOW)
    assert not store.staff.disable("kasia", "jan", "left", NOW)
    assert not store.staff.disable("nobody", "jan", "left", NOW)
    with pytest.raises(Refused, match="last-admin"):
        store.staff.disable("jan", "jan", "why", NOW)


def test_a_disabled_person_is_out_at_once_by_session_and_by_token(store: Store) -> None:
    add(store, "jan")
    kasia = add(store)
    store.sessions.start(session(kind="staff", via="password", staff_id=kasia), "kasia")
    store.api_tokens.issue(kasia, "script", "f" * 64, ["read"], "kasia", NOW, NOW + DAY)
    assert store.sessions.find("one".rjust(64, "0"), NOW, IDLE) is not None
    assert store.api_tokens.find("f" * 64, NOW) is not None
    store.staff.disable("kasia", "jan", "left", NOW)
    assert store.sessions.find("one".rjust(64, "0"), NOW, IDLE) is None
    assert store.api_tokens.find("f" * 64, NOW) is None


def test_a_code_of_a_time_step_counts_once(store: Store) -> None:
    kasia = add(store)
    assert store.staff.take_step(kasia, 100)
    assert not store.staff.take_step(kasia, 100)
    assert not store.staff.take_step(kasia, 99), "an older one was seen by whoever saw the newer"
    assert store.staff.take_step(kasia, 101)


def test_a_new_password_ends_the_sessions_of_the_old_one(store: Store) -> None:
    kasia = add(store)
    store.sessions.start(session(kind="staff", via="password", staff_id=kasia), "kasia")
    assert store.staff.set_password("kasia", "$argon2id$y", "root", NOW)
    assert store.sessions.find("one".rjust(64, "0"), NOW, IDLE) is None
    assert not store.staff.set_password("nobody", "x", "root", NOW)


def test_a_profile_is_what_was_set_last(store: Store) -> None:
    kasia = add(store)
    assert store.staff.set_profile(kasia, "Katarzyna", "en", "Kind regards", "kasia", NOW)
    found = store.staff.get(kasia)
    assert found is not None
    assert (found.name, found.language, found.signature) == ("Katarzyna", "en", "Kind regards")


# --- sessions -------------------------------------------------------------------------------------


def test_a_session_gives_its_person_as_the_directory_has_them_now(house: House) -> None:
    one = session(contact_id=house.id(JAN))
    house.store.sessions.start(one, JAN)
    house.store.edits.set_contact(
        "1001",
        house.id(JAN),
        name="Jan Nowy",
        role="additional",
        language="en",
        signs_in=True,
        who=ANNA,
        now=NOW,
    )
    found = house.store.sessions.find(one.token_sha256, NOW, IDLE)
    assert found is not None
    assert found.contact is not None
    assert (found.contact.name, found.contact.role) == ("Jan Nowy", "additional")
    assert found.account is not None
    assert found.account.id == "1001"


def test_a_session_ends_by_idling_and_at_its_end_whatever_happens(house: House) -> None:
    one = session(contact_id=house.id(ANNA), ends_at=NOW + HOUR)
    house.store.sessions.start(one, ANNA)
    sessions, sha = house.store.sessions, one.token_sha256
    assert sessions.find(sha, NOW + IDLE, IDLE) is None
    for minutes in (20, 40, 59):
        assert sessions.find(sha, NOW + minutes * MINUTE, IDLE) is not None
    assert sessions.find(sha, NOW + HOUR, IDLE) is None


def test_a_session_that_was_ended_is_gone_and_ending_again_is_nothing(house: House) -> None:
    one, two = (session(name, contact_id=house.id(ANNA)) for name in ("one", "two"))
    for each in (one, two):
        house.store.sessions.start(each, ANNA)
    for _ in range(2):
        house.store.sessions.end(one.token_sha256, NOW)
    assert house.store.sessions.find(one.token_sha256, NOW, IDLE) is None
    assert house.store.sessions.find(two.token_sha256, NOW, IDLE) is not None
    assert house.store.sessions.end_all(contact_id=house.id(ANNA)) == 1
    assert [e.what for e in house.store.audit.entries(who=ANNA).rows] == [
        "signed-out",
        "signed-in",
        "signed-in",
    ]


def test_nobody_gets_in_without_the_right_to_or_once_removed(house: House) -> None:
    one = session(contact_id=house.id(JAN))
    house.store.sessions.start(one, JAN)
    house.store.edits.remove_contact("1001", house.id(JAN), ANNA, NOW)
    assert house.store.sessions.find(one.token_sha256, NOW, IDLE) is None


def test_a_session_row_left_behind_opens_nothing(house: House) -> None:
    """Even where nobody ended it, the directory has the last word."""
    one = session(contact_id=house.id(JAN))
    house.store.sessions.start(one, JAN)
    with house.store.database.writing() as connection:
        connection.execute(share.delete().where(share.c.contact_id == house.id(JAN)))
        connection.execute(contact.delete().where(contact.c.id == house.id(JAN)))
    with house.store.database.reading() as connection:
        assert connection.execute(session_table.select()).first() is not None
    assert house.store.sessions.find(one.token_sha256, NOW, IDLE) is None


# --- one-time links -------------------------------------------------------------------------------


def sign_in(house: House, who: str = ANNA, name: str = "in", **changes: Any) -> SignIn:
    values: dict[str, Any] = {
        "token_sha256": name.rjust(64, "0"),
        "nonce": name,
        "contact_id": house.id(who),
        "address": who,
        "created_at": NOW,
        "expires_at": NOW + 15 * MINUTE,
    }
    return SignIn(**{**values, **changes})


def letter(house: House, who: str = ANNA, name: str = "in", **changes: Any) -> Any:
    values = {"template": "sign-in-link", "contact_id": house.id(who), "link_nonce": name}
    return notice(f"N{name}", **{"to": who, **values, **changes})


def test_a_link_signs_in_once_within_its_time(house: House) -> None:
    link = sign_in(house)
    assert house.store.sign_ins.ask(link, letter(house), NOW)
    assert house.store.sign_ins.find(link.token_sha256, NOW) == link
    assert house.store.sign_ins.redeem(link.token_sha256, NOW + 15 * MINUTE) is None
    found = house.store.sign_ins.redeem(link.token_sha256, NOW + MINUTE)
    assert found == house.contacts[ANNA]
    assert house.store.sign_ins.redeem(link.token_sha256, NOW + MINUTE) is None
    assert house.store.sign_ins.find(link.token_sha256, NOW + MINUTE) is None


def test_of_many_who_redeem_at_once_one_gets_in(house: House) -> None:
    link = sign_in(house)
    house.store.sign_ins.ask(link, letter(house), NOW)
    with ThreadPoolExecutor(8) as pool:
        tries = [
            pool.submit(house.store.sign_ins.redeem, link.token_sha256, NOW) for _ in range(16)
        ]
        assert sum(done.result() is not None for done in tries) == 1


def test_a_link_is_mailed_to_the_registered_address_alone(house: House) -> None:
    sign_ins = house.store.sign_ins
    assert not sign_ins.ask(sign_in(house, address=FLORIST), letter(house), NOW)
    assert not sign_ins.ask(sign_in(house), letter(house, to="x@evil.example"), NOW)
    assert not sign_ins.ask(sign_in(house, contact_id=10**9), letter(house), NOW)
    assert house.store.views.outbox() == []


def test_a_link_dies_with_the_address_it_was_mailed_to(house: House) -> None:
    link = sign_in(house, JAN)
    house.store.sign_ins.ask(link, letter(house, JAN), NOW)
    house.store.edits.remove_contact("1001", house.id(JAN), ANNA, NOW)
    assert house.store.sign_ins.redeem(link.token_sha256, NOW) is None


def test_limits_stop_links_as_any_automatic_mail(url: str) -> None:
    store = make_store(url, limits=Limits(links_per_contact_hour=2))
    house = make_house(store)
    asked = [
        store.sign_ins.ask(sign_in(house, name=f"n{n}"), letter(house, name=f"n{n}"), NOW)
        for n in range(3)
    ]
    assert asked == [True, True, False]
    store.close()


# --- access tokens --------------------------------------------------------------------------------


def issue(house: House, who: str = ANNA, name: str = "t", at: Any = NOW) -> Any:
    mail = letter(house, who, name, template="access-token")
    sha = name.rjust(64, "0")
    return house.store.access_tokens.issue(house.id(who), sha, mail, "kasia", at, at + 90 * DAY)


def test_a_token_that_is_revoked_in_the_instant_it_signs_in_opens_nothing(house: House) -> None:
    made = issue(house)
    assert house.store.access_tokens.use("t".rjust(64, "0"), NOW)
    assert house.store.access_tokens.revoke(made.id, "kasia", "lost", NOW)
    late = session(contact_id=house.id(ANNA), via="token", access_token_id=made.id)
    house.store.sessions.start(late, ANNA)
    assert house.store.sessions.find(late.token_sha256, NOW, IDLE) is None


def test_a_token_signs_in_until_it_ends_and_its_first_use_verifies_the_address(
    house: House,
) -> None:
    made = issue(house)
    assert (made.address, made.issued_by, made.verified_at) == (ANNA, "kasia", None)
    sha, tokens = "t".rjust(64, "0"), house.store.access_tokens
    assert tokens.use("x".rjust(64, "0"), NOW) is None
    found = tokens.use(sha, NOW + DAY)
    assert found is not None
    assert found[1] == house.contacts[ANNA]
    (kept,) = tokens.of_contact(house.id(ANNA))
    assert (kept.verified_at, kept.last_used_at) == (NOW + DAY, NOW + DAY)
    assert tokens.use(sha, NOW + 2 * DAY) is not None
    (kept,) = tokens.of_account("1001")
    assert (kept.verified_at, kept.last_used_at) == (NOW + DAY, NOW + 2 * DAY)
    assert tokens.use(sha, NOW + 90 * DAY) is None


def test_a_new_token_ends_the_older_ones_and_their_sessions(house: House) -> None:
    made = issue(house)
    one = session(contact_id=house.id(ANNA), via="token", access_token_id=made.id)
    other = session("other", contact_id=house.id(ANNA))
    for each in (one, other):
        house.store.sessions.start(each, ANNA)
    issue(house, name="u")
    assert house.store.access_tokens.use("t".rjust(64, "0"), NOW) is None
    assert house.store.sessions.find(one.token_sha256, NOW, IDLE) is None
    assert house.store.sessions.find(other.token_sha256, NOW, IDLE) is not None
    assert house.store.access_tokens.get(made.id).revoked_why == "replaced"  # type: ignore[union-attr] # it is there


def test_a_token_is_revoked_by_its_account_only(house: House) -> None:
    made = issue(house)
    tokens = house.store.access_tokens
    assert not tokens.revoke(made.id, FLORIST, "mine?", NOW, account_id="1002")
    assert tokens.use("t".rjust(64, "0"), NOW) is not None
    assert tokens.revoke(made.id, ANNA, "lost", NOW, account_id="1001")
    assert not tokens.revoke(made.id, ANNA, "lost", NOW, account_id="1001")
    assert tokens.use("t".rjust(64, "0"), NOW) is None
    assert tokens.of_account("1002") == []


def test_a_token_goes_to_the_registered_address_or_is_not_issued(house: House) -> None:
    mail = letter(house, ANNA, "t", template="access-token")
    tokens = house.store.access_tokens
    assert tokens.issue(house.id(JAN), "t" * 64, mail, "kasia", NOW, NOW + DAY) is None
    assert tokens.issue(10**9, "t" * 64, mail, "kasia", NOW, NOW + DAY) is None
    assert house.store.views.outbox() == []


def test_what_is_on_record_of_a_token_opens_nothing(house: House) -> None:
    made = issue(house)
    (act,) = house.store.audit.entries(who="kasia").rows
    kept = {"token": made.id, "to": ANNA, "scopes": ["panel"]}
    assert (act.what, act.why) == ("token-issued", kept)


# --- API tokens -----------------------------------------------------------------------------------


def test_an_api_token_is_good_until_it_ends_or_is_revoked(store: Store) -> None:
    kasia, jan = add(store), add(store, "jan")
    made = store.api_tokens.issue(kasia, "script", "f" * 64, ["read"], "kasia", NOW, NOW + DAY)
    found = store.api_tokens.find("f" * 64, NOW)
    assert found is not None
    assert (found[0].scopes, found[1].login) == (("read",), "kasia")
    assert store.api_tokens.find("f" * 64, NOW + DAY) is None
    assert [t.last_used_at for t in store.api_tokens.all(kasia)] == [NOW]
    assert store.api_tokens.all(jan) == []
    assert not store.api_tokens.revoke(made.id, "jan", NOW, staff_id=jan)
    assert store.api_tokens.revoke(made.id, "kasia", NOW, staff_id=kasia)
    assert store.api_tokens.find("f" * 64, NOW) is None


# --- attempts -------------------------------------------------------------------------------------

BOUND = Bound("staff:kasia", 3, 15 * MINUTE)


def test_so_many_attempts_and_no_more_until_the_time_is_over(store: Store) -> None:
    tries = [store.attempts.begin([BOUND], NOW + n * MINUTE) for n in range(5)]
    assert tries == [True, True, True, False, False]
    assert store.attempts.begin([BOUND], NOW + 15 * MINUTE), "what was refused was not counted"


def test_a_right_attempt_wipes_the_slate(store: Store) -> None:
    for _ in range(3):
        store.attempts.begin([BOUND], NOW)
    store.attempts.succeeded([BOUND.key])
    assert store.attempts.begin([BOUND], NOW)


def test_every_key_has_a_bound_of_its_own(store: Store) -> None:
    address = Bound("ip:192.0.2.1", 4, HOUR)
    for number in range(4):
        assert store.attempts.begin([Bound(f"staff:{number}", 3, HOUR), address], NOW)
    assert not store.attempts.begin([Bound("staff:9", 3, HOUR), address], NOW)
    assert store.attempts.begin([Bound("staff:9", 1, HOUR)], NOW), "nothing was counted for it"


# --- saved views ----------------------------------------------------------------------------------


def test_everybody_has_views_of_their_own(store: Store) -> None:
    kasia, jan = add(store), add(store, "jan")
    first = store.saved.save(kasia, "Czekają", "verdict=pending")
    store.saved.save(kasia, "Czekają", "verdict=held")
    assert [v.query for v in store.saved.all(kasia)] == ["verdict=held"]
    assert store.saved.all(jan) == []
    (kept,) = store.saved.all(kasia)
    assert not store.saved.remove(jan, kept.id)
    assert not store.saved.remove(kasia, first.id), "another took its place"
    assert store.saved.remove(kasia, kept.id)
