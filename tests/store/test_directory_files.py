"""Files of the directory: accepted as people write them, refused with the line of each mistake."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailgate.model.directory import AccountEntry
from mailgate.store.directory_files import parse_csv, parse_yaml, to_csv, to_yaml
from mailgate.yamlfile import ConfigError
from tests.store.builders import entry

HEADER = "account,company,language,address,role,name,contact_language,service,service_name\n"
ROWS = """\
1001,Piekarnia Łódź,pl,anna@piekarnia.example,main,Anna,,,
1001,,,jan@web.example,technical,,en,sklep.example,Sklep
1001,,,,,,,piekarnia.example,
1001,,,jan@web.example,,,,piekarnia.example,
"""


def mistakes(parse: Callable[[str, str], object], text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "f")
    return [str(problem) for problem in caught.value.problems]


def shares(made: AccountEntry) -> set[tuple[str, str]]:
    who = {c.id: c.address for c in made.contacts}
    what = {s.id: s.identifier for s in made.services}
    return {(who[a], what[b]) for a, b in made.shares}


def test_rows_of_a_table_become_accounts() -> None:
    (made,) = parse_csv(HEADER + ROWS, "f")
    assert (made.account.company, made.account.language) == ("Piekarnia Łódź", "pl")
    assert [(c.address, c.role, c.name, c.language) for c in made.contacts] == [
        ("anna@piekarnia.example", "main", "Anna", None),
        ("jan@web.example", "technical", "", "en"),
    ]
    assert [(s.identifier, s.name) for s in made.services] == [
        ("sklep.example", "Sklep"),
        ("piekarnia.example", ""),
    ]
    assert shares(made) == {
        ("jan@web.example", "sklep.example"),
        ("jan@web.example", "piekarnia.example"),
    }


@pytest.mark.parametrize(
    "write",
    [
        lambda text: "\ufeff" + text.replace(",", ";").replace("\n", "\r\n"),
        lambda text: text.replace(",", "\t"),
        lambda text: text.replace(",", " , ").replace("\n", "\n\n"),
        lambda text: text.upper().replace("MAIN", "main")[: len(HEADER)] + text[len(HEADER) :],
    ],
    ids=["polish-spreadsheet", "tabs", "blanks", "capital-columns"],
)
def test_a_table_may_be_written_by_any_spreadsheet(write: Callable[[str], str]) -> None:
    assert parse_csv(write(HEADER + ROWS), "f") == parse_csv(HEADER + ROWS, "f")


def test_a_quoted_field_may_hold_the_delimiter_and_a_quote() -> None:
    row = '1,"Nowak, ""Syn"" i s-ka",pl,a@x.example,main\n'
    (made,) = parse_csv(HEADER + row, "f")
    assert made.account.company == 'Nowak, "Syn" i s-ka'


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1,A,pl,nonsense,main\n", "f:2:4: 'nonsense' is no address"),
        ("1,A,pl,a@x.example,boss\n", "f:2:5: 'boss' is not one of main"),
        ("1,A,pl,a@x.example\n", "f:2:4:"),
        ("1,A,de,a@x.example,main\n", "f:2:3: 'de' is not one of pl, en"),
        (",A,pl,a@x.example,main\n", "f:2:1: the account is missing"),
        ("1,A,pl\n1,B,pl\n", "f:3:2: company is 'A' in line 2, 'B' here"),
        ("1,A,pl,a@x.example,main\n1,,,A@x.example,technical\n", "f:3:5: role is 'main' in line 2"),
        ("1,A,pl,a@x.example,main\n1,,,b@x.example,main\n", "f:3:5: account 1 has a main contact"),
        ("1,A,pl,,main\n", "f:2:5: role without address: whose is it?"),
        ("1,A,pl,,,,,,name\n", "f:2:9: service_name without service: whose is it?"),
        ("1,A,pl,a@x.example,main,,,,,extra\n", "f:2:10: 10 fields where the first row names 9"),
        ('1,"A,pl\n', "f:2:1: is no CSV"),
        ("1,A\x07,pl\n", "f:2:2: the character U+0007 may not stand here"),
        ("1,A,pl\n\n\n2,B\n", "f:5:1:"),
    ],
)
def test_a_mistake_in_a_table_is_named_by_its_line_and_field(rows: str, said: str) -> None:
    found = mistakes(parse_csv, HEADER + rows)
    assert any(one.startswith(said) for one in found), found


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "f:1:1: the column 'account' is missing"),
        ("account,company\n", "f:1:1: the column 'language' is missing"),
        ("account,company,language,adress\n", "f:1:4: unknown column 'adress'"),
        ("account,company,language,company\n", "f:1:4: the column 'company' is there twice"),
    ],
)
def test_a_mistake_in_the_columns_is_named(header: str, said: str) -> None:
    assert any(one.startswith(said) for one in mistakes(parse_csv, header))


YAML = """\
accounts:
  - id: "1001"
    company: Piekarnia
    language: pl
    contacts:
      - {address: anna@piekarnia.example, role: main}
      - {address: jan@web.example, role: technical}
    services:
      - {identifier: sklep.example}
    shares:
      - {contact: Jan@WEB.example, service: sklep.example}
"""


def test_a_share_names_its_contact_as_any_address_is_compared() -> None:
    (made,) = parse_yaml(YAML, "f")
    assert shares(made) == {("jan@web.example", "sklep.example")}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"1001"', "1001", "f:2:"),
        ("language: pl", "language: de", "f:4:15: 'de' is not one of pl, en"),
        ("role: technical", "role: main", "f:7:42: account 1001 has a main contact already"),
        ("jan@web", "ANNA@piekarnia", "f:7:"),
        ("Jan@WEB", "ola@web", "f:11:19: ola@web.example is no contact of account 1001"),
        ("service: sklep", "service: sklp", "f:11:"),
        ("role: main}", "role: main, phone: 1}", "f:6:"),
        ("- {identifier: sklep.example}", "- {identifier: a}\n      - {identifier: a}", "f:10:"),
        ("company: Piekarnia", "company: ''", "f:3:"),
        ("jan@web.example", "jan@web", "f:7:19: 'jan@web' has no proper domain"),
    ],
)
def test_a_mistake_in_yaml_is_named_by_its_line(old: str, new: str, said: str) -> None:
    found = mistakes(parse_yaml, YAML.replace(old, new, 1))
    assert any(one.startswith(said) for one in found), found


def test_an_account_named_twice_is_a_mistake() -> None:
    twice = YAML + YAML.removeprefix("accounts:\n")
    assert mistakes(parse_yaml, twice) == ["f:12:9: 1001 is there already, in line 2"]


def test_all_mistakes_are_named_at_once() -> None:
    rows = "1,A,pl,a@x.example,boss\n2,B,xx,b@x.example,chief\n"
    assert len(mistakes(parse_csv, HEADER + rows)) == 3


def test_nothing_is_written_as_nothing() -> None:
    assert to_yaml([]) == "accounts: []\n"
    assert parse_yaml(to_yaml([]), "f") == parse_csv(to_csv([]), "f") == []


def test_an_account_without_anybody_survives_both_forms() -> None:
    lonely = entry(contacts=())
    assert parse_yaml(to_yaml([lonely]), "f") == parse_csv(to_csv([lonely]), "f") == [lonely]
