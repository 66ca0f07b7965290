"""Use cases, one a file: the only place where ports meet the domain."""
