"""Which services a message names, and the tricks that must not hide one from us (row A6)."""

from __future__ import annotations

import time

import pytest

from mailgate.gather.naming import named_services, wording
from mailgate.message import read
from mailgate.model.directory import Service
from tests.message.mails import mail, multipart, part, rooted

NAMES = ("example.pl", "sklep.example.pl", "żółw.pl", "xn--bka-ipa.pl", "VPS 12")
SERVICES = [Service(n, "1", name) for n, name in enumerate(NAMES)]


def names(content: bytes) -> list[str]:
    found = named_services(wording(content, read(content)), SERVICES)
    return [service.identifier for service in found]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Dotyczy example.pl", ["example.pl"]),
        ("EXAMPLE.PL!", ["example.pl"]),
        ("proszę o dostęp do example.pl.", ["example.pl"]),
        ("Dotyczy example.pl.Proszę o dostęp", ["example.pl"]),
        ("- example.pl-\n", ["example.pl"]),
        ("-example.pl", ["example.pl"]),
        ("*_example.pl_*", ["example.pl"]),
        ("jan@example.pl", ["example.pl"]),
        ("https://www.example.pl/x", ["example.pl"]),
        ("sklep.example.pl", ["sklep.example.pl"]),
        ("nowy.sklep.example.pl", ["sklep.example.pl"]),
        ("sklep.example.pl i example.pl", ["example.pl", "sklep.example.pl"]),
        ("exam\u200bple.p\u00adl", ["example.pl"]),
        ("ｅｘａｍｐｌｅ．ｐｌ", ["example.pl"]),
        ("example。pl", ["example.pl"]),
        ("xn--w-uga1v8h.pl", ["żółw.pl"]),
        ("ŻÓŁW.pl", ["żółw.pl"]),
        ("bąka.pl", ["xn--bka-ipa.pl"]),
        ("vps\n 12", ["VPS 12"]),
        ("my-example.pl, myexample.pl, example.plus, example.pl-x", []),
        ("VPS 123", []),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, named: list[str]) -> None:
    assert names(mail("Content-Type: text/plain; charset=utf-8", body=text)) == named


def test_the_subject_counts() -> None:
    assert names(mail("Subject: =?utf-8?Q?example=2Epl?=")) == ["example.pl"]


def test_what_only_the_html_says_counts_as_well() -> None:
    letter = multipart(
        "alternative",
        part("Content-Type: text/plain", body="Dzien dobry"),
        part("Content-Type: text/html", body="<p>Prosze o <b>exam</b>ple.pl</p>"),
    )
    assert names(rooted(letter)) == ["example.pl"]


def test_nothing_is_too_far_down_to_be_found_and_finding_it_is_fast() -> None:
    content = mail(
        "Content-Type: text/plain; charset=utf-8",
        body="ż sklep.example.plus\n" * 40_000 + "example.pl",
    )
    begun = time.perf_counter()
    assert names(content) == ["example.pl"]
    assert time.perf_counter() - begun < 5
