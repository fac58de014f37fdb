"""Personal data in the console: requests worked off, what must be kept, and what goes when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mailgate.model.privacy import PrivacyRequest, RequestKind
from tests.web.console_house import ANNA, JAN, OLA, ConsoleHouse, console_house
from tests.web.mails import issue
from tests.web.site import Server

HOME = "/console/privacy"


@pytest.fixture
def house(server: Server, tmp_path: Path, console_stock: Path) -> Iterator[ConsoleHouse]:
    with console_house(tmp_path, server, console_stock) as house:
        house.sign_in("adam")
        yield house


def filed(
    house: ConsoleHouse, kind: RequestKind, address: str = ANNA, text: str = "Proszę."
) -> int:
    """A request that a contact filed in the panel; its number."""
    contact = house.store.lookup.contacts(address)[0]
    request = house.store.privacy_requests.file(
        kind,
        address,
        text,
        address,
        house.world.now(),
        contact_id=contact.id,
        account_id=contact.account_id,
    )
    return request.id


def stands(house: ConsoleHouse, number: int) -> PrivacyRequest:
    found = house.store.privacy_requests.get(number)
    assert found
    return found


def one(number: int, act: str = "") -> str:
    return f"{HOME}/requests/{number}{'/' if act else ''}{act}"


def templates(house: ConsoleHouse, to: str) -> list[str]:
    return [row.notice.template for row in house.world.outbox() if row.notice.to == to]


def signed_in_again(house: ConsoleHouse) -> None:
    house.sign_in("adam")


# --- the list -------------------------------------------------------------------------------------


def test_requests_stand_by_deadline_and_say_in_words_which_are_late(house: ConsoleHouse) -> None:
    first = filed(house, "access", ANNA)
    house.world.later(days=9)
    second = filed(house, "erase", OLA)
    house.world.later(days=13)
    third = filed(house, "object", JAN)
    signed_in_again(house)
    page = house.ask(HOME).words
    places = [page.index(f"Nr {number} ") for number in (first, second, third)]
    assert places == sorted(places)
    assert page.count("Alarm: zostało 8 d") == 1
    house.world.later(days=9)
    signed_in_again(house)
    page = house.ask(HOME).words
    assert "Po terminie o 1 d" in page
    assert "Alarm: zostało 8 d" in page
    assert "Zostało 22 d" in page


def test_the_inbox_says_how_many_requests_are_late_and_leads_to_them(house: ConsoleHouse) -> None:
    assert "Spóźnione wnioski" not in house.ask("/console").words
    filed(house, "access")
    house.world.later(days=21)
    signed_in_again(house)
    page = house.ask("/console")
    assert "Spóźnione wnioski w sprawie danych osobowych: 1." in page.words
    assert f'href="{HOME}"' in page.text


def test_an_admin_files_for_somebody_who_called(house: ConsoleHouse) -> None:
    page = house.act(HOME, address=f" {ANNA.upper()} ", kind="rectify", text="Nazwisko", account="")
    assert "Wniosek jest złożony." in page.words
    request = stands(house, 1)
    assert request.filed_by == "adam"
    assert request.account_id is None
    assert request.contact_id == house.store.lookup.contacts(ANNA)[0].id
    assert house.audited()[0][:3] == ("adam", "privacy-request-filed", "request:1")
    page = house.act(HOME, address="ktos@obcy.example", kind="access", text="", account="")
    assert "Ten adres nie jest kontaktem żadnego konta." in page.words


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"address": "nie adres"}, "To nie jest adres."),
        ({"kind": "everything"}, "Wybierz, czego chce"),
        ({"text": "x" * 4001}, "Tekst jest za długi."),
        ({"account": "2002"}, "nie jest kontaktem tego konta"),
    ],
)
def test_what_cannot_be_filed_is_said_and_kept_in_the_form(
    house: ConsoleHouse, fields: dict[str, str], said: str
) -> None:
    whole = {"address": ANNA, "kind": "access", "text": "Treść", "account": ""} | fields
    page = house.post(HOME, **whole)
    assert page.status == 422
    assert said in page.words
    assert f'value="{whole["address"]}"' in page.text
    assert house.store.privacy_requests.get(1) is None


@pytest.mark.parametrize("login", ["kasia", "rita"])
def test_only_admins_act_and_others_read(house: ConsoleHouse, login: str) -> None:
    number = filed(house, "erase")
    house.sign_in(login)
    for path in (HOME, one(number), f"{HOME}/holds", f"{HOME}/retention"):
        page = house.ask(path)
        assert page.status == 200
        assert page.text.count("<form") == 1, "signing out"
    assert house.ask(one(number, "erase")).status == 403
    assert house.post(one(number, "erase"), address=ANNA, why="tak").status == 403
    assert stands(house, number).state == "open"


def test_a_request_that_is_not_there_is_not_there(house: ConsoleHouse) -> None:
    for path in (one(7), one(2**70), one(7, "erase")):
        assert house.ask(path).status == 404
    for path in (one(7, "done"), one(7, "copy"), f"{HOME}/holds/7/lift"):
        assert house.post(path, why="tak", outcome="tak").status == 404


# --- one request ----------------------------------------------------------------------------------


def test_the_copy_for_an_admin_is_made_now_and_audited(house: ConsoleHouse) -> None:
    queue_id = house.mail()
    number = filed(house, "access")
    got = house.post(one(number, "copy"))
    assert got.headers["content-type"] == "application/zip"
    with ZipFile(BytesIO(got.body)) as file:
        person = json.loads(file.read("person.json"))
    assert [each["file"] for each in person["messages"]] == [f"messages/{queue_id}.eml"]
    assert house.audited()[0][:3] == ("adam", "exported", f"request:{number}")
    assert house.post(one(filed(house, "erase"), "copy")).status == 404


def test_an_answer_needs_words_and_goes_out_by_mail(house: ConsoleHouse) -> None:
    number = filed(house, "access")
    for act in ("done", "refuse"):
        page = house.post(one(number, act), outcome=" \n ")
        assert page.status == 422
        assert "Odpowiedź jest pusta." in page.words
    page = house.act(one(number, "done"), outcome="Kopia czeka w panelu.")
    assert "Odpowiedziano." in page.words
    assert "Kopia czeka w panelu." in page.words
    assert templates(house, ANNA) == ["privacy-answered"]
    assert "mailer" in house.woken
    again = house.post(one(number, "refuse"), outcome="A jednak nie.")
    assert again.status == 422
    assert stands(house, number).outcome == "Kopia czeka w panelu."


def test_what_was_wrong_is_put_right_and_what_stood_there_is_kept(house: ConsoleHouse) -> None:
    number = filed(house, "rectify")
    contact = house.store.lookup.contacts(ANNA)[0]
    fields = {
        "contact": str(contact.id),
        "name": "Anna Nowakowska",
        "address": "anna.n@piekarnia.example",
        "language": "en",
        "note": "Wyszła za mąż.",
    }
    assert house.post(one(number, "rectify"), **fields, why="").status == 422
    page = house.act(one(number, "rectify"), **fields, why="Odpis aktu")
    assert "Sprostowano." in page.words
    assert "Anna Nowak → Anna Nowakowska" in page.words
    assert "Odpis aktu" in page.words
    assert stands(house, number).state == "open", "the person is still to be answered"
    assert house.store.lookup.contacts("anna.n@piekarnia.example")[0].name == "Anna Nowakowska"
    for address in (ANNA, "anna.n@piekarnia.example"):
        assert templates(house, address) == ["address-changed"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"contact": "999"}, "To nie jest kontakt tej osoby."),
        ({"address": "nic"}, "To nie jest adres."),
        ({"address": OLA}, "Ten adres ma już inny kontakt konta."),
    ],
)
def test_nothing_is_put_right_that_is_not_theirs_or_no_address(
    house: ConsoleHouse, fields: dict[str, str], said: str
) -> None:
    number = filed(house, "rectify")
    contact = house.store.lookup.contacts(ANNA)[0]
    whole = {"contact": str(contact.id), "name": "X", "address": ANNA, "why": "tak"} | fields
    page = house.post(one(number, "rectify"), **whole)
    assert page.status == 422
    assert said in page.words
    assert house.store.lookup.contacts(ANNA)[0] == contact


def test_a_restriction_hides_the_words_of_its_person_until_it_is_lifted(
    house: ConsoleHouse,
) -> None:
    queue_id = house.mail(text="Bardzo osobista sprawa.")
    number = filed(house, "restrict")
    ticket = house.message(queue_id).message.ticket
    assert "Ograniczono." in house.act(one(number, "restrict"), why="Spór o dane").words
    for path in (f"/console/m/{queue_id}", f"/console/tickets/{ticket}"):
        page = house.ask(path)
        assert f"Wolno tylko przechowywać: {ANNA} : Spór o dane" in page.words
        assert "Bardzo osobista" not in page.words
    assert "Ograniczenie jest zniesione." in house.act(one(number, "lift"), why="Ugoda").words
    page = house.ask(f"/console/m/{queue_id}")
    assert "Bardzo osobista" in page.words
    assert "Wolno tylko" not in page.words
    assert [row[1] for row in house.audited()[:2]] == ["restriction-lifted", "restriction-placed"]


def test_nothing_is_erased_unless_its_address_is_typed_and_a_reason_given(
    house: ConsoleHouse,
) -> None:
    queue_id = house.mail()
    number = filed(house, "erase")
    plan = house.ask(one(number, "erase"))
    assert "Jeszcze nic się nie stało." in plan.words
    assert "Wiadomości 1" in plan.words
    for fields, said in (
        ({"address": "", "why": "tak"}, "To inny adres."),
        ({"address": OLA, "why": "tak"}, "To inny adres."),
        ({"address": ANNA, "why": " "}, "Podaj powód"),
    ):
        page = house.post(one(number, "erase"), **fields)
        assert page.status == 422
        assert said in page.words or fields["why"] == " "
    assert stands(house, number).state == "open"
    assert house.store.inbox.message(queue_id)
    page = house.act(one(number, "erase"), address=ANNA.upper(), why="Wniosek nr 1")
    assert "Usunięto." in page.words
    assert "Co zrobiono, w liczbach" in page.words
    assert house.store.inbox.message(queue_id) is None
    assert stands(house, number).state == "done"
    assert templates(house, ANNA) == ["privacy-answered"]


def test_the_entry_of_a_main_contact_goes_only_once_the_contract_has_ended(
    house: ConsoleHouse,
) -> None:
    number = filed(house, "erase")
    assert "jej wpis zostanie, bo umowa trwa" in house.ask(one(number, "erase")).words
    ended = house.ask(f"{one(number, 'erase')}?ends=yes")
    assert "więc wpis kontaktu głównego też zniknie" in ended.words
    house.act(one(number, "erase"), address=ANNA, why="Koniec umowy", ends="yes")
    assert house.store.lookup.contacts(ANNA) == []


# --- what is kept, what goes ----------------------------------------------------------------------


def test_a_hold_is_on_an_address_a_ticket_or_an_account_and_marks_what_it_keeps(
    house: ConsoleHouse,
) -> None:
    queue_id = house.mail()
    other = house.mail(author="sam@northwind.example", subject="northwind.example")
    ticket = house.message(queue_id).message.ticket
    for on, named, mark in (
        ("address", ANNA, f"Adres {ANNA}"),
        ("ticket", f"#{ticket}", f"Zgłoszenie #{ticket}"),
        ("account", "1001", "Konto 1001"),
    ):
        page = house.act(f"{HOME}/holds", on=on, named=named, why=f"Spór {on}")
        assert "Nakaz obowiązuje." in page.words
        for path in (f"/console/m/{queue_id}", f"/console/tickets/{ticket}"):
            assert f"Trzeba zachować: {mark} Spór {on}" in house.ask(path).words
    assert "Trzeba zachować" not in house.ask(f"/console/m/{other}").words
    number = house.store.privacy_holds.holds()[0].id
    assert house.post(f"{HOME}/holds/{number}/lift", why="").status == 422
    page = house.act(f"{HOME}/holds/{number}/lift", why="Przedawnione")
    assert "Spór account" not in page.words
    assert "Spór account" in house.ask(f"{HOME}/holds?lifted=yes").words
    assert house.post(f"{HOME}/holds/{number}/lift", why="jeszcze raz").status == 422
    assert house.audited()[0][1:] == ("hold-lifted", f"hold:{number}", "Przedawnione")


@pytest.mark.parametrize(
    ("on", "named", "why", "said"),
    [
        ("address", "nic", "tak", "To nie jest adres."),
        ("ticket", "77", "tak", "Nie ma takiego zgłoszenia ani konta."),
        ("ticket", "siedem", "tak", "Nie ma takiego zgłoszenia ani konta."),
        ("ticket", "9" * 19, "tak", "Nie ma takiego zgłoszenia ani konta."),
        ("account", "nic", "tak", "Nie ma takiego zgłoszenia ani konta."),
        ("all", ANNA, "tak", "Nie wiadomo, co zachować."),
        ("address", "", "tak", "Nie wiadomo, co zachować."),
        ("address", ANNA, "", "Nie podano powodu"),
    ],
)
def test_a_hold_on_nothing_is_not_placed(
    house: ConsoleHouse, on: str, named: str, why: str, said: str
) -> None:
    page = house.post(f"{HOME}/holds", on=on, named=named, why=why)
    assert page.status == 422
    assert said in page.words or not why
    assert house.store.privacy_holds.holds() == []


def test_a_restriction_is_lifted_from_the_list_once(house: ConsoleHouse) -> None:
    placed = house.store.privacy_holds.restrict(JAN, "spór", "adam", house.world.now())
    path = f"{HOME}/restrictions/{placed.id}/lift"
    assert "Ograniczenie jest zniesione." in house.act(path, why="Ugoda").words
    assert house.store.privacy_holds.restricted(JAN) is None
    assert house.post(path, why="Ugoda").status == 422
    assert house.post(f"{HOME}/restrictions/99/lift", why="Ugoda").status == 404


def test_what_goes_when_is_told_two_weeks_ahead(house: ConsoleHouse) -> None:
    queue_id = house.mail()
    ticket = house.message(queue_id).message.ticket
    assert ticket
    house.deliver()  # what is not sent yet is still to be said
    house.store.tickets.close(ticket, "adam", "done", house.world.now())
    assert "W ciągu 14 dni nic nie zniknie." in house.ask(f"{HOME}/retention").words
    house.world.later(days=85)
    signed_in_again(house)
    page = house.ask(f"{HOME}/retention").words
    assert "2027-02-16 Korespondencja zamkniętych zgłoszeń 1" in page
    house.world.later(days=10)
    signed_in_again(house)
    assert "już teraz Korespondencja zamkniętych zgłoszeń 1" in house.ask(f"{HOME}/retention").words


def test_a_purge_that_stopped_is_an_alert_with_the_command_that_goes_on(
    house: ConsoleHouse,
) -> None:
    duties, now = house.store.duties, house.world.now()
    assert duties.take("purge", timedelta(hours=12), now)
    duties.done("purge", "12", now, now + timedelta(hours=12))
    page = house.ask(f"{HOME}/retention").words
    assert "Usuwanie tego, czego termin minął ostatnio 10:21" in page
    assert "Usuwanie jest wstrzymane" not in page
    duties.done("purge", "stopped: share", now, now + timedelta(hours=12))
    for path in (HOME, f"{HOME}/retention"):
        page = house.ask(path).words
        assert "Za jednym razem zniknęłaby większa część zgłoszeń" in page
        assert "mailgate privacy purge --yes --force" in page
    assert "To, co należy już usunąć, nie jest usuwane." in house.ask("/console").words


def test_a_purge_that_does_not_run_is_an_alert(house: ConsoleHouse) -> None:
    duties, now = house.store.duties, house.world.now()
    assert duties.take("purge", timedelta(hours=12), now)
    assert "Nic nie jest usuwane" not in house.ask(HOME).words, "it is at work for the first time"
    duties.failed("purge", "StorageError", now)
    assert "Nic nie jest usuwane od ponad doby" in house.ask(HOME).words
    duties.done("purge", "removed 0 tickets", now, now)
    assert "Nic nie jest usuwane" not in house.ask(HOME).words
    house.world.later(hours=25)
    signed_in_again(house)
    assert "Nic nie jest usuwane od ponad doby" in house.ask(HOME).words


def test_a_clock_that_jumped_is_an_alert(house: ConsoleHouse) -> None:
    house.store.duties.see(house.world.now())
    house.world.later(days=2)
    signed_in_again(house)
    assert "Zegar różni się o więcej niż dobę" in house.ask(f"{HOME}/retention").words


# --- in a browser ---------------------------------------------------------------------------------


def opened(browser: Browser) -> BrowserContext:
    """A browser of somebody, without scripts: nothing on our pages needs any."""
    context = browser.new_context(java_script_enabled=False, locale="pl-PL")
    context.set_default_timeout(5000)
    return context


@pytest.fixture
def staff(house: ConsoleHouse, chromium: Browser) -> Iterator[Page]:
    context = opened(chromium)
    for name, value in house.cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": house.base_url}])
    yield context.new_page()
    context.close()


@pytest.fixture
def customer(house: ConsoleHouse, chromium: Browser) -> Iterator[Page]:
    """Anna, signed in to the panel and on the page of her data."""
    context = opened(chromium)
    page = context.new_page()
    page.goto(f"{house.base_url}/panel")
    page.get_by_label("Token dostępu").fill(
        issue(house.world, house.store.lookup.contacts(ANNA)[0])
    )
    page.get_by_role("button", name="Zaloguj się tokenem").click()
    page.get_by_role("link", name="Twoje dane").click()
    yield page
    context.close()


def files(customer: Page, what: str, text: str = "") -> None:
    customer.get_by_label(what, exact=True).check()
    customer.get_by_label("Treść wniosku").fill(text)
    customer.get_by_role("button", name="Wyślij wniosek").click()
    expect(customer.get_by_role("status")).to_contain_text("Mamy Twój wniosek.")


def status(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(text)


@pytest.mark.server("chromium")
def test_a_customer_asks_for_their_data_gets_an_answer_and_takes_the_copy(
    house: ConsoleHouse, staff: Page, customer: Page
) -> None:
    queue_id = house.mail()
    files(customer, "Zobaczyć moje dane", "Co o mnie macie?")
    staff.goto(f"{house.base_url}/console")
    staff.get_by_role("link", name="Dane osobowe").click()
    staff.get_by_role("link", name="Nr 1 Dostęp do danych").click()
    expect(staff.get_by_text("Co o mnie macie?")).to_be_visible()
    with staff.expect_download() as download:
        staff.get_by_role("button", name="Pobierz kopię").click()
    assert download.value.suggested_filename == "request-1-2026-11-16.zip"
    staff.locator("summary", has_text="Odpowiedz").click()
    act = staff.locator("details.act", has_text="Odpowiedz")
    act.get_by_label("Nasza odpowiedź").fill("Kopia czeka w panelu.")
    act.get_by_role("button").click()
    status(staff, "Odpowiedziano.")
    customer.reload()
    expect(customer.locator("#r-1")).to_contain_text("Zrobione")
    expect(customer.locator("#r-1")).to_contain_text("Kopia czeka w panelu.")
    with customer.expect_download() as download:
        customer.get_by_role("button", name="Pobierz moje dane").click()
    assert download.value.suggested_filename == "moje-dane-2026-11-16.zip"
    with ZipFile(download.value.path()) as file:
        assert f"messages/{queue_id}.eml" in file.namelist()


@pytest.mark.server("chromium")
def test_an_erasure_waits_for_the_hold_and_is_done_once_it_is_lifted(
    house: ConsoleHouse, staff: Page, customer: Page
) -> None:
    queue_id = house.mail()
    files(customer, "Usunąć moje dane")
    staff.goto(f"{house.base_url}{HOME}/holds")
    staff.get_by_label("Czego dotyczy").select_option("address")
    staff.get_by_label("Adres, numer zgłoszenia albo numer konta").fill(ANNA)
    staff.get_by_label("Podstawa").fill("Reklamacja 7/2026")
    staff.get_by_role("button", name="Nakaż zachować").click()
    status(staff, "Nakaz obowiązuje.")
    staff.goto(f"{house.base_url}{one(1)}")
    staff.get_by_role("link", name="Zobacz, co zostanie usunięte").click()
    expect(staff.locator("main")).to_contain_text("Reklamacja 7/2026")
    expect(staff.locator("main")).to_contain_text("Dopóki nakaz obowiązuje, nic z tego nie zniknie")
    staff.get_by_label("Wpisz adres jeszcze raz").fill(ANNA)
    staff.get_by_role("textbox", name="Dlaczego").fill("Wniosek klientki")
    staff.get_by_role("button", name="Usuń na zawsze").click()
    status(staff, "Zatwierdzono. Czeka, aż niczego nie trzeba będzie zachować.")
    customer.reload()
    expect(customer.locator("#r-1")).to_contain_text("Zgoda, ale to musi poczekać")
    assert house.store.inbox.message(queue_id)
    staff.goto(f"{house.base_url}{HOME}/holds")
    staff.locator("summary", has_text="Znieś nakaz").click()
    staff.locator("details.act").get_by_label("Dlaczego").fill("Reklamację rozpatrzono")
    staff.locator("details.act").get_by_role("button", name="Znieś nakaz").click()
    status(staff, "Nakaz jest zniesiony.")
    staff.goto(f"{house.base_url}{one(1)}")
    staff.get_by_role("button", name="Usuń teraz").click()
    status(staff, "Usunięto. Odpowiedź jest w drodze.")
    expect(staff.locator("main")).to_contain_text("Co zrobiono, w liczbach")
    assert house.store.inbox.message(queue_id) is None
    assert templates(house, ANNA) == ["privacy-answered"]
    staff.goto(f"{house.base_url}/console/m/{queue_id}")
    expect(staff.get_by_role("heading", level=1)).to_have_text("Tego tu nie ma")
