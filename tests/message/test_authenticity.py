"""Authentication-Results of our own servers, and of everyone else (promise M2)."""

from __future__ import annotations

from typing import Any

import pytest

from mailgate.message import read_head
from mailgate.message.authenticity import Authentication, authenticate
from mailgate.message.signatures import digests
from tests.message.mails import mail

OURS = "mx.firma.example"
PASS = f"Authentication-Results: {OURS}; dmarc=pass header.from=klient.example"
FOREIGN = "Received: from a.example by relay.obcy.example (x); Mon, 16 Nov 2026 10:00:00 +0100"
OWN = f"Received: from a.example (a.example [192.0.2.1]) by {OURS} (Postfix) with ESMTPS id 1"


def judged(
    *fields: str, ids: tuple[str, ...] = (OURS,), hosts: tuple[str, ...] = ()
) -> Authentication:
    return authenticate(read_head(mail(*fields)), ids, hosts)


@pytest.mark.parametrize(
    "results",
    [
        "dmarc=pass header.from=klient.example",
        "dmarc=pass (p=reject dis=none) header.from=KLIENT.example",
        'dmarc=pass header.from="klient.example";',
        "spf=pass smtp.mailfrom=a@x.example; dkim=pass header.d=x.example header.b=ab+/c==;"
        " dmarc=pass header.from=klient.example",
        "dmarc = pass (a (nested \\) comment)) header . from = klient.example",
        "dmarc/1=pass action=none header.from=klient.example; arc=none",
        'dmarc=pass reason="a; dmarc=fail" header.from=klient.example',
    ],
)
def test_dmarc_pass_for_the_authors_domain_proves_it(results: str) -> None:
    assert judged(f"Authentication-Results: {OURS}; {results}").proof == "dmarc"
    assert judged(f"Authentication-Results: (x) {OURS} (y) 1 (z); {results}").proof == "dmarc"


@pytest.mark.parametrize(
    "results",
    [
        "dkim=pass header.d=klient.example",
        "dkim=pass header.i=@klient.example",
        "dkim=pass header.i=jan@klient.example header.d=klient.example",
        "dkim=fail header.d=klient.example header.s=old; dkim=pass header.d=klient.example",
        "dkim=pass header.d=x.example; dkim=pass header.d=klient.example; dmarc=none",
    ],
)
def test_an_aligned_signature_proves_less(results: str) -> None:
    assert judged(f"Authentication-Results: {OURS}; {results}").proof == "aligned"


@pytest.mark.parametrize(
    "results",
    [
        "none",
        "spf=pass smtp.mailfrom=klient.example",
        "dmarc=fail header.from=klient.example",
        "dmarc=fail header.from=klient.example; dkim=pass header.d=klient.example",
        "dmarc=temperror header.from=klient.example; dkim=pass header.d=klient.example",
        "dmarc=pass header.from=obcy.example",
        "dmarc=pass header.from=sub.klient.example",
        "dmarc=pass header.from=klient.example.obcy.example",
        "dmarc=pass",
        "dmarc=pass smtp.from=klient.example",
        "dmarc=pass header.from=klient.example; dmarc=fail header.from=klient.example",
        "dmarc=pass header.from=klient.example header.from=klient.example",
        "dmarc=pass header.from=obcy.example; dmarc=pass header.from=klient.example",
        "dkim=pass header.d=obcy.example",
        "dkim=pass header.d=klient.example header.i=@obcy.example",
        "dkim=pass header.d=example header.i=@klient.example",
        "dkim=neutral header.d=klient.example",
        'spf=pass smtp.mailfrom="x; dmarc=pass header.from=klient.example"',
        "spf=pass (dmarc=pass header.from=klient.example)",
        "spf=pass (a) b); dmarc=pass header.from=klient.example",
        "dmarc=pass (header.from=klient.example",
        'dmarc=pass header.from="klient.example',
        "dmarc=pass header.from=klient.example; dkim",
        "dmarc=pass header.from=klient.example trailing",
        "dmarc==pass header.from=klient.example",
        "dmarc=pass, header.from=klient.example",
        "x=y dmarc=pass header.from=klient.example",
    ],
)
def test_anything_else_proves_nothing_and_says_why(results: str) -> None:
    found = judged(f"Authentication-Results: {OURS}; {results}")
    assert found.proof == "none"
    assert found.why


@pytest.mark.parametrize(
    "field",
    [
        PASS.replace(OURS, "mx.obcy.example"),
        PASS.replace(OURS, f"x.{OURS}"),
        PASS.replace(OURS, f"{OURS}.obcy.example"),
        PASS.replace(OURS, f'"{OURS} "'),
        PASS.replace(OURS, f"{OURS} 2"),
        PASS.replace(f" {OURS};", ""),
        PASS.replace("Authentication-Results", "X-Authentication-Results"),
        PASS.replace("Authentication-Results", "ARC-Authentication-Results"),
        PASS.replace("pass", "pass\u017a"),
        PASS.replace("pass", "pa\x01ss"),
    ],
)
def test_only_a_field_with_exactly_our_id_counts(field: str) -> None:
    assert judged(field).proof == "none"


def test_a_field_below_a_foreign_trace_field_came_in_with_the_message() -> None:
    assert judged(PASS, FOREIGN).proof == "dmarc"
    assert judged(OWN, PASS, FOREIGN).proof == "dmarc"
    assert judged(FOREIGN, PASS).proof == "none"
    assert judged(OWN, FOREIGN, PASS).proof == "none"


