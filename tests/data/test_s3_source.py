"""Files in a bucket, over a real HTTP server that speaks S3."""

import pytest

from tilt.data.sources.registry import find_source
from tilt.data.sources.s3 import open_s3
from tilt.errors import ArgumentError, BusyError, DataError
from tilt.settings import Settings


@pytest.fixture
def settings(tmp_path, s3_server) -> Settings:
    return Settings(data_url=str(tmp_path / "store"), s3_endpoint=s3_server.address)


def put(server, bucket: str, **files: str) -> None:
    client = server.client()
    for name, text in files.items():
        with client.open_output_stream(f"{bucket}/research/{name}.csv") as stream:
            stream.write(text.encode())


def test_the_files_under_a_prefix_make_a_universe(s3_server, settings):
    bucket = s3_server.new_bucket()
    put(
        s3_server,
        bucket,
        close="Date;NA;TRUE\n13.01.2020;1,5;2,5\n",
        volume="Date;NA;TRUE\n13.01.2020;100;200\n",
    )
    source = find_source(f"s3://{bucket}/research", settings)
    delivery = source.fetch()
    table = delivery.tables["prices"]
    assert table[["ticker", "close", "volume"]].to_numpy().tolist() == [
        ["NA", 1.5, 100.0],
        ["TRUE", 2.5, 200.0],
    ]
    assert delivery.universe == "RESEARCH"
    assert source.name == f"s3://{bucket}/research"


def test_a_prefix_with_nothing_under_it_is_an_error(s3_server, settings):
    bucket = s3_server.new_bucket()
    with pytest.raises(DataError, match="There is nothing under"):
        find_source(f"s3://{bucket}/nothing", settings).fetch()


def test_a_bucket_that_is_not_there_is_an_error(settings):
    with pytest.raises(DataError, match="no-such-bucket-here"):
        find_source("s3://no-such-bucket-here/research", settings).fetch()


def test_a_file_that_cannot_be_read_is_named(s3_server, settings):
    bucket = s3_server.new_bucket()
    put(s3_server, bucket, prices="date,ticker,close\n2020-01-02,A,oops\n")
    with pytest.raises(DataError, match=r"prices.csv row 2, column 'close': 'oops'"):
        find_source(f"s3://{bucket}/research", settings).fetch()


def test_a_bucket_whose_keys_are_refused_says_so(s3_server, settings):
    bucket = s3_server.new_bucket()
    put(s3_server, bucket, prices="date,ticker,close\n2020-01-02,A,1\n")
    s3_server.watch(refused=0)
    with pytest.raises(DataError, match="may not be read with these keys"):
        find_source(f"s3://{bucket}/research", settings).fetch()


@pytest.mark.usefixtures("s3_server")  # sets the keys
def test_an_address_that_nobody_answers_at_is_busy(tmp_path):
    away = Settings(data_url=str(tmp_path), s3_endpoint="http://127.0.0.1:1")
    with pytest.raises(BusyError, match="cannot be reached"):
        find_source("s3://bucket/research", away).fetch()


def test_a_name_without_a_bucket_is_refused(settings):
    with pytest.raises(ArgumentError, match="names no bucket"):
        open_s3("//", settings)
