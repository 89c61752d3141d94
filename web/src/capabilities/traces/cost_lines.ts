/** The classes of tokens in words, and the price that the recorded cost implies for each. */

export interface CostLine {
  bucket: string;
  title: string;
  tokens: number;
  usd: string | null;
  pricePerMillion: string | null;
}

const titles: Record<string, string> = {
  in_fresh: "Input", in_cache_read: "Input, cache read", in_cache_write_5m: "Input, cache write 5 m",
  in_cache_write_1h: "Input, cache write 1 h", in_audio: "Input, audio", in_image: "Input, images",
  out_text: "Output", out_reasoning: "Output, reasoning", out_audio: "Output, audio", out_image: "Output, images",
};

/** One line for each class that has tokens or a cost, in the order of the classes. */
export function costLines(usage: Record<string, number>, parts: Record<string, string>): CostLine[] {
  const known = Object.keys(titles);
  const buckets = [...known, ...Object.keys({ ...usage, ...parts }).filter((bucket) => !known.includes(bucket))];
  return buckets
    .map((bucket) => {
      const tokens = usage[bucket] ?? 0;
      const usd = parts[bucket] ?? null;
      const price = usd !== null && tokens > 0 ? (Number(usd) / tokens) * 1e6 : null;
      const pricePerMillion = price === null ? null : price.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 4 });
      return { bucket, title: titles[bucket] ?? bucket, tokens, usd, pricePerMillion };
    })
    .filter(({ tokens, usd }) => tokens > 0 || (usd !== null && Number(usd) > 0));
}
