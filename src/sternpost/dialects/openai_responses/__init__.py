"""OpenAI's Responses API, at OpenAI and at hosts that speak it.

Source: https://platform.openai.com/docs/api-reference/responses and .../responses-streaming.
"""
