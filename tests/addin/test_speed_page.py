"""The help page about speed says what the bench measured, and nothing else."""

import pytest

from bench.measuring import Peer, Row, Target, verdict
from bench.page import FILE, PAGE, PICTURE, page_of, read
from bench.plot import drawn, slope


def test_the_page_shows_what_the_file_of_the_last_bench_says():
    text = PAGE.read_text(encoding="utf-8")
    assert page_of(text, read(FILE)) == text


def test_the_picture_is_drawn_from_the_same_file():
    assert PICTURE.read_text(encoding="utf-8") == drawn(read(FILE).growth)


def test_every_row_of_the_file_has_the_verdict_that_its_times_give():
    for row in read(FILE).rows:
        peers = tuple(Peer(**peer) for peer in row["peers"])
        aim = None if row["target"] is None else Target(**row["target"])
        told = Row(row["work"], row["seconds"], peers=peers, target=aim)
        assert verdict(told) == row["verdict"], row["work"]


@pytest.mark.parametrize(
    ("seconds", "peer", "said"),
    [
        (0.010, 1.0, "reached"),  # a hundredth of the peer's time, as the target says
        (0.004, 1.0, "stretch"),
        (0.020, 1.0, "not"),
        (0.020, 3.0, "reached"),  # a slower machine slows the peer too
        (0.009, 0.5, "time only"),
        (0.009, None, "reached"),  # without the peer the time counts
    ],
)
def test_a_target_counts_as_a_ratio_to_the_peer_of_the_same_run(seconds, peer, said):
    row = Row("work", seconds, peers=(Peer("other", peer),),
              target=Target(0.010, 0.005, "other", 1.0))  # fmt: skip
    assert verdict(row) == said


def test_a_time_that_doubles_with_the_size_has_slope_one():
    points = [{"size": n, "seconds": 1e-3 * n} for n in (500, 1000, 2000, 4000)]
    assert slope(points) == pytest.approx(1.0)
