"""Reads what somebody wrote to the token desk: company, account, address, and why (row B4).

Everything follows from the text and its author alone. Whether such a company or address exists is
nothing a reader could know, so what is said to be missing tells no stranger anything (row B10).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mailgate.message.phrases import table
from mailgate.model.addresses import normalise
from mailgate.model.directory import Language
from mailgate.model.token_request import TokenRequest

#: More of a text than this is not read: a request is short.
_LONGEST, _LINES = 20_000, 400
_LONGEST_VALUE, _LONGEST_WHY = 200, 2_000
_ENOUGH = 3
_FIELDS = ("company", "account", "address", "explanation")
#: An address as people write it in running text; the local part has a bound, so the time is linear.
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'|*=]{1,64}@[^\s<>()\[\],;:\"'|*=@]{1,190}")
_ACCOUNT = re.compile(r"(?=[A-Za-z/-]{0,12}[0-9])[A-Za-z0-9][A-Za-z0-9/-]{0,31}(?![A-Za-z0-9@])")
_BULLET = re.compile(r"[\s>*•·–—\-]*(?:\(?\d{1,2}[.)]\s+)?[\s*_]*")
_SEPARATORS = (":", "=", "|", "\t", " – ", " — ", " - ", "  ")
_BETWEEN = re.compile(r"\s*(?:nr|numer|no|number|id|is|to|jest|#)?[\s.:#=]*", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_NAME_ENDS = re.compile(r"[,;:()\n\"„”|]|\.\s|\.$|\s[-–—]\s")
_SIGNATURE = re.compile(r"--\s*|_{5,}|(?:sent from|wyslano z|wyslane z|get outlook for).*")

#: The labels that mailgate writes itself, in forms and in questions.
LABELS: Mapping[Language, tuple[str, str, str, str]] = {
    "pl": ("Firma", "Numer konta", "Zarejestrowany adres e-mail", "Wyjaśnienie"),
    "en": ("Company", "Account ID", "Registered e-mail address", "Explanation"),
}


@dataclass
class _Found:
    """What was found so far; a label says more than a sentence does."""

    values: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)
    labels: list[Language] = field(default_factory=list)


def read_request(text: str, author: str | None, own: frozenset[str] = frozenset()) -> TokenRequest:
    """Read a request in Polish or English, with labels or as running text.

    `text` is the new text of a message, `author` its one author or None, `own` are addresses of
    ours, which are nobody's. Where no address is written, the author's is meant. Takes time in
    proportion to the text, and reads no more than the first 20,000 characters. Never raises.
    """
    lines = _written(text)
    ours = {address.lower() for address in own}
    found = _labelled(lines, ours)
    running = "\n".join(found.rest)
    _fill(found.values, "address", lambda: _free_address(found.rest, ours))
    _fill(found.values, "account", lambda: _free_account(running))
    _fill(found.values, "company", lambda: _free_company(running))
    _fill(found.values, "explanation", lambda: _free_words(found.rest))
    address = found.values.get("address") or (author or "")
    if address.lower() in ours:
        address = ""
    return _request(
        company=found.values.get("company", ""),
        account=found.values.get("account", ""),
        address=address,
        explanation=found.values.get("explanation", ""),
        language=_language(lines, found.labels),
    )


def merge(earlier: TokenRequest, later: TokenRequest, author: str | None = None) -> TokenRequest:
    """What both say together; what the later one says counts.

    `author` is the author of both: an address that only follows from who wrote does not replace
    one that was written.
    """
    written = later.address if later.address != (author or "") else ""
    longer = "explanation" not in later.missing or "explanation" in earlier.missing
    return _request(
        company=later.company or earlier.company,
        account=later.account or earlier.account,
        address=written or earlier.address or later.address,
        explanation=(later if longer and later.explanation else earlier).explanation,
        language=later.language or earlier.language,
    )


def as_text(request: TokenRequest, language: Language) -> str:
    """The labelled form of a request; `read_request` reads the same from it."""
    values = (request.company, request.account, request.address, request.explanation)
    lines = (f"{label}: {value}" for label, value in zip(LABELS[language], values, strict=True))
    return "\n".join(lines) + "\n"


def _request(
    *, company: str, account: str, address: str, explanation: str, language: Language | None
) -> TokenRequest:
    absent = {
        "company": not (company or account),
        "address": not address,
        "explanation": not _WORD.search(explanation),
    }
    missing = tuple(name for name, is_absent in absent.items() if is_absent)
    return TokenRequest(company, account, address, explanation, language, missing)


def _fill(values: dict[str, str], name: str, find: Callable[[], str]) -> None:
    if not values.get(name):
        values[name] = find()


# --- lines and labels -----------------------------------------------------------------------------


def _written(text: str) -> list[str]:
    """The lines up to a signature; quoted lines are somebody else's."""
    lines: list[str] = []
    for line in text[:_LONGEST].splitlines()[:_LINES]:
        if lines and _SIGNATURE.fullmatch(_fold(line.strip())):
            break
        if not line.lstrip().startswith(">"):
            lines.append(line.replace("\xa0", " ").rstrip())
    return lines


