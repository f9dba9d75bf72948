"""What the program asks of the system, where Windows has not what Linux and Macs have."""

import ast
from pathlib import Path

import pytest

import tilt

ONLY_POSIX = {"fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog", "posix"}
CALLS = {"fork", "forkpty", "getuid", "geteuid", "getpgid", "setsid", "chown", "mkfifo"}
ASKED_FIRST = {"killpg", "nice"}  # only where hasattr says it is there
FILES = sorted(Path(tilt.__path__[0]).rglob("*.py"))


def everywhere(tree):
    """Yield what runs on every system: not what stands after ``if sys.platform == "win32"``."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        apart = isinstance(node, ast.If) and ast.unparse(node.test) == "sys.platform == 'win32'"
        waiting += node.body if apart else ast.iter_child_nodes(node)


def imported(tree):
    for node in everywhere(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def of_os(tree):
    for node in everywhere(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
            yield node.attr


def test_no_module_needs_what_only_posix_has():
    assert len(FILES) > 100
    for file in FILES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert not ONLY_POSIX & set(imported(tree)), file
        used = set(of_os(tree))
        assert not CALLS & used, file
        for name in ASKED_FIRST & used:
            assert f'hasattr(os, "{name}")' in file.read_text(encoding="utf-8"), file


@pytest.mark.parametrize("name", ["data/disk.py", "jobs/files.py"])
def test_a_folder_is_synced_only_where_it_can_be_opened(name):
    text = (Path(tilt.__path__[0]) / name).read_text(encoding="utf-8")
    assert "os.fsync(" in text
    assert 'os.name == "nt"' in text or 'os.name == "posix"' in text


def test_what_stands_apart_for_windows_is_told_from_what_runs_everywhere():
    guarded = ast.parse('if sys.platform == "win32":\n import msvcrt\nelse:\n import fcntl')
    assert set(imported(guarded)) == {"msvcrt"}
    assert set(imported(ast.parse("def f():\n    import fcntl"))) == {"fcntl"}
