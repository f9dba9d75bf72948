"""The commands as a person runs them, in a folder of its own."""

import csv
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import openpyxl
import pytest
from serving import PATIENCE, START_SECONDS, free_port

import tilt
from tilt.cli import main
from tilt.data import portfolios, runs
from tilt.data.store import Store
from tilt.settings import Settings

TILT = Path(sys.executable).with_name("tilt")
README = Path(__file__).parents[2] / "README.md"
SECRET = "a secret of more than thirty-two characters"


class Done(NamedTuple):
    """What a command printed, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


def environment(data: Path, **settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TILT_")}
    return kept | {"TILT_DATA_URL": str(data), "COLUMNS": "200"} | settings


def run_apart(data: Path, *arguments: str, cwd: Path, **settings: str) -> Done:
    """Run the installed command in another process."""
    done = subprocess.run(
        [TILT, *arguments],
        cwd=cwd,
        env=environment(data, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process, which does not import everything anew."""

    def run(data: Path, *arguments: str, cwd: Path, **settings: str) -> Done:
        for name, value in environment(data, **settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(cwd)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        for name in settings:
            monkeypatch.delenv(name)
        return Done(ended.value.code or 0, out, err)

    return run


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    report = folder / "out" / "report.xlsx"
    done = run_apart(
        folder / "data", "demo", "--no-serve", "--json", "--report", str(report), cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout), report


def test_the_demo_goes_from_an_empty_folder_to_a_report(demo):
    _, result, report = demo
    assert result["as_of"].startswith("2017-")
    assert result["tracking_error_after"] < result["tracking_error_before"]
    assert 0 < result["turnover"] <= 0.15 + 1e-6
    assert result["names_after"] >= 20
    assert result["report"] == str(report)
    assert openpyxl.load_workbook(report, read_only=True).sheetnames[0] == "Cover"


def test_a_second_demo_keeps_the_snapshot_and_prints_the_summary(run, demo):
    folder, result, report = demo
    done = run(folder / "data", "demo", "--no-serve", "--report", str(report), cwd=folder)
    assert done.returncode == 0, done.stderr
    printed = dict(line.split("  ", 1) for line in done.stdout.splitlines())
    said = {k.strip(): v.strip() for k, v in printed.items()}
    assert said["As of"] == f"{result['as_of']}, snapshot {result['snapshot']}"
    before, after = result["tracking_error_before"], result["tracking_error_after"]
    assert said["Tracking error"] == f"{before:.2%} now, {after:.2%} after the rebalance"
    assert said["Names"] == f"{result['names_before']} now, {result['names_after']} after"
    assert f"{result['backtest_return']:.1%} a year" in said["Backtest"]
    assert said["Report"] == str(report)
    promised = README.read_text(encoding="utf-8").split("```\nPortfolio ")[1].split("```")[0]
    for line in f"Portfolio {promised}".splitlines():
        assert line in done.stdout, "the README shows another demo"


def test_refresh_twice_gives_the_same_snapshot(run, demo):
    folder, result, _ = demo
    done = run(folder / "data", "refresh", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["snapshot"] == result["snapshot"]


def test_a_report_of_a_file_names_the_file(run, demo):
    folder, _, _ = demo
    (folder / "mine.csv").write_text("ticker,weight\nAAPL,0.5\nXOM,0.2\nJNJ,0.3\n")
    done = run(folder / "data", "report", "mine.csv", "--report", "mine.xlsx", "--json", cwd=folder)
    # three names cannot go under 5 % each with 15 % of turnover
    assert done.returncode == 2
    assert done.stderr.startswith("tilt: No solution")
    assert "turnover at most 15 %" in done.stderr
    assert not (folder / "mine.xlsx").exists()


def test_a_report_has_the_sections_and_the_format_that_are_asked_for(run, demo):
    folder, _, _ = demo
    asked = ("SAMPLE", "--sections", "holdings,risk", "--report", "risk.html", "--json")
    done = run(folder / "data", "report", *asked, cwd=folder)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["sections"] == ["holdings", "risk"]
    page = (folder / "risk.html").read_text(encoding="utf-8")
    assert said["reports"] == [str(folder / "risk.html")]
    assert "Where the tracking error comes from" in page
    assert "Trades of the rebalance" not in page


def test_a_report_leaves_its_runs_and_that_it_was_taken_out_on_record(run, demo):
    folder, _, _ = demo
    asked = ("SAMPLE", "--sections", "rebalance", "--report", "rules.html")
    assert run(folder / "data", "report", *asked, cwd=folder).returncode == 0
    listed = ("audit", "list", "--action", "exported", "--json")
    of_report, *_, of_demo = json.loads(run(folder / "data", *listed, cwd=folder).stdout)
    store = Store.open(Settings(data_url=str(folder / "data")))
    saved = portfolios.audit_name(store.catalog, "SAMPLE")
    functions = []
    for entry, form in ((of_report, "html"), (of_demo, "xlsx")):
        assert entry["object"] == "portfolio report"
        assert entry["detail"]["objects"] == [saved]
        assert entry["detail"]["format"] == form
        assert entry["client"] == "command"
        kept = [runs.find(store.catalog, "local", run) for run in entry["runs"]]  # as TRACE does
        functions.append({found.function for found in kept})
    store.close()
    assert functions == [{"OPTIMIZE"}, {"OPTIMIZE", "BACKTEST"}]


def test_check_names_the_row_and_the_likely_ticker(run, demo):
    folder, _, _ = demo
    book = openpyxl.Workbook()
    for row in (["ticker", "weight"], ["AAPL", 0.5], ["MSFTT", 0.1], ["XOM", 0.4]):
        book.active.append(row)
    book.save(folder / "messy.xlsx")
    done = run(folder / "data", "check", "messy.xlsx", "--json", cwd=folder)
    rows = json.loads(done.stdout)
    unknown = next(r for r in rows if "MSFTT" in r["problem"])
    assert unknown["row"] == 3
    assert "MSFT" in unknown["fix"] + unknown["problem"]
    assert done.returncode == 0  # 10 % unknown is left out, not refused


def test_check_exits_1_for_a_file_that_cannot_be_used(run, demo):
    folder, _, _ = demo
    with (folder / "bad.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["ticker", "weight"], ["AAPL", "half"]])
    done = run(folder / "data", "check", "bad.csv", cwd=folder)
    assert done.returncode == 1
    assert "half" in done.stdout


def test_what_a_person_can_mend_is_one_line_without_a_traceback(run, demo):
    folder, _, _ = demo
    done = run(folder / "data", "report", "SAMPEL", cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("tilt: ")
    assert "SAMPEL" in line
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_said(run, demo):
    folder, _, _ = demo
    done = run(folder / "data", "check", "nowhere.csv", cwd=folder)
    assert (done.returncode, done.stderr) == (2, "tilt: There is no file nowhere.csv.\n")


def test_a_workbook_that_is_none_is_said(run, demo):
    folder, _, _ = demo
    (folder / "fake.xlsx").write_text("not a zip file")
    done = run(folder / "data", "check", "fake.xlsx", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("tilt: fake.xlsx is no readable CSV or Excel file: ")


def test_an_empty_store_says_what_to_run(run, tmp_path):
    done = run(tmp_path / "data", "report", "SAMPLE", cwd=tmp_path)
    assert done.returncode == 2
    assert "tilt demo" in done.stderr


def test_wrong_settings_are_one_line(tmp_path):
    done = run_apart(tmp_path / "data", "refresh", cwd=tmp_path, TILT_PORT="many")
    assert done.returncode == 2
    assert done.stderr.startswith("tilt: Settings are wrong: port: ")


NO_LIST = {"TILT_DATA_KEYS_OLD": "a secret that is no list"}
OPEN = {"TILT_HOST": "0.0.0.0", "TILT_DATA_KEY": "a secret"}  # noqa: S104 - it is refused


@pytest.mark.parametrize(
    ("settings", "toml", "said"),
    [
        (NO_LIST, "", 'TILT_DATA_KEYS_OLD is not written as lists are, ["one", "two"]'),
        (OPEN, "", "TILT_AUTH must be 'keys', 'entra' or 'keys+entra'"),
        ({}, "port = [", "tilt.toml is no TOML"),
        ({}, "prot = 1", "prot: "),
    ],
)
@pytest.mark.parametrize("command", [("key", "list"), ("restore", "nowhere")])
def test_settings_that_mean_nothing_are_told_and_show_no_secret(
    run, tmp_path, command, settings, toml, said
):
    (tmp_path / "tilt.toml").write_text(toml)
    done = run(tmp_path / "data", *command, cwd=tmp_path, **settings)
    assert done.returncode == 2
    assert done.stderr.startswith("tilt: Settings are wrong: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "a secret" not in done.stderr


def test_a_key_is_made_listed_and_revoked(run, demo):
    folder, _, _ = demo
    settings = {"TILT_SECRET_KEY": SECRET}
    made = run(folder / "data", "key", "create", "Ann", "--json", cwd=folder, **settings)
    key = json.loads(made.stdout)
    assert key["key"].split("_")[1] == key["prefix"]
    listed = run(folder / "data", "key", "list", cwd=folder)
    assert key["prefix"] in listed.stdout
    assert key["key"] not in listed.stdout
    next_one = run(
        folder / "data",
        "key",
        "rotate",
        key["prefix"],
        "--days",
        "90",
        "--json",
        cwd=folder,
        **settings,
    )
    renewed = json.loads(next_one.stdout)
    assert renewed["name"] == "Ann"
    assert renewed["prefix"] != key["prefix"]
    assert renewed["expires"].endswith(" UTC")
    revoked = run(folder / "data", "key", "revoke", key["prefix"], cwd=folder)
    assert revoked.stdout == f"{key['prefix']} is revoked.\n"
    again = run(folder / "data", "key", "revoke", key["prefix"], cwd=folder)
    assert again.returncode == 2
    assert "No valid API key begins with" in again.stderr


def test_a_key_needs_a_secret_to_be_hashed_with(run, demo):
    folder, _, _ = demo
    done = run(folder / "data", "key", "create", "Ann", cwd=folder)
    assert done.returncode == 2
    assert "TILT_SECRET_KEY must have at least 32 characters" in done.stderr


def test_a_taken_port_is_said_before_any_work(run, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(tmp_path / "data", "demo", cwd=tmp_path, TILT_PORT=str(port))
    assert done.returncode == 2
    assert done.stderr.startswith(f"tilt: Port {port} on 127.0.0.1 is in use.")
    assert not (tmp_path / "data").exists()


def test_serve_answers_on_loopback(demo):
    folder, _, _ = demo
    port = free_port()
    server = subprocess.Popen(
        [TILT, "serve"], cwd=folder, env=environment(folder / "data", TILT_PORT=str(port))
    )
    try:
        assert answer(f"http://127.0.0.1:{port}/health", server) == 200
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)


def answer(url: str, server: subprocess.Popen) -> int:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310
                return response.status
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def test_version_is_the_package_s(run, tmp_path):
    done = run(tmp_path, "version", cwd=tmp_path)
    assert done.stdout == f"{tilt.__version__}\n"
