"""Google's Gemini API, as the Gemini API and Vertex AI speak it to us; no caller speaks it to Sternpost.

Source: https://ai.google.dev/api/generate-content and, for Vertex AI,
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference.
"""
