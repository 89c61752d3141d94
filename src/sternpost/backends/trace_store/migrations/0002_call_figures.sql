-- Sums over calls by five minutes and by hour, for the overview: what is quiet is added up once, by the worker.
--
-- A span that comes late, or comes again, would make any sum kept up at insert wrong. So inserts only note when a
-- stretch of five minutes was last written to (`spans_touched`), and the worker adds up whole stretches from the
-- spans themselves, each span once (`call_figures`). A reader takes the sums of a stretch only when they were built
-- well after the last write to it and to the five minutes behind it, and otherwise adds up its spans: exact at any
-- moment, whether the worker has been there or not. A call reported by two spans may have them in both stretches.

CREATE TABLE IF NOT EXISTS spans_touched ${on_cluster}
(
    project_id  LowCardinality(String),
    day         UInt32,                                             -- yyyymmdd of the spans, dropped with them
    bucket_ns   Int64 CODEC(Delta(8), ZSTD(1)),                     -- the start of five minutes
    touched_ns  SimpleAggregateFunction(max, Int64)                 -- by the clock of the engine
)
ENGINE = ${replicated}AggregatingMergeTree
PARTITION BY day
ORDER BY (project_id, bucket_ns, day)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spans_touched_by_insert ${on_cluster} TO spans_touched AS
SELECT
    project_id,
    toYYYYMMDD(fromUnixTimestamp64Nano(started_ns, 'UTC')) AS day,
    started_ns - started_ns % 300000000000 AS bucket_ns,
    max(toUnixTimestamp64Nano(now64(9))) AS touched_ns
FROM spans
GROUP BY project_id, day, bucket_ns;

INSERT INTO spans_touched
SELECT
    project_id,
    toYYYYMMDD(fromUnixTimestamp64Nano(started_ns, 'UTC')) AS day,
    started_ns - started_ns % 300000000000 AS bucket_ns,
    max(toUnixTimestamp64Nano(now64(9))) AS touched_ns
FROM spans
GROUP BY project_id, day, bucket_ns;

-- One row per stretch; the arrays run in parallel, one place per model, cost status and class of latency.
-- Building a stretch again replaces its row: nothing is left of what it held before.
CREATE TABLE IF NOT EXISTS call_figures ${on_cluster}
(
    project_id     LowCardinality(String),
    length_s       UInt32,                                          -- 300 or 3600
    bucket_ns      Int64 CODEC(Delta(8), ZSTD(1)),
    built_ns       Int64,                                           -- when building began, by the engine's clock
    day            UInt32,
    models         Array(LowCardinality(String)) CODEC(ZSTD(1)),
    providers      Array(LowCardinality(String)) CODEC(ZSTD(1)),
    cost_statuses  Array(LowCardinality(String)) CODEC(ZSTD(1)),
    latencies_ns   Array(Int64) CODEC(ZSTD(1)),                     -- the middle of the class, within 2.2%
    calls          Array(UInt64) CODEC(ZSTD(1)),
    errors         Array(UInt64) CODEC(ZSTD(1)),
    costs_nanousd  Array(Nullable(Int64)) CODEC(ZSTD(1)),
    input_tokens   Array(UInt64) CODEC(ZSTD(1)),
    output_tokens  Array(UInt64) CODEC(ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(built_ns)
PARTITION BY day
ORDER BY (project_id, length_s, bucket_ns)
SETTINGS index_granularity = 8,                                     -- a row holds hundreds of places; reads take few rows
    fsync_after_insert = 1, fsync_part_directory = 1;
