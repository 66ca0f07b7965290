"""
Which adapter stands behind which port: the one package that knows both.

`worlds.py` has the stores, `engines.py` what runs pipelines, `channels.py` who is told, `people.py` who
may ask, `installing.py` what makes and checks the stores.
"""

from daylily.connecting.installing import installation, own_customer
from daylily.connecting.people import pool_identities, pool_setup
from daylily.connecting.worlds import World, bucket_of, connect

__all__ = [
    "World",
    "bucket_of",
    "connect",
    "installation",
    "own_customer",
    "pool_identities",
    "pool_setup",
]
