"""Reading tables as people have them: what a file is, how it writes its values, what it holds."""
