"""What a portfolio is and how it did: holdings as people type them, and performance."""
