"""Is there the topic that is to be told?"""

from typing import TYPE_CHECKING, Final

from daylily.adapters.aws.errors import MissingError, NotPermittedError, reported
from daylily.domain.errors import UnavailableError
from daylily.ports.installation import Finding

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_CHECK: Final = "topic"


def check_topic(client: "SNSClient", topic_arn: str) -> Finding:
    """
    Look at a topic; nothing is published.

    To look is a right of its own, which the policy of the guide has not got. Who lacks it is told of a
    topic that is not there by the first news, which then stays owed.
    """
    name = topic_arn.rpartition(":")[2]
    try:
        with reported("sns", "GetTopicAttributes", f"topic {topic_arn}"):
            client.get_topic_attributes(TopicArn=topic_arn)
    except MissingError:
        advice = "create it, or mend SNS_TOPIC_ARN: region, account and name"
        return Finding(_CHECK, "FAIL", f"there is no topic {topic_arn}", advice)
    except NotPermittedError:
        return Finding(_CHECK, "ok", f"{name} is not ours to look at, which publishing does not need")
    except UnavailableError as error:
        return Finding(_CHECK, "FAIL", str(error))
    return Finding(_CHECK, "ok", f"{name} is there")
