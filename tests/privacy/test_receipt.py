"""What a person is told once they are erased: numbers, what stays, why and until when."""

from __future__ import annotations

from datetime import UTC, datetime

from mailgate.privacy.receipt import outcome, until
from mailgate.settings import Privacy

NOW = datetime(2026, 11, 16, tzinfo=UTC)


def test_only_what_stays_is_named_with_its_last_day() -> None:
    said = outcome({"item": 3, "outbox": 2}, {"claims": 3, "requests": 1}, "pl", Privacy(), NOW)
    assert said.startswith("Usunęliśmy Twoje dane. Wiadomości od Ciebie: 3.")
    assert "najdłużej do 2032-11-16" in said
    assert "główn" not in said
    assert said.endswith("najdłużej do 2028-11-16.")


def test_a_main_contact_and_the_mail_of_others_are_told_in_either_language() -> None:
    said = outcome({"rewritten_message": 1}, {"main": 1, "requests": 1}, "en", Privacy(), NOW)
    assert "while the contract lasts" in said
    assert "what other people say" in said


def test_a_claims_window_may_last_to_the_end_of_its_year() -> None:
    rounded = Privacy(claims_to_year_end=True)
    assert until(rounded, NOW)["claims"].isoformat() == "2032-12-31"
