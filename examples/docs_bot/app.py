"""A bot that answers questions from the docs of Sternpost (STERNPOST_BASE_URL, STERNPOST_API_KEY)."""

import argparse
import math
import re
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from os import environ
from pathlib import Path
from types import SimpleNamespace

from openai import OpenAI

import sternpost

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs"
TOP_K = 4
RULES = (
    "You answer questions about Sternpost. Use only the documents that come with the question, and name "
    'their source in brackets. If they do not answer it, say "I don\'t know".'
)
STOP_WORDS = {"a", "an", "and", "are", "as", "be", "by", "can", "do", "does", "for", "from", "has", "have"}
STOP_WORDS |= {"how", "i", "if", "in", "into", "is", "it", "my", "of", "on", "or", "own", "that", "the"}
STOP_WORDS |= {"there", "to", "was", "what", "when", "where", "which", "who", "why", "will", "with", "you"}


def words(text: str) -> list[str]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    return [re.sub(r"(ies|es|s|ed|ing|e|y)$", "", word) or word for word in found if word not in STOP_WORDS]


def read_sections() -> list[SimpleNamespace]:
    found = []
    for path in sorted(path for path in DOCS.rglob("*.md") if path.name != "README.md"):
        text = re.sub(r"<!--.*?-->\s*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        page, source = text.partition("\n")[0], str(path.relative_to(DOCS))
        for part in re.split(r"^(?=#{1,3} )", text, flags=re.MULTILINE):
            heading, _, body = part.partition("\n")
            if body.strip():
                counts, title = Counter(words(body) + 3 * words(f"{page} {heading}")), heading.lstrip("# ")
                found.append(SimpleNamespace(source=source, title=title, text=body.strip(), counts=counts))
    return found


class Library:
    """The docs, searched by BM25."""

    def __init__(self) -> None:
        self.sections = read_sections()
        self.average = sum(one.counts.total() for one in self.sections) / len(self.sections)
        self.holders = Counter(word for one in self.sections for word in one.counts)

    def search(self, query: str) -> list[SimpleNamespace]:
        with sternpost.retrieval(query, source="docs", top_k=TOP_K) as found:
            scored = [(self.score(one.counts, set(words(query))), one) for one in self.sections]
            best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])[:TOP_K]
            for score, one in best:
                name = f"{one.source}#{one.title}"
                found.add(one.text, id=name, score=score, title=one.title, uri=f"docs/{one.source}")
            return [one for _, one in best]

    def score(self, counts: Counter[str], query: set[str]) -> float:
        total, size = 0.0, 0.25 + 0.75 * counts.total() / self.average
        for word in query & counts.keys():
            held = self.holders[word]
            rarity = math.log(1 + (len(self.sections) - held + 0.5) / (held + 0.5))
            total += rarity * counts[word] * 2.2 / (counts[word] + 1.2 * size)
        return total


class Bot:
    """One conversation."""

    def __init__(self, client: OpenAI, library: Library, model: str) -> None:
        self.client, self.library, self.model, self.history = client, library, model, []

    @sternpost.trace("answer")
    def answer(self, question: str, *, is_stream: bool = False) -> str:
        asked = [turn["content"] for turn in self.history if turn["role"] == "user"]
        query = f"{asked[-1]} {question}" if asked and len(words(question)) <= 3 else question
        documents = "\n".join(
            f'<document source="{one.source}" title="{one.title}">\n{one.text}\n</document>'
            for one in self.library.search(query)
        )
        rules = {"role": "system", "content": f"{RULES}\n\n{documents}"}
        ask = {"role": "user", "content": question}
        text = self.chat([rules, *self.history, ask], is_stream=is_stream)
        self.history += [ask, {"role": "assistant", "content": text}]
        return text

    def chat(self, messages: list[dict[str, str]], *, is_stream: bool) -> str:
        create, headers = self.client.chat.completions.create, sternpost.headers()
        if is_stream:
            chunks = create(model=self.model, messages=messages, stream=True, extra_headers=headers)
            return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        return create(model=self.model, messages=messages, extra_headers=headers).choices[0].message.content


def judge(turn: dict[str, str], answer: str) -> str:
    """Play the user, who knows a text that a right answer holds, or that the docs do not say it."""
    if "i don't know" in answer.lower().replace("\u2019", "'"):
        return "don't know" if "expect" in turn else "don't know, rightly"
    return "right" if "expect" in turn and turn["expect"].lower() in answer.lower() else "wrong"


def play(session: dict, number: int, bot: Bot, pause_s: float) -> list[str]:
    """Ask the questions of one session and rate the answers; a rating says that it is simulated."""
    user, verdicts = session["user"], []
    for at, turn in enumerate(session["turns"]):
        with sternpost.trace("docs bot", session_id=f"{user}-{number}", user_id=user, tags=["demo"]) as span:
            span.set_input(turn["ask"])
            answer = bot.answer(turn["ask"], is_stream=at % 2 == 1)
            span.set_output(answer)
            verdict = judge(turn, answer)
            sternpost.feedback(value="right" in verdict, comment=f"simulated: {verdict}")
        print(f"  {user:<5} {turn['ask'][:62]:<62} {verdict}\n", end="", flush=True)  # whole, among threads
        verdicts.append(verdict)
        time.sleep(pause_s)
    return verdicts


def main() -> None:
    parser = argparse.ArgumentParser(description="Answer questions about Sternpost from its docs.")
    parser.add_argument("--ask", help="one question instead of the sessions")
    parser.add_argument("--pause", type=float, default=1.2, help="seconds between the turns of a session")
    arguments = parser.parse_args()
    sternpost.init(service="docs-bot")
    client = OpenAI(base_url=f"{environ['STERNPOST_BASE_URL']}/v1", api_key=environ["STERNPOST_API_KEY"])
    real = {"OPENAI_API_KEY": "openai/gpt-6.1-terra", "ANTHROPIC_API_KEY": "anthropic/claude-haiku-4-5"}
    ready = [real[name] for name in real if not environ.get(name, "sp-").startswith("sp-")]
    library, model = Library(), environ.get("DOCS_BOT_MODEL") or [*ready, "offline/extract-large"][0]
    if arguments.ask:
        print(Bot(client, library, model).answer(arguments.ask))
        return
    sessions = tomllib.loads((HERE / "questions.toml").read_text(encoding="utf-8"))["sessions"]
    print(f"  {len(library.sections)} sections, {len(sessions)} simulated users, model {model}")
    bots = [Bot(client, library, model) for _ in sessions]
    with ThreadPoolExecutor(4) as pool:
        runs = pool.map(play, sessions, range(1, len(bots) + 1), bots, [arguments.pause] * len(bots))
        counts = Counter(verdict for run in runs for verdict in run)
    sternpost.flush()
    print("  " + ", ".join(f"{verdict}: {count}" for verdict, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
