"""The demo's people: an admin of the console, and Anna's access token in the mailbox."""

from __future__ import annotations

from dataclasses import dataclass

from mailgate import clock
from mailgate.demo.stories import ANNA
from mailgate.outbound.letters import access_token
from mailgate.settings import Settings
from mailgate.store import Store
from mailgate.tokens import access, totp
from mailgate.tokens.keys import Keys
from mailgate.tokens.password import Passwords, new_password

LOGIN = "kasia"


@dataclass(frozen=True)
class Logins:
    """What a visitor signs in with; made anew for every demo, and gone with it."""

    password: str
    totp_secret: str
    access_token: str = ""

    def code(self) -> str:
        """What an authenticator with the secret shows now."""
        return totp.code(self.totp_secret, clock.now())


def new_logins() -> Logins:
    return Logins(new_password(clock.random), totp.new_secret(clock.random))


def settle_in(store: Store, settings: Settings, keys: Keys, logins: Logins) -> Logins:
    """Give Kasia her account and mail Anna her access token, as production would."""
    now, random = clock.now(), clock.random
    hashed = Passwords(random).hash(logins.password)
    store.staff.add(LOGIN, "Katarzyna Lis", "pl", "admin", hashed, logins.totp_secret, "demo", now)
    (anna,) = store.lookup.contacts(ANNA)
    account = store.lookup.account(anna.account_id)
    if account is None:
        raise RuntimeError("the demo's directory has no account for Anna")
    sha, expires, letter = access_token(
        anna, account, settings=settings, keys=keys, now=now, random=random
    )
    scopes = settings.access_tokens.scopes
    store.access_tokens.issue(anna.id, sha, letter, "demo", now, expires, scopes)
    # Anna finds it in her mail; whoever plays her is spared the search.
    token = access.token(keys, letter.link_nonce or "")
    return Logins(logins.password, logins.totp_secret, token)
