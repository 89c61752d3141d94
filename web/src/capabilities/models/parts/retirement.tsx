/** When a provider takes a model away: a warning while there is time, an error when it is gone. */
import { MISSING, day } from "@/kit/format";
import { useNow } from "@/kit/now";
import styles from "./retirement.module.css";

const DAY_MS = 86_400_000;
const SOON_DAYS = 60;

/** `on`: the first day without the model, as `2026-12-11`. */
export function Retirement({ on }: { on: string | null }) {
  const now = useNow(3_600_000);
  if (on === null) return <>{MISSING}</>;
  const left = Math.ceil((Date.parse(on) - now) / DAY_MS);
  if (left <= 0) return <span className={styles["gone"]} title="Calls to it fail at the provider">Retired {day(on)}</span>;
  return <span className={left <= SOON_DAYS ? styles["soon"] : undefined} title={`In ${left} days`}>{day(on)}</span>;
}
