"""Where things stand in the object store."""

from attrs import frozen

from daylily.domain.customer_keys import canonical_key
from daylily.domain.names import check_id
from daylily.domain.workset import Workset


@frozen
class Places:
    """The two halves of the object store: worksets, and what customers keep for themselves."""

    worksets: str = "worksets/"
    files: str = "files/"

    def directory(self, workset_id: str) -> str:
        """Return the folder of a workset, ending in ``/``."""
        return f"{self.worksets}{check_id(workset_id)}/"

    def results(self, workset: Workset, attempt: int) -> str:
        """Return the folder that an attempt writes to: each has its own, so none is lost."""
        return f"{self.all_results(workset.workset_id)}attempt-{attempt}/"

    def all_results(self, workset_id: str) -> str:
        """Return the folder in which each attempt has one of its own."""
        return f"{self.directory(workset_id)}results/"

    @property
    def monitors(self) -> str:
        """The folder of signs of life; no workset can have its name."""
        return f"{self.worksets}.daylily/monitors/"

    @property
    def mark(self) -> str:
        """The object by which is told how late it is in the object store."""
        return f"{self.worksets}.daylily/clock"

    @property
    def state(self) -> str:
        """The folder of records, where worksets are kept without a table."""
        return f"{self.worksets}.daylily/state/"

    @property
    def jobs(self) -> str:
        """The folder in which engines write down what they have settled of attempts."""
        return f"{self.worksets}.daylily/jobs/"

    @property
    def customers(self) -> str:
        """The folder of customers, where they are kept without a table."""
        return f"{self.worksets}.daylily/customers/"

    @property
    def documents(self) -> str:
        """The folder of tokens, users and the audit trail, where they are kept without a table."""
        return f"{self.worksets}.daylily/documents/"

    @property
    def uploads(self) -> str:
        """The folder in which pieces of uploads wait for the others; no customer can have its name."""
        return f"{self.files}.daylily/uploads/"

    def file(self, customer_id: str, key: str) -> str:
        """Return the key of a customer's file in the store."""
        return f"{self.folder(customer_id)}{canonical_key(key)}"

    def folder(self, customer_id: str) -> str:
        """Return the folder of a customer's files, ending in ``/``."""
        return f"{self.files}{check_id(customer_id, 'customer_id')}/"
