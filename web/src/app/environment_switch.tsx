/** All environments or one of them; kept in the address, so that a link shows what its sender saw. */
import { useQuery } from "@tanstack/react-query";
import { environmentsQuery } from "@/capabilities/access/queries";
import { useEnvironment, useSetEnvironment } from "@/kit/environment";
import styles from "./environment_switch.module.css";

export function EnvironmentSwitch() {
  const chosen = useEnvironment() ?? "";
  const choose = useSetEnvironment();
  const known = useQuery(environmentsQuery).data ?? [];
  const names = chosen === "" || known.includes(chosen) ? known : [...known, chosen];
  return (
    <select className={styles["switch"]} aria-label="Environment" value={chosen} onChange={(event) => choose(event.target.value || undefined)}>
      <option value="">All environments</option>
      {names.map((name) => <option key={name}>{name}</option>)}
    </select>
  );
}
