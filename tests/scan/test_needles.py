import random
import string

import pytest
from hypothesis import given, settings, strategies as st

from qsec_jupyter.scan.needles import LASTING, MANY, MOST_GRAMS, Needles


def naive(data, needles):
    return {
        (start, start + len(needle), needle.decode())
        for needle in needles
        for start in range(len(data))
        if data.startswith(needle, start)
    }


def needles_of(texts, size=LASTING):
    return Needles({text: text.decode() for text in texts}, size)


@settings(max_examples=1500, deadline=None)
@given(
    texts=st.sets(
        st.binary(min_size=8, max_size=70).map(lambda raw: bytes(b % 4 + 97 for b in raw)), max_size=6
    ),
    pieces=st.lists(st.binary(max_size=30).map(lambda raw: bytes(b % 4 + 97 for b in raw)), max_size=5),
    size=st.sampled_from([1, 1000, 100_000, LASTING]),
    data=st.data(),
)
def test_sampling_finds_what_a_plain_search_finds(texts, pieces, size, data):
    whole = b"".join(
        part for piece in pieces for part in (piece, data.draw(st.sampled_from(sorted(texts) or [b""])))
    )
    assert set(needles_of(texts, size).find(whole)) == naive(whole, texts)


@pytest.mark.parametrize("count", [3, MANY + 1])
@pytest.mark.parametrize("length", [8, 9, 15, 20, 44, 400])
def test_a_needle_is_found_at_every_place(count, length):
    dice = random.Random(length)
    texts = {
        "".join(dice.choices(string.ascii_letters, k=length + number % 3)).encode() for number in range(count)
    }
    needles = needles_of(texts)
    wanted = min(texts)
    for before in range(140):
        data = b"." * before + wanted + b"." * (before % 7)
        assert needles.find(data) == [(before, before + len(wanted), wanted.decode())]


def test_needles_that_share_beginning_or_end_are_told_apart():
    head, tail = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", b".0000000000000000000000000000"
    texts = [head + f"{number:05d}".encode() * 4 + tail for number in range(30)]
    needles = needles_of(texts + [text[::-1] for text in texts])
    for text in texts:
        assert {span[2].encode() for span in needles.find(b"x" + text + b"y" + text[::-1])} == {
            text,
            text[::-1],
        }


def test_the_longest_end_that_may_begin_a_needle():
    needles = needles_of([b"abcdefgh", b"efghijkl"])
    assert needles.beginning(b"xxabc") == 2
    assert needles.beginning(b"xxabcdefg") == 2
    assert needles.beginning(b"xxefghijk") == 2
    assert needles.beginning(b"nothing.") == 8
    assert needles.beginning(b"") == 0


def test_the_table_of_many_needles_stays_bounded():
    dice = random.Random(1)
    texts = {"".join(dice.choices(string.ascii_letters, k=60)).encode() for _ in range(30_000)}
    needles = needles_of(texts)
    assert len(needles._grams) <= MOST_GRAMS
    wanted = max(texts)
    assert needles.find(b"...." + wanted) == [(4, 64, wanted.decode())]


def test_little_text_is_not_worth_a_large_table():
    dice = random.Random(1)
    texts = ["".join(dice.choices(string.ascii_letters, k=60)).encode() for _ in range(500)]
    sizes = [len(needles_of(texts, size)._grams) for size in (50_000, 5_000_000, LASTING)]
    assert len(texts) < sizes[0] < sizes[1] < sizes[2] == 48 * len(texts)


def test_a_common_beginning_and_end_cost_no_entry_each():
    texts = [b"x" * 30 + f"{number:05d}".encode() + b"y" * 30 for number in range(2000)]
    needles = needles_of(texts)
    assert max(len(held) for held in needles._grams.values()) <= 60
    assert {span[2].encode() for span in needles.find(b" ".join(texts))} == set(texts)
