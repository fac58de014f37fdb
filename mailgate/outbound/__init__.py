"""Mail of our own: what is said to whom, as which octets, and its way to the relay."""

from collections.abc import Mapping
from types import MappingProxyType

ASKING = frozenset({"authorization-link", "entered-by-staff", "link-expired"})
"""These ask for a confirmation of a message, hence carry a link."""

CARRIED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(sorted(ASKING), ("link", "code")),
        "sign-in-link": ("link",),
        "access-token": ("access_token",),
        "verify-address": ("link", "new_address"),
        "confirm-main-change": ("link", "code", "old_address", "new_address"),
        "access-ended": ("old_address",),
        "access-token-expires": ("expires", "panel"),
        "address-changed": ("old_address", "new_address"),
        "privacy-answered": ("text",),
        "staff-answer": ("text",),
        "token-approval": ("link", "code", "person", "address"),
        "token-missing": ("form",),
        "token-verify": ("link", "code"),
    }
)
"""What the text of a notice must not leave out, as names of its values."""

NOTICES = (
    "access-ended",
    "access-token",
    "access-token-expires",
    "address-changed",
    "authorization-link",
    "confirm-main-change",
    "entered-by-staff",
    "link-expired",
    "not-authorized",
    "privacy-answered",
    "request-received",
    "sign-in-link",
    "staff-answer",
    "token-approval",
    "token-missing",
    "token-received",
    "token-refused",
    "token-verify",
    "verify-address",
)
"""Everything that mailgate writes to anybody; a template each, in every language."""

OF_NO_TICKET = frozenset(
    {
        "access-ended",
        "access-token-expires",
        "address-changed",
        "confirm-main-change",
        "privacy-answered",
        "sign-in-link",
        "verify-address",
    }
)
"""These are about an account rather than about a ticket: no token is in their subject."""

BY_A_PERSON = "staff-answer"
"""The one notice whose text somebody wrote: it is no automatic mail (RFC 3834 §2)."""
