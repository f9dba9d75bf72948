"""One descriptor alone is what all of them together have of it."""

import pandas as pd

from tilt.factors.descriptors import NAMES, descriptor, descriptors


def test_a_descriptor_alone_is_the_same_as_among_all(made_up):
    together = descriptors(made_up)
    assert tuple(together) == NAMES
    for name in NAMES:
        pd.testing.assert_frame_equal(descriptor(made_up, name), together[name])
