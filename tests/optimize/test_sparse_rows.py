"""Rows put together as plain arrays are the matrices that scipy puts together."""

import numpy as np
import pytest
import scipy.sparse as sp

from tilt.optimize.sparse_rows import (
    dense_rows,
    diagonal_rows,
    no_rows,
    one_each,
    stacked,
    sums_of,
)

WIDTH = 7


@pytest.fixture
def full():
    """Return a small matrix with an empty row and an empty column."""
    matrix = np.random.default_rng(3).normal(size=(4, 5))
    matrix[np.abs(matrix) < 0.7] = 0.0
    matrix[1], matrix[:, 2] = 0.0, 0.0
    return matrix


def placed(matrix, first=0):
    wide = np.zeros((len(matrix), WIDTH))
    wide[:, first : first + matrix.shape[1]] = matrix
    return wide


def test_a_full_matrix_keeps_its_numbers_and_drops_its_zeros(full):
    rows = dense_rows(full, WIDTH, first=2)
    np.testing.assert_array_equal(rows.csr().toarray(), placed(full, 2))
    assert rows.csr().nnz == np.count_nonzero(full)


def test_both_orders_of_scipy_hold_the_same_matrix_in_its_own_form(full):
    rows, theirs = dense_rows(full, WIDTH), sp.csc_matrix(placed(full))
    ours = rows.csc()
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
        assert getattr(ours, part).dtype == getattr(theirs, part).dtype  # solvers insist on it


def test_rows_times_a_vector_are_the_product_as_far_as_the_vector_goes(full):
    rows, vector = dense_rows(full, WIDTH, first=1), np.arange(2.0, 2.0 + WIDTH)
    np.testing.assert_allclose(rows.times(vector), placed(full, 1) @ vector, rtol=1e-15)
    np.testing.assert_allclose(rows.times(vector[:3]), placed(full, 1)[:, :3] @ vector[:3])
    np.testing.assert_array_equal(no_rows(WIDTH, 2).times(vector), np.zeros(2))


def test_blocks_stand_on_top_of_each_other_as_scipy_stacks_them(full):
    blocks = [
        dense_rows(full, WIDTH),
        no_rows(WIDTH, 2),
        one_each(np.array([6, 0]), np.array([2.0, 3.0]), WIDTH),
        sums_of([np.array([1, 4]), np.array([], dtype=int), np.array([0])], WIDTH),
    ]
    ours = stacked(blocks, WIDTH + 3).csr()
    theirs = sp.vstack([sp.csr_matrix(block.csr()) for block in blocks]).toarray()
    assert ours.shape == (11, WIDTH + 3)
    np.testing.assert_array_equal(ours.toarray()[:, :WIDTH], theirs)
    assert not ours.toarray()[:, WIDTH:].any()
    assert stacked([], WIDTH).csr().shape == (0, WIDTH)


def test_a_last_entry_is_added_to_every_row_even_an_empty_one(full):
    at = np.array([5, 6, 5, 6])
    expected = placed(full)
    expected[np.arange(4), at] = -1.0
    rows = dense_rows(full, 5).with_last(at, -1.0, WIDTH)
    np.testing.assert_array_equal(rows.csr().toarray(), expected)


def test_a_sign_and_the_first_row_are_scipys(full):
    rows = dense_rows(full, WIDTH)
    np.testing.assert_array_equal((-rows).csr().toarray(), -placed(full))
    np.testing.assert_array_equal(rows.first().csr().toarray(), placed(full)[:1])


def test_a_symmetric_matrix_is_handed_over_without_turning_it(full):
    square = full @ full.T
    ours = stacked(
        [diagonal_rows(np.array([2.0, 0.0, 1.0]), WIDTH), dense_rows(square, WIDTH, 3)], WIDTH
    )
    theirs = sp.block_diag([np.diag([2.0, 0.0, 1.0]), square], format="csc")
    np.testing.assert_array_equal(ours.mirrored().toarray(), theirs.toarray())
    assert ours.mirrored().nnz == np.count_nonzero(theirs.toarray())
