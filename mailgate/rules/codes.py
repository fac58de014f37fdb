"""The closed lists that rules choose from: reason codes and notices; all are stable names."""

from __future__ import annotations

from mailgate.model.decision import TokenStep

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
    "processing-restricted",
    "refused-by-staff",
    "replayed-message",
    "sender-not-of-account",
    "service-shared",
    "stale-message",
    "token-answered",
    "token-confirmed",
    "token-expired",
    "token-new-user",
    "token-refused",
    "token-request-incomplete",
    "token-request-unclear",
    "token-revoked",
    "token-still-valid",
    "token-unknown",
    "token-unverified",
    "token-wrong-address",
    "vouched-by-staff",
)
#: Notices that carry a link: they ask, so they go with a message that is not decided for good.
LINK_NOTICES: tuple[str, ...] = ("authorization-link", "entered-by-staff")
#: Notices that tell.
PLAIN_NOTICES: tuple[str, ...] = ("request-received", "not-authorized")
NOTICES: tuple[str, ...] = (*LINK_NOTICES, *PLAIN_NOTICES)
#: What the author of a request to the token desk is told, registered or not (B10).
ACKNOWLEDGEMENTS: tuple[str, ...] = ("token-received", "token-missing")
#: What may be done about an access token; the second kind mails a link and waits.
TOKEN_ANSWERS: tuple[TokenStep, ...] = ("issue", "refuse")
TOKEN_QUESTIONS: tuple[TokenStep, ...] = ("verify", "manager")
TOKEN_STEPS: tuple[TokenStep, ...] = (*TOKEN_ANSWERS, *TOKEN_QUESTIONS)
