"""OpenAI's chat completions, and the many hosts that speak it; departures of a host are `Quirks`.

Source: https://platform.openai.com/docs/api-reference/chat.
"""
