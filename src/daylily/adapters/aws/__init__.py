from daylily.extras import needs

needs("aws", "boto3")
