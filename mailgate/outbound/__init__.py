"""Mail of our own: what is said to whom, as which octets, and its way to the relay."""

NOTICES = (
    "authorization-link",
    "entered-by-staff",
    "link-expired",
    "not-authorized",
    "request-received",
)
"""Everything that mailgate writes to anybody; a template each, in every language."""

ASKING = frozenset({"authorization-link", "entered-by-staff", "link-expired"})
"""These ask for a confirmation, hence carry a link."""