def _labelled(lines: Sequence[str], ours: set[str]) -> _Found:
    found = _Found()
    open_label = ""
    for line in lines:
        labelled = _label(line)
        if labelled is not None:
            name, language, value = labelled
            found.labels.append(language)
            kept = _keep(found, name, value, ours)
            open_label = name if not value or name == "explanation" else ""
            if value and not kept:
                found.rest.append(line)
        elif open_label and line.strip() and not _is_closing(line):
            if open_label == "explanation":
                before = found.values.get("explanation", "")
                _set(found, "explanation", f"{before} {line.strip()}".strip())
            else:
                _keep(found, open_label, line, ours)
                open_label = ""
        else:
            if open_label == "explanation" and (found.values.get(open_label) or line.strip()):
                open_label = ""
            found.rest.append(line)
    return found


def _label(line: str) -> tuple[str, Language, str] | None:
    """Name, language and value of a labelled line."""
    start = _BULLET.match(line)
    plain = line[start.end() if start else 0 :]
    for separator in _SEPARATORS:
        left, cut, right = plain.partition(separator)
        if not cut or len(left) > 60:
            continue
        known = _labels().get(_fold(left.partition("(")[0]).strip(" \t*_?.:"))
        if known is not None:
            return (*known, right.lstrip(" \t:=|").strip("* \t"))
    known = _labels().get(_fold(plain).strip(" \t*_?.:"))
    return (*known, "") if known is not None and len(plain) <= 60 else None


def _labels() -> dict[str, tuple[str, Language]]:
    words = table("token_request")
    return {
        label: (name, language)
        for name in _FIELDS
        for language in LABELS
        for label in words[f"{name} {language}"]
    }


def _keep(found: _Found, name: str, value: str, ours: set[str]) -> bool:
    """Keep a labelled value, where it can be one; the first one counts."""
    if name == "address":
        value = next(_addresses(value, ours), "")
    elif name == "account":
        match = _ACCOUNT.search(value)
        value = match[0] if match else value
    elif name == "company":
        match = _ACCOUNT.fullmatch(value)
        name = "account" if match else name
    if not value or found.values.get(name):
        return False
    _set(found, name, value)
    return True


def _set(found: _Found, name: str, value: str) -> None:
    longest = _LONGEST_WHY if name == "explanation" else _LONGEST_VALUE
    found.values[name] = " ".join(value.split())[:longest].strip()


# --- running text ---------------------------------------------------------------------------------


def _addresses(text: str, ours: set[str]) -> Iterator[str]:
    for match in _ADDRESS.finditer(text):
        address = match[0].removeprefix("mailto:").rstrip(".!?*_").lstrip("*_<")
        local, _, domain = address.rpartition("@")
        if local and "." in domain and normalise(address).lower() not in ours:
            yield normalise(address)


def _free_address(lines: Sequence[str], ours: set[str]) -> str:
    """The address that is said to be the registered one, else the only one there is."""
    said = table("token_request")["registered"]
    everyone: dict[str, None] = {}
    for line in lines:
        here = list(_addresses(line, ours))
        folded = _fold(line)
        if here and any(word in folded for word in said):
            return _nearest(line, here, said)
        everyone |= dict.fromkeys(here)
    return next(iter(everyone)) if len(everyone) == 1 else ""


