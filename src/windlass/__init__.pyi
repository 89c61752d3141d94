from windlass.sdk.client import flush as flush
from windlass.sdk.client import init as init
from windlass.sdk.feedback import feedback as feedback
from windlass.sdk.feedback import score as score
from windlass.sdk.propagation import headers as headers
from windlass.sdk.span import current_span as current_span
from windlass.sdk.tracing import retrieval as retrieval
from windlass.sdk.tracing import tool as tool
from windlass.sdk.tracing import trace as trace

__version__: str
