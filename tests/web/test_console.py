"""The staff console over HTTP and a real store: what it shows, and what each act leaves behind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from mailgate.outbound.render import render
from mailgate.web.console import inbox
from mailgate.words import words
from tests.web.console_house import ANNA, JAN, OLA, STRANGER, ConsoleHouse, console_house
from tests.web.site import Server
from tests.world import KEYS


@pytest.fixture
def house(server: Server, tmp_path: Path, console_stock: Path) -> Iterator[ConsoleHouse]:
    with console_house(tmp_path, server, console_stock) as house:
        house.sign_in()
        yield house


def number_of(house: ConsoleHouse, queue_id: str) -> int:
    number = house.message(queue_id).message.ticket
    assert number is not None
    return number


# --- the inbox ----------------------------------------------------------------------------------


def test_the_inbox_says_of_every_message_whether_it_is_authorized_and_why(
    house: ConsoleHouse,
) -> None:
    confirmed = house.mail()
    house.confirm(confirmed)
    house.mail(author=STRANGER, subject="Zmiana adresu", name="Anna Nowak")
    house.mail(author=OLA, subject="Faktura za piekarnia.example")
    got = house.ask("/console")
    assert got.status == 200
    rows = got.text.split('<li class="row ')[1:]
    assert [row.partition('"')[0] for row in rows] == ["unauthorized", "unauthorized", "authorized"]
    assert "Temu kontaktowi nie udostępniono usługi" in rows[0]
    assert "Nadawca nie jest kontaktem konta" in rows[1]
    assert "Kontakt ją potwierdził" in rows[2]
    assert "Piekarnia Anna Nowak, kontakt główny" in rows[2].replace("</bdi>", "")


def test_the_real_address_stands_beside_the_name_that_claims_another(house: ConsoleHouse) -> None:
    queue_id = house.mail(author=STRANGER, name="Anna Nowak <anna@piekarnia.example>")
    for path in ("/console", f"/console/m/{queue_id}"):
        text = house.ask(path).text
        assert f'<span class="address">{STRANGER}</span>' in text
        assert "<bdi>Anna Nowak &lt;anna@piekarnia.example&gt;</bdi></q>" in text


def test_messages_are_filtered_by_verdict_account_label_and_who_wrote_them(
    house: ConsoleHouse,
) -> None:
    house.mail(subject="one")
    house.mail(author=STRANGER, subject="two")
    house.mail(author="sam@northwind.example", subject="three")
    house.mail(author="x@lists.example", subject="four", auto_submitted="auto-replied")

    def found(query: str) -> set[str]:
        text = house.ask(f"/console?{query}").text
        return {word for word in ("one", "two", "three", "four") if f"<bdi>{word}</bdi>" in text}

    assert found("") == {"one", "two", "three", "four"}
    assert found("verdict=unauthorized") == {"two"}
    assert found("account=1001") == {"one"}
    assert found("automatic=yes") == {"four"}
    assert found("automatic=no&verdict=pending") == {"one", "three"}
    assert found("ticket=1") == {"one"}
    assert found("verdict=nonsense&ticket=x&state=y") == {"one", "two", "three", "four"}
    assert "Nic nie pasuje" in house.ask("/console?account=9999").text


def test_search_finds_words_of_subjects_texts_and_addresses(house: ConsoleHouse) -> None:
    house.mail(subject="Delegacja domeny", text="proszę o serwery zażółć\n")
    house.mail(author=JAN, subject="sklep.piekarnia.example: kopia", text="do testów\n")
    assert "Delegacja domeny" in house.ask("/console?q=delegacja").words
    assert "Delegacja domeny" in house.ask("/console?q=za%C5%BC%C3%B3%C5%82%C4%87").words
    by_address = house.ask("/console?q=webdesign.example").words
    assert "kopia" in by_address
    assert "Delegacja" not in by_address
    assert "Nic nie pasuje" in house.ask("/console?q=nigdziezadne").text
    assert house.ask("/console?q=%22%27%28*+OR+NEAR").status == 200


def test_older_messages_are_a_page_further_and_a_made_up_place_is_not_found(
    house: ConsoleHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "PAGE", 3)
    for number in range(5):
        house.mail(author=STRANGER, subject=f"nr {number}")
    house.sign_in()  # half an hour has gone by
    first = house.ask("/console?verdict=unauthorized")
    assert first.text.count('<li class="row ') == 3
    onward = first.text.rpartition('class="onward"')[2].partition('href="')[2].partition('"')[0]
    second = house.ask("/console" + onward.replace("&amp;", "&"))
    assert second.text.count('<li class="row ') == 2
    assert "nr 0<" in second.text
    assert house.ask("/console?after=no%20place").status == 404


def test_a_view_is_saved_under_a_name_shown_to_its_owner_alone_and_removed(
    house: ConsoleHouse,
) -> None:
    made = house.act("/console/views", name="Bez konta", query="verdict=unauthorized&x=1&lang=pl")
    assert 'href="/console?verdict=unauthorized" aria-current="true">Bez konta</a>' in made.text
    (view,) = house.store.saved.all(house.staff().id)
    assert view.query == "verdict=unauthorized"
    house.sign_in("adam")
    assert "Bez konta" not in house.ask("/console").text
    assert house.post(f"/console/views/{view.id}/remove").status == 404
    house.sign_in()
    assert "Bez konta" not in house.act(f"/console/views/{view.id}/remove").text
    assert house.post("/console/views", name=" ", query="").status == 422


# --- a message ----------------------------------------------------------------------------------


def test_a_message_says_its_verdict_every_reason_the_rules_tried_and_the_nearest_miss(
    house: ConsoleHouse,
) -> None:
    queue_id = house.mail(author=OLA, subject="Faktura za piekarnia.example")
    got = house.ask(f"/console/m/{queue_id}?lang=en")
    assert got.title == "Faktura za piekarnia.example"
    said = got.words
    assert "Not authorized Do nothing of what it asks." in said
    assert "The service is not shared with this contact contact-without-share" in said
    assert "limits-exceeded did not apply" in said
    assert "contact-without-share decided" in said
    assert "sender.share is not yes" in said
    assert "if “Service shared with the sender” were yes (it is no)" in said
    assert "piekarnia.example: not shared with ola@piekarnia.example" in said


def test_text_new_text_html_and_source_are_each_shown_when_asked_for(house: ConsoleHouse) -> None:
    text = "Nowe zdanie.\n\nW dniu 1.11.2026 o 10:00, Pomoc pisze:\n> stare zdanie\n"
    html = "<p>Nowe <b>zdanie</b>.</p><script>code</script>"
    path = f"/console/m/{house.mail(text=text, html=html)}"
    new = house.ask(path).text
    assert "Nowe zdanie." in new
    assert "stare zdanie" not in new
    assert "&gt; stare zdanie" in house.ask(f"{path}?show=text").text
    assert (
        f'<iframe class="strange" sandbox src="{path}/html"' in house.ask(f"{path}?show=html").text
    )
    assert "Content-Type: multipart/alternative" in house.ask(f"{path}?show=source").text
    frame = house.ask(f"{path}/html")
    assert "<p>Nowe <b>zdanie</b>.</p>" in frame.text
    assert "code" not in frame.text


def test_the_frame_for_html_may_do_nothing_and_stands_on_our_own_pages_only(
    house: ConsoleHouse,
) -> None:
    got = house.ask(f"/console/m/{house.mail(html='<p>x</p>')}/html")
    policy = got.headers["content-security-policy"]
    for directive in ("sandbox", "default-src 'none'", "style-src 'none'", "img-src 'none'"):
        assert directive in policy.split("; ")
    assert "frame-ancestors 'self'" in policy
    assert got.headers["x-frame-options"] == "SAMEORIGIN"
    assert house.ask(f"/console/m/{house.mail()}/html").status == 404


def test_html_too_tangled_to_be_made_safe_is_not_shown(house: ConsoleHouse) -> None:
    path = f"/console/m/{house.mail(html='<p>' * 21_000)}"
    assert "zbyt złożony" in house.ask(f"{path}?show=html").text
    assert house.ask(f"{path}/html").status == 404


def test_an_attachment_is_only_ever_saved(house: ConsoleHouse) -> None:
    evil = b"<script>alert(1)</script>"
    queue_id = house.mail(files={"umowa „nowa”.html": evil, '../../a"b\\.svg': b"<svg/>"})
    got = house.ask(f"/console/m/{queue_id}/files/0")
    assert got.body == evil
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["content-disposition"] == (
        'attachment; filename="umowa _nowa_.html"; '
        "filename*=UTF-8''umowa%20%E2%80%9Enowa%E2%80%9D.html"
    )
    other = house.ask(f"/console/m/{queue_id}/files/1").headers["content-disposition"]
    assert ".." not in other
    assert "/" not in other
    for path in ("files/2", "files/99999999999999999999", "files/-1"):
        assert house.ask(f"/console/m/{queue_id}/{path}").status == 404


def test_the_source_is_saved_octet_by_octet(house: ConsoleHouse) -> None:
    content = b"From: a@b.example\r\nSubject: \xff\xfe\r\n\r\n\x00\x80 body\r\n"
    queue_id = house.admit(content, "a@b.example")
    got = house.ask(f"/console/m/{queue_id}/raw")
    assert hashlib.sha256(got.body).digest() == hashlib.sha256(content).digest()
    assert f'filename="{queue_id}.eml"' in got.headers["content-disposition"]


def test_a_message_nobody_has_judged_yet_is_a_page_that_says_so(
    house: ConsoleHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.world, "work", lambda: None)
    queue_id = house.mail()
    assert house.ask(f"/console/m/{queue_id}").title == "Jeszcze nie oceniono"


def test_what_a_worker_fell_over_is_not_read_here_but_can_be_looked_at_and_saved(
    house: ConsoleHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process has no supervisor that would kill it."""
    monkeypatch.setattr(house.world, "work", lambda: None)
    queue_id = house.mail(text="poison\n", html="<p>x</p>", files={"a.pdf": b"x"})
    taken = house.store.queue.claim("test/0", house.world.now())
    assert taken
    house.store.queue.hold(taken, "given up after 3 attempts: worker died")

    def fell(*_: object) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr("mailgate.message.reading.structure.tree", fell)
    monkeypatch.setattr("mailgate.message.markup.structure.tree", fell)
    monkeypatch.setattr("mailgate.process.read", fell)
    got = house.ask(f"/console/m/{queue_id}?show=html")
    assert got.status == 200
    assert "given up after 3 attempts" in got.text
    assert "poison" in got.text
    assert house.ask(f"/console/m/{queue_id}/raw").body.startswith(b"Authentication-Results")
    for path in (f"m/{queue_id}/html", f"m/{queue_id}/files/0", f"what-if?m={queue_id}"):
        assert house.ask(f"/console/{path}").status == 404


