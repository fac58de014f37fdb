"""Requests for an access token as people write them: labels, running text, Polish and English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.message.token_request import as_text, merge, read_request
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


@pytest.mark.parametrize("row", [*LABELLED, *FREE], ids=lambda row: ascii(row[0])[:50])
def test_a_request_is_read_as_its_author_means_it(row: Row) -> None:
    text, *wanted = row
    found = read_request(text, AUTHOR, OWN)
    assert [found.company, found.account, found.address, found.missing] == wanted


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


_LINE = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30
).filter(lambda text: text.strip("*_> -") == text and "|" not in text and ":" not in text)
_ADDRESSES = st.from_regex(r"[a-z]{1,10}@[a-z]{1,10}\.example", fullmatch=True)
_ACCOUNTS = st.from_regex(r"[A-Z]{0,3}[0-9]{1,8}", fullmatch=True)


@given(_LINE.map("Firma {}".format), _ACCOUNTS, _ADDRESSES, _LINE, st.sampled_from(["pl", "en"]))
def test_the_form_that_we_write_is_read_back(
    company: str, account: str, address: str, why: str, language: Language
) -> None:
    asked = TokenRequest(company, account, address, f"Token {why} x", language, ())
    found = read_request(as_text(asked, language), None)
    assert found == TokenRequest(company, account, address, f"Token {why} x", found.language, ())


@given(st.text(max_size=3000), st.one_of(st.none(), st.text(max_size=50)))
def test_no_text_makes_it_fail(text: str, author: str | None) -> None:
    found = read_request(text, author, OWN)
    assert len(found.company) <= 200
    assert len(found.explanation) <= 2000


@pytest.mark.parametrize(
    "unit",
    ["firma ", "@", "a@", "a.", "Firma: ", "konto ", "- ", "  ", "x" * 63 + "@", "numer kont"],
)
def test_no_repetition_costs_more_than_its_length(unit: str) -> None:
    """A reader that goes back would take hours over these."""
    assert read_request(unit * (20_000 // len(unit)), AUTHOR).missing is not None
