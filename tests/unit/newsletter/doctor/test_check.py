import pytest

from newsletter.doctor.check import Diagnosis, Status, error, ok, warning

FINE, ODD, BROKEN = ok("tide", "high"), warning("wind", "strong", "Wait."), error("pier", "gone", "Build one.")


@pytest.mark.parametrize(
    ("checks", "code"), [((), 0), ((FINE,), 0), ((FINE, ODD), 4), ((ODD, BROKEN), 1), ((BROKEN,), 1)]
)
def test_a_diagnosis_ends_with_the_gravest_status(checks, code):
    assert int(Diagnosis(checks).exit_code) == code


def test_a_diagnosis_counts_by_status():
    assert [Diagnosis((FINE, ODD, ODD)).count(status) for status in Status] == [1, 2, 0]


def test_a_diagnosis_is_plain_data():
    assert Diagnosis((ODD,)).to_json() == {
        "checks": [{"code": "wind", "status": "warning", "words": "strong", "advice": "Wait.", "records": []}]
    }
