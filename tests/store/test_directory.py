"""The directory in the database: replaced as a whole, with ids that history can rely on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgate.model.directory import LANGUAGES, ROLES, Account, AccountEntry, Contact, Service
from mailgate.model.notice import Notice
from mailgate.model.people import Session
from mailgate.model.ports import StorageError
from mailgate.store import Store
from mailgate.store.directory_files import parse_csv, parse_yaml, to_csv, to_yaml
from tests.store.builders import DAY, HOUR, NOW, entry, notice

ANNA, JAN, OLA = "anna@piekarnia.example", "jan@web.example", "ola@piekarnia.example"
FULL = entry(
    contacts=((ANNA, "main"), (JAN, "technical")),
    services=("piekarnia.example", "sklep.example"),
    shares=((JAN, "sklep.example"),),
)


def ids(store: Store) -> dict[str, int]:
    return {c.address: c.id for e in store.directory.export() for c in e.contacts}


def test_what_goes_in_comes_out(store: Store) -> None:
    changes = store.directory.import_entries([FULL], NOW, "kasia")
    assert changes == {
        "accounts added": 1,
        "contacts added": 2,
        "services added": 2,
        "shares added": 1,
    }
    assert said(store.directory.export()) == said([FULL])
    event = store.views.events(what="directory-imported")[0]
    assert (event.who, event.why) == ("kasia", {"changes": changes})


def test_the_same_again_changes_nothing_and_keeps_every_id(store: Store) -> None:
    store.directory.import_entries([FULL], NOW)
    before = ids(store)
    assert store.directory.import_entries([FULL], NOW) == {}
    assert ids(store) == before


def test_an_import_is_the_whole_truth_about_the_accounts_it_names(store: Store) -> None:
    other = entry("2002", contacts=((OLA, "main"),))
    store.directory.import_entries([FULL, other], NOW)
    changes = store.directory.import_entries([entry(contacts=((ANNA, "main"),))], NOW)
    assert changes == {"contacts removed": 1, "services removed": 2}
    assert list(ids(store)) == [ANNA, OLA]


def test_a_contact_keeps_its_id_while_its_address_stays(store: Store) -> None:
    store.directory.import_entries([FULL], NOW)
    before = ids(store)
    changed = entry(contacts=((JAN.upper(), "additional"), (ANNA, "main")))
    store.directory.import_entries([changed], NOW)
    after = ids(store)
    assert after[ANNA] == before[ANNA]
    assert after["JAN@web.example"] == before[JAN]


def test_an_address_that_was_gone_is_somebody_else(store: Store) -> None:
    """Links and codes of the old contact must not become the new one's."""
    store.directory.import_entries([FULL], NOW)
    old = ids(store)[JAN]
    store.directory.import_entries([entry()], NOW)
    store.directory.import_entries([FULL], NOW)
    assert ids(store)[JAN] > old


def test_two_people_may_change_places(store: Store) -> None:
    store.directory.import_entries([entry(contacts=((ANNA, "main"), (OLA, "additional")))], NOW)
    store.directory.import_entries([entry(contacts=((ANNA, "additional"), (OLA, "main")))], NOW)
    main = store.lookup.main_contact("1001")
    assert main is not None
    assert main.address == OLA


def test_a_share_that_is_not_named_any_more_ends(store: Store) -> None:
    store.directory.import_entries([FULL], NOW)
    store.directory.import_entries([replace(FULL, shares=frozenset())], NOW)
    jan = store.lookup.contacts(JAN)[0]
    assert store.lookup.shared_services(jan.id) == frozenset()


def test_one_impossible_account_leaves_everything_as_it_was(store: Store) -> None:
    store.directory.import_entries([FULL], NOW)
    broken = entry("0001", contacts=((ANNA, "main"), (OLA, "main")))
    with pytest.raises(StorageError):
        store.directory.import_entries([entry("0000"), broken, entry("1001", contacts=())], NOW)
    assert said(store.directory.export()) == said([FULL])


def test_a_dry_run_says_what_would_be_and_does_nothing(store: Store) -> None:
    changes = store.directory.import_entries([FULL], NOW, dry_run=True)
    assert changes["contacts added"] == 2
    assert store.directory.export() == []
    assert store.views.events() == []


def test_accounts_are_found_by_id_and_by_the_address_of_a_contact(store: Store) -> None:
    other = entry("2002", contacts=((JAN, "technical"),))
    store.directory.import_entries([FULL, other, entry("3003", contacts=())], NOW)
    assert [e.account.id for e in store.directory.of_address(JAN.upper())] == ["1001", "2002"]
    assert [e.account.id for e in store.directory.export("3003")] == ["3003"]
    assert store.directory.export("4004") == []


