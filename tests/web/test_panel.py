"""The customer panel over the real store and the real rules: who may do what, and what follows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailgate.message import attachment
from mailgate.model.people import AccessToken
from mailgate.settings import Limits
from mailgate.tokens import session
from mailgate.tokens import ticket as ticket_tokens
from tests.web.panel_house import ANNA, JAN, OLA, SAM, PanelHouse, Visitor, make_house
from tests.web.site import Answer, Server
from tests.world import KEYS

LINK = r"http://\S+/panel/(?:in|v)/[a-z2-7]+"


@pytest.fixture
def house(tmp_path: Path, server: Server) -> Iterator[PanelHouse]:
    made = make_house(tmp_path, server)
    yield made
    made.world.store.close()


@pytest.fixture
def anna(house: PanelHouse) -> Visitor:
    return Visitor(house).sign_in(ANNA)


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def ask_link(house: PanelHouse, address: str) -> Answer:
    visitor = Visitor(house)
    nonce = visitor.ask("/panel/sign-in").nonce
    return visitor.post("/panel/sign-in/link", None, nonce=nonce, address=address)


def mailed_link(house: PanelHouse, address: str) -> str:
    return path_of(house.find(address, LINK))


# --- signing in -----------------------------------------------------------------------------------


def test_a_token_signs_in_and_the_cookie_is_closed_to_scripts_and_other_sites(
    house: PanelHouse,
) -> None:
    visitor = Visitor(house)
    nonce = visitor.ask("/panel/sign-in").nonce
    got = visitor.post(
        "/panel/sign-in/token", None, nonce=nonce, token=f" {house.token(ANNA).upper()} "
    )
    assert got.status == 303
    assert visitor.follow(got).title == "Zgłoszenia"
    cookie = next(c for c in got.cookies if c.startswith("mailgate-customer="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert re.match(r"mailgate-customer=[0-9a-f]{64};", cookie)


@pytest.mark.parametrize("token", ["", "mgt-", "mgt-" + "a" * 26, "nonsense" * 40])
def test_a_token_that_is_none_is_refused_beside_its_field(house: PanelHouse, token: str) -> None:
    visitor = Visitor(house)
    nonce = visitor.ask("/panel/sign-in").nonce
    got = visitor.post("/panel/sign-in/token", None, nonce=nonce, token=token)
    assert got.status == 422
    assert 'id="token-problem"' in got.text
    assert "mailgate-customer" not in visitor.cookies


def test_the_mailed_link_signs_in_once_and_only_by_its_button(house: PanelHouse) -> None:
    assert ask_link(house, ANNA).title == "Sprawdź pocztę"
    house.settled()
    path, visitor = mailed_link(house, ANNA), Visitor(house)
    for _ in range(3):
        page = visitor.ask(path)
        assert page.status == 200
    assert "mailgate-customer" not in visitor.cookies
    assert visitor.follow(visitor.post(path, None, nonce=page.nonce)).title == "Zgłoszenia"
    other = Visitor(house)
    assert other.ask(path).status == 410


def test_a_link_is_over_after_a_quarter_of_an_hour(house: PanelHouse) -> None:
    ask_link(house, ANNA)
    house.settled()
    path = mailed_link(house, ANNA)
    house.world.later(minutes=15)
    assert Visitor(house).ask(path).status == 410


def test_an_address_nobody_knows_gets_the_same_answer_and_no_mail(house: PanelHouse) -> None:
    known, unknown = ask_link(house, ANNA), ask_link(house, "nobody@elsewhere.example")
    house.settled()
    assert known.status == unknown.status
    assert known.text.replace(ANNA, "X") == unknown.text.replace("nobody@elsewhere.example", "X")
    assert house.letters("nobody@elsewhere.example") == []
    assert len(house.letters(ANNA)) == 1


def test_mail_in_a_persons_name_and_links_they_asked_for_do_not_use_up_each_other(
    tmp_path: Path, server: Server
) -> None:
    house = make_house(tmp_path, server, Limits())
    for number in range(6):
        house.mail(ANNA, f"Sprawa {number}", "Proszę.")
    assert len(house.letters(ANNA)) == 3
    for _ in range(5):
        ask_link(house, ANNA)
        house.settled()
    kinds = [row.notice.template for row in house.letters(ANNA)]
    assert kinds.count("sign-in-link") == 3
    for _ in range(5):
        ask_link(house, JAN)
        house.settled()
    house.mail(JAN, "sklep.piekarnia.example: kopia", "Proszę.")
    assert "authorization-link" in [row.notice.template for row in house.letters(JAN)]
    house.world.store.close()


def test_signing_in_leads_back_to_the_page_that_was_asked_for(house: PanelHouse) -> None:
    visitor = Visitor(house)
    page = visitor.follow(visitor.ask("/panel/contacts/new"))
    back = re.search(r'name="next" value="([^"]*)"', page.text)
    assert back
    token = house.token(ANNA)
    got = visitor.post("/panel/sign-in/token", None, nonce=page.nonce, token=token, next=back[1])
    assert got.headers["location"] == "/panel/contacts/new"


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/../c", "/\\evil.example", "?x", "@e"]
)
def test_signing_in_never_leads_to_another_site(house: PanelHouse, elsewhere: str) -> None:
    visitor = Visitor(house)
    page = visitor.ask("/panel/sign-in")
    got = visitor.post(
        "/panel/sign-in/token", None, nonce=page.nonce, token=house.token(ANNA), next=elsewhere
    )
    assert got.headers["location"] == "/panel/tickets"


def test_too_many_tries_from_one_place_have_to_wait(house: PanelHouse) -> None:
    visitor = Visitor(house)
    nonce = visitor.ask("/panel/sign-in").nonce
    answers = {
        visitor.post("/panel/sign-in/token", None, nonce=nonce, token="x").status
        for _ in range(100)
    }
    assert answers == {422}
    assert visitor.post("/panel/sign-in/token", None, nonce=nonce, token="x").status == 429


# --- sessions (promise W3) ------------------------------------------------------------------------


def signed_in(visitor: Visitor) -> bool:
    return visitor.ask("/panel/tickets").status == 200


def test_a_session_ends_when_it_idles(house: PanelHouse, anna: Visitor) -> None:
    for _ in range(3):
        house.world.later(minutes=29)
        assert signed_in(anna)
    house.world.later(minutes=31)
    assert not signed_in(anna)


def test_a_session_ends_after_twelve_hours_whatever_one_does(
    house: PanelHouse, anna: Visitor
) -> None:
    for _ in range(35):
        house.world.later(minutes=20)
        assert signed_in(anna)
    house.world.later(minutes=20)
    assert not signed_in(anna)


def test_every_sign_in_is_a_new_session_and_ends_the_old_one(
    house: PanelHouse, anna: Visitor
) -> None:
    before = dict(anna.cookies)
    anna.sign_in_again(ANNA)
    assert anna.cookies["mailgate-customer"] != before["mailgate-customer"]
    thief = Visitor(house)
    thief.cookies = before
    assert signed_in(anna)
    assert not signed_in(thief)


def test_signing_out_ends_the_session_and_not_only_the_cookie(
    house: PanelHouse, anna: Visitor
) -> None:
    kept = dict(anna.cookies)
    assert anna.follow(anna.send("/panel/sign-out")).title == "Zaloguj się do panelu klienta"
    anna.cookies = kept
    assert not signed_in(anna)


def test_who_may_not_sign_in_any_more_is_out_at_once(house: PanelHouse, anna: Visitor) -> None:
    jan = Visitor(house).sign_in(JAN)
    assert signed_in(jan)
    form = ("name", "Jan Kowal"), ("role", "technical"), ("language", "")
    assert anna.send(f"/panel/contacts/{house.contact(JAN).id}", *form).status == 303
    assert not signed_in(jan)


def test_a_revoked_token_ends_the_session_it_opened(house: PanelHouse, anna: Visitor) -> None:
    jan = Visitor(house).sign_in(JAN)
    token = house.world.store.access_tokens.of_contact(house.contact(JAN).id)[0]
    assert anna.send(f"/panel/tokens/{token.id}/revoke").status == 303
    assert not signed_in(jan)


def test_behind_https_every_cookie_is_bound_to_the_host_and_never_sent_in_clear(
    tmp_path: Path, server: Server
) -> None:
    house = make_house(tmp_path, server, base_url="https://pomoc.example")
    visitor = Visitor(house)
    nonce = visitor.ask("/panel/sign-in?lang=en").nonce
    got = visitor.post("/panel/sign-in/token", None, nonce=nonce, token=house.token(ANNA))
    visitor.ask("/panel/tickets?lang=pl")
    names = {"__Host-mailgate", "__Host-mailgate-customer", "__Host-mailgate-language"}
    assert set(visitor.cookies) == names
    assert any("Secure" in cookie and "Path=/" in cookie for cookie in got.cookies)
    assert "max-age" in got.headers["strict-transport-security"]
    house.world.store.close()


# --- what comes from elsewhere (promise W2) -------------------------------------------------------

POSTS = [
    "/panel/sign-out",
    "/panel/tickets/new",
    "/panel/tickets/1/answer",
    "/panel/waiting/01M7HXZTK8EC6XSB5E",
    "/panel/contacts/new",
    "/panel/contacts/1",
    "/panel/contacts/1/address",
    "/panel/contacts/1/remove",
    "/panel/changes/1/cancel",
    "/panel/sharing",
    "/panel/account",
    "/panel/tokens/1/revoke",
]


@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_the_sessions_token_or_from_another_site_is_refused(
    house: PanelHouse, anna: Visitor, path: str
) -> None:
    before = house.world.store.directory.export()
    assert anna.send(path, csrf="").status == 403
    assert anna.send(path, csrf="0" * 32).status == 403
    assert anna.send(path, csrf=Visitor(house).sign_in(JAN).csrf()).status == 403
    body = {"csrf": anna.csrf()}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert anna.post(path, headers, **body).status == 403
    assert signed_in(anna)
    assert house.world.store.directory.export() == before


@pytest.mark.parametrize("path", POSTS)
def test_a_stranger_is_refused_before_his_form_is_read(house: PanelHouse, path: str) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "10000000"}
    assert Visitor(house).ask(path, "POST", b"", kind).status in {403, 413}


def test_only_forms_with_files_may_be_large(house: PanelHouse, anna: Visitor) -> None:
    large = "x" * 70_000
    assert anna.send("/panel/account", ("company", large), ("language", "pl")).status == 413
    sent = anna.upload("/panel/tickets/new", {"service": "", "subject": "Plik", "text": large})
    assert sent.status == 303
    room = house.world.settings.intake.size
    too_large = anna.upload(
        "/panel/tickets/new", {"service": "", "subject": "Plik", "text": "x"}, ("a", b"x" * room)
    )
    assert too_large.status == 422
    assert 'id="files-problem"' in too_large.text


# --- tickets --------------------------------------------------------------------------------------


def test_a_new_ticket_is_authorized_at_once_and_the_mail_about_it_carries_the_token(
    house: PanelHouse, anna: Visitor
) -> None:
    service = {s.identifier: s.id for s in house.world.store.panel.services(house.contact(ANNA).id)}
    form = {
        "service": str(service["sklep.piekarnia.example"]),
        "subject": "Nowy\r\ncertyfikat",
        "text": "Proszę o certyfikat.",
    }
    page = anna.follow(anna.upload("/panel/tickets/new", form, ("klucz ż.pdf", b"%PDF\x00")))
    assert page.title == "sklep.piekarnia.example: Nowy certyfikat"
    assert "jest autoryzowana" in page.text
    view = house.world.store.views.ticket(1)
    assert view
    assert (view.ticket.standing, view.messages[0].channel) == ("authorized", "panel")
    assert view.ticket.service_id == service["sklep.piekarnia.example"]
    code = ticket_tokens.code(KEYS, "support", 1, 0)
    assert f"[Desk#1:{code}]" in house.read(house.letters(ANNA)[-1])


def test_an_answer_is_on_its_ticket_and_authorized(house: PanelHouse, anna: Visitor) -> None:
    anna.upload("/panel/tickets/new", {"service": "", "subject": "Sprawa", "text": "Pierwsza"})
    page = anna.follow(anna.upload("/panel/tickets/1/answer", {"text": "Druga wiadomość"}))
    assert "Druga wiadomość" in page.text
    view = house.world.store.views.ticket(1)
    assert view
    assert [m.verdict for m in view.messages] == ["authorized", "authorized"]
    assert view.messages[1].rule == "panel-reply"


def test_a_form_sent_twice_is_one_ticket_and_changed_words_are_another(
    house: PanelHouse, anna: Visitor
) -> None:
    form = {"service": "", "subject": "Sprawa", "text": "x", "once": "0" * 32}
    first, second = (anna.upload("/panel/tickets/new", form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    anna.upload("/panel/tickets/new", {**form, "text": "y"})
    assert len(house.world.store.views.tickets()) == 2


def test_what_staff_answer_and_enter_stands_in_the_conversation(
    house: PanelHouse, anna: Visitor
) -> None:
    queue_id = house.enter("Zmiana pakietu", "Klientka prosi o większy pakiet.")
    page = anna.ask("/panel/tickets/1").text
    assert "Zapisał nasz pracownik" in page
    assert "Kasia" not in page
    anna.send(f"/panel/waiting/{queue_id}", ("choice", "confirm"))
    house.answer(1, ANNA, "Gotowe, pakiet jest większy.")
    page = anna.ask("/panel/tickets/1").text
    assert page.index("Klientka prosi") < page.index("Gotowe, pakiet")
    assert 'class="turn out"' in page
    assert "Kasia z pomocy" in page


def test_a_file_comes_back_as_octets_to_save_and_never_as_a_page(
    house: PanelHouse, anna: Visitor
) -> None:
    script = b"<script>alert(1)</script>"
    form = {"service": "", "subject": "Strona", "text": "Oto ona"}
    page = anna.follow(anna.upload("/panel/tickets/new", form, ("żółw.html", script)))
    path = re.search(r"/panel/files/\w+/0", page.text)
    assert path
    got = anna.ask(path[0])
    assert got.text.encode() == script
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''%C5%BC%C3%B3%C5%82w.html" in got.headers["content-disposition"]
    assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert anna.ask(path[0][:-1] + "1").status == 404
    queue_id = path[0].split("/")[3]
    octets = house.world.store.views.octets(queue_id)
    assert octets
    found = attachment(octets, 0)
    assert found is not None
    assert found[1] == script
    assert Visitor(house).sign_in(SAM).ask(path[0]).status == 404


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"subject": "", "text": "x"}, "subject"),
        ({"subject": " \t ", "text": "x"}, "subject"),
        ({"subject": "x", "text": " \n "}, "text"),
        ({"subject": "x", "text": "x" * 200_001}, "text"),
        ({"subject": "x", "text": "x", "service": "999"}, "service"),
        ({"subject": "x", "text": "x", "desk": "nonsense"}, "desk"),
    ],
)
def test_what_is_wrong_with_a_new_ticket_stands_beside_its_field(
    house: PanelHouse, anna: Visitor, form: dict[str, str], field: str
) -> None:
    got = anna.upload("/panel/tickets/new", form)
    assert got.status == 422
    assert f'id="{field}-problem"' in got.text or field == "desk"
    assert house.world.store.views.tickets() == []


def test_what_cannot_be_stored_is_said_and_the_words_are_not_lost(
    house: PanelHouse, anna: Visitor
) -> None:
    house.full = True
    form = {"service": "", "subject": "Ważne", "text": "Długi tekst, którego szkoda"}
    got = anna.upload("/panel/tickets/new", form)
    assert got.status == 503
    assert "Długi tekst, którego szkoda" in got.text
    house.full = False
    assert anna.follow(anna.upload("/panel/tickets/new", form)).title == "Ważne"
    house.full = True
    assert anna.upload("/panel/tickets/1/answer", {"text": "Dopisek"}).status == 503


def test_while_the_worker_is_busy_the_page_says_that_nothing_is_lost(
    house: PanelHouse, anna: Visitor
) -> None:
    house.working = False
    form = {"service": "", "subject": "Sprawa", "text": "x"}
    sent = anna.upload("/panel/tickets/new", form)
    assert anna.follow(sent).title == "Wiadomość jest u nas"
    house.working = True
    house.wake()
    assert anna.follow(sent).title == "Sprawa"


def test_quoted_text_is_folded_away_and_nothing_of_a_mail_is_markup(
    house: PanelHouse, anna: Visitor
) -> None:
    text = "Nowe <b>zdanie</b>\n\nW dniu 12.11.2026 o 10:00, Pomoc pisze:\n> Stare zdanie\n"
    house.mail(ANNA, "Sprawa <script>", text)
    page = anna.ask("/panel/tickets/1").text
    new, _, folded = page.partition("Pokaż całą wiadomość z cytatami")
    assert "Nowe &lt;b&gt;zdanie&lt;/b&gt;" in new
    assert "Stare zdanie" not in new
    assert "&gt; Stare zdanie" in folded
    assert "<script" not in page


def test_the_list_goes_on_by_pages_and_can_be_searched(house: PanelHouse, anna: Visitor) -> None:
    for number in range(27):
        house.world.later(seconds=1)
        form = {"service": "", "subject": f"Sprawa nr{number}x", "text": "treść"}
        anna.upload("/panel/tickets/new", form)
    first = anna.ask("/panel/tickets").text
    more = re.search(r'href="([^"]+)" rel="next"', first)
    assert more
    second = anna.ask(more[1].replace("&amp;", "&")).text
    shown = [re.findall(r"Sprawa nr(\d+)x", page) for page in (first, second)]
    assert shown[0] + shown[1] == [str(n) for n in reversed(range(27))]
    assert re.findall(r"Sprawa nr(\d+)x", anna.ask("/panel/tickets?q=nr13x").text) == ["13"]
    assert "Sprawa" not in anna.ask("/panel/tickets?state=closed").text
    assert anna.ask("/panel/tickets?after=nonsense").status == 404


# --- who sees what --------------------------------------------------------------------------------


def test_another_accounts_ids_are_not_there(house: PanelHouse, anna: Visitor) -> None:
    sam = Visitor(house).sign_in(SAM)
    sam.upload("/panel/tickets/new", {"service": "", "subject": "Bikes", "text": "x"}, ("a", b"x"))
    theirs = house.contact(SAM).id
    queue_id = house.world.store.views.ticket(1).messages[0].queue_id  # type: ignore[union-attr]
    token = house.world.store.access_tokens.of_contact(theirs)[0].id
    sam.send("/panel/contacts/new", ("address", "joe@northwind.example"), ("role", "technical"))
    change = house.world.store.changes.of_account("2002", house.world.now())[0].id
    for path in (
        "/panel/tickets/1",
        f"/panel/files/{queue_id}/0",
        f"/panel/contacts/{theirs}",
        f"/panel/contacts/{theirs}/remove",
        "/panel/tickets/99999999999999999999999",
    ):
        assert anna.ask(path).status == 404, path
    for path in (
        f"/panel/contacts/{theirs}",
        f"/panel/contacts/{theirs}/address",
        f"/panel/contacts/{theirs}/remove",
        f"/panel/tokens/{token}/revoke",
        f"/panel/changes/{change}/cancel",
    ):
        assert anna.send(path, ("address", "x@y.example")).status == 404, path
    assert anna.upload("/panel/tickets/1/answer", {"text": "x"}).status == 404
    service = house.world.store.panel.services(theirs)[0].id
    pair = ("share", f"{house.contact(JAN).id}-{service}")
    assert anna.send("/panel/sharing", pair, ("shown", pair[1])).status == 404
    assert "Bikes" not in anna.ask("/panel/tickets").text
    assert "Northwind" not in anna.ask("/panel/account").text


def test_a_technical_contact_sees_the_tickets_of_shared_services_only(
    house: PanelHouse, anna: Visitor
) -> None:
    ids = {s.identifier: str(s.id) for s in house.world.store.panel.services(
        house.contact(ANNA).id
    )}  # fmt: skip
    for name in ("piekarnia.example", "sklep.piekarnia.example"):
        form = {"service": ids[name], "subject": f"O {name}", "text": "x"}
        anna.upload("/panel/tickets/new", form)
    jan = Visitor(house).sign_in(JAN)
    shown = jan.ask("/panel/tickets").text
    assert "/panel/tickets/2" in shown
    assert "/panel/tickets/1" not in shown
    assert jan.ask("/panel/tickets/1").status == 404
    assert jan.ask("/panel/tickets/2").status == 200
    for path in ("/panel/contacts", "/panel/sharing", "/panel/contacts/new"):
        assert jan.ask(path).status == 403
        assert path not in shown
    assert jan.send("/panel/account", ("company", "Moja"), ("language", "pl")).status == 403
    assert house.world.store.lookup.account("1001").company == "Piekarnia Anna Nowak"  # type: ignore[union-attr]


def test_a_technical_contact_files_a_ticket_for_a_shared_service_only(house: PanelHouse) -> None:
    services = house.world.store.panel.services(house.contact(ANNA).id)
    ids = {s.identifier: str(s.id) for s in services}
    jan = Visitor(house).sign_in(JAN)
    for service in ("", ids["piekarnia.example"]):
        form = {"service": service, "subject": "Proszę", "text": "x"}
        assert jan.upload("/panel/tickets/new", form).status == 422
    form = {"service": ids["sklep.piekarnia.example"], "subject": "Kopia", "text": "x"}
    page = jan.follow(jan.upload("/panel/tickets/new", form))
    assert page.title == "sklep.piekarnia.example: Kopia"
    assert "jest autoryzowana" in page.text
    ola = Visitor(house).sign_in(OLA)
    assert "nie udostępnił" in ola.ask("/panel/tickets/new").text


# --- messages that wait ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "verdict"), [("confirm", "authorized"), ("deny", "unauthorized")]
)
def test_a_waiting_message_is_answered_in_the_panel_once(
    house: PanelHouse, anna: Visitor, choice: str, verdict: str
) -> None:
    queue_id = house.mail(ANNA, "Proszę o zmianę", "Proszę.")
    assert "Proszę o zmianę" in anna.ask("/panel/waiting").text
    path = f"/panel/waiting/{queue_id}"
    assert anna.follow(anna.send(path, ("choice", choice))).status == 200
    view = house.world.store.views.message(queue_id)
    assert view
    assert view.verdict == verdict
    again = anna.follow(anna.send(path, ("choice", "deny" if choice == "confirm" else "confirm")))
    assert "ktoś już odpowiedział" in again.text
    assert house.world.store.views.message(queue_id).verdict == verdict  # type: ignore[union-attr]
    assert anna.send(path, ("choice", "maybe")).status == 400


def test_nobody_answers_for_somebody_else(house: PanelHouse, anna: Visitor) -> None:
    queue_id = house.mail(JAN, "sklep.piekarnia.example: kopia", "Proszę.")
    assert "kopia" not in anna.ask("/panel/waiting").text
    anna.send(f"/panel/waiting/{queue_id}", ("choice", "confirm"))
    assert house.world.store.views.message(queue_id).verdict == "pending"  # type: ignore[union-attr]


def test_a_share_makes_a_mail_that_waits_decidable(house: PanelHouse, anna: Visitor) -> None:
    queue_id = house.mail(OLA, "Faktura za piekarnia.example", "Poproszę o fakturę.")
    ola = Visitor(house).sign_in(OLA)
    assert "Faktura" not in ola.ask("/panel/waiting").text
    page = anna.ask("/panel/sharing").text
    shown = re.findall(r'name="shown" value="([0-9-]+)"', page)
    kept = re.findall(r'name="share" value="([0-9-]+)" checked', page)
    services = {s.identifier: s.id for s in house.world.store.panel.services(
        house.contact(ANNA).id
    )}  # fmt: skip
    new = f"{house.contact(OLA).id}-{services['piekarnia.example']}"
    saved = anna.send(
        "/panel/sharing",
        *(("shown", pair) for pair in shown),
        *(("share", pair) for pair in [*kept, new]),
    )
    assert "Dostępy nadane: 1, odebrane: 0." in anna.follow(saved).text
    assert house.world.store.views.message(queue_id).verdict == "pending"  # type: ignore[union-attr]
    assert "Faktura" in ola.ask("/panel/waiting").text
    ola.send(f"/panel/waiting/{queue_id}", ("choice", "confirm"))
    assert house.world.store.views.message(queue_id).verdict == "authorized"  # type: ignore[union-attr]


def test_saving_an_old_matrix_takes_nothing_from_who_came_later(
    house: PanelHouse, anna: Visitor
) -> None:
    """The page knew neither of the pairs it does not name."""
    before = house.world.store.directory.export("1001")[0].shares
    assert anna.send("/panel/sharing").status == 303
    assert house.world.store.directory.export("1001")[0].shares == before


# --- contacts -------------------------------------------------------------------------------------


def test_a_new_contact_counts_once_the_address_said_yes(house: PanelHouse, anna: Visitor) -> None:
    new = "ewa@piekarnia.example"
    form = ("address", new), ("name", "Ewa"), ("role", "technical"), ("language", "en")
    assert new in anna.follow(anna.send("/panel/contacts/new", *form)).text
    assert house.world.store.lookup.contacts(new) == []
    ewa, path = Visitor(house), mailed_link(house, new)
    page = ewa.ask(path)
    assert page.title == "Do you want to be a contact of this account?"
    assert house.world.store.lookup.contacts(new) == []
    done = ewa.follow(ewa.post(path, None, nonce=page.nonce, choice="confirm"))
    assert done.title == "Done, the address is saved"
    (contact,) = house.world.store.lookup.contacts(new)
    assert (contact.name, contact.role, contact.language) == ("Ewa", "technical", "en")


def test_a_new_address_that_says_no_changes_nothing(house: PanelHouse, anna: Visitor) -> None:
    path = f"/panel/contacts/{house.contact(JAN).id}/address"
    anna.send(path, ("address", "jan@new.example"))
    link, visitor = mailed_link(house, "jan@new.example"), Visitor(house)
    visitor.post(link, None, nonce=visitor.ask(link).nonce, choice="deny")
    assert visitor.ask(link).title == "Nic się nie zmieni"
    assert house.world.store.lookup.contacts("jan@new.example") == []
    assert house.world.store.lookup.contacts(JAN)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "nie jest poprawny"),
        (JAN, "ma już jeden"),
        (JAN.upper(), "ma już jeden"),
        ("POMOC@desk.example", "nasz adres"),
    ],
)
def test_an_address_that_will_not_do_is_said_beside_its_field(
    house: PanelHouse, anna: Visitor, address: str, words: str
) -> None:
    got = anna.send("/panel/contacts/new", ("address", address), ("role", "technical"))
    assert got.status == 422
    problem = re.search(r'id="address-problem"[^>]*>([^<]+)<', got.text)
    assert problem
    assert words in problem[1]


def test_the_main_address_changes_by_a_yes_from_both_and_both_are_told(
    house: PanelHouse, anna: Visitor
) -> None:
    new = "anna.nowak@nowa.example"
    anna.send(f"/panel/contacts/{house.contact(ANNA).id}/address", ("address", new))
    visitor = Visitor(house)
    link = mailed_link(house, new)
    page = visitor.ask(link)
    visitor.post(link, None, nonce=page.nonce, choice="confirm")
    assert visitor.ask(link).title == "Dziękujemy, czekamy jeszcze na drugi adres"
    assert house.world.store.lookup.contacts(new) == []
    old = mailed_link(house, ANNA)
    code = re.search(r"Kod:\s+(\d{6})", house.read(house.letters(ANNA)[-1]))
    assert code
    page = visitor.ask(old)
    wrong = "000000" if code[1] != "000000" else "111111"
    for typed, status in (("", 422), (wrong, 422)):
        form = {"nonce": page.nonce, "choice": "confirm", "code": typed}
        assert visitor.post(old, None, **form).status == status
    assert house.world.store.lookup.contacts(new) == []
    form = {"nonce": page.nonce, "choice": "confirm", "code": code[1]}
    assert visitor.follow(visitor.post(old, None, **form)).title == "Gotowe, adres jest zapisany"
    (contact,) = house.world.store.lookup.contacts(new)
    assert contact.role == "main"
    assert house.world.store.lookup.contacts(ANNA) == []
    for address in (ANNA, new):
        assert "został zmieniony" in house.read(house.letters(address)[-1])
    assert not signed_in(anna)


def test_guessing_the_code_of_the_old_address_closes_the_link(
    house: PanelHouse, anna: Visitor
) -> None:
    new = "anna.nowak@nowa.example"
    anna.send(f"/panel/contacts/{house.contact(ANNA).id}/address", ("address", new))
    old, visitor = mailed_link(house, ANNA), Visitor(house)
    code = re.search(r"Kod:\s+(\d{6})", house.read(house.letters(ANNA)[-1]))
    assert code
    nonce = visitor.ask(old).nonce
    for guess in range(house.world.settings.links.tries):
        typed = f"{(int(code[1]) + guess + 1) % 1_000_000:06d}"
        visitor.post(old, None, nonce=nonce, choice="confirm", code=typed)
    visitor.post(old, None, nonce=nonce, choice="confirm", code=code[1])
    assert visitor.ask(old).title == "Za dużo błędnych kodów"
    link = mailed_link(house, new)
    visitor.post(link, None, nonce=nonce, choice="confirm")
    assert house.contact(ANNA).role == "main"


def test_a_change_that_was_cancelled_cannot_be_confirmed(house: PanelHouse, anna: Visitor) -> None:
    anna.send(f"/panel/contacts/{house.contact(JAN).id}/address", ("address", "jan@new.example"))
    change = house.world.store.changes.of_account("1001", house.world.now())[0]
    assert anna.send(f"/panel/changes/{change.id}/cancel").status == 303
    link = mailed_link(house, "jan@new.example")
    assert Visitor(house).ask(link).status == 410


def test_name_and_role_are_saved_but_nobody_becomes_main_like_that(
    house: PanelHouse, anna: Visitor
) -> None:
    path = f"/panel/contacts/{house.contact(JAN).id}"
    form = ("name", "Jan Nowy"), ("role", "additional"), ("language", "en"), ("signs-in", "yes")
    assert anna.send(path, *form).status == 303
    jan = house.contact(JAN)
    assert jan == replace(jan, name="Jan Nowy", role="additional", language="en", signs_in=True)
    assert anna.send(path, ("name", "x"), ("role", "main")).status == 422
    mine = f"/panel/contacts/{house.contact(ANNA).id}"
    assert anna.send(mine, ("name", "Anna N."), ("role", "technical")).status == 303
    anna_now = house.contact(ANNA)
    assert (anna_now.name, anna_now.role, anna_now.signs_in) == ("Anna N.", "main", True)


def test_a_removed_contact_is_gone_and_the_main_one_stays(house: PanelHouse, anna: Visitor) -> None:
    jan = Visitor(house).sign_in(JAN)
    assert anna.send(f"/panel/contacts/{house.contact(JAN).id}/remove").status == 303
    assert house.world.store.lookup.contacts(JAN) == []
    assert not signed_in(jan)
    assert anna.send(f"/panel/contacts/{house.contact(ANNA).id}/remove").status == 404


def test_the_account_is_edited_and_no_token_is_ever_shown(house: PanelHouse, anna: Visitor) -> None:
    saved = anna.send("/panel/account", ("company", "Piekarnia\tNowa"), ("language", "en"))
    page = anna.follow(saved).text
    assert house.world.store.lookup.account("1001").company == "Piekarnia Nowa"  # type: ignore[union-attr]
    assert "Access tokens" in page
    assert ANNA in page
    assert not re.search(r"mgt-[a-z2-7]", page)
    assert anna.send("/panel/account", ("company", " "), ("language", "en")).status == 422


# --- links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["in", "v"])
def test_a_link_page_is_not_for_other_sites_nor_for_posts_from_nowhere(
    house: PanelHouse, anna: Visitor, kind: str
) -> None:
    if kind == "in":
        ask_link(house, JAN)
        house.settled()
        path = mailed_link(house, JAN)
    else:
        anna.send("/panel/contacts/new", ("address", JAN + ".pl"), ("role", "technical"))
        path = mailed_link(house, JAN + ".pl")
    visitor = Visitor(house)
    nonce = visitor.ask(path).nonce
    form = {"nonce": nonce, "choice": "confirm"}
    assert visitor.post(path, {"Origin": "https://evil.example"}, **form).status == 403
    assert Visitor(house).post(path, None, **form).status == 403
    assert "mailgate-customer" not in visitor.cookies
    assert house.world.store.lookup.contacts(JAN + ".pl") == []


def test_no_get_of_any_page_changes_anything(house: PanelHouse, anna: Visitor) -> None:
    """Promise W2, over every page a main contact has."""
    house.mail(ANNA, "Proszę o zmianę", "Proszę.")
    everything: Callable[[], object] = lambda: (  # noqa: E731 - a snapshot
        house.world.store.directory.export(),
        house.world.store.views.events(limit=1000),
        house.world.outbox(),
    )
    number = house.contact(JAN).id
    anna.csrf()
    before = everything()
    for path in (*POSTS, "/panel/tickets/1", f"/panel/contacts/{number}/remove?confirm=yes"):
        anna.ask(path.replace("contacts/1", f"contacts/{number}"))
    assert everything() == before


def test_the_database_holds_no_token_that_opens_anything(house: PanelHouse, anna: Visitor) -> None:
    ask_link(house, JAN)
    house.settled()
    link = mailed_link(house, JAN).rpartition("/")[2]
    cookie, token = anna.cookies["mailgate-customer"], house.token(OLA)
    files = house.world.store.file
    assert files
    raw = b"".join(path.read_bytes() for path in files.parent.glob(f"{files.name}*"))
    for secret in (link, cookie, token):
        assert secret.encode() not in raw
    assert session.sha256(cookie).encode() in raw


# --- a new token ----------------------------------------------------------------------------------


def tokens(house: PanelHouse, who: str) -> list[AccessToken]:
    return house.world.store.access_tokens.of_contact(house.contact(who).id)


def with_token(house: PanelHouse, token: str) -> Visitor:
    visitor = Visitor(house)
    nonce = visitor.ask("/panel/sign-in").nonce
    visitor.post("/panel/sign-in/token", None, nonce=nonce, token=token)
    return visitor


def test_a_person_has_a_new_token_sent_and_goes_on_with_the_session(house: PanelHouse) -> None:
    token = house.token(ANNA)
    anna, thief = with_token(house, token), with_token(house, token)
    assert signed_in(anna)
    assert signed_in(thief)
    done = anna.follow(anna.send(f"/panel/contacts/{house.contact(ANNA).id}/token"))
    assert "Nowy token dostępu został wysłany" in done.text
    assert not signed_in(thief)
    assert not signed_in(with_token(house, token))
    new = tokens(house, ANNA)[0]
    assert (new.issued_by, new.address, new.scopes) == (ANNA, ANNA, ("panel", "tickets:read"))
    mailed = house.find(ANNA, r"mgt-[a-z2-7]{26}")
    assert signed_in(with_token(house, mailed))
    assert house.world.store.access_tokens.revoke(new.id, "kasia", "lost", house.world.now())
    assert not signed_in(anna), "with the new token the session ends, as with the old one"


def test_the_main_contact_has_tokens_sent_to_the_others_and_they_only_to_themselves(
    house: PanelHouse, anna: Visitor
) -> None:
    jan = Visitor(house).sign_in(JAN)
    assert anna.send(f"/panel/contacts/{house.contact(OLA).id}/token").status == 303
    assert tokens(house, OLA)[0].issued_by == ANNA
    assert jan.send(f"/panel/contacts/{house.contact(OLA).id}/token").status == 404
    assert anna.send(f"/panel/contacts/{house.contact(SAM).id}/token").status == 404
    assert jan.send(f"/panel/contacts/{house.contact(JAN).id}/token").status == 303
    mails = {r.notice.to for r in house.world.outbox() if r.notice.template == "access-token"}
    assert {OLA, JAN} <= mails


def test_so_many_tokens_and_no_more(tmp_path: Path, server: Server) -> None:
    house = make_house(tmp_path, server, Limits())
    anna = Visitor(house).sign_in(ANNA)
    path = f"/panel/contacts/{house.contact(OLA).id}/token"
    pages = [anna.follow(anna.send(path)).text for _ in range(4)]
    assert ["nie został wysłany" in page for page in pages] == [False, False, False, True]
    assert len(tokens(house, OLA)) == 3
    house.world.store.close()


def test_a_token_for_programs_alone_does_not_sign_in(house: PanelHouse) -> None:
    assert not signed_in(with_token(house, house.token(ANNA, ("tickets:read",))))
    assert signed_in(with_token(house, house.token(ANNA, ("tickets:read", "panel"))))
