"""What a strategy would have earned, told honestly."""
