import os

os.environ |= {
    "LANGFUSE_HOST": os.environ["STERNPOST_BASE_URL"],
    "LANGFUSE_BASE_URL": os.environ["STERNPOST_BASE_URL"],
    "LANGFUSE_PUBLIC_KEY": "pk-lf-any",
    "LANGFUSE_SECRET_KEY": os.environ["STERNPOST_API_KEY"],
}
from common import tool_loop
from langfuse import get_client, observe
from langfuse.openai import OpenAI


@observe()
def ask() -> str:
    answer = tool_loop(OpenAI())
    get_client().score_current_trace(name="helpful", value=1)
    return answer


print(get_client().auth_check(), ask())
get_client().flush()
