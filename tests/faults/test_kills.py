"""Killed at any instant, a refresh, import or report leaves the state of before or the new one.

A few rounds each; ``killing.py`` does as many as wanted.
"""

import shutil
from pathlib import Path

import killing
import pytest
from launching import launching
from real_parts import settings_of

from tilt.settings import Settings


@pytest.fixture
def kill(tmp_path):
    """Kill a work some times on the store of the settings; return what was seen."""

    def rounds(work, settings, count):
        source = tmp_path / "made_up"
        with launching(settings, work, source) as launcher:
            return killing.run(launcher, settings, source, count, work=work)

    return rounds


def assert_old_or_new(seen):
    assert seen.wrong == []
    assert seen.left[killing.OLD] > 0, "the first is killed at once"
    assert seen.left[killing.NEW] > 0, "the last is not killed"


def test_a_refresh_with_a_folder_and_sqlite(kill, tmp_path):
    assert_old_or_new(kill("refresh", Settings(data_url=str(tmp_path / "store")), 4))


def test_an_import_and_its_refresh_with_a_bucket_and_postgresql(
    kill, postgres_server, s3_server, tmp_path
):
    assert_old_or_new(kill("import", settings_of(postgres_server, s3_server, tmp_path), 4))


def test_a_report_is_there_whole_or_not_at_all(kill, store, sample_settings, tmp_path):
    assert store.snapshot()
    data = tmp_path / "data"
    shutil.copytree(Path(sample_settings.data_url), data)
    assert_old_or_new(kill("report", Settings(data_url=str(data)), 2))


@pytest.mark.parametrize(
    ("work", "caught"),
    [
        ("broken refresh", "is damaged"),
        ("broken import", "it said 'kept', and it is not there"),
    ],
)
def test_a_work_that_leaves_half_of_it_is_caught(work, caught, kill, tmp_path):
    seen = kill(work, Settings(data_url=str(tmp_path / "store")), 1)
    assert any(caught in words for words in seen.wrong)


def test_half_a_report_is_caught(tmp_path):
    half = tmp_path / "a.xlsx"
    half.write_bytes(b"PK\x03\x04 half of a workbook")
    assert not killing.whole(half)
