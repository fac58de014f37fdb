"""Your data in the panel: what is kept, what was asked and answered, and the copy to take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from mailgate.model.privacy import PrivacyRequest, RequestKind
from mailgate.model.privacy_ports import RequestFilter
from mailgate.model.retention import Window
from mailgate.words import words
from tests.web.panel_house import ANNA, JAN, OLA, SAM, PanelHouse, Visitor, make_house
from tests.web.site import Answer, Server


@pytest.fixture
def house(tmp_path: Path, server: Server) -> Iterator[PanelHouse]:
    made = make_house(tmp_path, server)
    yield made
    made.world.store.close()


@pytest.fixture
def anna(house: PanelHouse) -> Visitor:
    return Visitor(house).sign_in(ANNA)


def asks(who: Visitor, kind: RequestKind, text: str = "") -> Answer:
    return who.send("/panel/privacy", ("kind", kind), ("text", text))


def requests(house: PanelHouse, address: str = ANNA) -> tuple[PrivacyRequest, ...]:
    return tuple(house.world.store.privacy_requests.all(RequestFilter(address=address)).rows)


def answered(house: PanelHouse, number: int, words_: str, *, refused: bool = False) -> None:
    closed = house.world.store.privacy_requests.close(
        number,
        "refused" if refused else "done",
        words_,
        "kasia",
        house.world.now(),
        lambda _request: None,
    )
    assert closed


def audited(house: PanelHouse, number: int) -> list[tuple[str, str]]:
    """Who did what to a request, the last first."""
    rows = house.world.store.audit.entries(subject=f"request:{number}").rows
    return [(row.who, row.what) for row in rows]


def test_what_is_kept_and_how_long_stands_there_as_the_settings_have_it(anna: Visitor) -> None:
    page = anna.ask("/panel/privacy").text
    for each in ("3 miesiące od zamknięcia", "6 lat od tej samej", "2 lata, żeby"):
        assert each in page
    assert "najpóźniej w ciągu 1 miesiąca" in page
    english = anna.ask("/panel/privacy?lang=en").text
    assert "3 months after the ticket was closed" in english
    assert "We answer within 1 month at the latest" in english


@pytest.mark.parametrize(
    ("window", "polish", "english"),
    [
        (Window(days=1), "1 dzień", "1 day"),
        (Window(days=5), "5 dni", "5 days"),
        (Window(months=2), "2 miesiące", "2 months"),
        (Window(months=5, days=1), "5 miesięcy i 1 dzień", "5 months and 1 day"),
        (Window(months=12), "1 rok", "1 year"),
        (Window(months=14), "14 miesięcy", "14 months"),
        (Window(months=36), "3 lata", "3 years"),
        (Window(months=22 * 12), "22 lata", "22 years"),
        (Window(months=12 * 12), "12 lat", "12 years"),
        (Window(), "0 dni", "0 days"),
    ],
)
def test_a_window_is_said_as_people_say_it(window: Window, polish: str, english: str) -> None:
    assert words("pl").span(window) == polish
    assert words("en").span(window) == english


def test_a_request_stands_there_with_its_deadline_and_in_the_audit_log(
    house: PanelHouse, anna: Visitor
) -> None:
    page = anna.follow(asks(anna, "erase", "Proszę usunąć."))
    assert "Mamy Twój wniosek." in page.text
    assert "Odpowiemy do" in page.text
    assert "16 grudnia 2026" in page.text
    (request,) = requests(house)
    contact = house.contact(ANNA)
    assert (request.kind, request.text, request.filed_by) == ("erase", "Proszę usunąć.", ANNA)
    assert (request.contact_id, request.account_id) == (contact.id, "1001")
    assert audited(house, request.id) == [(ANNA, "privacy-request-filed")]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ((("text", "coś"),), "Wybierz, czego chcesz."),
        ((("kind", "everything"), ("text", "coś")), "Wybierz, czego chcesz."),
        ((("kind", "rectify"), ("text", " \n ")), "Napisz, co jest błędne"),
        ((("kind", "object"), ("text", "")), "Napisz, czego dotyczy sprzeciw"),
        ((("kind", "erase"), ("text", "x" * 4001)), "To za długie."),
    ],
)
def test_what_nobody_could_deal_with_is_not_filed_and_not_lost(
    house: PanelHouse, anna: Visitor, fields: tuple[tuple[str, str], ...], said: str
) -> None:
    page = anna.send("/panel/privacy", *fields)
    assert page.status == 422
    assert said in page.text
    assert f">{dict(fields)['text'].strip()}</textarea>" in page.text or not fields[-1][1].strip()
    assert requests(house) == ()


def test_a_sixth_request_waits_for_the_answers_to_five(house: PanelHouse, anna: Visitor) -> None:
    for _ in range(5):
        assert asks(anna, "access").status == 303
    page = asks(anna, "access")
    assert page.status == 422
    assert "Pięć Twoich wniosków czeka" in page.text
    assert len(requests(house)) == 5


def test_a_request_is_withdrawn_as_long_as_nobody_dealt_with_it(
    house: PanelHouse, anna: Visitor
) -> None:
    asks(anna, "erase")
    (request,) = requests(house)
    path = f"/panel/privacy/{request.id}/withdraw"
    page = anna.follow(anna.send(path))
    assert "Wycofany przez Ciebie" in page.text
    assert "Odmowa" not in page.text
    assert house.letters(ANNA)[-1].notice.template == "access-token"  # nobody is told by mail
    assert anna.send(path).status == 422
    assert audited(house, request.id)[0] == (ANNA, "privacy-request-refused")
    assert len(audited(house, request.id)) == 2


def test_what_was_approved_already_is_not_withdrawn(house: PanelHouse, anna: Visitor) -> None:
    asks(anna, "erase")
    (request,) = requests(house)
    assert house.world.store.erasure.approve(request.id, "kasia", "tak", house.world.now())
    assert "Zgoda, ale to musi poczekać" in anna.ask("/panel/privacy").text
    assert anna.send(f"/panel/privacy/{request.id}/withdraw").status == 422
    assert requests(house)[0].state == "waiting"


def test_a_refusal_says_why_and_where_to_complain(house: PanelHouse, anna: Visitor) -> None:
    asks(anna, "erase")
    answered(house, requests(house)[0].id, "Trwa spór o fakturę FV/7.", refused=True)
    page = anna.ask("/panel/privacy").text
    assert "Trwa spór o fakturę FV/7." in page
    assert "Prezes Urzędu Ochrony Danych Osobowych" in page


def test_the_copy_holds_the_persons_own_mail_and_nobody_elses(
    house: PanelHouse, anna: Visitor
) -> None:
    mine, hers = house.mail(ANNA, "moja sprawa"), house.mail(OLA, "sprawa Oli")
    sams = house.mail(SAM, "a matter of Sam's")
    asks(anna, "access")
    number = requests(house)[0].id
    path = f"/panel/privacy/{number}/copy"
    assert anna.send(path).status == 404  # nobody said yes yet
    answered(house, number, "Kopia czeka.")
    got = anna.send(path)
    assert got.status == 200
    assert got.headers["content-type"] == "application/zip"
    assert got.headers["content-disposition"].endswith("moje-dane-2026-11-16.zip")
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["cache-control"] == "no-store"
    with ZipFile(BytesIO(got.body)) as file:
        names = file.namelist()
        person = json.loads(file.read("person.json"))
    assert f"messages/{mine}.eml" in names
    assert not any(other in name for other in (hers, sams) for name in names)
    assert person["messages"][0]["file"] == f"messages/{mine}.eml"
    assert audited(house, number)[0] == (ANNA, "exported")


def test_the_copy_can_be_taken_for_thirty_days(house: PanelHouse, anna: Visitor) -> None:
    asks(anna, "portability")
    number = requests(house)[0].id
    answered(house, number, "Kopia czeka.")
    house.world.later(days=29, hours=23)
    anna.sign_in_again(ANNA)
    assert "Pobierz moje dane" in anna.ask("/panel/privacy").text
    assert anna.send(f"/panel/privacy/{number}/copy").status == 200
    house.world.later(hours=1)
    anna.sign_in_again(ANNA)
    assert anna.send(f"/panel/privacy/{number}/copy").status == 404
    assert "Czas na pobranie minął." in anna.ask("/panel/privacy").text


def test_nobody_sees_what_another_person_asked_not_even_the_main_contact(
    house: PanelHouse, anna: Visitor
) -> None:
    ola = Visitor(house).sign_in(OLA)
    asks(ola, "access", "Tylko dla Oli")
    number = requests(house, OLA)[0].id
    answered(house, number, "Kopia czeka.")
    for other in (anna, Visitor(house).sign_in(JAN), Visitor(house).sign_in(SAM)):
        assert "Tylko dla Oli" not in other.ask("/panel/privacy").text
        assert other.send(f"/panel/privacy/{number}/copy").status == 404
        assert other.send(f"/panel/privacy/{number}/withdraw").status == 404


def test_whoever_got_the_address_of_a_contact_sees_nothing_of_the_one_before(
    house: PanelHouse,
) -> None:
    ola = Visitor(house).sign_in(OLA)
    asks(ola, "access", "Tylko dla Oli")
    number = requests(house, OLA)[0].id
    answered(house, number, "Kopia czeka.")
    contact = house.contact(OLA)
    assert house.world.store.corrections.rectify(
        contact.id, "kasia", "nowa osoba", house.world.now(), address="ewa@piekarnia.example"
    )
    ewa = Visitor(house).sign_in("ewa@piekarnia.example")
    assert house.contact("ewa@piekarnia.example").id == contact.id
    assert "Tylko dla Oli" not in ewa.ask("/panel/privacy").text
    assert ewa.send(f"/panel/privacy/{number}/copy").status == 404


def test_what_a_person_wrote_is_shown_as_text(house: PanelHouse, anna: Visitor) -> None:
    page = anna.follow(asks(anna, "object", "<script>alert(1)</script>\n<b>nie</b>"))
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
