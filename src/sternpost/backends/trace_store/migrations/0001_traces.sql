-- The trace store: spans, content, scores and the roll-up of traces.
--
-- For writers and readers of these tables:
--
-- * Table names stand alone in SQL (`FROM spans`); the connection chooses the database.
-- * Times are Int64 nanoseconds since the Unix epoch (`fromUnixTimestamp64Nano(started_ns)` makes a DateTime64).
--   A missing id or text is '', a missing number is NULL. Amounts are integer nano-USD.
-- * Writing the same span, content or score again, in another batch, another process, after a crash, is harmless:
--   merges keep one row. A reader may come before the merge, so every reader removes repeats itself:
--     sums and counts      ... FROM spans FINAL WHERE project_id = {project:String} AND started_ns >= ...
--     the spans of a trace ... ORDER BY started_ns LIMIT 1 BY trace_id, span_id
--   Never sum without FINAL, and never sum rows with is_rollup = 1: they repeat their children.
--   Measured over 9 million spans of 10 days: FINAL 97 ms, without 95 ms, once each day is merged; 740 ms before.
-- * Always filter by project_id and started_ns: that is the sort key, and the day chooses the parts. A trace known
--   by its id alone is found through `trace_times` (6 ms), which says where to look:
--     WHERE project_id = {project:String} AND trace_id = {trace:String}
--       AND started_ns BETWEEN {first_ns:Int64} AND {last_ns:Int64}
-- * The newest traces of a project, at a cost that does not grow with the store: walk spans backwards, then add up
--   those traces only (with FINAL, trace_id IN ..., and their range of time from `trace_times`).
--     SELECT trace_id, max(started_ns) AS newest_ns FROM (
--         SELECT trace_id, started_ns FROM spans
--         WHERE project_id = {project:String} AND started_ns >= {after:Int64} AND started_ns < {before:Int64}
--         ORDER BY project_id DESC, started_ns DESC LIMIT 2000)
--     GROUP BY trace_id ORDER BY newest_ns DESC LIMIT 51
--   Measured at 10 million spans: 10 ms. A day for `after` keeps it at that while old days wait to be merged
--   (27 ms without); too few traces: an earlier `after`, or a larger inner LIMIT. LIMIT 1 BY trace_id straight on
--   the table is slow: it reads the whole project.
--
-- ${on_cluster} and ${replicated} are the only variables: '' and '' on one machine.
-- fsync_*: an insert is on disk when it is acknowledged; by default ClickHouse leaves it to the page cache.
-- min_age_*: a day to which nothing was written for 3 hours is merged into one part, which makes FINAL free.