def said(entries: list[AccountEntry]) -> list[object]:
    """What entries say, without the ids that differ from database to database."""
    result: list[object] = []
    for one in entries:
        who = {c.id: c.address for c in one.contacts}
        what = {s.id: s.identifier for s in one.services}
        contacts = {(c.address, c.role, c.name, c.language) for c in one.contacts}
        services = {(s.identifier, s.name) for s in one.services}
        shares = {(who[a], what[s]) for a, s in one.shares}
        result.append((one.account, contacts, services, shares))
    return result


NAMES = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Co", "Zl", "Zp"), max_codepoint=0xFFFD),
    max_size=30,
).map(str.strip)
KEYS = NAMES.filter(bool)
ADDRESSES = st.builds(
    "{}@{}.example".format, st.from_regex(r"[a-z+]{1,8}", fullmatch=True), st.sampled_from("abc")
)


@st.composite
def entries(draw: st.DrawFn) -> list[AccountEntry]:
    made = []
    for account in draw(st.lists(KEYS, unique=True, max_size=3)):
        addresses = draw(st.lists(ADDRESSES, unique=True, max_size=4))
        main = draw(st.booleans())
        contacts = tuple(
            Contact(
                i,
                account,
                address,
                "main" if main and i == 1 else draw(st.sampled_from(ROLES[1:])),
                draw(NAMES),
                draw(st.sampled_from((None, *LANGUAGES))),
            )
            for i, address in enumerate(addresses, 1)
        )
        identifiers = draw(st.lists(KEYS, unique=True, max_size=3))
        services = tuple(
            Service(i, account, name, draw(NAMES)) for i, name in enumerate(identifiers, 1)
        )
        pairs = [(c.id, s.id) for c in contacts for s in services]
        shares = draw(st.frozensets(st.sampled_from(pairs))) if pairs else frozenset()
        company, language = draw(KEYS), draw(st.sampled_from(LANGUAGES))
        made.append(AccountEntry(Account(account, company, language), contacts, services, shares))
    return sorted(made, key=lambda e: e.account.id)


@given(entries())
def test_files_of_both_kinds_say_all_of_it(made: list[AccountEntry]) -> None:
    assert said(parse_yaml(to_yaml(made), "x.yaml")) == said(made)
    assert said(parse_csv(to_csv(made), "x.csv")) == said(made)


@settings(
    max_examples=40,
    deadline=None,
    # A busy machine draws slowly, which says nothing of the test.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=entries(), after=entries())
def test_whatever_was_there_an_import_comes_out_as_it_went_in(
    store: Store, before: list[AccountEntry], after: list[AccountEntry]
) -> None:
    store.directory.import_entries(before, NOW)
    store.directory.import_entries(after, NOW)
    exported = {e.account.id: e for e in store.directory.export()}
    assert said([exported[e.account.id] for e in after]) == said(after)


# --- who is gone ----------------------------------------------------------------------------------


def told(contact: Contact, _account: Account) -> Notice:
    return notice(f"to {contact.address}", to=contact.address, template="access-ended")


def test_tokens_of_whoever_is_gone_end_and_their_owner_is_told(store: Store) -> None:
    """Promise L15: another address in the file is another contact."""
    store.directory.import_entries([FULL], NOW)
    for who in (ANNA, JAN):
        mail = notice(f"t {who}", to=who, template="access-token")
        assert store.access_tokens.issue(ids(store)[who], who, mail, "kasia", NOW, NOW + DAY)
    made = Session("s", "customer", "link", "c", NOW, NOW, NOW + DAY, contact_id=ids(store)[JAN])
    store.sessions.start(made, JAN)
    moved = entry(contacts=((ANNA, "main"), ("jan@new.example", "technical")))
    store.directory.import_entries([moved], NOW, "kasia", told=told)
    assert store.access_tokens.use(JAN, NOW) is None
    assert store.access_tokens.use(ANNA, NOW) is not None
    assert store.sessions.find("s", NOW, HOUR) is None
    mails = [r.notice.to for r in store.views.outbox() if r.notice.template == "access-ended"]
    assert mails == [JAN]
    acts = store.audit.entries(who="kasia").rows
    ended = [act.why["reason"] for act in acts if act.what == "token-revoked"]
    assert ended == ["contact-removed"]
    assert store.audit.verify()[1] is None


def test_nobody_is_told_who_had_no_token_and_a_dry_run_tells_nobody(store: Store) -> None:
    store.directory.import_entries([FULL], NOW)
    mail = notice("t", to=JAN, template="access-token")
    store.access_tokens.issue(ids(store)[JAN], JAN, mail, "kasia", NOW, NOW + DAY)
    alone = entry(contacts=((ANNA, "main"),))
    store.directory.import_entries([alone], NOW, dry_run=True, told=told)
    assert store.access_tokens.use(JAN, NOW) is not None
    store.directory.import_entries([alone], NOW + 2 * DAY, told=told)
    assert [r.notice.template for r in store.views.outbox()] == ["access-token"]
