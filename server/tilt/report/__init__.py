"""Workbooks a committee can read and check without the add-in."""