CREATE TABLE IF NOT EXISTS spans ${on_cluster}
(
    -- identity
    project_id               LowCardinality(String),
    trace_id                 String CODEC(ZSTD(1)),                 -- 32 hex digits
    span_id                  String CODEC(ZSTD(1)),                 -- 16 hex digits
    parent_span_id           String CODEC(ZSTD(1)),                 -- '' for a root
    type                     LowCardinality(String),                -- llm, tool, gateway, attempt, ...
    name                     LowCardinality(String),
    started_ns               Int64 CODEC(Delta(8), ZSTD(1)),
    ended_ns                 Int64 CODEC(Delta(8), ZSTD(1)),
    status                   LowCardinality(String),                -- ok, error, truncated, cancelled
    operation                LowCardinality(String),
    error_type               LowCardinality(String),
    error                    String CODEC(ZSTD(1)),
    -- what holds for the whole trace, copied onto each span
    user_id                  String CODEC(ZSTD(1)),
    session_id               String CODEC(ZSTD(1)),
    tags                     Array(LowCardinality(String)),
    trace_name               LowCardinality(String),
    run_id                   String CODEC(ZSTD(1)),
    feature                  LowCardinality(String),
    environment              LowCardinality(String),
    release                  LowCardinality(String),
    service                  LowCardinality(String),
    -- the model
    provider                 LowCardinality(String),
    request_model            LowCardinality(String),
    response_model           LowCardinality(String),
    response_id              String CODEC(ZSTD(1)),
    parameters               String CODEC(ZSTD(1)),                 -- JSON object
    finish_reasons           Array(LowCardinality(String)),
    time_to_first_token_ns   Nullable(Int64),
    -- tokens in buckets that never overlap; all 0 with usage_source = '' when the span carries no usage
    in_fresh                 UInt64 CODEC(T64, ZSTD(1)),
    in_cache_read            UInt64 CODEC(T64, ZSTD(1)),
    in_cache_write_5m        UInt64 CODEC(T64, ZSTD(1)),
    in_cache_write_1h        UInt64 CODEC(T64, ZSTD(1)),
    in_audio                 UInt64 CODEC(T64, ZSTD(1)),
    in_image                 UInt64 CODEC(T64, ZSTD(1)),
    out_text                 UInt64 CODEC(T64, ZSTD(1)),
    out_reasoning            UInt64 CODEC(T64, ZSTD(1)),
    out_audio                UInt64 CODEC(T64, ZSTD(1)),
    out_image                UInt64 CODEC(T64, ZSTD(1)),
    units                    Map(LowCardinality(String), Int64),    -- web_search, code_exec, ...
    usage_source             LowCardinality(String),                -- provider, partial, estimated, ''
    usage_is_mismatch        Bool,
    service_tier             LowCardinality(String),
    reported_nanousd         Nullable(Int64),
    -- money; cost_status = '' when the span carries no cost
    cost_nanousd             Nullable(Int64),                       -- NULL exactly when the status is unknown or ''
    cost_status              LowCardinality(String),
    cost_parts               Map(LowCardinality(String), Int64),    -- bucket -> nano-USD
    price_version            LowCardinality(String),
    cost_reason              LowCardinality(String),
    is_rollup                Bool,                                  -- repeats its children's usage; never summed
    -- what only the gateway knows
    key_id                   LowCardinality(String),
    route                    LowCardinality(String),
    target                   LowCardinality(String),
    attempt_number           UInt16,
    fallback_from            LowCardinality(String),
    http_status              UInt16,
    overhead_ns              Int64 CODEC(T64, ZSTD(1)),
    -- content: hashes, one per message in order, and previews, so that lists never touch `content`
    input_hashes             Array(String) CODEC(ZSTD(1)),
    output_hashes            Array(String) CODEC(ZSTD(1)),
    preview_input            String CODEC(ZSTD(1)),
    preview_output           String CODEC(ZSTD(1)),
    attributes               Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    scope                    LowCardinality(String),
    mapping_version          UInt16,
    received_ns              Int64 CODEC(Delta(8), ZSTD(1)),        -- of two rows of one span, the later wins
    INDEX user_bloom user_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX session_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ${replicated}ReplacingMergeTree(received_ns)
PARTITION BY toYYYYMMDD(fromUnixTimestamp64Nano(started_ns, 'UTC')) -- retention drops whole days
ORDER BY (project_id, started_ns, trace_id, span_id)
SETTINGS index_granularity = 1024,                                  -- a trace view reads few rows of many columns
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 10800, min_age_to_force_merge_on_partition_only = 1,
    enable_max_bytes_limit_for_min_age_to_force_merge = 1;

-- Where each trace lies in time. Minimum and maximum only: they stay exact when a span is written twice, which no
-- count or sum kept here would. Those are computed at read from the spans of the traces on the page.
--
-- Readers aggregate, as merges come later:
--   SELECT trace_id, min(first_started_ns), max(last_started_ns), max(last_ended_ns) FROM trace_times
--   WHERE project_id = {project:String} AND trace_id IN {traces:Array(String)} GROUP BY trace_id
CREATE TABLE IF NOT EXISTS trace_times ${on_cluster}
(
    project_id        LowCardinality(String),
    trace_id          String CODEC(ZSTD(1)),
    day               UInt32,                                       -- yyyymmdd of the spans, dropped with them
    first_started_ns  SimpleAggregateFunction(min, Int64),
    last_started_ns   SimpleAggregateFunction(max, Int64),
    last_ended_ns     SimpleAggregateFunction(max, Int64)
)
ENGINE = ${replicated}AggregatingMergeTree
PARTITION BY day
ORDER BY (project_id, trace_id, day)
SETTINGS index_granularity = 256,
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 10800, min_age_to_force_merge_on_partition_only = 1,
    enable_max_bytes_limit_for_min_age_to_force_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS trace_times_of_spans ${on_cluster} TO trace_times AS
SELECT
    project_id,
    trace_id,
    toYYYYMMDD(fromUnixTimestamp64Nano(started_ns, 'UTC')) AS day,
    min(started_ns) AS first_started_ns,
    max(started_ns) AS last_started_ns,
    max(ended_ns) AS last_ended_ns
FROM spans
GROUP BY project_id, trace_id, day;

-- One row per message, tool definition or document, whatever the number of spans that point to it.
--
-- A writer sets first_seen_ns to the start of the span that refers to it, and writes the content again for the
-- first span of another day: then the content of a day is all that its spans need, and both are dropped together.
-- Readers: ... WHERE project_id = {project:String} AND hash IN {hashes:Array(String)} LIMIT 1 BY hash
-- Full text, whole words in any case: hasAllTokens(body, 'refund policy'); quotes and JSON's \n split words.
CREATE TABLE IF NOT EXISTS content ${on_cluster}
(
    project_id     LowCardinality(String),
    hash           String CODEC(ZSTD(1)),                           -- 64 hex digits
    body           String CODEC(ZSTD(3)),                           -- canonical JSON
    first_seen_ns  Int64 CODEC(Delta(8), ZSTD(1)),
    INDEX body_words body TYPE text(
        tokenizer = 'splitByNonAlpha',
        preprocessor = lower(replaceRegexpAll(body, '\\\\[nrtbf]', ' '))
    )
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMMDD(fromUnixTimestamp64Nano(first_seen_ns, 'UTC'))
ORDER BY (project_id, hash)
SETTINGS index_granularity = 128,                                   -- a look-up unpacks 128 messages, not 8,192
    fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 10800, min_age_to_force_merge_on_partition_only = 1,
    enable_max_bytes_limit_for_min_age_to_force_merge = 1;

-- Judgements; append-only. The current one is the newest by (trace_id, span_id, name, source, author).
-- Readers: ... ORDER BY created_ns DESC LIMIT 1 BY trace_id, span_id, name, source, author
CREATE TABLE IF NOT EXISTS scores ${on_cluster}
(
    project_id       LowCardinality(String),
    score_id         String CODEC(ZSTD(1)),
    trace_id         String CODEC(ZSTD(1)),
    span_id          String CODEC(ZSTD(1)),                         -- '' for the whole trace
    name             LowCardinality(String),
    kind             LowCardinality(String),                        -- numeric, boolean, category, text
    source           LowCardinality(String),                        -- api, human, judge, code, guardrail, ...
    created_ns       Int64 CODEC(Delta(8), ZSTD(1)),
    value            Nullable(Float64),                             -- NULL: a category, a text, or unscored
    label            String CODEC(ZSTD(1)),
    explanation      String CODEC(ZSTD(1)),
    author           LowCardinality(String),
    unscored_reason  LowCardinality(String),
    INDEX by_created created_ns TYPE minmax GRANULARITY 1
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(fromUnixTimestamp64Nano(created_ns, 'UTC'))
ORDER BY (project_id, trace_id, span_id, name, score_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1;
