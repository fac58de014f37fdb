"""Row B6, wrong address: Postfix reports that a token never arrived, and the manager is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.e2e.browser import code_in, link_in
from tests.e2e.mails import head
from tests.e2e.postfix import Postfix
from tests.e2e.sender import Mail, Sender
from tests.e2e.sink import Sink
from tests.e2e.site import Daemon, Site, wait_until
from tests.e2e.strangers import TOKENS

pytestmark = [pytest.mark.server("postfix"), pytest.mark.slow]

MANAGER, GONE, AT_HOME = "szef@klient.example", "ola@dawny.example", "ola.lis@poczta.example"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    contacts = [
        {"address": MANAGER, "role": "main", "name": "Jan Kowalski"},
        {"address": GONE, "role": "additional", "name": "Ola Lis"},
    ]
    account = {"id": "K1", "company": "Klient sp. z o.o.", "language": "pl", "contacts": contacts}
    site.directory.write_text(yaml.safe_dump({"accounts": [account]}), encoding="utf-8")
    site.must("db", "upgrade")
    site.must("directory", "import", str(site.directory))
    return site


class Elsewhere(Sink):
    """The mail server of everybody else; one mailbox there is gone."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address == GONE:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"


def transports(site: Site) -> str:
    """What is ours leads to mailgate, everything else elsewhere."""
    ours = f"mailgate:inet:127.0.0.1:{site.lmtp[1]}"
    elsewhere = f"smtp:[127.0.0.1]:{site.relay[1]}"
    return f"transport_maps = inline:{{ {{ firma.example = {ours} }} {{ * = {elsewhere} }} }}\n"


def test_a_token_that_came_back_makes_the_manager_decide(site: Site) -> None:
    nexthop = f"inet:127.0.0.1:{site.lmtp[1]}"
    with Elsewhere(site.relay[1]) as sink, Postfix(nexthop, main=transports(site)) as postfix:
        site.configure(
            desks={"tokens": {"addresses": [TOKENS], "tag": "Token", "purpose": "tokens"}},
            outbound={"relay": f"127.0.0.1:{postfix.port}", "bounces": "zwroty@firma.example"},
        )
        with Daemon(site):
            site.must("tokens", "issue", GONE)
            postfix.wait_for("status=bounced", 1, 30)
            postfix.wait_for(r"to=<zwroty\+.*status=sent", 1, 30)
            wait_until(lambda: bounced(site) == [GONE], 30, "the report was understood")
            ask_from_home(postfix.port)
            (asked,) = sink.wait_for(MANAGER)
        assert len(postfix.lines("status=bounced")) == 1, "that address was written to again"
    (ticket,) = site.rows("tickets", "list")
    (shown,) = site.rows("tickets", "show", str(ticket["number"]))
    (message,) = shown["messages"]
    assert (message["verdict"], message["rule"]) == ("pending", "token-wrong-address")
    assert link_in(asked)
    assert code_in(asked), asked.text
    assert GONE in asked.text
    assert {recipient for mail in sink.caught for recipient in mail.recipients} == {MANAGER}


def bounced(site: Site) -> list[str]:
    return [row["to"] for row in site.rows("outbox", "list", "--state", "bounced")]


def ask_from_home(port: int) -> None:
    """The person writes from another mailbox, and names the registered address."""
    text = f"Firma: Klient sp. z o.o.\r\nNumer konta: K1\r\nAdres e-mail: {GONE}\r\n"
    text += "Wyjaśnienie: token nie przyszedł, ta skrzynka już nie działa.\r\n"
    content = head("home@poczta.example", AT_HOME, "Token").replace(b"pomoc@", b"tokens@")
    mail = Mail("home@poczta.example", AT_HOME, (TOKENS,), content + text.encode())
    sender = Sender([mail], ("127.0.0.1", port), lmtp=False, connections=1).start()
    assert sender.wait(30), sender.log
