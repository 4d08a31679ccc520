import pytest

from qsec_jupyter.core.errors import (
    EXIT_CODE,
    HTTP_STATUS,
    Bug,
    Conflict,
    Denied,
    Invalid,
    NotFound,
    QsecError,
    Unavailable,
    from_problem,
)

TREE = [Invalid, Denied, NotFound, Conflict, Unavailable, Bug]


@pytest.mark.parametrize("cls", TREE)
def test_error_crosses_a_wire_unchanged(cls: type[QsecError]) -> None:
    error = cls("a.code", "Title", "detail", "remedy")
    back = from_problem(error.to_problem())
    assert type(back) is cls
    assert (back.code, back.title, back.detail, back.remedy) == ("a.code", "Title", "detail", "remedy")


def test_every_kind_has_a_status_and_an_exit_code() -> None:
    kinds = {cls.kind for cls in TREE}
    assert set(HTTP_STATUS) == kinds == set(EXIT_CODE)
    assert len(set(EXIT_CODE.values())) == len(kinds)


def test_str_says_title_code_detail_and_remedy() -> None:
    assert str(Denied("grant.expired", "It is over", "It ended at noon.", "Ask again.")) == (
        "It is over (grant.expired)\nIt ended at noon.\nRemedy: Ask again."
    )


def test_unknown_problem_becomes_a_bug() -> None:
    assert isinstance(from_problem({"kind": "martian"}), Bug)