def test_what_is_not_there_is_not_found_in_words_of_the_console(house: ConsoleHouse) -> None:
    for path in ("m/NOSUCH", "m/NOSUCH/raw", "tickets/99", f"tickets/{1 << 70}", "m/x/html"):
        got = house.ask(f"/console/{path}")
        assert (got.status, got.title) == (404, "Tego tu nie ma")


def test_marks_that_turn_text_around_are_taken_out_of_what_strangers_wrote(
    house: ConsoleHouse,
) -> None:
    evil = "\u202egpj.exe\u2066"
    queue_id = house.mail(subject=f"a{evil}", text=f"b{evil}\n", name=f"c{evil}")
    for path in ("/console", f"/console/m/{queue_id}", f"/console/m/{queue_id}?show=source"):
        text = house.ask(path).text
        assert "\u202e" not in text
        assert "\u2066" not in text


# --- acts ---------------------------------------------------------------------------------------


def held(house: ConsoleHouse) -> str:
    subject = "[Desk#1:00000000000000000001] [Desk#2:00000000000000000002]"
    queue_id = house.mail(subject=subject)
    assert house.message(queue_id).message.state == "hold"
    return queue_id


def test_what_is_held_can_be_released_or_dropped_each_with_its_reason(house: ConsoleHouse) -> None:
    queue_id = held(house)
    got = house.act(f"/console/m/{queue_id}/release", why="Sprawdzone telefonicznie")
    assert "Zwolniono." in got.words
    assert len(house.message(queue_id).message.history) == 2
    house.act(f"/console/m/{queue_id}/drop", why="Nieporozumienie")
    assert house.message(queue_id).message.verdict == "filed"
    assert house.audited()[:2] == [
        ("kasia", "item-dropped", f"message:{queue_id}", "Nieporozumienie"),
        ("kasia", "item-released", f"message:{queue_id}", "Sprawdzone telefonicznie"),
    ]


