-- What the provider's prompt cache saved, and the rates and the row of prices behind each cost.
--
-- Spans from before hold NULL: nothing is known of what they saved. Sums of calls from before hold empty arrays; the
-- worker builds them anew, and until then they count in neither part of a hit rate.

ALTER TABLE spans ${on_cluster} ADD COLUMN IF NOT EXISTS cache_saved_nanousd Nullable(Int64) AFTER cost_reason;
ALTER TABLE spans ${on_cluster} ADD COLUMN IF NOT EXISTS cost_rates Map(LowCardinality(String), Int64) AFTER cache_saved_nanousd;
ALTER TABLE spans ${on_cluster} ADD COLUMN IF NOT EXISTS cost_basis Map(LowCardinality(String), LowCardinality(String)) AFTER cost_rates;

-- A span is asked for by its id alone: `sternpost cost explain <span>`.
ALTER TABLE spans ${on_cluster} ADD INDEX IF NOT EXISTS span_bloom span_id TYPE bloom_filter(0.01) GRANULARITY 4;

ALTER TABLE call_figures ${on_cluster} ADD COLUMN IF NOT EXISTS cache_read_tokens Array(UInt64) CODEC(ZSTD(1));
ALTER TABLE call_figures ${on_cluster} ADD COLUMN IF NOT EXISTS cache_saved_nanousd Array(Int64) CODEC(ZSTD(1));
