import pytest

from subscribers.errors import ImportRefused, InvalidValue, UnknownField
from subscribers.importing import Column, open_table, plan_columns

FIELDS = [
    "email",
    "first_name",
    "last_name",
    "language",
    "country",
    "city",
    "organisation",
    "timezone",
    "tags",
]


@pytest.fixture
def targets(people):
    def planned(headings: str, **mapping: str) -> list[str]:
        columns = plan_columns(open_table(people(headings + "\n")), mapping)
        return [column.target for column in columns]

    return planned


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        ("email,first_name,last_name,language,country,city,organisation,timezone,tags", None),
        ("E-Mail,First Name,Surname,Lang,Pays,Ville,Company,Time Zone,Tags", None),
        ("Courriel,Prénom,Nom,Langue,Pays,Ville,Organisme,Fuseau horaire,Étiquettes", None),
        ("email,Population (2024),created,lists,,Население", ["email", "population_2024", "column_6"]),
        ("email,list,Segment", ["email", "list_", "segment_"]),
    ],
)
def test_headings_are_understood(targets, headings, expected):
    assert targets(headings) == (expected or FIELDS)


def test_the_operator_may_say_what_a_column_is(targets):
    assert targets("Who,What,Where,Created", who="email", WHERE="city", What="-", created="joined") == [
        "email",
        "city",
        "joined",
    ]


def test_a_column_knows_its_place_and_heading(people):
    assert plan_columns(open_table(people("x,E-Mail\n")))[1] == Column(1, "E-Mail", "email")


def test_a_mapped_column_must_be_there(targets):
    with pytest.raises(UnknownField) as error:
        targets("email,population", popluation="size")
    assert error.value.hint == "population"


def test_a_target_must_be_possible(targets):
    with pytest.raises(InvalidValue):
        targets("email,x", x="Not a name")


def test_without_an_address_nothing_can_be_imported(targets):
    with pytest.raises(ImportRefused, match="--map COLUMN=email"):
        targets("name,city")


def test_two_columns_cannot_be_the_same(targets):
    with pytest.raises(ImportRefused, match="“email” and “E-Mail” would both be email"):
        targets("email,E-Mail")


def test_too_many_columns_are_refused_unless_some_are_left_out(targets):
    headings = ",".join(["email", *(f"c{number}" for number in range(64))])
    with pytest.raises(ImportRefused, match=r"more than 64 columns; leave some out with --map COLUMN=-"):
        targets(headings)
    assert len(targets(headings, c7="-")) == 64


def test_a_full_name_is_a_column_of_two_fields(targets):
    assert targets("E-Mail,Full name,State") == ["email", "full-name", "state"]
