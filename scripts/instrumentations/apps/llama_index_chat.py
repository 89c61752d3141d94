import os

from common import MODEL, QUESTION, provider
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

LlamaIndexInstrumentor().instrument(tracer_provider=provider())
model = OpenAILike(model=MODEL, api_base=os.environ["OPENAI_BASE_URL"], api_key="x", is_chat_model=True)
print(model.chat([ChatMessage(role="user", content=QUESTION)]))
