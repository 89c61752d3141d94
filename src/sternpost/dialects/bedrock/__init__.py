"""Amazon Bedrock's Converse, spoken to providers only.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
and .../API_runtime_ConverseStream.html.
"""
