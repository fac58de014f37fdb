"""The closed lists that rules choose from: reason codes and notices; both are stable names."""

from __future__ import annotations

#: Why a message got its verdict. `mailgate/words/` has the text of each for customers and staff;
#: an administrator's own code brings its words along in rules.yaml.
REASONS: tuple[str, ...] = (
    "ambiguous-account",
    "authorized-reply",
    "automatic-mail",
    "cc-stranger",
    "cc-without-share",
    "code-missing",
    "code-retired",
    "code-unknown",
    "code-wrong",
    "codes-conflict",
    "confirmed-by-contact",
    "contact-without-share",
    "defective-message",
    "denied-by-contact",
    "entered-by-staff",
    "limits-exceeded",
    "main-contact-must-confirm",
    "no-rule-matched",
    "panel-session",
    "processing-failed",
    "refused-by-staff",
    "replayed-message",
    "sender-not-of-account",
    "service-shared",
    "stale-message",
    "vouched-by-staff",
)
#: Notices that carry a link: they ask, so they go with a message that is not decided for good.
LINK_NOTICES: tuple[str, ...] = ("authorization-link", "entered-by-staff")
#: Notices that tell.
PLAIN_NOTICES: tuple[str, ...] = ("request-received", "not-authorized")
NOTICES: tuple[str, ...] = (*LINK_NOTICES, *PLAIN_NOTICES)
