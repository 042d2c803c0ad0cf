import pytest

from newsletter.doctor.machine import check_programs, check_python, check_zones


@pytest.mark.parametrize("version", [(3, 11, 15), (3, 12, 13), (3, 14, 3), (3, 15, 0), (4, 0, 0)])
def test_a_mended_python_is_fine(version):
    assert check_python(version).status == "ok"


@pytest.mark.parametrize(
    ("version", "better"), [((3, 11, 14), "3.11.15"), ((3, 13, 0), "3.13.12"), ((3, 9, 25), "3.13")]
)
def test_an_older_one_is_a_warning_that_names_a_better_one(version, better):
    check = check_python(version)
    assert check.status == "warning"
    assert check.advice.endswith(f"take Python {better} or later.")


def test_zones_that_this_machine_knows_are_fine():
    assert check_zones({"UTC", "Europe/Brussels"}).status == "ok"


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "Europe"])
def test_a_zone_without_data_is_an_error(zone):
    check = check_zones({"UTC", zone})
    assert check.status == "error"
    assert f"the time zone {zone}:" in check.words


def test_a_program_that_may_be_missing_is_never_a_fault():
    (present,), (absent,) = check_programs(["spamassassin"]), check_programs([])
    assert (present.status, present.advice) == ("ok", "")
    assert absent.status == "ok"
    assert "nothing needs it" in absent.words
    assert absent.advice
