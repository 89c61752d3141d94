from sternpost.sdk.client import flush as flush
from sternpost.sdk.client import init as init
from sternpost.sdk.feedback import feedback as feedback
from sternpost.sdk.feedback import score as score
from sternpost.sdk.propagation import headers as headers
from sternpost.sdk.span import current_span as current_span
from sternpost.sdk.tracing import retrieval as retrieval
from sternpost.sdk.tracing import tool as tool
from sternpost.sdk.tracing import trace as trace

__version__: str
