"""What a person gets from the confirmation page, and what nobody else gets."""

from __future__ import annotations

import pytest

from mailgate.model.ticket import Step
from tests.web.site import START, Server, Site

LATER = START.replace(day=23)


def test_the_page_names_the_person_the_message_and_the_ticket(site: Site) -> None:
    got = site.ask(site.link())
    assert got.status == 200
    assert got.title == "Czy ta wiadomość jest od Ciebie?"
    for shown in (
        "anna.nowak@klient.example",
        "Nowak i Wspólnicy sp. z o.o.",
        "Proszę o przeniesienie domeny nowak-wspolnicy.pl",
        "IQ.pl#23328",
        "pomoc@iq.example",
        'datetime="2026-11-21T09:25:00+00:00"',
    ):
        assert shown in got.text


def test_times_are_those_of_the_configured_time_zone(server: Server) -> None:
    site = Site(timezone="Europe/Warsaw").start(server)
    assert "21 listopada 2026, 10:25 (CET)" in site.ask(site.link()).text


def test_one_click_authorizes_and_the_page_says_so(site: Site) -> None:
    path = site.link()
    got = site.answer(path, "confirm")
    assert (got.status, got.title) == (200, "Zgłoszenie jest autoryzowane")
    assert site.store.decided == ["confirmed"]
    assert site.woken == 1


def test_an_answer_leads_back_to_the_page_so_that_reloading_sends_nothing(site: Site) -> None:
    path = site.link()
    nonce = site.ask(path).nonce
    got = site.post(path, None, nonce=nonce, choice="confirm")
    assert (got.status, got.headers["location"]) == (303, path)


def test_denying_is_one_click_as_well_and_is_thanked_for(site: Site) -> None:
    path = site.link()
    got = site.answer(path, "deny")
    assert (got.status, got.title) == (200, "Dziękujemy za ostrzeżenie")
    assert site.store.decided == ["denied"]


def test_the_page_waits_for_the_verdict_that_follows_a_confirmation(site: Site) -> None:
    site.store.judged_at_look = 5
    assert site.answer(site.link(), "confirm").title == "Zgłoszenie jest autoryzowane"
    assert site.store.looks == 5


def test_a_verdict_that_takes_longer_is_not_waited_for_for_ever(site: Site) -> None:
    site.store.verdict = None
    path = site.link()
    got = site.answer(path, "confirm")
    assert (got.status, got.title) == (200, "Potwierdzone, jeszcze sprawdzamy")
    assert f'href="{path}"' in got.text  # to look again
    site.store.verdict = ("authorized", ())
    assert site.ask(path).title == "Zgłoszenie jest autoryzowane"


def test_a_confirmed_message_that_is_not_authorized_says_why_and_what_to_do(site: Site) -> None:
    site.store.verdict = ("unauthorized", ("cc-stranger",))
    got = site.answer(site.link(), "confirm")
    assert got.title == "Potwierdzone, ale nie autoryzowane"
    assert "W kopii wiadomości jest adres, który nie jest przypisany do konta." in got.text
    assert "Wyślij wiadomość bez tego adresu w kopii" in got.text


def test_a_held_message_is_neither_promised_nor_refused(site: Site) -> None:
    site.store.verdict = ("held", ("processing-failed",))
    assert site.answer(site.link(), "confirm").title == "Potwierdzone, obejrzy je pracownik"


@pytest.mark.parametrize("second", ["confirm", "deny"])
def test_a_second_answer_changes_nothing_and_sees_the_first(site: Site, second: str) -> None:
    path = site.link()
    nonce = site.ask(path).nonce
    site.post(path, None, nonce=nonce, choice="confirm")
    again = site.post(path, None, nonce=nonce, choice=second)
    assert again.status == 303
    assert site.ask(path).title == "Zgłoszenie jest autoryzowane"
    assert site.store.decided == ["confirmed"]
    assert site.woken == 1


@pytest.mark.parametrize("choice", ["confirm", "deny"])
@pytest.mark.parametrize("typed", ["{0}", "{1} {2}", "{1}-{2}", " {0} "])
def test_a_link_with_a_code_takes_either_answer_with_it(
    site: Site, choice: str, typed: str
) -> None:
    path = site.link("code")
    code = site.code(path)
    site.answer(path, choice, code=typed.format(code, code[:3], code[3:]))
    assert site.store.decided == [{"confirm": "confirmed", "deny": "denied"}[choice]]


@pytest.mark.parametrize("choice", ["confirm", "deny"])
def test_a_wrong_code_settles_nothing_and_says_how_many_tries_are_left(
    site: Site, choice: str
) -> None:
    path = site.link("code")
    got = site.answer(path, choice, code=wrong(site.code(path)))
    assert got.status == 422
    assert "Pozostało prób: 4." in got.text
    assert 'aria-invalid="true"' in got.text
    assert site.store.decided == []


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦"])
def test_what_is_no_code_at_all_costs_no_try(site: Site, typed: str) -> None:
    path = site.link("code")
    got = site.answer(path, "confirm", code=typed)
    assert got.status == 422
    assert "Wpisz kod, czyli 6 cyfr" in got.text
    assert site.row(path).link.tries == 0


