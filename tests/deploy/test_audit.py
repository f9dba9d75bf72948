"""The audit of the packages fails when it has compared nothing, whatever its tools say."""

import importlib.util
import json
import re

import pytest
from serving import ROOT

SPEC = importlib.util.spec_from_file_location("tilt_audit", ROOT / "server" / "audit.py")
audit = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

LOCK = """\
idna==3.20 \\
    --hash=sha256:a7db850025b95ded1eae8a46181a1a6c56c92c96f0e2b005d9ff8dc0210cab44
numpy==2.3.0 ; python_full_version < '3.12' \\
    --hash=sha256:11 \\
    --hash=sha256:12
numpy==2.4.1 ; python_full_version >= '3.12' \\
    --hash=sha256:13
    # via tilt
"""
PACKAGES = audit.locked_packages(LOCK)
# what pip-audit 2.10 and npm 10 print where they reach no advisories: recorded, with exit status 0
# and 1
SKIPPED = (
    '{"dependencies": [{"name": "idna", "skip_reason": "Dependency not found on PyPI and could '
    'not be audited: idna (3.20)"}], "fixes": []}'
)
NOTHING = '{"dependencies": [], "fixes": []}'
NPM_REFUSED = (
    '{"message": "405 Method Not Allowed - POST https://npm.example/-/npm/v1/security/advisories/'
    'bulk", "method": "POST", "statusCode": 405, "body": "", "error": {"summary": ""}}'
)
NPM_LOCK = '{"packages": {"": {}, "node_modules/a": {}, "node_modules/b": {}}}'


def said(*packages, vulns=()):
    found = [{"name": n, "version": v, "vulns": list(vulns)} for n, v in packages]
    return json.dumps({"dependencies": found, "fixes": []})


def npm(total, vulnerabilities=None):
    metadata = {"dependencies": {"total": total}}
    return json.dumps({"vulnerabilities": vulnerabilities or {}, "metadata": metadata})


ALL = [said(("idna", "3.20"), ("numpy", "2.3.0")), said(("numpy", "2.4.1"))]


def test_each_version_of_each_system_is_read_with_its_hashes_and_asked_for_once():
    assert [(p.name, p.version) for p in PACKAGES] == [
        ("idna", "3.20"),
        ("numpy", "2.3.0"),
        ("numpy", "2.4.1"),
    ]
    assert PACKAGES[1].hashes.count("--hash") == 2
    first, second = audit.batches(PACKAGES)
    assert [p.version for p in first] == ["3.20", "2.3.0"]
    assert [p.version for p in second] == ["2.4.1"]


def test_the_real_lock_is_read_whole():
    text = (ROOT / "requirements.lock").read_text()
    assert len(audit.locked_packages(text)) == len(re.findall(r"^\S+==", text, re.MULTILINE)) > 100


def test_an_audit_of_every_package_passes():
    verdict = audit.judge_python(PACKAGES, ALL)
    assert verdict.passed
    assert verdict.words() == "Python: 3 packages compared, no advisory."
    assert audit.judge_npm(NPM_LOCK, npm(2)).passed


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([SKIPPED, NOTHING], "idna was skipped: Dependency not found"),
        ([NOTHING, NOTHING], "idna 3.20 was not compared"),
        ([ALL[0], NOTHING], "numpy 2.4.1 was not compared"),
        ([ALL[0], ""], "the advisories cannot be reached"),
        ([ALL[0], said(("numpy", "2.4.0"))], "numpy 2.4.1 was not compared"),
        ([], "numpy 2.3.0 was not compared"),
    ],
)
def test_an_audit_that_skips_a_package_fails_and_names_it(answers, why):
    verdict = audit.judge_python(PACKAGES, answers)
    assert not verdict.passed
    assert why in verdict.words()


def test_an_audit_of_an_empty_lock_fails():
    assert "names no package" in audit.judge_python([], [NOTHING]).words()
    assert "names no package" in audit.judge_npm('{"packages": {"": {}}}', npm(0)).words()


def test_an_advisory_fails_and_says_what_mends_it():
    known = [{"id": "PYSEC-2099-1", "fix_versions": ["3.21"]}]
    verdict = audit.judge_python(PACKAGES[:1], [said(("idna", "3.20"), vulns=known)])
    assert not verdict.passed
    assert "idna 3.20: PYSEC-2099-1, mended in 3.21" in verdict.words()
    bad = audit.judge_npm(NPM_LOCK, npm(2, {"a": {"severity": "high", "range": "<2"}}))
    assert "a: high, versions <2" in bad.words()


@pytest.mark.parametrize("answer", [NPM_REFUSED, "", npm(0), npm(1)])
def test_an_npm_audit_that_compared_too_little_fails(answer):
    assert not audit.judge_npm(NPM_LOCK, answer).passed


def test_without_npm_the_audit_fails_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    verdict = audit.judge_npm(NPM_LOCK, audit.ask_npm(tmp_path))
    assert not verdict.passed
    assert "npm printed no result: it is not installed" in verdict.words()


def test_no_address_is_told():
    verdict = audit.Verdict("npm", 0, ("405 - POST https://npm.example/-/x refused",))
    assert "example" not in verdict.words()