def test_a_message_is_decided_again_by_the_directory_of_now(house: ConsoleHouse) -> None:
    queue_id = house.mail(author=OLA, subject="Faktura za piekarnia.example")
    (entry,) = house.store.directory.export("1001")
    ola = next(c.id for c in entry.contacts if c.address == OLA)
    service = next(s.id for s in entry.services if s.identifier == "piekarnia.example")
    house.store.edits.set_shares("1001", entry.shares | {(ola, service)}, ANNA, house.world.now())
    house.act(f"/console/m/{queue_id}/decide", why="Udostępniono usługę")
    assert house.message(queue_id).message.verdict == "pending"
    assert house.audited()[0] == (
        "kasia", "decided-again", f"message:{queue_id}", "Udostępniono usługę",
    )  # fmt: skip


def test_a_new_link_goes_to_the_registered_address_and_the_old_one_dies(
    house: ConsoleHouse,
) -> None:
    queue_id = house.mail()
    house.act(f"/console/m/{queue_id}/new-link", why="Nie doszedł")
    states = [link.state for link in house.message(queue_id).message.links]
    assert sorted(states) == ["open", "superseded"]
    templates = [row.notice.template for row in house.world.outbox()]
    assert sorted(templates) == ["authorization-link", "link-expired"]
    assert {row.notice.to for row in house.world.outbox()} == {ANNA}
    assert house.audited()[0][1:] == ("link-renewed", f"message:{queue_id}", "Nie doszedł")
    house.confirm(queue_id)
    assert house.post(f"/console/m/{queue_id}/new-link", why="Jeszcze raz").status == 422


