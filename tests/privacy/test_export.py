"""Access and portability (GDPR Art. 15 and 20): all of one person, and nobody else's."""

from __future__ import annotations

import json

from sqlalchemy import text

from tests.privacy.house import ANNA, EWA, JAN, OLA, SHOP, STAFF, House, issue_token


def test_every_message_is_there_octet_for_octet_and_counts_as_sql_counts(house: House) -> None:
    wrote = [house.write("JAN@webdesign.example", f"{n} {SHOP}") for n in range(3)]
    house.write(EWA)
    house.write(ANNA)
    file = house.export(JAN)
    names = [name for name in file.namelist() if name.startswith("messages/")]
    with house.store.database.reading() as connection:
        counted = connection.execute(
            text("SELECT count(*) FROM item WHERE lower(reverse_path) = :a"), {"a": JAN}
        ).scalar_one()
    assert len(names) == counted == 3
    for mail in wrote:
        raw = house.store.views.octets(mail.queue_id)
        assert file.read(f"messages/{mail.queue_id}.eml") == raw


def test_nothing_that_opens_something_can_be_used_out_of_an_export(house: House) -> None:
    token = issue_token(house, ANNA)
    house.write(ANNA)
    file = house.export(ANNA)
    texts = [file.read(name).decode() for name in file.namelist()]
    assert any("***" in one for one in texts)
    assert not [one for one in texts if token in one or "/c/" in one]
    person = json.loads(file.read("person.json"))
    (issued,) = person["access_tokens"]
    assert issued["address"] == ANNA
    assert not set(issued) & {"token_sha256", "nonce", "id"}


def test_mail_of_others_is_only_mentioned_and_no_address_of_theirs_is_told(house: House) -> None:
    house.write(OLA, "Tajemnica Oli", cc=JAN)
    house.write(JAN, SHOP, cc=ANNA)
    house.store.edits.set_contact(
        "1001", house.contact(JAN).id, name="Jan", role="technical", language=None,
        signs_in=True, who=ANNA, now=house.now,
    )  # fmt: skip
    file = house.export(JAN)
    (mention,) = json.loads(file.read("mentions.json"))
    assert set(mention) == {"received_at", "ticket", "in"}
    everything = "".join(file.read(name).decode() for name in file.namelist())
    assert "Tajemnica" not in everything
    assert OLA not in everything
    person = json.loads(file.read("person.json"))
    assert ANNA not in json.dumps({k: v for k, v in person.items() if k != "messages"})
    assert "another contact" in {entry["who"] for entry in person["audit_log"]}


def test_what_somebody_disowned_is_not_handed_to_them_as_theirs(house: House) -> None:
    mail = house.write(ANNA, "Cudze słowa")
    anna = house.contact(ANNA)
    house.store.panel.answer(anna.id, mail.queue_id, "denied", house.now)
    house.world.work()
    file = house.export(ANNA)
    assert not [name for name in file.namelist() if name.startswith("messages/")]
    (mention,) = json.loads(file.read("mentions.json"))
    assert "did not send it" in mention["in"]


def test_a_decision_is_told_with_its_reasons_in_words(house: House) -> None:
    house.write(ANNA)
    person = json.loads(house.export(ANNA).read("person.json"))
    (mail,) = person["messages"]
    assert mail["verdict"] == "pending"
    (judged,) = mail["decisions"]
    assert any("głównego adresu" in said for said in judged["in_words"])


def test_a_hold_is_named_without_its_ground(house: House) -> None:
    house.store.privacy_holds.hold("pozew o zapłatę", STAFF, house.now, address=JAN)
    file = house.export(JAN)
    everything = "".join(file.read(name).decode() for name in file.namelist())
    assert "pozew" not in everything
    assert len(json.loads(file.read("person.json"))["holds"]) == 1
    assert STAFF not in everything


def test_with_an_account_named_the_other_accounts_are_left_out(house: House) -> None:
    house.write(JAN, SHOP)
    assert house.export(JAN, "1002").namelist() == [
        "person.json", "mentions.json", "README.txt",
    ]  # fmt: skip


def test_mail_that_nobody_has_judged_yet_is_theirs_too(house: House) -> None:
    house.admit(b"From: Jan <jan@webdesign.example>\r\n\r\nCzeka.\r\n", JAN, decide=False)
    assert house.store.persons.known(JAN)["waiting"] == 1
    names = house.export(JAN).namelist()
    assert len([name for name in names if name.startswith("messages/")]) == 1


def test_the_readme_speaks_both_languages_and_names_the_formats(house: House) -> None:
    said = house.export(JAN).read("README.txt").decode()
    assert "RODO, art. 20" in said
    assert "GDPR, Art. 20" in said
    assert JAN in said
