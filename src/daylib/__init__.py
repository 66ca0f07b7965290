"""The names that the integration guide prints, kept for code and commands that were written to it."""
