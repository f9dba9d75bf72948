"""Files that are written together: whatever step fails, all of them are there or none."""

import itertools

import pytest

from tilt.data.disk import Disk
from tilt.data.named import FolderFiles
from tilt.data.together import names_together, read_together, write_together

OLD = {"a": b"old a", "b": b"old b"}
NEW = {"a": b"new a", "c": b"new c"}
LAST = {"a": b"last a"}  # it leaves "c" to whoever was to put it in its place


class Failing(FolderFiles):
    """Files in a folder, of which one change fails."""

    def __init__(self, folder, number):
        super().__init__(folder, Disk())
        self._left = number

    def _count(self):
        self._left -= 1
        if self._left == 0:
            raise OSError("disk full")

    def write(self, name, content):
        self._count()
        super().write(name, content)

    def remove(self, name):
        self._count()
        super().remove(name)


def there(files):
    return {
        name: read_together(files, "imports/X", name) for name in names_together(files, "imports/X")
    }


def test_whichever_change_fails_what_is_told_is_true_and_the_next_writing_mends_it(tmp_path):
    told = set()
    for number in itertools.count(1):
        folder = tmp_path / str(number)
        files, failing = FolderFiles(folder, Disk()), Failing(folder, number)
        write_together(files, "imports/X", OLD)
        try:
            write_together(failing, "imports/X", NEW)
        except OSError:
            held = OLD
            told.add("failed")
        else:
            held = {**OLD, **NEW}
            told.add("written")
        assert there(files) == held, number
        if failing._left > 0:
            break
        write_together(files, "imports/X", LAST)
        assert there(files) == {**held, **LAST}, number
        assert not [n for n in files.listed("imports/X") if "next" in n]
    assert told == {"failed", "written"}
    assert number > 2 + 1 + 2, "every change was made to fail once"


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_together(FolderFiles(tmp_path, Disk()), "imports/X", "a")
