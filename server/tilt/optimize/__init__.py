"""Portfolio problems stated as an objective and a list of named rules, solved and explained."""