def test_after_five_wrong_codes_the_right_one_is_too_late_for_either_answer(site: Site) -> None:
    path = site.link("code")
    for _ in range(4):
        assert site.answer(path, "confirm", code=wrong(site.code(path))).status == 422
    nonce = site.ask(path).nonce
    spent = site.answer(path, "confirm", code=wrong(site.code(path)))
    assert (spent.status, spent.title) == (410, "Za dużo błędnych kodów")
    for choice in ("confirm", "deny"):
        site.post(path, None, nonce=nonce, choice=choice, code=site.code(path))
    assert site.store.decided == []


def test_the_fifth_try_still_counts(site: Site) -> None:
    path = site.link("code", tries=4)
    site.answer(path, "confirm", code=site.code(path))
    assert site.store.decided == ["confirmed"]


def test_an_answer_without_a_choice_asks_for_one(site: Site) -> None:
    path = site.link("code")
    got = site.answer(path, "", code=site.code(path))
    assert got.status == 422
    assert "Wybierz jedną z dwóch odpowiedzi." in got.text
    assert site.row(path).link.tries == 0


@pytest.mark.parametrize(("step", "values"), [("click", {}), ("code", {"tries": 5})])
def test_a_link_that_is_over_offers_a_new_one_to_the_registered_address_only(
    site: Site, step: Step, values: dict[str, int]
) -> None:
    path = site.link(step, **values)
    site.at = LATER if step == "click" else START
    shown = site.ask(path)
    assert (shown.status, shown.title) == (
        410,
        "Ten link wygasł" if step == "click" else "Za dużo błędnych kodów",
    )
    assert "Wyślemy go tylko na adres anna.nowak@klient.example." in shown.text
    got = site.post(f"{path}/new", None, nonce=shown.nonce, to="someone@else.example")
    assert (got.status, got.headers["location"]) == (303, path)
    assert site.store.renewed == [site.row(path).link.token_sha256]
    assert site.woken == 1
    after = site.ask(path)
    assert (after.status, after.title) == (410, "Ten link zastąpiliśmy nowszym")


def test_a_new_link_is_not_sent_for_one_that_still_works(site: Site) -> None:
    path = site.link()
    site.post(f"{path}/new", None, nonce=site.ask(path).nonce)
    assert site.store.renewed == []


def test_where_the_limits_leave_no_room_the_page_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = site.link(expires_at=START)
    monkeypatch.setattr(site.store, "request_new", lambda *_: False)
    got = site.post(f"{path}/new", None, nonce=site.ask(path).nonce)
    assert got.status == 429
    assert "za dużo e-maili" in got.text
    assert site.woken == 0


def test_an_expired_link_takes_no_answer(site: Site) -> None:
    path = site.link()
    nonce = site.ask(path).nonce
    site.at = LATER
    site.post(path, None, nonce=nonce, choice="confirm")
    assert site.store.decided == []


def test_a_link_nobody_made_is_not_found(site: Site) -> None:
    got = site.ask("/c/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert (got.status, got.title) == (404, "Nie znamy tego linku")


def test_a_request_entered_by_staff_is_not_called_a_message(site: Site) -> None:
    got = site.ask(site.link(by_staff=True))
    assert got.title == "Czy to Twoje zgłoszenie?"
    assert "Tak, to moje zgłoszenie" in got.text
    assert "wiadomość z Twojego adresu" not in got.text


def test_the_page_speaks_the_language_of_the_contact_and_can_be_switched(site: Site) -> None:
    path = site.link("code", language="en")
    polish_browser = {"Accept-Language": "pl-PL,pl;q=0.9"}
    assert site.ask(path, headers=polish_browser).title == "Did you send this message?"
    switched = site.ask(f"{path}?lang=pl")
    assert '<html lang="pl">' in switched.text
    assert switched.headers["content-language"] == "pl"
    wrong_code = site.answer(f"{path}?lang=pl", "deny", code=wrong(site.code(path)))
    assert '<html lang="pl">' in wrong_code.text
    done = site.answer(f"{path}?lang=pl", "deny", code=site.code(path))
    assert done.title == "Dziękujemy za ostrzeżenie"


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("de-DE,en-GB;q=0.8,pl;q=0.5", "en"), ("pl", "pl"), ("de", "pl"), ("", "pl")],
)
def test_a_page_of_no_contact_speaks_what_the_browser_asks_for(
    site: Site, asked: str, spoken: str
) -> None:
    got = site.ask("/nowhere", headers={"Accept-Language": asked})
    assert f'<html lang="{spoken}">' in got.text


def test_a_hostile_subject_is_text_without_marks_that_turn_it_around(site: Site) -> None:
    hostile = "<script>alert(1)</script>\u202egnp.exe\r\nTicket: none \udc80" + "x" * 500
    got = site.ask(site.link(subject=hostile))
    assert got.status == 200
    assert "<script" not in got.text
    assert "\u202e" not in got.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;gnp.exe Ticket: none ?xxx" in got.text
    assert "x" * 201 not in got.text


def test_a_subject_of_nothing_is_named_as_such(site: Site) -> None:
    assert "(bez tematu)" in site.ask(site.link(subject="  ")).text


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"