def test_staff_vouch_for_a_message_and_may_take_it_back(house: ConsoleHouse) -> None:
    queue_id = house.mail(author=OLA, subject="Faktura za piekarnia.example")
    got = house.act(f"/console/m/{queue_id}/override", word="vouches", why="Oddzwoniłam")
    assert "Wiadomość jest autoryzowana" in got.words
    assert "Oddzwoniłam" in got.words
    house.act(f"/console/m/{queue_id}/override", word="none", why="Pomyłka")
    assert house.message(queue_id).message.verdict == "unauthorized"
    assert [row[1:] for row in house.audited()[:2]] == [
        ("overridden", f"message:{queue_id}", "Pomyłka"),
        ("overridden", f"message:{queue_id}", "Oddzwoniłam"),
    ]


def test_staff_refuse_what_was_authorized(house: ConsoleHouse) -> None:
    queue_id = house.mail()
    house.confirm(queue_id)
    house.act(f"/console/m/{queue_id}/override", word="refuses", why="Konto przejęte")
    assert house.message(queue_id).message.verdict == "unauthorized"
    assert "pracownik odmawia" in house.ask("/console").words


def test_the_word_of_staff_does_not_make_a_stranger_a_contact(house: ConsoleHouse) -> None:
    queue_id = house.mail(author=STRANGER)
    house.act(f"/console/m/{queue_id}/override", word="vouches", why="Znam go")
    assert house.message(queue_id).message.verdict == "unauthorized"


def test_a_ticket_is_closed_opened_again_and_given_a_new_code(house: ConsoleHouse) -> None:
    queue_id = house.mail()
    number = number_of(house, queue_id)
    old = house.token(number)
    assert "Zamknięto." in house.act(f"/console/tickets/{number}/close", why="Załatwione").words
    assert house.post(f"/console/tickets/{number}/close", why="Jeszcze raz").status == 422
    assert "Otwarto ponownie." in house.act(f"/console/tickets/{number}/reopen", why="Wrócił").words
    assert old in house.ask(f"/console/tickets/{number}").text
    got = house.act(f"/console/tickets/{number}/rotate", why="Kod wyciekł")
    assert old not in got.text
    assert house.token(number) in got.text
    assert [row[:2] for row in house.audited()[:3]] == [
        ("kasia", "code-rotated"),
        ("kasia", "ticket-reopened"),
        ("kasia", "ticket-closed"),
    ]