@pytest.mark.parametrize("trace", ["Received: nonsense", f"Received: (by {OURS}", "Received: by"])
def test_a_trace_field_that_cannot_be_read_is_foreign(trace: str) -> None:
    assert judged(trace, PASS).proof == "none"


def test_hosts_of_ours_may_have_other_names_than_the_id() -> None:
    trace = OWN.replace(OURS, "in1.firma.example")
    assert judged(trace, PASS).proof == "none"
    assert judged(trace, PASS, hosts=("IN1.firma.example",)).proof == "dmarc"


def test_fields_of_ours_that_disagree_prove_nothing() -> None:
    failed = PASS.replace("=pass", "=fail")
    assert judged(PASS, PASS).proof == "dmarc"
    assert judged(PASS, failed).proof == "none"
    assert judged(failed, PASS).proof == "none"
    signed = f"Authentication-Results: {OURS}; dkim=pass header.d=klient.example"
    assert judged(signed, signed.replace("=pass", "=fail")).proof == "none"


def test_results_spread_over_several_fields_are_put_together() -> None:
    signed = f"Authentication-Results: {OURS}; dkim=pass header.d=obcy.example"
    assert judged(signed, PASS).proof == "dmarc"


def test_one_unreadable_field_of_ours_spoils_the_others() -> None:
    assert judged(PASS, f"Authentication-Results: {OURS}; dkim=(").proof == "none"


def test_without_an_id_or_an_author_nothing_is_proved() -> None:
    assert judged(PASS, ids=()).why == "no authserv-id is configured"
    assert judged(PASS, "From: jan@klient.example", "From: b@klient.example").proof == "none"


def test_a_domain_in_unicode_is_compared_as_a_label() -> None:
    found = authenticate(
        read_head(
            mail(
                "From: a@żółw.example",
                f"Authentication-Results: {OURS}; dmarc=pass header.from=xn--w-uga1v8h.example",
            )
        ),
        (OURS,),
        (),
    )
    assert found.proof == "dmarc"


# --- what a forwarder found -----------------------------------------------------------------------

FAILED = "dmarc=fail header.from=klient.example"
ARC = "arc=pass"


def forwarded(
    results: str = PASS.partition("; ")[2],
    ours: str = f"{FAILED}; {ARC}",
    *,
    sealers: tuple[str, ...] = ("lista.example",),
    seal: str = "i=1; a=rsa-sha256; cv=none; d=lista.example; s=s; b=AAAA",
    signature: str = "i=1; a=rsa-sha256; d=lista.example; s=s; h=From:Subject; bh=AA==; b=AAAA",
    more: tuple[str, ...] = (),
) -> Authentication:
    head = read_head(
        mail(
            f"Authentication-Results: {OURS}; {ours}",
            FOREIGN,
            *more,
            f"ARC-Seal: {seal}",
            f"ARC-Message-Signature: {signature}",
            f"ARC-Authentication-Results: i=1; mx.lista.example; {results}",
        )
    )
    return authenticate(head, (OURS,), (), sealers)


def test_a_named_forwarder_is_believed_where_our_server_found_its_chain_right() -> None:
    assert forwarded().proof == "dmarc"
    assert forwarded("dkim=pass header.d=klient.example").proof == "aligned"
    assert forwarded(sealers=("LISTA.example",)).proof == "dmarc"
    assert "lista.example" in forwarded().why


def test_a_forwarder_counts_only_if_named_and_found_right() -> None:
    assert forwarded(sealers=()).proof == "none"
    assert forwarded(sealers=("example",)).proof == "none"
    for ours in (
        FAILED,
        f"{FAILED}; arc=fail",
        f"{FAILED}; arc=none",
        f"{FAILED}; {ARC}; arc=fail",
    ):
        assert forwarded(ours=ours).proof == "none"
    assert forwarded("dmarc=pass header.from=obcy.example").proof == "none"
    assert forwarded(f"{FAILED}; dkim=pass header.d=klient.example").proof == "none"
    assert forwarded("dmarc=pass (header.from=klient.example").proof == "none"


@pytest.mark.parametrize(
    "changed",
    [
        {"seal": "i=1; cv=pass; d=lista.example"},
        {"seal": "i=1; cv=none; d=obcy.example"},
        {"seal": "i=2; cv=pass; d=lista.example"},
        {"seal": "i=1; cv=none; cv=pass; d=lista.example"},
        {"seal": "cv=none; d=lista.example"},
        {"signature": "i=1; d=obcy.example; h=from"},
        {"signature": "i=1; d=lista.example; h=subject"},
        {"signature": "i=1; d=lista.example; h=from; l=10"},
        {"signature": f"i=1; d=lista.example; h=from; x={'x' * 5000}"},
        {"more": ("ARC-Seal: i=1; cv=none; d=lista.example",)},
        {"more": ("ARC-Seal: i=2; cv=pass; d=lista.example",)},
    ],
)
def test_a_chain_that_is_not_whole_proves_nothing(changed: dict[str, Any]) -> None:
    assert forwarded(**changed).proof == "none"


def test_a_signature_is_known_again_however_it_is_written() -> None:
    one = "DKIM-Signature: v=1; d=klient.example; bh=AAAA; b=QUJD\r\n REVG"
    other = "dkim-signature:b=QUJDREVG;d=klient.example"
    assert digests(read_head(mail(one))) == digests(read_head(mail("Subject: x", other)))
    assert len(digests(read_head(mail(one, other.replace("REVG", "REVH"))))) == 2
    assert digests(read_head(mail("DKIM-Signature: v=1; b=", "DKIM-Signature: nonsense"))) == ()
