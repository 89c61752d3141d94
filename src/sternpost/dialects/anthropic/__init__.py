"""Anthropic's messages, at Anthropic and at hosts that speak it.

Source: https://docs.anthropic.com/en/api/messages and .../messages-streaming.
"""
