"""The new text of a reply: what its author wrote, whoever's client put the quotes around it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mailgate.message.reply_text import new_text

#: What each client puts below an answer, a file a client.
QUOTES = sorted((Path(__file__).parent / "reply_quotes").glob("*.html"))
ANSWER = "Dzień dobry,\n\nproszę o przywrócenie kopii z wczoraj."

#: How clients in many languages introduce a quote that has `>` before each line.
ATTRIBUTIONS = [
    # Gmail
    "On Mon, 5 Aug 2024 at 10:15, Jan Kowalski <jan@example.com> wrote:",
    "On Mon, Aug 5, 2024 at 10:15 AM Jan Kowalski <jan@example.com> wrote:",
    "On Mon, Aug 5, 2024 at 10:15 AM Jan Kowalski <\njan.kowalski.the.third@example.com> wrote:",
    "On Mon, Aug 5, 2024 at 10:15\u202fAM Jan Kowalski <jan@example.com> wrote:",
    "pon., 5 sie 2024 o 10:15 Jan Kowalski <jan@example.com> napisał(a):",
    "śr., 7 sie 2024 o 10:15 Jan Kowalski <jan@example.com> napisał(a):",
    "Am Mo., 5. Aug. 2024 um 10:15 Uhr schrieb Jan Kowalski <jan@example.com>:",
    "Am Mo., 5. Aug. 2024 um 10:15 Uhr schrieb Jan Kowalski <\njan@example.com>:",
    "Le lun. 5 août 2024 à 10:15, Jan Kowalski <jan@example.com> a écrit :",
    "El lun, 5 ago 2024 a las 10:15, Jan Kowalski (<jan@example.com>) escribió:",
    "Il giorno lun 5 ago 2024 alle ore 10:15 Jan Kowalski <jan@example.com> ha scritto:",
    "Op ma 5 aug 2024 om 10:15 schreef Jan Kowalski <jan@example.com>:",
    "Em seg., 5 de ago. de 2024 às 10:15, Jan Kowalski <jan@example.com> escreveu:",
    "Jan Kowalski <jan@example.com> escreveu (segunda, 5/08/2024 à(s) 10:15):",
    "Den mån 5 aug. 2024 kl 10:15 skrev Jan Kowalski <jan@example.com>:",
    "Den man. 5. aug. 2024 kl. 10.15 skrev Jan Kowalski <jan@example.com>:",
    "man. 5. aug. 2024 kl. 10:15 skrev Jan Kowalski <jan@example.com>:",
    "ma 5.8.2024 klo 10.15 Jan Kowalski (jan@example.com) kirjoitti:",
    "пн, 5 авг. 2024 г. в 10:15, Jan Kowalski <jan@example.com>:",
    "пн, 5 серп. 2024 р. о 10:15 Jan Kowalski <jan@example.com> пише:",
    "po 5. 8. 2024 v 10:15 odesílatel Jan Kowalski <jan@example.com> napsal:",
    "po 5. 8. 2024 o 10:15 Jan Kowalski <jan@example.com> napísal(a):",
    "Jan Kowalski <jan@example.com> ezt írta (időpont: 2024. aug. 5., H, 10:15):",
    "În lun., 5 aug. 2024 la 10:15, Jan Kowalski <jan@example.com> a scris:",
    "Jan Kowalski <jan@example.com>, 5 Ağu 2024 Pzt, 10:15 tarihinde şunu yazdı:",
    "Στις Δευ 5 Αυγ 2024 στις 10:15 π.μ., ο χρήστης Jan <jan@example.com> έγραψε:",
    "Jan Kowalski <jan@example.com> 于2024年8月5日周一 10:15写道：",
    "2024年8月5日(月) 10:15 Jan Kowalski <jan@example.com>:",
    "2024년 8월 5일 (월) 오전 10:15, Jan Kowalski <jan@example.com>님이 작성:",
    # Apple Mail
    "On 5 Aug 2024, at 10:15, Jan Kowalski <jan@example.com> wrote:",
    "Wiadomość napisana przez Jan Kowalski <jan@example.com> w dniu 5 sie 2024, o godz. 10:15:",
    "Am 05.08.2024 um 10:15 schrieb Jan Kowalski <jan@example.com>:",
    "Le 5 août 2024 à 10:15, Jan Kowalski <jan@example.com> a écrit :",
    "El 5 ago 2024, a las 10:15, Jan Kowalski <jan@example.com> escribió:",
    "Il giorno 5 ago 2024, alle ore 10:15, Jan Kowalski <jan@example.com> ha scritto:",
    "Op 5 aug 2024, om 10:15 heeft Jan Kowalski <jan@example.com> het volgende geschreven:",
    "No dia 05/08/2024, às 10:15, Jan Kowalski <jan@example.com> escreveu:",
    "5 aug. 2024 kl. 10:15 skrev Jan Kowalski <jan@example.com>:",
    "Jan Kowalski <jan@example.com> kirjoitti 5.8.2024 kello 10.15:",
    "5 авг. 2024 г., в 10:15, Jan Kowalski <jan@example.com> написал(а):",
    "5. 8. 2024 v 10:15, Jan Kowalski <jan@example.com>:",
    # Thunderbird
    "On 05/08/2024 10:15, Jan Kowalski wrote:",
    "W dniu 05.08.2024 o 10:15, Jan Kowalski pisze:",
    "W dniu 2024-08-05 10:15, Jan Kowalski napisał:",
    "Am 05.08.24 um 10:15 schrieb Jan Kowalski:",
    "Le 05/08/2024 à 10:15, Jan Kowalski a écrit :",
    "El 5/8/24 a las 10:15, Jan Kowalski escribió:",
    "Il 05/08/2024 10:15, Jan Kowalski ha scritto:",
    "Op 05-08-2024 om 10:15 schreef Jan Kowalski:",
    "Em 05/08/2024 10:15, Jan Kowalski escreveu:",
    "Den 2024-08-05 kl. 10:15, skrev Jan Kowalski:",
    "Den 05.08.2024 kl. 10.15 skrev Jan Kowalski:",
    "På 05.08.2024 10:15, skrev Jan Kowalski:",
    "Jan Kowalski kirjoitti 5.8.2024 klo 10.15:",
    "05.08.2024 10:15, Jan Kowalski пишет:",
    "Dne 05. 08. 24 v 10:15 Jan Kowalski napsal(a):",
    "Dňa 5. 8. 2024 o 10:15 Jan Kowalski napísal(a):",
    # Web mail and others
    "Dnia 5 sierpnia 2024 10:15 Jan Kowalski <jan@example.com> napisał(a):",
    "On Monday, August 5, 2024 at 10:15:30 AM GMT+2, Jan Kowalski <jan@example.com> wrote:",
    "---- On Mon, 05 Aug 2024 10:15:30 +0200 Jan Kowalski <jan@example.com> wrote ----",
    "W dniu poniedziałek, 5 sierpnia 2024 10:15 Jan Kowalski <jan@example.com> napisał(a):",
    "On Monday, August 5th, 2024 at 10:15, Jan Kowalski <jan@example.com> wrote:",
    "From: Jan Kowalski <jan@example.com> wrote on 5 Aug 2024:",
    "Jan Kowalski writes:",
    "Quoting Jan Kowalski <jan@example.com>:",
    "Quoting Jan Kowalski\n<jan@example.com>:",
    "Cytowanie Jan Kowalski\n<jan@example.com>:",
    "Citation de Jan Kowalski <jan@example.com> :",
    "Jan Kowalski kirjoitti\n5.8.2024 klo 10.15:",
    "Понедельник, 5 августа 2024, 10:15 +03:00\nот Jan Kowalski <jan@example.com>:",
    '05.08.2024, 10:15, "Jan Kowalski" <jan@example.com>:',
    ">On 5 Aug 2024, at 10:15, Jan Kowalski <jan@example.com> wrote:",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_attribution_with_its_quote_is_cut(attribution: str) -> None:
    text = f"{ANSWER}\n\n{attribution}\n\n> Czego dotyczy prośba?\n> Pozdrawiamy\n"
    assert new_text(text, None) == ANSWER


@pytest.mark.parametrize(
    "last", ["Czy to wystarczy?", "Proszę o kopię", "Dziękuję,\nJan", "Zamówienie 5/2024"]
)
def test_the_writers_last_line_is_no_part_of_the_attribution_below(last: str) -> None:
    text = f"{last}\nAnna <anna@example.com> napisała 5.8.2024 o 10:15:\n> Czego potrzeba?\n"
    assert new_text(text, None).startswith(last.split("\n", maxsplit=1)[0])


def test_an_attribution_in_an_unknown_language_is_left_but_its_quote_is_cut() -> None:
    text = "Po.\n\nMë 5.8.2024 10:15, Jan shkroi:\n> Which server?\n> Regards\n"
    assert "server" not in new_text(text, None)


@pytest.mark.parametrize(
    "attribution",
    [
        a
        for a in ATTRIBUTIONS
        if "@" in a and not a.startswith((">", "From", "Quot", "Cyt", "Cita"))
    ],
)
def test_an_attribution_is_enough_where_the_client_marks_no_line(attribution: str) -> None:
    text = f"{ANSWER}\n\n{attribution}\n\nCzego dotyczy prośba?\n"
    assert new_text(text, None) == ANSWER


#: Header blocks of Outlook and its like.
HEADERS = [
    "From: Desk <desk@example.com>\nSent: August 5, 2024 10:15 AM\nTo: Jan\nSubject: RE: x",
    "*From:* Desk <desk@example.com>\n*Sent:* Monday\n*To:* Jan\n*Subject:* RE: x",
    "Od: Biuro <desk@example.com>\nWysłano: 5 sierpnia 2024 10:15\nDo: Jan\nTemat: RE: x",
    "Od: Biuro <desk@example.com>\nData: 5 sierpnia 2024 10:15\nDo: Jan\nTemat: RE: x",
    "Von: Büro <desk@example.com>\nGesendet: Montag, 5. August 2024 10:15\nAn: Jan\nBetreff: AW: x",
    "De : Bureau <desk@example.com>\nEnvoyé : lundi 5 août 2024 10:15\nÀ : Jan\nObjet : RE: x",
    "De: Oficina <desk@example.com>\nEnviado el: lunes, 5 de agosto\nPara: Jan\nAsunto: RE: x",
    "Da: Ufficio <desk@example.com>\nInviato: lunedì 5 agosto 2024 10:15\nA: Jan\nOggetto: R: x",
    "Van: Balie <desk@example.com>\nVerzonden: maandag 5 augustus\nAan: Jan\nOnderwerp: RE: x",
    "De: Mesa <desk@example.com>\nEnviada em: 5 de agosto\nPara: Jan\nAssunto: RES: x",
    "Från: Kontor <desk@example.com>\nSkickat: den 5 augusti 2024 10:15\nTill: Jan\nÄmne: Sv: x",
    "Fra: Kontor <desk@example.com>\nSendt: 5. august 2024 10:15\nTil: Jan\nEmne: Sv: x",
    "Lähettäjä: Toimisto <desk@example.com>\nLähetetty: maanantai\nVastaanottaja: Jan\nAihe: VS: x",
    "От: Стол <desk@example.com>\nОтправлено: 5 августа 2024 г. 10:15\nКому: Jan\nТема: RE: x",
    "Od: Stůl <desk@example.com>\nOdesláno: pondělí 5. srpna 2024 10:15\nKomu: Jan\nPředmět: RE: x",
    "发件人: Desk <desk@example.com>\n发送时间: 2024年8月5日 10:15\n收件人: Jan\n主题: 答复: x",
    "差出人: Desk <desk@example.com>\n送信日時: 2024年8月5日\n宛先: Jan\n件名: RE: x",
]
RULES = ["", "________________________________\n", "-----Original Message-----\n"]


@pytest.mark.parametrize("rule", RULES, ids=["bare", "rule", "original"])
@pytest.mark.parametrize("header", HEADERS)
def test_a_header_block_and_all_below_it_is_cut(header: str, rule: str) -> None:
    text = f"{ANSWER}\n\n{rule}{header}\n\nCzego dotyczy prośba?\n\nBiuro\n"
    assert new_text(text, None) == ANSWER


@pytest.mark.parametrize(
    "line",
    [
        "-----Original Message-----",
        "----- Original Message -----",
        "-------- Oryginalna wiadomość --------",
        "-----Wiadomość oryginalna-----",
        "-----Ursprüngliche Nachricht-----",
        ">>> Desk <desk@example.com> 5/8/2024 10:15 AM >>>",
        "-------- Message d'origine --------",
        "-----Mensaje original-----",
        "-----Messaggio originale-----",
        "-----Oorspronkelijk bericht-----",
        "-----Mensagem original-----",
        "-----Ursprungligt meddelande-----",
        "-----Oprindelig meddelelse-----",
        "-----Opprinnelig melding-----",
        "-----Alkuperäinen viesti-----",
        "-----Исходное сообщение-----",
        "-----Původní zpráva-----",
        "##- Please type your reply above this line -##",
        "--- Prosimy odpisać powyżej tej linii ---",
    ],
)
def test_a_separator_ends_the_new_text(line: str) -> None:
    assert new_text(f"{ANSWER}\n\n{line}\nCzego dotyczy prośba?\n", None) == ANSWER


def test_inline_answers_are_kept_whole_with_what_they_answer() -> None:
    text = (
        "On Mon, 5 Aug 2024 at 10:15, Desk <desk@example.com> wrote:\n"
        "> Which server?\n\nThe second one.\n\n"
        "> Since when?\n\nSince yesterday.\n\n> Regards,\n> Desk\n"
    )
    new = new_text(text, None)
    assert "> Which server?\n\nThe second one." in new
    assert "> Since when?\n\nSince yesterday." in new
    assert "Regards" not in new


def test_an_answer_below_one_quote_stands_alone() -> None:
    text = "On 5 Aug 2024, Desk <desk@example.com> wrote:\n> Which server?\n\nThe second one.\n"
    assert new_text(text, None) == "The second one."


def test_a_citation_of_the_writers_own_is_no_old_text() -> None:
    text = "The log says:\n\n> disk full\n\nand nothing works since.\n"
    assert new_text(text, None) == text.strip()


@pytest.mark.parametrize(
    "line",
    [
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "-------- Treść przekazanej wiadomości --------",
        "-------- Weitergeleitete Nachricht --------",
        "---------- Message transféré ---------",
        "-------- Пересылаемое сообщение --------",
    ],
)
def test_a_forward_is_kept_whole(line: str) -> None:
    text = f"Proszę zobaczyć.\n\n{line}\nFrom: a@example.com\nDate: today\nSubject: x\n\nTreść"
    assert new_text(text, None) == text


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nJan Kowalski\nFirma sp. z o.o.",
        "--\nJan",
        "Sent from my iPhone",
        "Wysłane z iPhone'a",
        "Wysłano z telefonu Samsung Galaxy",
        "Gesendet von meinem iPhone",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Enviado do meu iPhone",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "Lähetetty iPhonesta",
        "Отправлено с iPhone",
        "Odesláno z iPhonu",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Pobierz aplikację Outlook dla systemu Android<https://aka.ms/x>",
        "Z poważaniem,\nJan Kowalski\ntel. 600 000 000",
        "Pozdrawiam\nJan",
        "Mit freundlichen Grüßen\nJan Kowalski",
        "Kind regards,\n\nJan Kowalski\nHead of Everything",
        "Cordialement,\nJan",
        "Jan Kowalski\njan@example.com\nwww.example.com",
        "- Jan Kowalski",
        "_______________________________________________\nUsers mailing list\nUsers@example.com",
    ],
)
def test_a_signature_is_cut(signature: str) -> None:
    assert new_text(f"{ANSWER}\n\n{signature}\n", None) == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "Sent from my desk, this is much easier than from my phone.",
        "On the other hand, we wrote: nothing works at 10:15 any more.",
        "On your server you can run:\n\n    telnet 127.0.0.1 25\n\nand look.",
        "Here are times:\n2024-01-15 14:30\n15.01.2024 14:30",
        "The address is in the form\nFrom: Warsaw\nTo: Berlin\nplease change it.",
        "Steps:\n- stop it\n- start it\n-- or both",
        "A rule follows.\n\n-----\n\nAnd the text goes on with a longer sentence, as in Markdown.",
        "Please move jan@example.com to the new server.",
        "Regards from Gdynia, all is well now.",
        "The log says:\n\n> disk full\n> giving up",
        "| name | size |\n| a    | 1    |",
        ">",
        "",
    ],
)
def test_text_that_only_looks_like_a_mark_is_kept(text: str) -> None:
    assert new_text(text, None) == text


@pytest.mark.parametrize("mark", ["PS.", "PS", "P.S.", "p.s. –", "Ps:"])
def test_a_postscript_is_never_cut_with_the_signature(mark: str) -> None:
    text = f"{ANSWER}\n\nPozdrawiam\nJan Kowalski\n\n{mark} Proszę też o fakturę."
    assert new_text(text, None) == text


def test_a_cleartext_signature_is_taken_off() -> None:
    armor = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
    end = "\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"
    assert new_text(f"{armor}{ANSWER}\n- - punkt{end}", None) == f"{ANSWER}\n- punkt"
    assert new_text(f"{armor}{ANSWER}", None).endswith(ANSWER), "an open one is shown"
    quoted = "".join(f"> {line}\n" for line in f"{armor}x{end}".split("\n"))
    below = f"{ANSWER}\n\nOn 5 Aug 2024, at 10:15, Jan <jan@example.com> wrote:\n{quoted}"
    assert new_text(below, None) == ANSWER


def test_a_message_that_is_all_quote_is_shown_rather_than_nothing() -> None:
    text = "> Which server?\n> Regards"
    assert new_text(text, None) == text


def html(body: str) -> str:
    return f"<html><head><style>p {{ }}</style></head><body>{body}</body></html>"


QUOTE = "<div>Czego dotyczy <b>prośba</b>?</div>"


@pytest.mark.parametrize("old", QUOTES, ids=lambda path: path.stem)
def test_the_quote_of_an_html_client_is_cut(old: Path) -> None:
    quote = old.read_text("utf-8")
    assert "prośba" in quote
    new = new_text(None, html(f"<p>Dzień dobry,</p><p>proszę o kopię.</p>{quote}"))
    assert " ".join(new.split()) == "Dzień dobry, proszę o kopię."


@pytest.mark.parametrize(
    "signature",
    [
        '<div class="gmail_signature" data-smartmail="gmail_signature">Jan<br>Firma</div>',
        '<pre class="moz-signature">-- \nJan</pre>',
        '<div id="ms-outlook-mobile-signature">Pobierz program Outlook</div>',
        '<div class="protonmail_signature_block">Sent with Proton Mail</div>',
    ],
)
def test_the_signature_of_an_html_client_is_cut(signature: str) -> None:
    source = html(f"<p>Tak.</p>{signature}<blockquote type=cite>{QUOTE}</blockquote>")
    assert new_text(None, source) == "Tak."


def test_inline_answers_in_html_are_kept_whole() -> None:
    source = html(
        '<div class="gmail_quote">On 5 Aug 2024, D wrote:<br>Which server?</div>'
        "<div>The second one.</div><blockquote>Since when?</blockquote><div>Since yesterday.</div>"
    )
    words = new_text(None, source)
    assert "The second one." in words
    assert "Since when?" in words
    assert "Since yesterday." in words


def test_html_helps_where_the_plain_part_shows_no_quote() -> None:
    plain = "Tak.\nCzego dotyczy prośba?"
    source = html(f'<p>Tak.</p><div class="yahoo_quoted">{QUOTE}</div>')
    assert new_text(plain, source) == "Tak."


HOSTILE = {
    "quotes": ">" * 400_000,
    "attributions": "On 1 Jan 2024, a\n" * 30_000,
    "dashes": "-" * 500_000,
    "fields": "From: a\n" * 60_000,
    "addresses": "a@" * 250_000,
    "blanks": "\n" * 500_000,
    "wrote": "wrote " * 90_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_no_longer_than_its_bound(name: str) -> None:
    start = time.process_time()
    new_text(HOSTILE[name], None)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "source",
    ["<" * 300_000, '<div class="gmail_quote">' * 20_000, '<a b="' * 60_000, "<!--" * 80_000],
)
def test_hostile_html_takes_no_longer_than_its_bound(source: str) -> None:
    start = time.process_time()
    new_text(None, source)
    assert time.process_time() - start < 3
