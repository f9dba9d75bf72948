"""How fast Tilt is, measured by hand; see run.py."""
