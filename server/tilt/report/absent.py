"""A section that cannot be made says why, in place of its figures."""

from tilt.errors import TiltError
from tilt.report.layout import Sheet, Words
from tilt.report.pack import Section, Subject


def absent(key: str, title: str, subject: Subject, error: TiltError) -> Section:
    """Return a section that holds nothing but the reason why it has no figures."""
    words = (f"There are no figures here: {error}", "All other sections are complete.")
    sheet = Sheet(title, title, subject.subtitle, (Words(words, "Not available"),), one_page=True)
    return Section(key, title, (sheet,), findings=(f"{title}: {error}",), complete=False)
