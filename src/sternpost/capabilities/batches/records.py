"""The nouns of batches: a file, a batch, its lines, what a provider was asked to run. Times are UTC ns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NewType, TypeAlias

from sternpost.base.ids import KeyId, ProjectId
from sternpost.base.money import NanoUsd
from sternpost.contracts.environment import DEFAULT_ENVIRONMENT

FileId = NewType("FileId", str)
BatchId = NewType("BatchId", str)

# OpenAI's words, in the order a batch goes through them.
BatchStatus: TypeAlias = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]
LineState: TypeAlias = Literal["waiting", "done", "failed", "expired", "cancelled"]
JobState: TypeAlias = Literal["waiting", "sending", "running", "ended"]
BatchApi: TypeAlias = Literal["openai", "anthropic"]
FilePurpose: TypeAlias = Literal["batch", "batch_output"]

_NOTHING = NanoUsd(0)
QUEUE_JOB = 0  # the number of lines that Sternpost's own queue runs


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it is known; its bytes are in a `FileBodies`."""

    file_id: FileId
    project_id: ProjectId
    filename: str
    purpose: FilePurpose
    size_bytes: int
    created_ns: int
    expires_ns: int | None = None
    key_id: KeyId | str = ""  # that sent it; empty: a person, or the worker


@dataclass(frozen=True, slots=True)
class LineFault:
    """What keeps a file from being a batch; `line` counts from 1, None: it is about the whole file."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. `ends_as` is what it becomes once its files are written."""

    batch_id: BatchId
    project_id: ProjectId
    key_id: KeyId  # empty: a person started it
    key_name: str
    allowed_models: tuple[str, ...]  # of the key, when the batch was made; empty: every one
    endpoint: str
    input_file_id: FileId
    status: BatchStatus
    created_ns: int
    expires_ns: int
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    faults: tuple[LineFault, ...] = ()
    ends_as: BatchStatus = "completed"
    total: int = 0
    completed: int = 0
    failed: int = 0
    cost_nanousd: NanoUsd = _NOTHING  # of the lines whose cost is known
    unknown_costs: int = 0  # answered lines whose cost is not known
    output_file_id: FileId | None = None
    error_file_id: FileId | None = None
    in_progress_ns: int | None = None
    finalizing_ns: int | None = None
    cancelling_ns: int | None = None
    ended_ns: int | None = None
    waits_because: str = ""  # what a provider's batch API said last instead of going on
    environment: str = DEFAULT_ENVIRONMENT  # of the key


@dataclass(frozen=True, slots=True)
class Line:
    """One request of a batch: where it stands in the input file, and how it ended."""

    number: int  # from 1, as people count lines of a file
    custom_id: str
    url: str
    model: str
    offset: int
    size_bytes: int
    job: int = QUEUE_JOB
    state: LineState = "waiting"
    http_status: int = 0
    error_code: str = ""
    error: str = ""
    trace_id: str = ""
    cost_nanousd: NanoUsd | None = None
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True)
class LineResult:
    """How a line ended, with the row of the output or error file that says so."""

    number: int
    state: LineState
    row: bytes
    http_status: int = 0
    error_code: str = ""
    error: str = ""
    trace_id: str = ""
    cost_nanousd: NanoUsd | None = None


@dataclass(frozen=True, slots=True)
class ProviderJob:
    """Lines of one model that a provider's own batch API runs; its ids belong to that account alone."""

    number: int  # from 1
    provider: str
    model: str
    path: str  # the provider's endpoint
    state: JobState = "waiting"
    provider_file_id: str = ""
    provider_batch_id: str = ""
    is_cancel_sent: bool = False
    submitted_ns: int | None = None
    waits_because: str = ""  # why the last look at it failed; empty: it did not


@dataclass(frozen=True, slots=True)
class OffPeak:
    """When the own queue may work, as minutes of the day; the end may be before the start."""

    from_minute: int
    until_minute: int
    timezone: str


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What `batches:` in sternpost.yaml says."""

    concurrency: int = 8
    off_peak: OffPeak | None = None
    uses_providers: bool = True
    poll_s: float = 30.0  # between two looks at a provider
    max_lines: int = 50_000
    max_line_bytes: int = 50_000_000


@dataclass(frozen=True, slots=True)
class FilePage:
    items: tuple[StoredFile, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class BatchPage:
    items: tuple[Batch, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class LinePage:
    items: tuple[Line, ...]
    has_more: bool
