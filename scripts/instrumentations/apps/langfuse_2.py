import os

from common import MODEL, QUESTION
from langfuse import Langfuse
from openai import OpenAI

langfuse = Langfuse(
    host=os.environ["STERNPOST_BASE_URL"], public_key="pk-lf-any", secret_key=os.environ["STERNPOST_API_KEY"]
)
print(langfuse.auth_check())
trace = langfuse.trace(name="ask", user_id="ada", session_id="s1", input=QUESTION, tags=["a"])
messages = [{"role": "user", "content": QUESTION}]
generation = trace.generation(name="chat", model=MODEL, input=messages, model_parameters={"temperature": 0})
reply = OpenAI().chat.completions.create(model=MODEL, messages=messages)
usage = {"input": reply.usage.prompt_tokens, "output": reply.usage.completion_tokens}
generation.end(output=reply.choices[0].message.model_dump(), usage=usage)
trace.update(output=reply.choices[0].message.content)
trace.score(name="helpful", value=1, comment="clear")
langfuse.flush()
