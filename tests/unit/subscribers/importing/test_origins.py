import pytest

from subscribers.importing import Elsewhere, open_table, plan_columns, read_rows
from subscribers.importing.origins import (
    BARRING,
    OUR_HEADINGS,
    OURS,
    UNKNOWN,
    forbidden,
    origin_of,
    said,
)
from subscribers.privacy import export_columns

MAILCHIMP = (
    "Email Address,First Name,Last Name,Birthday,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,"
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
ANNE = (
    "anne@x.example,Anne,Lambert,05/21,2,,,2019-05-02 10:15:00,192.0.2.7,50.6,5.5,1,2,Europe/Brussels,BE,wlg,"
    '2020-01-01 00:00:00,1,a1,shy,"""member"",""eu, projects"""'
)
LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"
MAUTIC = (
    "id,stage,points,title,firstname,lastname,company,position,email,phone,city,country,preferred_locale,timezone,"
    "last_active,twitter"
)
ZOHO = "Contact Email,First Name,Last Name,Company Name,Country,Contact Status,Added Time"


def rows(people, text, name="people.csv"):
    return list(read_rows(people(text, name)))


def standings(people, text, name="people.csv"):
    return [row.elsewhere for row in rows(people, text, name)]


def test_an_export_of_mailchimp_is_recognised_and_its_columns_mean_what_they_are(people):
    (row,) = rows(people, f"{MAILCHIMP}\n{ANNE}\n", "subscribed_members_export_1.csv")
    assert (row.address.key, row.elsewhere) == ("anne@x.example", Elsewhere.MEMBER)
    assert row.values == {
        "first_name": "Anne",
        "last_name": "Lambert",
        "country": "BE",
        "timezone": "Europe/Brussels",
    }
    assert row.tags == ("member", "eu, projects")
    assert row.attributes == {"birthday": "05/21"}
    assert row.proof == "Mailchimp: confirmed 2019-05-02 10:15:00"


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("unsubscribed_members_export_1.csv", "UNSUB_TIME", Elsewhere.LEFT),
        ("cleaned_members_export_1.csv", "CLEAN_TIME", Elsewhere.BOUNCED),
        ("export.csv", "UNSUB_TIME", Elsewhere.LEFT),
        ("export.csv", "CLEAN_TIME", Elsewhere.BOUNCED),
        ("nonsubscribed_members_export_1.csv", "OTHER", Elsewhere.NEVER_ASKED),
        ("subscribed_members_export_1.csv", "OTHER", Elsewhere.MEMBER),
        ("somebodys.csv", "OTHER", Elsewhere.MEMBER),
    ],
)
def test_in_each_file_of_mailchimp_everybody_stands_as_its_headings_and_its_name_say(people, name, column, expected):
    empty = standings(people, f"{MAILCHIMP},{column}\n{ANNE},\n", name)
    filled = standings(people, f"{MAILCHIMP},{column}\n{ANNE},2020-02-03 04:05:06\n", name)
    assert empty == filled == [expected]


def test_a_file_of_subscribed_people_may_carry_the_columns_of_another(people):
    text = f"{MAILCHIMP},UNSUB_TIME\n{ANNE},\n{ANNE.replace('anne@', 'ben@')},2020-02-03 04:05:06\n"
    assert standings(people, text, "subscribed_members_export_1.csv") == [Elsewhere.MEMBER, Elsewhere.LEFT]


def test_a_column_that_the_owners_made_knows_better_than_a_guess(people):
    (row,) = rows(people, f"{MAILCHIMP},Country\n{ANNE},NL\n")
    assert (row.values["country"], row.attributes) == ("NL", {"birthday": "05/21"})


def test_what_a_program_guessed_wrongly_is_kept_and_does_not_cost_the_row(people):
    (row,) = rows(people, f"{MAILCHIMP}\n{ANNE.replace('Europe/Brussels', 'Europe/Nowhere').replace(',BE,', ',ZZ,')}\n")
    assert "country" not in row.values
    assert row.attributes == {"birthday": "05/21", "timezone_": "Europe/Nowhere", "country_": "ZZ"}


def test_a_second_column_of_the_same_meaning_becomes_an_attribute(people):
    (row,) = rows(people, f"{MAILCHIMP},E-Mail\n{ANNE},other\n")
    assert row.attributes == {"birthday": "05/21", "e_mail_": "other"}


def test_an_export_of_listmonk_is_recognised_with_its_states_and_attributes(people):
    text = (
        f"{LISTMONK}\n"
        'u1,anne@x.example,Anne van der Meer,"{""city"": ""Liège"", ""vip"": true}",enabled,2021-01-02 03:04:05,x\n'
        "u2,ben@x.example,Ben,{},disabled,,\n"
        "u3,cem@x.example,,{},blocklisted,,\n"
        "u4,dora@x.example,,[],enabled,,\n"
    )
    anne, ben, cem, dora = rows(people, text)
    assert anne.values == {"first_name": "Anne", "last_name": "van der Meer", "city": "Liège"}
    assert (anne.attributes, anne.elsewhere, anne.proof) == (
        {"vip": True},
        Elsewhere.MEMBER,
        "listmonk: added 2021-01-02 03:04:05",
    )
    assert (ben.values, ben.elsewhere) == ({"first_name": "Ben"}, Elsewhere.NEVER_ASKED)
    assert cem.elsewhere is Elsewhere.BLOCKED
    assert (dora.column, dora.words) == ("attributes", "the attributes are no JSON object")