@pytest.mark.parametrize("act", ["release", "drop", "decide", "new-link", "override"])
def test_no_act_on_a_message_without_a_reason(house: ConsoleHouse, act: str) -> None:
    queue_id = held(house)
    before = house.message(queue_id)
    got = house.post(f"/console/m/{queue_id}/{act}", why="  \n ", word="vouches")
    assert (got.status, got.title) == (422, "Potrzebny jest powód")
    assert house.message(queue_id) == before
    assert [row for row in house.audited() if row[0] == "kasia"] == []


@pytest.mark.parametrize("act", ["close", "rotate"])
def test_no_act_on_a_ticket_without_a_reason(house: ConsoleHouse, act: str) -> None:
    number = number_of(house, house.mail())
    before = house.store.lookup.ticket(number)
    assert house.post(f"/console/tickets/{number}/{act}", why="").status == 422
    assert house.store.lookup.ticket(number) == before


def test_an_override_without_a_word_changes_nothing(house: ConsoleHouse) -> None:
    queue_id = house.mail()
    got = house.post(f"/console/m/{queue_id}/override", why="x", word="authorize")
    assert (got.status, got.title) == (422, "Nic nie wybrano")
    assert house.message(queue_id).overrides == ()


def test_a_form_without_the_token_of_the_session_or_from_elsewhere_changes_nothing(
    house: ConsoleHouse,
) -> None:
    queue_id = held(house)
    path = f"/console/m/{queue_id}/release"
    assert house.post(path, csrf="", why="x").status == 403
    assert house.post(path, csrf="0" * 32, why="x").status == 403
    body = f"csrf={house.csrf}&why=x".encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert house.ask(path, "POST", body, {**kind, **foreign}).status == 403
    assert len(house.message(queue_id).message.history) == 1


def test_a_reader_sees_everything_and_changes_nothing(house: ConsoleHouse) -> None:
    queue_id = held(house)
    number = number_of(house, house.mail())
    house.sign_in("rita")
    page = house.ask(f"/console/m/{queue_id}")
    assert "Możesz tu wszystko obejrzeć" in page.words
    assert page.text.count('method="post"') == 1, "the way out alone"
    for path in (
        f"m/{queue_id}/release",
        f"m/{queue_id}/override",
        f"tickets/{number}/close",
        f"tickets/{number}/answer",
        "new",
        "staff",
    ):
        got = house.post(f"/console/{path}", why="x", word="vouches", text="x", to="1")
        assert (got.status, got.title) == (403, "To nie dla Twojej roli"), path
    assert house.ask("/console/staff").status == 403


def test_nobody_without_a_session_gets_in_and_the_way_back_is_kept(house: ConsoleHouse) -> None:
    house.cookies = {}
    got = house.ask("/console/tickets?state=open")
    assert got.status == 303
    assert got.headers["location"] == "/console/in?next=%2Fconsole%2Ftickets%3Fstate%3Dopen"
    assert house.post("/console/m/x/release", why="x").status == 403


# --- answering, and writing for a customer ------------------------------------------------------


def contact_id(house: ConsoleHouse, address: str) -> str:
    return str(house.store.lookup.contacts(address)[0].id)


def test_an_answer_is_mailed_with_the_token_and_the_signature_and_stands_in_the_ticket(
    house: ConsoleHouse,
) -> None:
    house.act("/console/me", name="Kasia Z.", language="pl", signature="Kasia\r\nPomoc Desk")
    number = number_of(house, house.mail())
    house.woken.clear()
    got = house.act(
        f"/console/tickets/{number}/answer",
        to=contact_id(house, ANNA),
        text="Dzień dobry,\r\nzrobione.",
    )
    assert "Twoja odpowiedź jest w drodze." in got.words
    assert "Dzień dobry,\nzrobione." in got.text
    assert house.woken == ["mailer"]
    (row,) = [r for r in house.world.outbox() if r.notice.template == "staff-answer"]
    mail = message_from_bytes(house.world.mail(row), policy=default)
    assert mail["To"] == ANNA
    assert house.token(number) in mail["Subject"]
    body = mail.get_body()
    assert body
    assert "zrobione.\n\nKasia\nPomoc Desk\n" in body.get_content().replace("\r\n", "\n")
    assert house.audited()[0][:3] == ("kasia", "answered", f"ticket:{number}")


