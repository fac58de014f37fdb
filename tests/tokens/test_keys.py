"""Keys: what a key file may hold, who may read it, and what rotation keeps alive."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.tokens.keys import BadKeys, Keys, read_private

OLD, NEW = b"o" * 32, b"n" * 40
GOOD = (b"k" * 32).hex()


def key_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    path = folder / "keys"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_saved_keys_are_loaded_again_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    keys = Keys((NEW, OLD))
    keys.save(tmp_path / "keys")
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert Keys.load(tmp_path / "keys") == keys


def test_saving_never_overwrites_keys(tmp_path: Path) -> None:
    path = key_file(tmp_path, GOOD)
    with pytest.raises(FileExistsError):
        Keys.generate(lambda n: b"x" * n).save(path)
    assert path.read_text() == GOOD


def test_empty_lines_and_comments_are_skipped(tmp_path: Path) -> None:
    path = key_file(tmp_path, f"# made in spring\n\n{NEW.hex()}\n  {OLD.hex().upper()}\n\n")
    assert Keys.load(path).secrets == (NEW, OLD)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "there is no key"),
        ("# nothing\n", "there is no key"),
        (f"{GOOD}\nnot hex at all", "line 2 is not a key"),
        (f"{GOOD}\n{GOOD[:-1]}", "line 2 is not a key"),
        ("ąę" * 32, "line 1 is not a key"),
        ("٣" * 64, "line 1 is not a key"),
        ("ab" * 31, "shorter than 32 octets"),
        (f"{GOOD}\n{GOOD}", "twice"),
    ],
)
def test_anything_but_keys_is_refused_in_words_that_do_not_show_it(
    tmp_path: Path, content: str, said: str
) -> None:
    path = key_file(tmp_path, content)
    with pytest.raises(BadKeys, match=said) as refused:
        Keys.load(path)
    assert str(path) in str(refused.value)
    assert not re.search(r"[0-9a-f]{16}", str(refused.value))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o601])
def test_a_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadKeys, match=f"mode {mode:04o}"):
        Keys.load(key_file(tmp_path, GOOD, mode))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadKeys, match=r"absent: No such file"):
        Keys.load(tmp_path / "absent")


def test_a_password_file_is_held_to_the_same_rule(tmp_path: Path) -> None:
    assert read_private(key_file(tmp_path, "hunter2")) == b"hunter2"
    with pytest.raises(BadKeys):
        read_private(key_file(tmp_path, "hunter2", 0o644))


def test_no_secret_is_in_the_repr() -> None:
    assert OLD.decode() not in repr(Keys((OLD,)))


def test_what_an_old_key_made_is_still_good_and_names_its_key() -> None:
    made = Keys((OLD,)).mac("purpose", "a").hex()
    both = Keys((NEW, OLD))
    assert both.matches(made, bytes.hex, "purpose", "a")
    signer = both.signer(made, bytes.hex, "purpose", "a")
    assert signer is not None
    assert signer.secrets == (OLD, NEW)
    assert Keys((NEW,)).signer(made, bytes.hex, "purpose", "a") is None


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_different_parts_never_give_the_same_mac(one: list[str], other: list[str]) -> None:
    keys = Keys((OLD,))
    same = keys.mac("p", *one) == keys.mac("p", *other)
    assert same == (one == other)


def test_where_one_part_ends_and_the_next_begins_matters() -> None:
    keys = Keys((OLD,))
    macs = {keys.mac("p", "ab", "c"), keys.mac("p", "a", "bc"), keys.mac("pa", "b", "c")}
    assert len(macs) == 3
