"""Requests for an access token as people write them: labels, running text, Polish and English."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.message.token_request import LABELS, as_text, merge, read_request
from mailgate.model.directory import Language
from mailgate.model.token_request import TokenRequest

OWN = frozenset({"tokens@desk.example", "pomoc@desk.example"})
AUTHOR = "writer@other.example"

#: Text, company, account, address, missing.
Row = tuple[str, str, str, str, tuple[str, ...]]
LABELLED: list[Row] = [
    (
        "Firma: Piekarnia\nNumer konta: 1001\nZarejestrowany adres e-mail: anna@piekarnia.example\n"
        "Wyjaśnienie: nowa w firmie",
        "Piekarnia", "1001", "anna@piekarnia.example", (),
    ),
    (
        "Company: Northwind Cycles Ltd\nAccount ID: 2002\n"
        "Registered e-mail address: sam@northwind.example\nExplanation: my token expired",
        "Northwind Cycles Ltd", "2002", "sam@northwind.example", (),
    ),
    ("FIRMA: PIEKARNIA\nNR KONTA: 1001\nPOWÓD: WYGASŁ", "PIEKARNIA", "1001", AUTHOR, ()),
    ("firma - Kwiaciarnia Róża\nid konta - K-77\npowod - wygasl mi token",
     "Kwiaciarnia Róża", "K-77", AUTHOR, ()),
    ("* Firma: Warsztat\n* Konto nr: 3004\n* E-mail: ewa@biuro.example\n* Powód: zgubiony",
     "Warsztat", "3004", "ewa@biuro.example", ()),
    ("1. Company: Acme GmbH\n2. Account number: 55-12\n3. Email: joe@acme.example\n4. Reason: new",
     "Acme GmbH", "55-12", "joe@acme.example", ()),
    ("**Company:** Acme\n**Account:** 12345\n**Reason:** I never got one", "Acme", "12345",
     AUTHOR, ()),
    ("*Firma*: Piekarnia\n*Konto*: 1001\n*Opis*: zgubiłam token", "Piekarnia", "1001", AUTHOR, ()),
    ("Firma:\nPiekarnia Anna Nowak\nNumer konta:\n1001\nPowód:\nwygasł mi token",
     "Piekarnia Anna Nowak", "1001", AUTHOR, ()),
    ("Company\nNorthwind\nAccount ID\n2002\nReason\nnew employee", "Northwind", "2002", AUTHOR, ()),
    ("Company | Northwind\nAccount | 2002\nReason | new employee", "Northwind", "2002", AUTHOR, ()),
    ("Company\tNorthwind\nAccount\t2002\nReason\tnew employee", "Northwind", "2002", AUTHOR, ()),
    ("Company = Northwind\nAccount = 2002\nWhy = new employee", "Northwind", "2002", AUTHOR, ()),
    ("Firma   Piekarnia\nKonto   1001\nPowód   nowa osoba", "Piekarnia", "1001", AUTHOR, ()),
    ("Nazwa firmy: Piekarnia\nPowód: nie mam tokenu", "Piekarnia", "", AUTHOR, ()),
    ("Numer klienta: 1001\nPowód: nie mam tokenu", "", "1001", AUTHOR, ()),
    ("Customer number: 2002\nReason: lost my phone", "", "2002", AUTHOR, ()),
    ("Firma: 1001\nPowód: nie mam tokenu", "", "1001", AUTHOR, ()),
    ("Firma (nazwa): Piekarnia\nAdres e-mail (zarejestrowany): a.n@piekarnia.example\nPowód: brak",
     "Piekarnia", "", "a.n@piekarnia.example", ()),
    ("Company: Acme\nE-mail: <mailto:joe@acme.example>\nReason: expired", "Acme", "",
     "joe@acme.example", ()),
    ("Company: Acme\nE-mail: joe@acme.example.\nReason: expired", "Acme", "", "joe@acme.example",
     ()),
    ("Adres: tokens@desk.example\nFirma: Acme\nPowód: brak", "Acme", "", AUTHOR, ()),
    ("Firma:\nNumer konta:\nZarejestrowany adres e-mail:\nWyjaśnienie:", "", "", AUTHOR,
     ("company", "explanation")),
    ("Firma: Piekarnia", "Piekarnia", "", AUTHOR, ("explanation",)),
    ("Powód: wygasł", "", "", AUTHOR, ("company",)),
    ("E-mail: Anna@PIEKARNIA.example\nFirma: P\nPowód: x", "P", "", "Anna@piekarnia.example", ()),
    ("Firma: Żółw i Syn\nE-mail: info@żółw.example\nPowód: x", "Żółw i Syn", "",
     "info@xn--w-uga1v8h.example", ()),
    ("Company: First\nCompany: Second\nReason: two of them", "First", "", AUTHOR, ()),
    ("Hello,\n\nCompany: Acme\nAccount: 9\nReason: lost it\n\nRegards\nJoe", "Acme", "9", AUTHOR,
     ()),
    ("Dzień dobry\nFirma: Acme\nPowód: zgubiony token\n-- \nJan Kowalski\nfirma: Inna\ntel. 500",
     "Acme", "", AUTHOR, ()),
]  # fmt: skip
FREE: list[Row] = [
    (
        "Dzień dobry,\npiszę w imieniu firmy Piekarnia Sp. z o.o., konto nr 1001, mój adres to "
        "anna@piekarnia.example, nigdy nie dostałam tokenu.\nPozdrawiam\nAnna",
        "Piekarnia Sp. z o.o.", "1001", "anna@piekarnia.example", (),
    ),
    (
        "Hi, I work for Northwind Cycles Ltd (account 2002), my registered address is "
        "sam@northwind.example, my token expired. Sam",
        "Northwind Cycles Ltd", "2002", "sam@northwind.example", (),
    ),
    ("prosze o nowy token dla firmy Piekarnia", "Piekarnia", "", AUTHOR, ()),
    ("Proszę o token, numer klienta 1001", "", "1001", AUTHOR, ()),
    ("Jestem z firmy Kwiaciarnia Róża. Wygasł mi token dostępu.", "Kwiaciarnia Róża", "", AUTHOR,
     ()),
    ("Witam, pracuję w firmie ABC Transport i nie mam tokenu", "ABC Transport", "", AUTHOR, ()),
    ("reprezentuję firmę Auto-Serwis Kowalski S.A. proszę o token", "Auto-Serwis Kowalski S.A.",
     "", AUTHOR, ()),
    ("Nasza firma to Drukarnia Nova, konto 4711. Token wygasł.", "Drukarnia Nova", "4711", AUTHOR,
     ()),
    ("token wygasł, konto: 1001", "", "1001", AUTHOR, ()),
    ("Nie dostałem tokenu na jan@webdesign.example (zarejestrowany adres), konto 1001", "", "1001",
     "jan@webdesign.example", ()),
    ("Piszę z prywatnej poczty, mój adres w systemie to ola@piekarnia.example, konto 1001", "",
     "1001", "ola@piekarnia.example", ()),
    ("nie mam tokenu ola@piekarnia.example firma Piekarnia", "Piekarnia", "",
     "ola@piekarnia.example", ()),
    ("Potrzebuję dostępu do panelu.", "", "", AUTHOR, ("company",)),
    ("Proszę o token.\n\nWysłano z iPhone'a\nfirma Apple", "", "", AUTHOR, ("company",)),
    ("Hello, please send me a new access token for account no. 2002.", "", "2002", AUTHOR, ()),
    ("Hi! I'm with Blue Sky Logistics, never received the token", "Blue Sky Logistics", "", AUTHOR,
     ()),
    ("I am writing on behalf of O'Neill & Sons Ltd. We need a token.", "O'Neill & Sons Ltd", "",
     AUTHOR, ()),
    ("my token has expired, customer number AB-1234", "", "AB-1234", AUTHOR, ()),
    ("Please reissue. Account 77/2026. The address on file is office@acme.example", "", "77/2026",
     "office@acme.example", ()),
    ("Dear team, our company is Nordic Foods AB and I need access to the panel", "Nordic Foods AB",
     "", AUTHOR, ()),
    ("I need a token", "", "", AUTHOR, ("company",)),
    ("token", "", "", AUTHOR, ("company", "explanation")),
    ("", "", "", AUTHOR, ("company", "explanation")),
    ("Pozdrawiam\nAnna", "", "", AUTHOR, ("company", "explanation")),
    ("> Firma: Piekarnia\n> Powód: to cytat\nDziękuję", "", "", AUTHOR,
     ("company", "explanation")),
    ("Zgubiłam token. Piszcie na tokens@desk.example, konto 1001", "", "1001", AUTHOR, ()),
    ("my token was sent to a@one.example or b@two.example, account 12", "", "12", AUTHOR, ()),
    ("a colleague (bob@acme.example) has one; my registered e-mail is joe@acme.example, company "
     "Acme", "Acme", "", "joe@acme.example", ()),
    ("DZIEŃ DOBRY PROSZĘ O TOKEN KONTO 1001", "", "1001", AUTHOR, ()),
    ("Good morning,\nwe are Sunrise Bakery Ltd and we lost our token.\nBest regards\nTom",
     "Sunrise Bakery Ltd", "", AUTHOR, ()),
    ("konto klienta nr 1001 wygasl token prosze o nowy", "", "1001", AUTHOR, ()),
    ("Piszę w sprawie tokenu dla konta numer 500600.", "", "500600", AUTHOR, ()),
    ("My account is 2002 and I have not received any token yet", "", "2002", AUTHOR, ()),
]  # fmt: skip


#: Several labels on a line, answers below quoted labels, what only fills its place.
CLASSES: list[Row] = [
    ("Firma: Piekarnia, konto: 1001, e-mail: anna@piekarnia.example, powód: wygasł token",
     "Piekarnia", "1001", "anna@piekarnia.example", ()),
    ("Company: Northwind; Account ID: 2002; Registered e-mail: sam@northwind.example; Reason: new",
     "Northwind", "2002", "sam@northwind.example", ()),
    ("Firma:Piekarnia   Konto:1001   E-mail:anna@piekarnia.example   Powód:wygasł",
     "Piekarnia", "1001", "anna@piekarnia.example", ()),
    ("Company name: Bob's Bikes — Account no.: 77 — E-mail: bob@bikes.example — Why: new starter",
     "Bob's Bikes", "77", "bob@bikes.example", ()),
    ("Firma; Piekarnia\nKonto; 1001\nPowód; wygasł", "Piekarnia", "1001", AUTHOR, ()),
    ("Company　：　Northwind\nAccount ID： 2002\nReason： expired", "Northwind", "2002", AUTHOR,
     ()),
    ("Firma i numer konta: Piekarnia, 1001\nPowód: token nie dotarł", "Piekarnia", "1001", AUTHOR,
     ()),
    ("Company and account ID: Northwind Cycles (2002)\nShort explanation: never got the mail",
     "Northwind Cycles", "2002", AUTHOR, ()),
    ("Firma / numer konta: 1001\nPowód: wygasł", "", "1001", AUTHOR, ()),
    ("> Firma:\nPiekarnia\n> Numer konta:\n1001\n> Powód:\ntoken wygasł wczoraj", "Piekarnia",
     "1001", AUTHOR, ()),
    ("On Mon, 2 Nov 2026 at 10:00, Desk <tokens@desk.example> wrote:\n\n> Company: Northwind\n"
     "> Account ID: 2002\n> Explanation: new here\n", "Northwind", "2002", AUTHOR, ()),
    ("Company: n/a\nAccount: 2002\nReason: expired", "", "2002", AUTHOR, ()),
    ("Company: ________\nAccount ID: ...\nReason: never got one", "", "", AUTHOR, ("company",)),
    ("Firma: (nazwa firmy)\nNumer konta: nie wiem\nPowód: zgubiłam", "", "", AUTHOR,
     ("company",)),
    ("Account: 2002 (Northwind)\nReason: expired", "", "2002", AUTHOR, ()),
    ("Numer konta: nr 1001.\nPowód: wygasł", "", "1001", AUTHOR, ()),
    ("Account ID: northwind\nReason: lost it", "", "northwind", AUTHOR, ()),
    ("Konto: Piekarnia Pod Lipą\nPowód: wygasł", "Piekarnia Pod Lipą", "", AUTHOR, ()),
    ("Konto: anna@piekarnia.example\nFirma: Piekarnia\nPowód: wygasł", "Piekarnia", "",
     "anna@piekarnia.example", ()),
    ("Adres e-mail: Anna @piekarnia.example\nFirma: Piekarnia\nPowód: brak", "Piekarnia", "",
     "Anna@piekarnia.example", ()),
    ("Adres e-mail: anna [at] piekarnia.example\nFirma: Piekarnia\nPowód: brak", "Piekarnia", "",
     "anna@piekarnia.example", ()),
    ("E-mail: anna@piekarnia. example\nFirma: Piekarnia\nPowód: brak", "Piekarnia", "",
     "anna@piekarnia.example", ()),
    ("E-mail: pat.o'neill@acme.example\nCompany: Acme\nReason: lost", "Acme", "",
     "pat.o'neill@acme.example", ()),
    ("Adres: ul. Długa 5, Kraków\nFirma: Piekarnia\nPowód: wygasł", "Piekarnia", "", AUTHOR, ()),
    ("Powód: token wygasł\nImię i nazwisko: Anna Nowak\nTelefon: 600700800\nFirma: Piekarnia",
     "Piekarnia", "", AUTHOR, ()),
    ("Firma Piekarnia Nowak\nNumer konta 1001\nAdres e-mail anna@piekarnia.example\n"
     "Powód Token wygasł", "Piekarnia Nowak", "1001", "anna@piekarnia.example", ()),
    ("1001", "", "1001", AUTHOR, ("explanation",)),
    ("1001, wygasł mi token", "", "1001", AUTHOR, ()),
    ("> Firma:\n> Numer konta:\n> Wyjaśnienie:\n>\n> Firma albo numer konta: wystarczy jedno z "
     "nich. Adres to ten, na który wysyłamy tokeny.", "", "", AUTHOR, ("company", "explanation")),
    ("> Company: Old\n> Account ID: 1\n\nIt is 2002, and my token expired. Account: 2002", "",
     "2002", AUTHOR, ()),
    ("firma piekarnia sp. z o.o.\nkonto 1001\nanna@piekarnia.example\nwygasł",
     "piekarnia sp. z o.o.", "1001", "anna@piekarnia.example", ()),
    ("pracuje w piekarnia pod lipą sp. z o.o.\nnasz nr klienta to 1001. token chyba wygasl",
     "piekarnia pod lipą sp. z o.o.", "1001", AUTHOR, ()),
    ("czesc, token mi wygasl, firma abc, konto 1001", "abc", "1001", AUTHOR, ()),
    ("PROSZE O NOWY TOKEN, FIRMA TRANS-POL SP. Z O.O., KONTO 778, WYGASL", "TRANS-POL SP. Z O.O.",
     "778", AUTHOR, ()),
    ("company northwind cycles ltd acct 2002 email sam@northwind.example, i never recieved it\n\n"
     "Sent from my iPhone", "northwind cycles ltd", "2002", "sam@northwind.example", ()),
    ("I am the accountant of „Żółta Łódź” Sp. z o.o. (customer no. Z-55/1), never got a token",
     "Żółta Łódź Sp. z o.o.", "Z-55/1", AUTHOR, ()),
    ('Piszę w sprawie firmy Piekarnia "Pod Lipą" Anna Nowak, nr konta 1001, nie mam tokenu',
     'Piekarnia "Pod Lipą" Anna Nowak', "1001", AUTHOR, ()),
    ("My company, Northwind Cycles Ltd., has account 2002. The token never arrived.",
     "Northwind Cycles Ltd", "2002", AUTHOR, ()),
    ("firma nazywa sie Kwiaty Oli, konto o numerze 44, nigdy nie dostalam tokena", "Kwiaty Oli",
     "44", AUTHOR, ()),
    ("Could you re-send the access token for our account #2002? Thanks, Sam", "", "2002", AUTHOR,
     ()),
    ("Token for Blue Sky Ltd please, customer id BS77.", "Blue Sky Ltd", "BS77", AUTHOR,
     ("explanation",)),
    ("Proszę o token.\n\nAnna Nowak\nPiekarnia Sp. z o.o.\ntel. 600 700 800\nbiuro@inne.example\n",
     "Piekarnia Sp. z o.o.", "", AUTHOR, ()),
]  # fmt: skip
#: Written without the reader in mind, to see what it makes of texts it was not made for.
UNSEEN: list[Row] = [
    ("zwracam się z prośbą o wydanie tokenu dla naszej firmy (Hurtownia Elektryczna „Wolt” Sp. j., "
     "nr klienta 20417).\nAdres, na który był zarejestrowany dostęp: biuro@wolt.example.",
     "Hurtownia Elektryczna „Wolt” Sp. j.", "20417", "biuro@wolt.example", ()),
    ("Nie działa mi logowanie. Firma: Wolt sp.j. NIP: 1234567890 Konto: 20417", "Wolt sp.j.",
     "20417", AUTHOR, ()),
    ("I am the new bookkeeper at Harper & Lowe LLP (customer number HL-0092) and have not been "
     "issued with a token. My registered e-mail address is m.h@harper.example.\n\nKind regards,\n"
     "Mary Harper\nHarper & Lowe LLP | Tel 020 7946 0000", "Harper & Lowe LLP", "HL-0092",
     "m.h@harper.example", ()),
    ("Account: #9917\nCo.: Harper\nEmail - m@harper.example\nNote: expired yesterday", "Harper",
     "9917", "m@harper.example", ()),
    ("need token asap!!! acc 9917", "", "9917", AUTHOR, ()),
    ("Pracuję w Urzędzie Gminy Lipowo, konto UGL/7, nie otrzymałam maila z tokenem na adres "
     "sekretariat@lipowo.example", "Urzędzie Gminy Lipowo", "UGL/7", "sekretariat@lipowo.example",
     ()),
    ("Company name:\nAccount ID: 88\nRegistered e-mail address:\nExplanation: our old one expired",
     "", "88", AUTHOR, ()),
    ("e-mail zarejestrowany u Państwa: zosia@wolt.example; numer klienta: 5; powod: nowa osoba",
     "", "5", "zosia@wolt.example", ()),
    ("I can't find my token. We're Harper Lowe, account no 12-A.", "", "12-A", AUTHOR, ()),
    ("Firma\nWolt sp. j.\nNr klienta\n20417\nE-mail\nzosia@wolt.example\nUzasadnienie\n"
     "nowa osoba, proszę o odpowiedź\nbo mamy zamknięcie miesiąca", "Wolt sp. j.", "20417",
     "zosia@wolt.example", ()),
    ("Mój login to zosia@wolt.example, firma Wolt, token mi nie przyszedł", "Wolt", "",
     "zosia@wolt.example", ()),
]  # fmt: skip
#: What looks like a value and is none.
NOT_VALUES: list[Row] = [
    ("nasza firma nie dostała tokenu", "", "", AUTHOR, ("company",)),
    ("Token naszej firmy wygasł.", "", "", AUTHOR, ("company",)),
    ("I lost the token of our company and cannot sign in", "", "", AUTHOR, ("company",)),
    ("My account was created in 2019, I never received a token", "", "", AUTHOR, ("company",)),
    ("Mam u Państwa konto 5 lat i nie mam tokenu", "", "", AUTHOR, ("company",)),
    ("konto 26 1140 2004 0000 3002 0135 5387, brak tokenu", "", "", AUTHOR, ("company",)),
    ("I work at the bakery on Main Street and lost my token", "", "", AUTHOR, ("company",)),
    ("Pracuję w biurze i nie mam tokenu", "", "", AUTHOR, ("company",)),
    ("on behalf of my colleague, I ask for a token", "", "", AUTHOR, ("company",)),
    ("I work for Acme, account 12.", "Acme", "12", AUTHOR, ("explanation",)),
]
#: Which of the addresses in a text is the registered one.
ADDRESSES: list[tuple[str, str]] = [
    ("Token poszedł na zły adres stary@roza.example, mój adres to nowa@roza.example.",
     "nowa@roza.example"),
    ("My address is not old@acme.example but new@acme.example.", "new@acme.example"),
    ("token wysłano na bledny adres ana@p.example", AUTHOR),
    ("Proszę o token na adres anna@p.example, DW: szef@p.example.", "anna@p.example"),
    ("My token was sent to jo@acme.example but my registered e-mail is joe@acme.example.",
     "joe@acme.example"),
    ("You may contact me at private@mail.example, my token expired.", AUTHOR),
    ("zarejestrowany adres: anna@p.example, a piszę z ola@p.example", "anna@p.example"),
    ("Please write to tokens@desk.example or not at all.", AUTHOR),
    ("E-mail: sam@n.example (registered)\nAlso: bob@n.example", "sam@n.example"),
    ("Proszę o token.\n\nW dniu 2.11.2026 o 10:00, Jan <jan@inny.example> pisze:\n"
     "> Zarejestrowany adres: zly@inny.example", AUTHOR),
    ("Firma: P\n\nFrom: Support <help@else.example>\nSent: Monday, 2 November 2026 10:00\nTo: Sam\n"
     "Subject: token\n\nRegistered e-mail: bob@else.example", AUTHOR),
    ("Mój adres: anna@p.example\n\n---------- Forwarded message ---------\n"
     "Od: Jan <jan@inny.example>\nData: pon., 2 lis 2026\nTemat: token\n\nAdres: jan@inny.example",
     "anna@p.example"),
    ("Token dla tej osoby.\n\n---------- Forwarded message ---------\n"
     "Od: Jan <jan@inny.example>\nData: pon., 2 lis 2026\nTemat: token\n\nAdres: jan@inny.example",
     "jan@inny.example"),
    ("Nie mam tokenu.\n-- \nBiuro rachunkowe\nE-mail: biuro@inne.example\ntel. 600 700 800",
     AUTHOR),
]  # fmt: skip


@pytest.mark.parametrize(
    "row", [*LABELLED, *FREE, *CLASSES, *UNSEEN, *NOT_VALUES], ids=lambda row: ascii(row[0])[:50]
)
def test_a_request_is_read_as_its_author_means_it(row: Row) -> None:
    text, *wanted = row
    found = read_request(text, AUTHOR, OWN)
    assert [found.company, found.account, found.address, found.missing] == wanted


@pytest.mark.parametrize(("text", "address"), ADDRESSES, ids=lambda text: ascii(text)[:50])
def test_the_address_is_the_one_that_its_author_calls_the_registered_one(
    text: str, address: str
) -> None:
    assert read_request(text, AUTHOR, OWN).address == address


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Firma: Acme\nPowód: x", "pl"),
        ("Company: Acme\nReason: x", "en"),
        ("prosze o token dostepu dla mnie", "pl"),
        ("please send me the token", "en"),
        ("token 12345", None),
        ("", None),
    ],
)
def test_the_language_is_that_of_the_text_alone(text: str, language: Language | None) -> None:
    assert read_request(text, AUTHOR).language == language


def test_where_nobody_wrote_and_no_address_is_given_it_is_missing() -> None:
    assert read_request("Company: Acme\nReason: lost", None).missing == ("address",)
    assert read_request("Company: Acme\nReason: lost", "tokens@desk.example", OWN).missing == (
        "address",
    )


@pytest.mark.parametrize(
    "text",
    ["E-mail: {}" , "my address is {}", "E-mail:\n{}", LABELS["en"][2] + ": {}"],
)  # fmt: skip
@pytest.mark.parametrize(
    "address", ["x" * 80 + "anna@p.example", "anna@p.example" + ".example" * 40, "anna@p@q.example"]
)
def test_a_part_of_something_longer_is_no_address(text: str, address: str) -> None:
    assert read_request(text.format(address), AUTHOR, OWN).address == AUTHOR


def test_a_later_answer_completes_an_earlier_request() -> None:
    first = read_request("Wygasł mi token, mój adres: anna@piekarnia.example", AUTHOR)
    assert first.missing == ("company",)
    both = merge(first, read_request("Firma: Piekarnia\nNumer konta: 1001", AUTHOR), AUTHOR)
    assert (both.company, both.account, both.missing) == ("Piekarnia", "1001", ())
    assert both.address == "anna@piekarnia.example"
    assert both.explanation == first.explanation


def test_what_a_later_answer_says_replaces_what_was_said() -> None:
    first = read_request("Company: Acme\nReason: expired", AUTHOR)
    later = read_request("Company: Acme Ltd\nE-mail: joe@acme.example", AUTHOR)
    both = merge(first, later, AUTHOR)
    assert (both.company, both.address) == ("Acme Ltd", "joe@acme.example")


def test_a_bare_answer_to_a_question_completes_the_request() -> None:
    first = read_request("Wygasł mi token", AUTHOR)
    assert merge(first, read_request("1001", AUTHOR), AUTHOR).missing == ()


def test_thanks_in_a_later_answer_are_not_the_reason() -> None:
    first = read_request("Reason: my token expired", AUTHOR)
    later = read_request("Account: 12, and many thanks for the quick answer", AUTHOR)
    assert merge(first, later, AUTHOR).explanation == "my token expired"


_ADDRESSES = st.from_regex(r"[a-z]{1,10}@[a-z]{1,10}\.example", fullmatch=True)
_LANGUAGES: st.SearchStrategy[Language] = st.sampled_from(["pl", "en"])


@given(st.text(), st.text(), _ADDRESSES, st.text(), _LANGUAGES)
def test_the_form_that_we_write_is_read_back(
    company: str, account: str, address: str, why: str, language: Language
) -> None:
    """Whatever is typed, labels and signatures and all; only blanks and controls are tidied."""
    typed = TokenRequest(company, account, address, why, language, ())
    found = read_request(as_text(typed, language), None)
    assert found.language == language
    assert found.address == address
    assert read_request(as_text(found, language), None) == found
    if company.isalpha() and account.isalpha() and why.isprintable() and any(map(str.isalpha, why)):
        assert (found.company, found.account) == (company, account)
        assert found.explanation == " ".join(why.split())


@given(_LANGUAGES, st.sampled_from(["Firma: x", "-- ", "> y", "Powód: z, konto: 1", "Company: a"]))
def test_what_looks_like_a_label_in_the_form_stays_where_it_was_typed(
    language: Language, why: str
) -> None:
    typed = TokenRequest("Acme", "12", "a@b.example", f"because {why}", language, ())
    assert read_request(as_text(typed, language), None).explanation == f"because {why}".strip()


@given(st.text(max_size=3000), st.one_of(st.none(), st.text(max_size=50)))
def test_no_text_makes_it_fail(text: str, author: str | None) -> None:
    found = read_request(text, author, OWN)
    assert len(found.company) <= 200
    assert len(found.explanation) <= 2000


@given(st.lists(st.sampled_from(
    ["Firma", ":", " ", "\n", "konto", "1001", "a@b.example", "> ", "-- \n", "sp. z o.o.", "nie",
     "my address", "On 1.1.2026 a@b.example wrote:\n", '"', "„", "(", "=", " - ", "i", "W", "powód"]
), max_size=60))  # fmt: skip
def test_no_mixture_of_what_it_looks_for_makes_it_fail(pieces: list[str]) -> None:
    found = read_request("".join(pieces), AUTHOR, OWN)
    assert found.address
    assert (found.missing == ()) == bool((found.company or found.account) and found.explanation)


@pytest.mark.parametrize(
    "unit",
    ["firma ", "@", "a@", "a.", "Firma: ", "konto ", "- ", "  ", "x" * 63 + "@", "numer kont",
     "Firma: a, ", "Sp. z o.o. ", "A ", "w imieniu ", "Powód: konto: ", "> Firma:\nx\n"],
)  # fmt: skip
def test_four_times_the_text_costs_no_more_than_four_times_the_work(unit: str) -> None:
    short, long = (_work(unit * (length // len(unit))) for length in (5_000, 20_000))
    assert long <= 5 * short + 1000


def _work(text: str) -> int:
    """How many functions are called to read a text: counted, as time depends on the machine."""
    calls = 0

    def count(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read_request(text, AUTHOR)
    finally:
        sys.setprofile(before)
    return calls