def test_copies_go_only_to_those_the_service_is_shared_with(house: ConsoleHouse) -> None:
    subject = "sklep.piekarnia.example: pytanie"
    number = number_of(house, house.mail(subject=subject))
    path = f"/console/tickets/{number}/answer"
    page = house.ask(f"/console/tickets/{number}").text
    assert f'name="cc" value="{contact_id(house, JAN)}"' in page
    assert f'value="{contact_id(house, OLA)}"' not in page
    refused = house.post(path, to=contact_id(house, ANNA), cc=[contact_id(house, OLA)], text="x")
    assert refused.status == 422
    assert "Kopia poszłaby do kogoś, kto nie może czytać tego zgłoszenia." in refused.words
    stranger = house.post(path, to=contact_id(house, "sam@northwind.example"), text="x")
    assert stranger.status == 422
    house.act(path, to=contact_id(house, ANNA), cc=[contact_id(house, JAN)], text="x")
    rows = [r for r in house.world.outbox() if r.notice.template == "staff-answer"]
    sent = {
        render(
            r.notice, settings=house.settings, keys=KEYS, templates=house.world.templates
        ).recipient
        for r in rows
    }
    assert sent == {ANNA, JAN}
    assert len({r.notice.message_id for r in rows}) == 1


def test_an_answer_that_cannot_be_sent_is_not_lost(house: ConsoleHouse) -> None:
    number = number_of(house, house.mail())
    got = house.post(f"/console/tickets/{number}/answer", to="0", text="Dużo <b>pracy</b>\nw tym")
    assert got.status == 422
    assert "Ten adres nie może czytać tego zgłoszenia." in got.words
    assert "Dużo &lt;b&gt;pracy&lt;/b&gt;\nw tym</textarea>" in got.text


def test_an_empty_or_endless_answer_is_not_sent(house: ConsoleHouse) -> None:
    number = number_of(house, house.mail())
    before = len(house.world.outbox())
    for text in (" \r\n ", "x" * 20_001):
        got = house.post(f"/console/tickets/{number}/answer", to=contact_id(house, ANNA), text=text)
        assert got.status == 422
    assert len(house.world.outbox()) == before


def test_a_ticket_entered_for_a_customer_is_unauthorized_until_they_confirm(
    house: ConsoleHouse,
) -> None:
    """Row A9."""
    assert "Piekarnia Anna Nowak" in house.ask(f"/console/new?account={ANNA}").words
    got = house.act(
        "/console/new",
        account="1001",
        desk="support",
        service="",
        subject="Rozmowa: większy pakiet",
        text="Klientka prosi o większy pakiet.",
    )
    assert "Wpisano. Nie jest autoryzowane" in got.words
    assert "Wiadomość nie jest autoryzowana" in got.words
    assert "wpis pracownika" in got.words
    queue_id = got.text.partition('href="/console/what-if?m=')[2].partition('"')[0]
    assert house.audited()[0][:3] == ("kasia", "message-entered", f"message:{queue_id}")
    (asked,) = house.world.outbox()
    assert (asked.notice.template, asked.notice.to) == ("entered-by-staff", ANNA)
    vouched = f"/console/m/{queue_id}/override"
    house.act(vouched, word="vouches", why="Sama z nią rozmawiałam")
    assert house.message(queue_id).message.verdict == "unauthorized"
    house.confirm(queue_id)
    assert house.message(queue_id).message.verdict == "authorized"


def test_the_service_that_was_chosen_is_what_the_ticket_is_about(house: ConsoleHouse) -> None:
    (entry,) = house.store.directory.export("1001")
    shop = next(s for s in entry.services if s.identifier.startswith("sklep."))
    house.act(
        "/console/new", account="1001", desk="support", service=str(shop.id), subject="Kopia",
        text="Proszę o kopię.",
    )  # fmt: skip
    (row,) = house.store.inbox.tickets(house.wanted()).rows
    assert row.service == shop.identifier


def test_a_ticket_needs_an_account_a_subject_and_a_text(house: ConsoleHouse) -> None:
    assert "Nie ma takiego konta." in house.ask("/console/new?account=nobody").words
    full = {"account": "1001", "desk": "support", "subject": "x", "text": "y"}
    for missing in full:
        got = house.post("/console/new", **{**full, missing: ""})
        assert got.status == 422, missing
    kept = house.post("/console/new", **{**full, "subject": "", "text": "co wpisano"})
    assert "co wpisano</textarea>" in kept.text
    assert house.world.outbox() == []