def test_an_export_of_mautic_is_recognised_with_names_of_countries_and_locales(people):
    text = f"{MAUTIC}\n7,,12,,Anne,Lambert,Town hall,Mayor,anne@x.example,,Liège,Belgium,fr_BE,Europe/Brussels,,@anne\n"
    (row,) = rows(people, text)
    assert row.values == {
        "first_name": "Anne",
        "last_name": "Lambert",
        "organisation": "Town hall",
        "city": "Liège",
        "country": "BE",
        "language": "fr-BE",
        "timezone": "Europe/Brussels",
    }
    assert row.attributes == {"position": "Mayor", "twitter": "@anne"}
    assert "DNC reason" in origin_of(MAUTIC.split(","), file="x").doubt


def test_a_report_of_mautic_says_who_must_not_be_contacted(people):
    text = "email,firstname,lastname,points,DNC Reason\n" + "".join(
        f"p{number}@x.example,A,B,1,{reason}\n"
        for number, reason in enumerate(["", "Unsubscribed", "Bounced", "Manual", "0", "odd"])
    )
    assert standings(people, text) == [
        Elsewhere.MEMBER,
        Elsewhere.UNSUBSCRIBED,
        Elsewhere.BOUNCED,
        Elsewhere.BLOCKED,
        Elsewhere.MEMBER,
        Elsewhere.BLOCKED,
    ]
    assert origin_of(["email", "firstname", "lastname", "points", "dnc"], file="x").doubt == ""


def test_an_export_of_zoho_campaigns_is_recognised(people):
    text = f"{ZOHO}\n" + "".join(
        f"p{number}@x.example,A,B,C,France,{state},\n"
        for number, state in enumerate(
            ["Active", "Unsubscribed", "Bounced", "Spam", "Do-Not-Mail", "Non-marketing", "?"]
        )
    )
    assert standings(people, text) == [
        Elsewhere.MEMBER,
        Elsewhere.LEFT,
        Elsewhere.BOUNCED,
        Elsewhere.COMPLAINED,
        Elsewhere.BLOCKED,
        Elsewhere.NEVER_ASKED,
        Elsewhere.NEVER_ASKED,
    ]
    assert rows(people, text)[0].values["country"] == "FR"
    assert "--people" in origin_of(["Contact Email", "First Name", "Last Name"], file="x").doubt


def test_our_own_export_is_taken_literally(people):
    text = ",".join(OUR_HEADINGS) + ",company,a__b,full_name,\n" + "anne@x.example,,,,,,,,,,,Bell,1,Anne L,\n"
    (row,) = rows(people, text)
    assert (row.values, row.attributes) == ({}, {"company": "Bell", "a__b": 1, "full_name": "Anne L"})


def test_our_headings_are_those_of_our_exports(session):
    assert tuple(export_columns(session)) == OUR_HEADINGS
    assert origin_of(OUR_HEADINGS, file="x") is OURS


@pytest.mark.parametrize(
    "headings", ["email,name", "Email Address,LEID", "contact_email,city", "email,firstname,lastname,city"]
)
def test_any_other_file_is_of_no_program(headings):
    assert origin_of(headings.split(","), file="unsubscribed.csv") is UNKNOWN


def test_the_operator_overrules_what_a_program_says(people):
    opened = open_table(people(f"{MAILCHIMP}\n{ANNE}\n"))
    columns = plan_columns(opened, {"CC": "home", "NOTES": "notes"}, origin_of(opened.headings, file="x"))
    assert {"home", "notes"} <= {column.target for column in columns}
    assert "country" not in {column.target for column in columns}


def test_every_way_to_stand_that_bars_has_a_reason_and_no_other():
    assert set(BARRING) == set(Elsewhere) - {Elsewhere.MEMBER, Elsewhere.NEVER_ASKED, Elsewhere.LEFT}


@pytest.mark.parametrize(
    ("text", "expected"), [("", Elsewhere.MEMBER), ("  ", Elsewhere.MEMBER), ("¿?", Elsewhere.NEVER_ASKED)]
)
def test_a_word_that_nobody_knows_is_no_consent(text, expected):
    assert said(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", Elsewhere.UNSUBSCRIBED), ("2", Elsewhere.BOUNCED), ("3", Elsewhere.BLOCKED), ("no", Elsewhere.MEMBER)],
)
def test_mautic_numbers_its_reasons(text, expected):
    assert forbidden(text) is expected
