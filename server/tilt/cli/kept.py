"""What the doctor finds of how things are kept: encrypted as it is set, and the audit whole."""

import pandas as pd

from tilt import audit
from tilt.cli.findings import OK, PROBLEM, WARNING, Finding
from tilt.data import chain
from tilt.data.encryption import PLAIN, survey
from tilt.data.store import Store
from tilt.errors import TiltError
from tilt.sealing import key_id, seal_of
from tilt.settings import Settings

SECRETS = "credentials"  # encrypted whether portfolios are or not
_SHOWN = 3  # problems of the audit


def encryption(settings: Settings, store: Store) -> Finding:
    """Say whether encryption is on, and whether every key that is needed is here."""
    seal = seal_of(store.catalog)
    kept = survey(store.catalog, settings.data_path)
    here = {key_id(key) for key in seal.keys}
    needed = set(kept["key"]) - {PLAIN}
    if absent := sorted(needed - here):
        count = int(kept.loc[kept["key"].isin(absent), "count"].sum())
        said = f"{count:,} contents are encrypted with {_keys(absent)}, which is not here"
        cure = "Set TILT_DATA_KEY, or add that key to TILT_DATA_KEYS_OLD."
        return Finding("encryption", PROBLEM, said, cure)
    others = kept[kept["key"] != seal.id] if seal.on else kept[kept["key"] != PLAIN]
    if not seal.on:
        others = others[others["what"] != SECRETS]
    said = f"portfolios, with the key {seal.id}" if seal.on else "off; portfolios are kept plain"
    if not others.empty:
        shown = f"{said}; but {_differing(others)}"
        return Finding("encryption", WARNING, shown, "Run 'tilt encrypt apply'.")
    if not seal.on and SECRETS in set(kept["what"]):
        said += f", passwords of sources are encrypted with {_keys(sorted(needed))}"
    return Finding("encryption", OK, said)


def trail(settings: Settings, store: Store) -> Finding:
    """Say whether the audit is one whole chain that reaches its last anchor."""
    try:
        anchors = chain.read_anchors(settings.anchor_file)
    except TiltError as error:
        return Finding("audit", PROBLEM, str(error), "Check TILT_AUDIT_ANCHOR.")
    checked = chain.check(store.catalog, anchors)
    if checked.problems:
        said = "; ".join(checked.problems[:_SHOWN])
        cure = "Run 'tilt audit verify', and compare with a backup: somebody may have changed it."
        return Finding("audit", PROBLEM, said, cure)
    last = f"the last anchor is entry {anchors[-1].number:,}" if anchors else "no anchor yet"
    said = f"intact, {checked.entries:,} entries, {last}"
    if settings.auth != "off" and not audit.keys_of(store.catalog).id:
        unsigned = f"{said}; who can write the database can write it anew, as it has no key"
        return Finding("audit", WARNING, unsigned, "Set TILT_AUDIT_KEY.")
    return Finding("audit", OK, said)


def _keys(ids: list[str]) -> str:
    return f"the data key{'' if len(ids) == 1 else 's'} {', '.join(ids)}"


def _differing(others: pd.DataFrame) -> str:
    """Return what is kept in another way than it is set: how much of it, and how."""
    counts = others.groupby("key")["count"].sum()
    parts = [
        f"{count:,} contents are {PLAIN if key == PLAIN else f'encrypted with {key}'}"
        for key, count in counts.items()
    ]
    return ", ".join(parts)