# --- tickets, state, audit, staff ---------------------------------------------------------------


def test_the_timeline_has_mails_confirmations_answers_and_acts_in_their_order(
    house: ConsoleHouse,
) -> None:
    queue_id = house.mail()
    number = number_of(house, queue_id)
    house.world.later(minutes=5)
    house.confirm(queue_id)
    house.world.later(minutes=5)
    house.act(f"/console/tickets/{number}/answer", to=contact_id(house, ANNA), text="Zrobione.")
    house.world.later(minutes=5)
    got = house.act(f"/console/tickets/{number}/close", why="Załatwione")
    line = got.words.partition("Co możesz zrobić")[2]
    places = [
        line.index(words)
        for words in (
            "proszę o zmianę serwerów DNS",
            "Prośba o potwierdzenie",
            "Potwierdził kontakt",
            "Informacja o autoryzacji",
            "Zrobione.",
            "Zamknięto zgłoszenie",
            "Załatwione",
        )
    ]
    assert places == sorted(places)


def test_tickets_are_listed_by_state_standing_and_words(house: ConsoleHouse) -> None:
    first = number_of(house, house.mail(subject="pierwsze"))
    house.confirm(house.mail(subject="drugie"))
    house.act(f"/console/tickets/{first}/close", why="x")

    def found(query: str) -> set[str]:
        text = house.ask(f"/console/tickets?{query}").text
        return {word for word in ("pierwsze", "drugie") if word in text.partition("<ol")[2]}

    assert found("") == {"pierwsze", "drugie"}
    assert found("state=closed") == {"pierwsze"}
    assert found("standing=authorized") == {"drugie"}
    assert found("q=drugie") == {"drugie"}
    assert house.ask("/console/tickets?after=x").status == 404


def test_the_state_of_the_house_names_what_waits_the_rules_in_force_and_who_is_not_reached(
    house: ConsoleHouse,
) -> None:
    held(house)
    disowned = house.mail(subject="nie moje")
    house.confirm(disowned, "denied")
    now = house.world.now()
    (failing,) = house.store.outbox.claim_due(now, 1)
    house.store.outbox.failed(failing.notice.id, "550 5.1.1 no such user", now)
    got = house.ask("/console/state?lang=en")
    assert house.world.policy.sha256 in got.text
    assert str(house.settings.rules) in got.text
    said = got.words
    assert "held by the rule codes-conflict" in said
    assert "550 5.1.1 no such user" in said
    assert "does not arrive anna@piekarnia.example" in said
    assert "links muted anna@piekarnia.example" in said
    assert "✗ our mail goes out not well:" in said
    assert "SQLite" in said
    assert "denied-by-contact" in said
    assert got.text.count('<rect class="unauthorized"') == 1


def test_a_mail_of_ours_that_failed_is_sent_again(house: ConsoleHouse) -> None:
    house.mail()
    now = house.world.now()
    (row,) = house.store.outbox.claim_due(now, 1)
    house.store.outbox.failed(row.notice.id, "550 no", now)
    got = house.act(f"/console/outbox/{row.notice.id}/send", why="Poprawili skrzynkę")
    assert "Wysyłamy ponownie." in got.words
    assert house.store.views.outbox(("waiting",))[0].notice.id == row.notice.id
    assert house.audited()[0][1] == "notice-retried"
    house.store.outbox.claim_due(now, 1)
    house.store.outbox.sent(row.notice.id, "250 ok", now)
    assert house.post(f"/console/outbox/{row.notice.id}/send", why="x").status == 422


def test_the_audit_log_says_who_when_what_and_why_and_whether_it_is_whole(
    house: ConsoleHouse,
) -> None:
    queue_id = held(house)
    house.act(f"/console/m/{queue_id}/release", why="Powód <b>ważny</b>")
    got = house.ask("/console/audit?who=kasia")
    assert "Powód &lt;b&gt;ważny&lt;/b&gt;" in got.text
    assert f'<a href="/console/m/{queue_id}">' in got.text
    assert "Zwolniono" in got.words
    assert "Zwolniono" not in house.ask("/console/audit?who=adam").words
    assert "Łańcuch jest cały." in house.ask("/console/audit?verify=1").words
    assert house.ask("/console/audit?after=x").status == 404