def _nearest(line: str, addresses: Sequence[str], said: Sequence[str]) -> str:
    folded = _fold(line)
    ends = [folded.find(word) + len(word) for word in said if word in folded]
    places = {address: folded.find(_fold(address)) for address in addresses}
    after = [a for a in addresses if places[a] >= min(ends)]
    return (after or list(addresses))[0]


def _free_account(text: str) -> str:
    for rest in _after("account before", text):
        between = _BETWEEN.match(rest)
        match = _ACCOUNT.match(rest, between.end() if between else 0)
        if match:
            return match[0]
    return ""


def _free_company(text: str) -> str:
    """A name after "on behalf of" and the like: up to where such a name ends, and capitalised."""
    forms = table("token_request")["company form"]
    for rest in _after("company before", text):
        name = _name(rest, forms)
        if name:
            return name
    return ""


def _name(rest: str, forms: Sequence[str]) -> str:
    head = rest[:120].partition("\n")[0].lstrip(' \t:"„')
    if not head[:1].isupper() and not head[:1].isdigit():
        return ""
    folded = _fold(head)
    for form in forms:
        at = folded.find(f" {form}")
        if at > 0 and not folded[at + len(form) + 1 : at + len(form) + 2].isalnum():
            before = head[:at]
            if not _NAME_ENDS.search(before.rstrip(",")):
                return head[: at + 1 + len(form)]
    words: list[str] = []
    for word in _NAME_ENDS.split(head, maxsplit=1)[0].split():
        if words and not (word[:1].isupper() or word[:1].isdigit() or word in {"&", "i", "and"}):
            break
        words.append(word)
    while words and words[-1] in {"i", "and", "&", "I"}:
        words.pop()
    return " ".join(words) if not _ACCOUNT.fullmatch("".join(words)) else ""


def _after(section: str, text: str) -> Iterator[str]:
    """What stands after each of the words of a section, the longest words first."""
    folded = _fold(text)
    for words in sorted(table("token_request")[section], key=len, reverse=True):
        at = folded.find(words)
        while at >= 0:
            end = at + len(words)
            if not folded[at - 1 : at].isalnum() and not folded[end : end + 1].isalnum():
                yield text[end:]
                break
            at = folded.find(words, end)


def _free_words(lines: Sequence[str]) -> str:
    """What is left besides greeting, closing and name: why somebody writes."""
    said: list[str] = []
    for line in lines:
        if said and _is_closing(line):
            break
        if line.strip() and not _is_greeting(line):
            said.append(line.strip())
    text = " ".join(" ".join(said).split())[:_LONGEST_WHY].strip()
    # A word or two are a name, or what is left of a label.
    return text if len(_WORD.findall(text)) >= _ENOUGH else ""


def _is_greeting(line: str) -> bool:
    folded = _fold(line).strip(" ,.!:;-")
    greetings = table("token_request")["greeting"]
    return len(folded.split()) <= 5 and folded.startswith(greetings)


def _is_closing(line: str) -> bool:
    folded = _fold(line).strip(" ,.!:;-")
    closings = table("token_request")["closing"]
    return len(folded.split()) <= 5 and folded.startswith(closings)


def _language(lines: Sequence[str], labels: Sequence[Language]) -> Language | None:
    """Polish or English, by the words that only one of them has; None where neither is ahead."""
    text = "\n".join(lines)
    words = set(_WORD.findall(_fold(text)))
    known = table("token_request")
    polish = len(words & set(known["polish"])) + 2 * bool(re.search("[ąćęłńóśźż]", text.lower()))
    english = len(words & set(known["english"]))
    polish += sum(label == "pl" for label in labels)
    english += sum(label == "en" for label in labels)
    if polish == english:
        return None
    return "pl" if polish > english else "en"


def _fold(text: str) -> str:
    """Lower case without diacritics, one character for one."""
    return "".join(_plain(c) for c in text)


def _plain(c: str) -> str:
    if c.isascii():
        return c.lower()
    if c in "łŁ":
        return "l"
    base = unicodedata.normalize("NFD", c)[0].lower()
    return base if len(base) == 1 else c
