"""DKIM, SPF, DMARC and ARC verified by ourselves: what proves, and everything that does not."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from mailgate.message.authenticity import Authentication
from mailgate.message.verification import MAX_SIGNATURES, verify
from mailgate.model.envelope import Envelope
from tests.message.mails import mail
from tests.message.signing import ED25519_RECORD, SELECTOR, Zones, key, sealed, signed

DOMAIN = "klient.example"
PLAIN = mail("Subject: zmiana hasla", "To: pomoc@firma.example", body=b"Prosze.\r\n\r\n")
DMARC = f"_dmarc.{DOMAIN}"
STRANGER = "198.51.100.7"


def envelope(reverse_path: str = "", client: str = "") -> Envelope:
    at = datetime(2026, 11, 16, tzinfo=UTC)
    return Envelope(reverse_path, ("pomoc@firma.example",), at, client, "mail.klient.example")


def checked(
    content: bytes, zones: Zones, around: Envelope | None = None, **options: list[str]
) -> Authentication:
    return verify(content, around or envelope(), zones, **options)


# --- DKIM -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["relaxed", "simple"])
def test_a_signature_of_the_authors_domain_proves_it(policy: str) -> None:
    content = signed(PLAIN, DOMAIN, canonicalize=(policy.encode(), policy.encode()))
    assert checked(content, Zones(DOMAIN)).proof == "aligned"


def test_with_a_dmarc_record_it_proves_more() -> None:
    zones = Zones(DOMAIN).txt(DMARC, "v=DMARC1; p=none")
    found = checked(signed(PLAIN, DOMAIN), zones)
    assert (found.proof, DOMAIN in found.why) == ("dmarc", True)


def test_a_stored_file_with_other_line_ends_is_verified_too() -> None:
    assert checked(signed(PLAIN, DOMAIN).replace(b"\r\n", b"\n"), Zones(DOMAIN)).proof == "aligned"


def test_long_runs_of_white_space_are_canonicalized_as_the_signer_did() -> None:
    body = b" one  two\t \r\n \t\r\nthree \t three\r\n \r\n\r\n"
    content = signed(mail("Subject: x", "To: a@b.example", body=body), DOMAIN)
    assert checked(content, Zones(DOMAIN)).proof == "aligned"
    assert checked(content.replace(b"one  two", b"one two"), Zones(DOMAIN)).proof == "aligned"
    assert checked(content.replace(b"one  two", b"onetwo"), Zones(DOMAIN)).proof == "none"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Prosze.", b"Prosze o przelew."),
        (b"zmiana hasla", b"zmiana konta"),
        (b"Jan Kowalski", b"Jan Nowak"),
        (b"; d=klient.example", b"; d=x.klient.example"),
        (b"h=from", b"h=x-from"),
        (b"a=rsa-sha256", b"a=rsa-sha512"),
    ],
)
def test_whatever_was_changed_since_proves_nothing(old: bytes, new: bytes) -> None:
    content = signed(PLAIN, DOMAIN)
    assert old in content
    zones = Zones(DOMAIN, f"x.{DOMAIN}").txt(DMARC, "v=DMARC1; p=reject")
    assert checked(content.replace(old, new), zones).proof == "none"


@pytest.mark.parametrize(
    "options",
    [{"length": True}, {"signature_algorithm": b"rsa-sha1"}],
    ids=["of the beginning of the body", "with a broken digest"],
)
def test_a_signature_that_anybody_could_stretch_proves_nothing(options: dict[str, Any]) -> None:
    assert checked(signed(PLAIN, DOMAIN, **options), Zones(DOMAIN)).proof == "none"


@pytest.mark.parametrize(
    "record",
    [(), ("v=DKIM1; p=",), (key()[1], key()[1]), (key(2)[1],), (f"{key()[1]}; n={'x' * 1000}",),
     ("nonsense",), ("v=DKIM1; p=!!!!",), ("v=DKIM1; k=ed25519; p=AAAA",), ("\xff\xfe",)],
    ids=["none", "revoked", "two", "another", "huge", "nonsense", "no base64", "ed25519", "octets"],
)  # fmt: skip
def test_without_the_one_key_nothing_is_proved(record: tuple[str, ...]) -> None:
    zones = Zones().txt(f"{SELECTOR}._domainkey.{DOMAIN}", *record)
    assert checked(signed(PLAIN, DOMAIN), zones).proof == "none"


def test_an_ed25519_signature_proves_as_much() -> None:
    name = f"{SELECTOR}._domainkey.{DOMAIN}"
    content = signed(PLAIN, DOMAIN, signature_algorithm=b"ed25519-sha256")
    assert checked(content, Zones().txt(name, ED25519_RECORD)).proof == "aligned"
    for old, new in ((b"Prosze.", b"Prosze!"), (b"zmiana hasla", b"zmiana konta")):
        changed = content.replace(old, new)
        assert checked(changed, Zones().txt(name, ED25519_RECORD)).proof == "none"
    other = ED25519_RECORD.replace("11qY", "11qZ")
    for record in (other, "v=DKIM1; k=ed25519; p=AAAA", key()[1]):
        assert checked(content, Zones().txt(name, record)).proof == "none"


def test_a_key_of_768_bits_is_too_small() -> None:
    zones = Zones().txt(f"{SELECTOR}._domainkey.{DOMAIN}", key(3, 768)[1])
    import dkim

    field = dkim.sign(PLAIN, SELECTOR.encode(), DOMAIN.encode(), key(3, 768)[0])
    assert checked(field + PLAIN, zones).proof == "none"


def test_a_good_signature_of_somebody_else_proves_nothing() -> None:
    zones = Zones("obcy.example", "klient.example.obcy.example")
    assert checked(signed(PLAIN, "obcy.example"), zones).proof == "none"
    assert checked(signed(PLAIN, "klient.example.obcy.example"), zones).proof == "none"
    assert f"{SELECTOR}._domainkey.obcy.example" not in zones.asked


def test_a_broken_signature_does_not_spoil_a_good_one() -> None:
    good = signed(PLAIN, DOMAIN)
    broken = good[: good.index(b"From:")].replace(b"bh=", b"bh=A")
    assert checked(broken + good, Zones(DOMAIN)).proof == "aligned"


def test_only_so_many_signatures_are_tried() -> None:
    good = signed(PLAIN, DOMAIN)
    broken = good[: good.index(b"From:")].replace(b"bh=", b"bh=AAAA")
    zones = Zones(DOMAIN)
    assert checked(broken * 200 + good, zones).proof == "none"
    assert len(zones.asked) <= MAX_SIGNATURES + 2


@pytest.mark.parametrize(
    "field",
    [
        b"DKIM-Signature: v=1; a=rsa-sha256; d=klient.example; s=s1; h=from; bh=; b=\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=klient.example; s=../x; h=from; bh=AAAA; b=AAAA\r\n",
        b"DKIM-Signature: v=1; d=klient.example; d=obcy.example; a=rsa-sha256; s=s1; h=from\r\n",
        b"DKIM-Signature: nonsense\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=klient.example; s=s1; h=" + b"from:" * 900 + b"\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=klient.example; s=s1; c=x/relaxed; h=from; bh=AAAA;"
        b" b=AAAA\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=klient.example; s=s1; t=x; h=from; bh=AAAA;"
        b" b=AAAA\r\n",
    ],
)
def test_a_field_that_is_no_signature_is_no_trouble(field: bytes) -> None:
    assert checked(field + PLAIN, Zones(DOMAIN)).proof == "none"
    assert checked(field + signed(PLAIN, DOMAIN), Zones(DOMAIN)).proof == "aligned"


def test_a_message_without_an_author_asks_nobody_anything() -> None:
    zones = Zones(DOMAIN)
    assert checked(signed(mail("From: a@klient.example", "From: b@x.example"), DOMAIN), zones) == (
        Authentication("none", "the message has no single author")
    )
    assert zones.asked == []


@pytest.mark.parametrize("line", [b" " * 16_000 + b"x", b" x" * 8_000, b"\t" * 16_000])
def test_no_body_makes_it_slow(line: bytes) -> None:
    squeezed = b" ".join(b"".join((b"<", line, b">")).split())[1:-1].rstrip()  # dkim.sign is slow
    good = signed(mail(body=(squeezed + b"\r\n") * 300), DOMAIN)
    right = good[: good.index(b"From:")]
    wrong = right.replace(b"h=from", b"h=x : from")
    content = mail(body=(line + b"\r\n") * 300)
    before = time.process_time()
    assert checked(right + content, Zones(DOMAIN)).proof == "aligned"
    assert checked(wrong * (MAX_SIGNATURES + 1) + right + content, Zones(DOMAIN)).proof == "none"
    assert time.process_time() - before < 2


# --- DMARC ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "proof"),
    [("p=reject", "dmarc"), ("p=reject; adkim=r", "dmarc"), ("p=none; adkim=s", "none")],
)
def test_a_signature_of_a_subdomain_counts_where_the_policy_lets_it(
    record: str, proof: str
) -> None:
    zones = Zones(f"poczta.{DOMAIN}").txt(DMARC, f"v=DMARC1; {record}")
    assert checked(signed(PLAIN, f"poczta.{DOMAIN}"), zones).proof == proof


def test_without_a_dmarc_record_only_the_very_domain_counts() -> None:
    zones = Zones(f"poczta.{DOMAIN}")
    assert checked(signed(PLAIN, f"poczta.{DOMAIN}"), zones).proof == "none"


def test_the_policy_of_the_organization_holds_for_its_subdomains() -> None:
    content = mail("From: jan@biuro.klient.example", "Subject: x", "To: a@b.example")
    zones = Zones(DOMAIN).txt(DMARC, "v=DMARC1; p=reject")
    assert checked(signed(content, DOMAIN), zones).proof == "dmarc"


def test_two_customers_of_one_public_suffix_are_strangers() -> None:
    content = mail("From: jan@klient.com.pl", "Subject: x", "To: a@b.example")
    zones = Zones("obcy.com.pl", "com.pl").txt("_dmarc.klient.com.pl", "v=DMARC1; p=none")
    assert checked(signed(content, "obcy.com.pl"), zones).proof == "none"
    assert checked(signed(content, "com.pl"), zones).proof == "none"


@pytest.mark.parametrize(
    ("records", "proof"),
    [
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), "aligned"),
        (("v=spf1 -all", "v=DMARC1; p=none"), "dmarc"),
        (("v=DMARC2; p=none",), "aligned"),
        (("v=DMARC1; rua=mailto:x@y.example",), "aligned"),
        (("v=DMARC1; p=none; nonsense",), "none"),
    ],
)
def test_dmarc_records_are_found_as_the_rfc_has_it(records: tuple[str, ...], proof: str) -> None:
    zones = Zones(DOMAIN).txt(DMARC, *records)
    assert checked(signed(PLAIN, DOMAIN), zones).proof == proof


@pytest.mark.parametrize("name", [DMARC, f"{SELECTOR}._domainkey.{DOMAIN}"])
def test_trouble_with_the_dns_proves_nothing_and_says_so(name: str) -> None:
    zones = Zones(DOMAIN, broken=[name])
    found = checked(signed(PLAIN, DOMAIN), zones)
    assert (found.proof, name in found.why) == ("none", True)


# --- SPF ------------------------------------------------------------------------------------------


def spf_zones(record: str = "v=spf1 ip4:198.51.100.0/24 -all", policy: str = "p=reject") -> Zones:
    return Zones().txt(DMARC, f"v=DMARC1; {policy}").txt(DOMAIN, record)


def test_spf_of_the_reverse_path_proves_by_dmarc() -> None:
    around = envelope(f"bounce@{DOMAIN}", STRANGER)
    assert checked(PLAIN, spf_zones(), around).proof == "dmarc"
    assert checked(PLAIN, spf_zones("v=spf1 mx a ~all"), around).proof == "none"
    assert checked(PLAIN, spf_zones("v=spf1 ~all"), around).proof == "none"
    assert checked(PLAIN, Zones().txt(DOMAIN, "v=spf1 +all"), around).proof == "none"


def test_spf_asks_for_mx_and_addresses() -> None:
    zones = spf_zones("v=spf1 mx -all")
    zones.records[DOMAIN, "MX"] = ["10 mx.klient.example"]
    zones.records["mx.klient.example", "A"] = [STRANGER]
    assert checked(PLAIN, zones, envelope(f"x@{DOMAIN}", STRANGER)).proof == "dmarc"


@pytest.mark.parametrize(
    "sender", ["klient.example-obcy.example", "obcy.example", "x-klient.example"]
)
def test_spf_of_another_domain_proves_nothing(sender: str) -> None:
    zones = spf_zones().txt(sender, "v=spf1 +all")
    assert checked(PLAIN, zones, envelope(f"x@{sender}", STRANGER)).proof == "none"


def test_strict_alignment_of_spf_asks_for_the_very_domain() -> None:
    zones = spf_zones(policy="p=none; aspf=s").txt(f"x.{DOMAIN}", "v=spf1 +all")
    assert checked(PLAIN, zones, envelope(f"a@x.{DOMAIN}", STRANGER)).proof == "none"
    assert checked(PLAIN, zones, envelope(f"a@{DOMAIN}", STRANGER)).proof == "dmarc"


def test_a_mail_server_of_our_own_proves_nothing_by_its_address() -> None:
    around = envelope(f"x@{DOMAIN}", STRANGER)
    assert checked(PLAIN, spf_zones(), around, relays=["198.51.100.0/28"]).proof == "none"
    assert checked(PLAIN, spf_zones(), around, relays=["127.0.0.0/8", "::1"]).proof == "dmarc"
    assert checked(PLAIN, spf_zones(), envelope(f"x@{DOMAIN}", "")).proof == "none"


@pytest.mark.parametrize(
    "path", ["", "(any@klient.example", "@klient.example,@a.example:'b@c.example"]
)
def test_a_reverse_path_that_is_no_plain_address_proves_nothing(path: str) -> None:
    zones = spf_zones("v=spf1 +all").txt("mail.klient.example", "v=spf1 +all")
    assert checked(PLAIN, zones, envelope(path, STRANGER)).proof == "none"


def test_a_spf_record_that_never_ends_is_left_alone() -> None:
    zones = spf_zones(f"v=spf1 include:{DOMAIN} -all")
    assert checked(PLAIN, zones, envelope(f"x@{DOMAIN}", STRANGER)).proof == "none"
    assert len(zones.asked) < 30


# --- ARC ------------------------------------------------------------------------------------------

PASSED = f"dmarc=pass header.from={DOMAIN}"


def forwarded(results: str = PASSED) -> bytes:
    """A mail whose own signature a list has broken, sealed by the list."""
    changed = signed(PLAIN, DOMAIN).replace(b"Prosze.", b"Prosze. [lista]")
    return sealed(changed, "lista.example", results)


def forwarding_zones() -> Zones:
    return Zones(DOMAIN, "lista.example", "inna.example").txt(DMARC, "v=DMARC1; p=reject")


def test_a_named_forwarder_is_believed_what_it_found() -> None:
    found = checked(forwarded(), forwarding_zones(), sealers=["Lista.example"])
    assert (found.proof, "lista.example" in found.why) == ("dmarc", True)


@pytest.mark.parametrize("sealers", [[], ["inna.example"], ["example"]])
def test_a_forwarder_that_nobody_named_is_not(sealers: list[str]) -> None:
    assert checked(forwarded(), forwarding_zones(), sealers=sealers).proof == "none"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"[lista]", b"[inna]"),
        (b"Jan Kowalski", b"Jan Nowak"),
        (b"cv=none", b"cv=pass"),
        (b"ARC-Seal", b"X-Seal"),
        (b"i=1", b"i=2"),
    ],
)
def test_a_chain_that_does_not_hold_proves_nothing(old: bytes, new: bytes) -> None:
    content = forwarded()
    assert old in content
    zones = forwarding_zones()
    assert checked(content.replace(old, new), zones, sealers=["lista.example"]).proof == "none"


def test_results_that_nobody_sealed_prove_nothing() -> None:
    content = forwarded("dmarc=fail header.from=klient.example").replace(
        b"dmarc=fail", b"dmarc=pass"
    )
    assert checked(content, forwarding_zones(), sealers=["lista.example"]).proof == "none"


def test_a_forwarder_that_found_nothing_proves_nothing() -> None:
    content = forwarded("dmarc=fail header.from=klient.example; dkim=fail header.d=klient.example")
    assert checked(content, forwarding_zones(), sealers=["lista.example"]).proof == "none"
    other = forwarded("dmarc=pass header.from=obcy.example")
    assert checked(other, forwarding_zones(), sealers=["lista.example"]).proof == "none"


def test_every_forwarder_of_a_chain_must_be_named() -> None:
    twice = sealed(forwarded(), "inna.example", "arc=pass; dmarc=fail header.from=klient.example")
    zones = forwarding_zones()
    both = ["lista.example", "inna.example"]
    assert checked(twice, zones, sealers=both).proof == "dmarc"
    assert checked(twice, zones, sealers=both[:1]).proof == "none"
    assert checked(twice, zones, sealers=both[1:]).proof == "none"
