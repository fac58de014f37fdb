"""One person's data as one zip: what is known as JSON, their mail octet for octet, ours to them.

For access (GDPR Art. 15) and, because JSON and RFC 5322 are formats that machines read, for
portability (Art. 20) too.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol

from mailgate.model.addresses import address_key
from mailgate.model.directory import Language
from mailgate.model.notice import Notice
from mailgate.model.privacy_ports import PersonMessage, PersonStore
from mailgate.privacy.spelling import everywhere, with_nobody_else
from mailgate.words import Words, words

_MASK = "***"
_OTHERS = "(another address)"


class Written(Protocol):
    """A mail of ours as it went out, with what in it opens something."""

    @property
    def octets(self) -> bytes: ...

    @property
    def text(self) -> str: ...

    @property
    def secrets(self) -> tuple[str, ...]: ...


Write = Callable[[Notice], Written | None]
"""Write a notice again; None where that is not possible any more, as after a key was removed."""


@contextmanager
def private_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that its owner alone can read; removed again where it could not be finished.

    Raises `FileExistsError`: nothing is overwritten, for its mode might let others read it.
    """
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def pack(
    out: IO[bytes],
    source: PersonStore,
    address: str,
    account_id: str | None,
    *,
    write: Write,
    language: Language,
    now: datetime,
) -> Mapping[str, int]:
    """Write the zip as a stream; gives how much of each kind is in it."""
    count: Counter[str] = Counter()
    said = words(language)
    key = address_key(address)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        known = dict(source.facts(address, account_id))
        requests = known.pop("requests", [])
        facts = everywhere(_plain(known), lambda text: with_nobody_else(text, key, _OTHERS))
        mails, mentions = _messages(file, source, address, account_id, said, count)
        sent = _sent(file, source, address, account_id, write, count)
        mentions += map(_plain, source.mentions(address, account_id))
        count["mentions"] = len(mentions)
        person = {
            "format": "mailgate-person/1",
            "made_at": now.isoformat(),
            **facts,
            "requests": _plain(requests),
            "messages": mails,
            "sent": sent,
        }
        file.writestr("person.json", _json(person))
        file.writestr("mentions.json", _json(mentions))
        file.writestr("README.txt", readme(address, now))
    return dict(count)


def readme(address: str, now: datetime) -> str:
    return "\n\n".join(
        words(lang).say("privacy-export.readme", address=address, day=words(lang).date(now))
        for lang in ("pl", "en")
    )


def _messages(
    file: zipfile.ZipFile,
    source: PersonStore,
    address: str,
    account_id: str | None,
    said: Words,
    count: Counter[str],
) -> tuple[list[Any], list[Any]]:
    """Their mail, octet for octet. What somebody else wrote in their name is only mentioned."""
    mails: list[Any] = []
    mentions: list[Any] = []
    for one in source.messages(address, account_id):
        if one.disowned:
            mentions.append(
                {
                    "received_at": one.received_at.isoformat(),
                    "ticket": one.about.get("ticket"),
                    "in": "From, and you said that you did not send it",
                }
            )
            continue
        name = f"messages/{one.queue_id}.eml"
        file.writestr(name, one.octets)
        mails.append(_about(one, name, said))
        count["messages"] += 1
    return mails, mentions


def _about(one: PersonMessage, name: str, said: Words) -> Any:
    about = _plain(dict(one.about))
    for judged in about.get("decisions", []):
        judged["in_words"] = [_in_words(code, said) for code in judged["reasons"]]
    return {"file": name, "received_at": one.received_at.isoformat(), **about}


def _in_words(code: str, said: Words) -> str:
    """A reason as the customer reads it; one of an administrator's own is its code."""
    return said.texts.get(f"reason.{code}.customer", code)


def _sent(
    file: zipfile.ZipFile,
    source: PersonStore,
    address: str,
    account_id: str | None,
    write: Write,
    count: Counter[str],
) -> list[Any]:
    sent: list[Any] = []
    for notice in source.sent(address, account_id):
        written = write(notice)
        about: dict[str, Any] = {
            "date": notice.date.isoformat(),
            "kind": notice.template,
            "ticket": notice.ticket,
        }
        if written is not None:
            about["file"] = f"sent/{notice.id}.eml"
            file.writestr(about["file"], masked(written))
        sent.append(about)
        count["sent"] += 1
    return sent


def masked(written: Written) -> bytes:
    """The mail without what opens something: no link, code or token in an export can be used.

    The text is written anew, as it is, for a secret may be cut in two in quoted-printable.
    """
    head = written.octets.partition(b"\r\n\r\n")[0]
    fields = [
        b"Content-Transfer-Encoding: 8bit" if _is_encoding(field) else field
        for field in head.split(b"\r\n")
    ]
    text = written.text.partition("\n\n")[2]
    for secret in sorted(written.secrets, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    body = text.replace("\n", "\r\n").encode("utf-8", "replace")
    return b"\r\n".join(fields) + b"\r\n\r\n" + body


def _is_encoding(field: bytes) -> bool:
    return field.lower().startswith(b"content-transfer-encoding:")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _plain(value: Any) -> Any:
    """The value in types that JSON has; a lone surrogate of a broken mail becomes U+FFFD."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
