"""
What every adapter owes: one class a port, each test a sentence of the port's docstring.

Subclass it, override its fixture with your adapter, and let pytest collect it::

    class TestMyStateStore(StateStoreContract):
        @pytest.fixture
        def store(self) -> StateStore:
            return MyStateStore()
"""

import pkgutil

import pytest

# Shipped assertions are to explain themselves as those of a test file do.
pytest.register_assert_rewrite(
    *(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__))
)
