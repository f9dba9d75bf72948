"""Cells whose results come from jobs: asked for until done, canceled or failed, and shared."""

import pytest

from tilt.api.cell_jobs import FORGOTTEN_SECONDS, Forgotten, RunningError
from tilt.jobs import Job

BATCH = "/xlwings/custom-functions-batch"
SLOW = [[["min_te"]], [["2014-01-02"]], None, [["D"]]]  # 880 problems, each with a risk model
QUICK = [[["equal_weight"]], [["2017-01-03"]], [["2017-03-31"]], [["M"]]]


@pytest.fixture
def ask(http):
    def one(arguments, *, wait=30.0, **members):
        calls = [{"func_name": "backtest", "args": arguments, "runtime": "1.4"}]
        answer = http.post(BATCH, json={"calls": calls, "wait": wait, **members})
        said = answer.json()
        return said["results"][0] if "results" in said else said

    return one


def view(arguments, name):
    return [*arguments, *[None] * (6 - len(arguments)), [[name]]]


def test_a_result_comes_within_the_wait_and_again_at_once(ask):
    first = ask(QUICK)
    assert first["result"][0][:2] == ["measure", "portfolio"]
    assert ask(QUICK, wait=0)["result"] == first["result"]


def test_another_view_does_not_run_another_job(ask, http):
    ask(QUICK)
    before = [job["id"] for job in http.get("/api/v1/jobs").json()["jobs"]]
    assert ask(view(QUICK, "series"), wait=0)["result"][0][0] == "date"
    assert [job["id"] for job in http.get("/api/v1/jobs").json()["jobs"]] == before


def test_a_cell_says_how_far_its_job_is_and_a_canceled_one_is_not_started_by_following(ask, http):
    said = ask(SLOW, wait=0)
    assert said["cacheable"] is False
    assert said["status"] == 503
    assert said["error"].startswith("Backtest of min_te: ")
    assert set(said["job"]) == {"id", "title", "stage", "fraction"}
    job = said["job"]["id"]
    assert ask(SLOW, wait=0)["job"]["id"] == job, "asked again it is the same job"
    http.delete(f"/api/v1/jobs/{job}")
    followed = ask(SLOW, wait=0, follow=job)
    assert followed["detail"] == "'Backtest of min_te' has no result. It was canceled."
    listed = http.get("/api/v1/jobs").json()["jobs"]
    assert [j["id"] for j in listed if j["state"] in ("queued", "running")] == []


def test_a_job_canceled_while_a_cell_waits_for_it_is_the_cells_error(ask, http):
    job = ask(SLOW, wait=0)["job"]["id"]
    http.delete(f"/api/v1/jobs/{job}")
    again = ask(SLOW, wait=0)["job"]["id"]
    assert again != job, "calculated again by its user it runs again"
    http.delete(f"/api/v1/jobs/{again}")


def test_what_is_wrong_with_the_question_is_said_without_a_job(ask, http):
    before = len(http.get("/api/v1/jobs").json()["jobs"])
    said = ask([[["quantile:Momentun:5:1"]]], wait=0)
    assert said["status"] in (400, 404)
    assert "Momentum" in said["error"]
    assert len(http.get("/api/v1/jobs").json()["jobs"]) == before


def test_an_error_of_the_engine_reaches_the_cell_as_it_was_raised(ask):
    said = ask([[["equal_weight"]], [["2017-06-01"]], [["2016-06-01"]]])
    assert said["status"] in (400, 404)
    assert said["cell"] in ("#VALUE!", "#N/A")
    assert "2017" in said["error"]


@pytest.mark.parametrize("wait", [-1, "2", True, [2]])
def test_a_wait_that_is_no_time_is_refused(ask, wait):
    assert ask(QUICK, wait=wait)["detail"] == "wait must be a number of seconds."


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Desk:
    def __init__(self):
        self.marks = {}
        self.abandoned = []

    def asked(self):
        return dict(self.marks)

    def abandon(self, job):
        self.abandoned.append(job)
        self.marks.pop(job, None)


def job(name, state="running"):
    texts = dict.fromkeys(("key", "function", "result", "error_kind", "error"), "")
    times = dict.fromkeys(("submitted", "started", "finished"))
    own = {"owner": "anna", "title": "Backtest", "stage": "deciding", "fraction": 0.4}
    return Job(id=name, state=state, attempt=1, **own, **texts, **times)


def test_a_job_that_no_cell_of_any_server_asks_for_is_canceled_and_others_are_not():
    clock, desk = Clock(), Desk()
    forgotten = Forgotten(now=clock)
    desk.marks = {"left": 1, "kept": 1}
    assert forgotten.cancel(desk) == []
    clock.now = FORGOTTEN_SECONDS - 1
    desk.marks["kept"] = 2  # by another server than ours
    assert forgotten.cancel(desk) == []
    clock.now = FORGOTTEN_SECONDS + 1
    assert forgotten.cancel(desk) == ["left"]
    assert desk.abandoned == ["left"]
    assert forgotten.cancel(desk) == []


def test_the_words_of_a_running_job_tell_how_far_it_is():
    words = "Backtest: 40%, deciding. Calculate again to see it when it is done."
    assert str(RunningError(job("a"))) == words
    waiting = "Backtest: waiting for its turn. Calculate again to see it when it is done."
    assert str(RunningError(job("a", "queued"))) == waiting
