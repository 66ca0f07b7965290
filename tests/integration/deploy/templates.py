"""The templates of deploy/cloudformation, as tests read and create them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3
import yaml

DEPLOY: Final = Path(__file__).parents[3] / "deploy"
REGION: Final = "eu-central-1"
BUCKET: Final = "acme-worksets"


class _Loader(yaml.SafeLoader):
    """Reads short forms (``!Ref``) as what they stand for."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def template(name: str) -> dict[str, Any]:
    """Return a template as plain values."""
    text = (DEPLOY / "cloudformation" / name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a safe loader with tags of ours
    return loaded


def create(name: str, parameters: Mapping[str, str]) -> None:
    """Create a stack of a template."""
    client = boto3.client("cloudformation", region_name=REGION)
    client.create_stack(
        StackName="daylily",
        TemplateBody=(DEPLOY / "cloudformation" / name).read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    (stack,) = client.describe_stacks(StackName="daylily")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
