from subscribers.importing import open_table, plan_columns
from subscribers.importing.repeats import find_repeats


def repeats(path):
    opened = open_table(path)
    return find_repeats(opened, plan_columns(opened)[0])


def test_addresses_that_stand_once_are_no_repeats(people):
    assert repeats(people("email\na@x.example\nb@x.example\n")) == (2, {})


def test_an_empty_table_has_no_rows(people):
    assert repeats(people("email\n")) == (0, {})


def test_the_last_line_of_a_repeated_address_is_found_however_it_is_written(people):
    text = (
        "email,x\na@x.example,\nz@x.example,\n A@X.Example ,\nx@münchen.example,\nx@xn--mnchen-3ya.example,\né,\né,\n"
    )
    assert repeats(people(text)) == (7, {"a@x.example": 4, "x@xn--mnchen-3ya.example": 6, "é": 8})


def test_a_row_without_the_column_does_not_disturb(people):
    opened = open_table(people("x,email\n1\n2\n3,a@x.example\n"))
    assert find_repeats(opened, plan_columns(opened)[1]) == (3, {"": 3})


def test_an_address_that_an_export_has_guarded_is_the_same(people):
    assert repeats(people("email\n'=a@x.example\n=a@x.example\n")) == (2, {"=a@x.example": 3})