def test_an_admin_adds_somebody_and_sees_their_secrets_once(house: ConsoleHouse) -> None:
    house.sign_in("adam")
    made = house.post("/console/staff", login="Ewa", name="Ewa  Nowa", role="reader", language="pl")
    assert made.status == 200
    assert made.headers["cache-control"] == "no-store"
    known = house.store.staff.find("ewa")
    assert known
    assert known.staff.name == "Ewa Nowa"
    assert known.totp_secret in made.text
    assert known.password_hash not in made.text
    assert known.totp_secret not in house.ask("/console/staff").text
    assert house.audited()[0][:3] == ("adam", "staff-added", "staff:ewa")
    again = house.post("/console/staff", login="ewa", name="x", role="reader", language="pl")
    assert (again.status, again.title) == (422, "Ktoś już ma ten login")
    wrong = house.post("/console/staff", login="e@x", name="x", role="reader", language="pl")
    assert wrong.status == 422
    king = house.post("/console/staff", login="king", name="x", role="king", language="pl")
    assert king.status == 422


def test_an_admin_disables_somebody_and_the_last_admin_stays(house: ConsoleHouse) -> None:
    kasia = dict(house.cookies)
    house.sign_in("adam")
    house.act("/console/staff/kasia/disable", why="Odeszła")
    assert house.audited()[0] == ("adam", "staff-disabled", "staff:kasia", "Odeszła")
    last = house.post("/console/staff/adam/disable", why="Dość")
    assert (last.status, last.title) == (422, "To ostatni administrator")
    assert house.post("/console/staff/nobody/disable", why="x").status == 404
    house.cookies = kasia
    assert house.ask("/console").status == 303


def test_a_new_password_is_shown_once_and_ends_what_the_old_one_opened(
    house: ConsoleHouse,
) -> None:
    kasia = dict(house.cookies)
    house.sign_in("adam")
    got = house.post("/console/staff/kasia/password")
    assert got.status == 200
    shown = got.text.partition("<dd><code>")[2].partition("</code>")[0]
    assert len(shown) >= 20
    known = house.store.staff.find("kasia")
    assert known
    assert known.password_hash.startswith("$argon2id$")
    house.cookies = kasia
    assert house.ask("/console").status == 303


def test_everybody_keeps_their_own_name_language_and_signature(house: ConsoleHouse) -> None:
    house.act("/console/me", name="Kasia Z.", language="en", signature="Kasia\r\nDesk")
    me = house.store.staff.get(house.staff().id)
    assert me
    assert (me.name, me.language, me.signature) == ("Kasia Z.", "en", "Kasia\nDesk")
    assert house.ask("/console").title == "Inbox"
    assert house.post("/console/me", name="", language="en", signature="").status == 422


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["why", "verdict", "standing", "state", "fact", "notice", "event"])
def test_whatever_the_house_can_say_has_words_in_the_console(kind: str) -> None:
    from mailgate import outbound
    from mailgate.model.decision import VERDICTS
    from mailgate.model.facts import DOMAINS
    from mailgate.rules import codes

    said: dict[str, set[str]] = {
        "why": {*codes.REASONS, "dropped-by-operator"},
        "verdict": set(VERDICTS),
        "standing": {"none", "authorized", "pending", "unauthorized"},
        "state": {"incoming", "active", "deferred", "hold", "done"},
        "fact": set(DOMAINS),
        "notice": set(outbound.NOTICES),
        "event": {"item-released", "overridden", "answered", "message-entered", "link-renewed"},
    }
    assert not {code for code in said[kind] if f"console.{kind}.{code}" not in words("pl").texts}


def test_a_code_that_a_later_version_made_up_is_shown_as_it_is(house: ConsoleHouse) -> None:
    from mailgate.web.console.say import Say

    say = Say("pl", house.settings.zone, house.world.now(), {"own-code": {"pl": "Własny powód"}})
    assert say.named("event", "made-up-later") == "made-up-later"
    assert say.why("own-code") == "Własny powód"
    assert say.why("cc-stranger") == "Czyta ją ktoś, kto nie jest kontaktem konta"
