/** Keys as a table; revoked ones stay, so that old traces can be explained. */
import type { KeyItem } from "@/client/types";
import { Button } from "@/kit/button";
import { ago, day, moment } from "@/kit/format";
import { useNow } from "@/kit/now";
import table from "@/kit/table.module.css";
import { presetOf } from "../scopes";

interface Props {
  keys: KeyItem[];
  onRevoke: (key: KeyItem) => void;
}

function stateOf({ revoked_at, expires_at }: KeyItem, now: number): string {
  if (revoked_at) return `Revoked ${ago(revoked_at, now)}`;
  if (!expires_at) return "Active";
  return Date.parse(expires_at) <= now ? `Expired ${ago(expires_at, now)}` : `Active until ${day(expires_at)}`;
}

const aside = `${table["quiet"]} ${table["whole"]}`;

export function KeyTable({ keys, onRevoke }: Props) {
  const now = useNow(10_000);
  return (
    <div className={table["scroll"]}>
      <table className={table["table"]}>
        <caption className="hidden">Keys of this project</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Environment</th>
            <th scope="col">Begins with</th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">Models</th>
            <th scope="col">Scopes</th>
            <th scope="col">State</th>
            <th scope="col"><span className="hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.key_id} className={key.revoked_at ? table["quiet"] : undefined}>
              <td title={key.key_id}>{key.name}</td>
              <td>{key.environment}</td>
              <td className={table["whole"]}><code>{key.prefix ? `${key.prefix}...` : "-"}</code></td>
              <td className={aside} title={moment(key.created_at)}>{ago(key.created_at, now)}</td>
              <td className={aside} title={moment(key.last_used_at)}>{key.last_used_at ? ago(key.last_used_at, now) : "never"}</td>
              <td className={table["quiet"]}>{key.models.join(", ") || "every model"}</td>
              <td className={table["quiet"]} title={key.scopes.join("\n")}>{presetOf(key.scopes) ?? key.scopes.join(", ")}</td>
              <td title={moment(key.revoked_at ?? key.expires_at)}>{stateOf(key, now)}</td>
              <td data-number>
                {!key.revoked_at && <Button kind="bare" onPress={() => onRevoke(key)} aria-label={`Revoke ${key.name}`}>Revoke</Button>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
