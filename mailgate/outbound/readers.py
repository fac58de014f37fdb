"""Who may be written to by a machine, and the link that asks one of them for an answer."""

from __future__ import annotations

import re
from datetime import datetime

from mailgate.clock import Random
from mailgate.model.directory import Contact
from mailgate.model.item import Item
from mailgate.model.ticket import Link, LinkAbout, Step
from mailgate.settings import Settings
from mailgate.tokens import link as link_tokens
from mailgate.tokens.keys import Keys

#: Behind these names sits no person, and often a program that answers (RFC 3834 §2).
_MACHINES = re.compile(
    r"(mailer-?daemon|postmaster|no-?reply|do-?not-?reply|nobody|bounces?)([+.\-].*)?",
    re.IGNORECASE,
)


def is_person(address: str, settings: Settings) -> bool:
    """Neither a machine nor ourselves: two desks would talk for ever."""
    local, _, domain = address.rpartition("@")
    bounces = settings.outbound.bounces
    own = settings.desk_of(address) or (bounces and _is_form_of(address, bounces))
    return not own and bool(local and domain) and _MACHINES.fullmatch(local) is None


def _is_form_of(address: str, bounces: str) -> bool:
    """Whether it is the address for delivery reports, or one of its signed forms."""
    local, _, domain = address.lower().rpartition("@")
    ours, _, our_domain = bounces.lower().rpartition("@")
    return domain == our_domain and (local == ours or local.startswith(f"{ours}+"))


def new_link(
    item: Item,
    contact: Contact,
    step: Step,
    about: LinkAbout,
    *,
    settings: Settings,
    keys: Keys,
    now: datetime,
    random: Random,
) -> Link:
    """A link bound to this very content and this contact (promise L6)."""
    nonce = link_tokens.new_nonce(random)
    return Link(
        token_sha256=link_tokens.sha256(link_tokens.token(keys, nonce)),
        nonce=nonce,
        queue_id=item.queue_id,
        content_sha256=item.sha256,
        contact_id=contact.id,
        address=contact.address,
        step=step,
        state="open",
        tries=0,
        created_at=now,
        expires_at=now + settings.links.life,
        about=about,
    )
