"""What comes back to the signed return address of one of our own mails."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailgate.model.notice import OutboxRow
from mailgate.tokens import verp
from tests.world import KEYS, ROOT, World, make_world, running

REQUEST = ROOT / "tests" / "cases" / "A4-the-main-address-gets-a-link" / "request.eml"
ABSENCE = b"""\
From: Anna Nowak <anna@piekarnia.example>\r
To: bounce@desk.example\r
Subject: Nie ma mnie w biurze\r
Auto-Submitted: auto-replied\r
\r
Wracam w poniedzia\xc5\x82ek.\r
"""
REPORT = b"""\
From: MAILER-DAEMON@mx.piekarnia.example\r
To: bounce@desk.example\r
Subject: Undelivered Mail Returned to Sender\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
\r
--b\r
Content-Type: text/plain\r
\r
Your message could not be delivered.\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.piekarnia.example\r
\r
Final-Recipient: rfc822; anna@piekarnia.example\r
Action: failed\r
Status: 5.1.1\r
\r
--b--\r
"""


def sent_notice(world: World) -> OutboxRow:
    """The link mail of a request, as the relay took it."""
    world.directory(ROOT / "tests" / "cases" / "world.yaml")
    world.send(REQUEST.read_bytes().replace(b"\n", b"\r\n"), "anna@piekarnia.example")
    world.work()
    (row,) = world.store.outbox.claim_due(world.now(), 10)
    world.store.outbox.sent(row.notice.id, "250 2.0.0 ok", world.now())
    return row


@pytest.mark.parametrize(
    ("content", "automatic", "state"),
    [(REPORT, "bounce", "bounced"), (ABSENCE, "auto-reply", "sent")],
    ids=["a report marks the mail", "an absence does not: the mail arrived"],
)
def test_only_a_delivery_report_says_that_our_mail_did_not_arrive(
    tmp_path: Path, content: bytes, automatic: str, state: str
) -> None:
    world = make_world(tmp_path)
    with running(world):
        row = sent_notice(world)
        address = verp.make(KEYS, "bounce@desk.example", row.notice.id)
        queue_id = world.send(content, "", [address])
        world.work()
    view = world.store.views.message(queue_id)
    assert view is not None
    assert (view.verdict, view.facts["automatic"]) == ("filed", automatic)
    assert view.ticket == row.notice.ticket, "it is put on the ticket that the mail was about"
    assert [r.state for r in world.outbox()] == [state], "and nothing is answered"
    world.store.close()
