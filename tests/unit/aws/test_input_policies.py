"""What a process must be permitted to read files of other buckets."""

from daylily.adapters.aws.policies import Policies
from daylily.ports.installation import Role


def test_folders_of_other_buckets() -> None:
    """The API reads in the folders that the settings name, and monitors have no business there."""
    policies = Policies(
        region="us-west-2",
        table=None,
        customers=None,
        bucket="ours",
        worksets="worksets/",
        files="files/",
        inputs=("s3://seq/{customer_id}/", "s3://seq/shared/", "s3://public/"),
    )
    found = {each["Sid"]: each for each in policies.of(Role.API)["Statement"]}
    assert found["Inputs"]["Action"] == ["s3:GetObject"]
    assert found["Inputs"]["Resource"] == [
        "arn:aws:s3:::seq/*/*",
        "arn:aws:s3:::seq/shared/*",
        "arn:aws:s3:::public/*",
    ]
    assert found["InputListings"]["Resource"] == ["arn:aws:s3:::seq", "arn:aws:s3:::public"]
    assert "Inputs" not in {each["Sid"] for each in policies.of(Role.MONITOR)["Statement"]}
