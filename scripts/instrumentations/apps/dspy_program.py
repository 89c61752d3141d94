import dspy
from common import MODEL, QUESTION, provider
from openinference.instrumentation.dspy import DSPyInstrumentor

DSPyInstrumentor().instrument(tracer_provider=provider())
dspy.configure(lm=dspy.LM(f"openai/{MODEL}", temperature=1.0, max_tokens=16000, cache=False))
try:
    print(dspy.Predict("question -> answer")(question=QUESTION))
except dspy.utils.exceptions.AdapterParseError as error:  # the fake provider answers in no format
    print(type(error).__name__)
