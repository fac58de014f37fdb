"""What a request about personal data sets going: the copy of the data, and the mails about it.

Put together once, for the pages as for the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from mailgate.clock import Random
from mailgate.model.directory import Account, Contact, Language
from mailgate.model.notice import Notice
from mailgate.model.people import Change
from mailgate.model.privacy import PrivacyRequest
from mailgate.model.privacy_ports import Answered, Told
from mailgate.model.web_ports import Refused
from mailgate.outbound.letters import letter, privacy_answered
from mailgate.outbound.render import BadNotice, Rendered, render
from mailgate.outbound.templates import Templates
from mailgate.privacy.export import pack
from mailgate.settings import Settings
from mailgate.store import Store
from mailgate.tokens.keys import Keys

#: A copy up to this size is never written to a disk; a larger one has no name there.
_IN_MEMORY = 8 << 20


@dataclass(frozen=True)
class RightsDesk:
    """Whom a mail goes to is looked up before the transaction in which it is written begins."""

    settings: Settings
    store: Store
    keys: Keys
    random: Random

    # --- the copy -----------------------------------------------------------------------------

    def make_copy(self, request: PrivacyRequest, who: str, now: datetime) -> IO[bytes]:
        """The zip that the request asks for, at its beginning; the audit log says who got it."""
        with ExitStack() as until_done:
            file = until_done.enter_context(SpooledTemporaryFile(_IN_MEMORY))
            zipped = cast("IO[bytes]", file)
            count = self.pack(zipped, request.address, request.account_id, now)
            self.store.privacy_requests.copied(request.id, who, now, count)
            file.seek(0)
            until_done.pop_all()  # whoever sends it closes it
        return zipped

    def pack(
        self, out: IO[bytes], address: str, account_id: str | None, now: datetime
    ) -> Mapping[str, int]:
        """Write the zip of one person; gives how much of each kind is in it."""
        return pack(
            out,
            self.store.persons,
            address,
            account_id,
            write=self._write,
            language=self._language(*self._reader(address, account_id)),
            now=now,
        )

    def _write(self, notice: Notice) -> Rendered | None:
        try:
            return render(notice, self.settings, self.keys, self._templates)
        except BadNotice:  # the key or the desk it was made with is gone
            return None

    @cached_property
    def _templates(self) -> Templates:
        return Templates.load(self.settings.outbound.templates)

    # --- mails --------------------------------------------------------------------------------

    def answered(self, request: PrivacyRequest, now: datetime) -> Answered:
        """What tells the person how their request ended."""
        contact, account = self._reader(request.address, request.account_id, request.contact_id)

        def answer(closed: PrivacyRequest) -> Notice:
            return privacy_answered(
                closed,
                contact,
                account,
                settings=self.settings,
                keys=self.keys,
                now=now,
                random=self.random,
            )

        return answer

    def told(self, contact: Contact, now: datetime) -> Told:
        """What tells the old and the new address of a contact that one replaced the other."""
        account = self.store.lookup.account(contact.account_id)

        def tell(change: Change) -> Sequence[Notice]:
            if account is None:
                return ()
            values = {
                "kind": change.kind,
                "old_address": change.old_address,
                "new_address": change.new_address,
            }
            return [
                letter(
                    "address-changed",
                    replace(contact, address=address),
                    account,
                    values,
                    settings=self.settings,
                    keys=self.keys,
                    now=now,
                    random=self.random,
                )
                for address in (change.old_address, change.new_address)
            ]

        return tell

    # --- by the clock -------------------------------------------------------------------------

    def erase_waiting(self, now: datetime) -> int:
        """Go on with every erasure that is approved: one that a run left behind, one whose last
        hold has ended (promise G5). Gives how many are done.

        One that fails keeps no other from being done; what was wrong is raised at the end.
        """
        done, wrong = 0, list[Exception]()
        for number in self.store.erasure.pending():
            request = self.store.privacy_requests.get(number)
            if request is None:
                continue
            try:
                answer = self.answered(request, now)
                done += not self.store.erasure.run(number, now, answer).stopped
            except Refused:  # too many mails at this moment: the next time
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, the others have their turn
                wrong.append(error)
        if wrong:
            raise wrong[0]
        return done

    # --- who ----------------------------------------------------------------------------------

    def _reader(
        self, address: str, account_id: str | None, contact_id: int | None = None
    ) -> tuple[Contact | None, Account | None]:
        """The contact of this address: the one who asked, or the only one there is."""
        found = self.store.persons.contacts(address, account_id)
        contact = next((one for one in found if one.id == contact_id), None)
        if contact is None and len(found) == 1:
            contact = found[0]
        account = self.store.lookup.account(contact.account_id) if contact else None
        return contact, account

    def _language(self, contact: Contact | None, account: Account | None) -> Language:
        if contact and contact.language:
            return contact.language
        return account.language if account else next(iter(self.settings.desks.values())).language
