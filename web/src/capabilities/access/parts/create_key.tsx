/** The form that makes a key: its name, what it may do, where, and until when. */
import { useState, type FormEvent } from "react";
import { useQuery } from "@tanstack/react-query";
import type { CreatedKey, KeyScope } from "@/client/types";
import { Button } from "@/kit/button";
import { Code } from "@/kit/copy";
import { environmentsQuery, useCreateKey } from "../queries";
import { endOf, LIVES, PRESETS, readModels } from "../scopes";
import { ScopeChoice } from "./scope_choice";
import styles from "../page.module.css";

export function CreateKey({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<KeyScope[]>(PRESETS["Application"]!);
  const [models, setModels] = useState("");
  const [life, setLife] = useState("never");
  const [environment, setEnvironment] = useState("production");
  const environments = useQuery(environmentsQuery).data ?? ["production"];
  const create = useCreateKey();
  const isReady = name.trim() !== "" && scopes.length > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isReady) create.mutate({ name: name.trim(), scopes, models: readModels(models), environment, expires_at: endOf(life, Date.now()) });
  };
  if (create.data) return <Created made={create.data} onDone={onDone} />;
  return (
    <form className={styles["form"]} onSubmit={submit}>
      <label className={styles["label"]}>
        Name
        <input className={styles["input"]} value={name} autoFocus maxLength={100} placeholder="The application or person that uses it" onChange={(event) => setName(event.target.value)} />
      </label>
      <label className={styles["label"]}>
        Environment
        <select className={styles["input"]} value={environment} onChange={(event) => setEnvironment(event.target.value)}>
          {environments.map((one) => <option key={one}>{one}</option>)}
        </select>
      </label>
      <ScopeChoice scopes={scopes} onChange={setScopes} />
      <label className={styles["label"]}>
        Models and routes
        <input className={styles["input"]} value={models} placeholder="All; or e.g. fast, openai/gpt-5, lab/*" onChange={(event) => setModels(event.target.value)} />
      </label>
      <label className={styles["label"]}>
        Expires
        <select className={styles["input"]} value={life} onChange={(event) => setLife(event.target.value)}>
          {Object.keys(LIVES).map((one) => <option key={one}>{one}</option>)}
        </select>
      </label>
      {create.error && <p role="alert" className={styles["bad"]}>{create.error.message}</p>}
      <div className={styles["acts"]}>
        <Button onPress={onDone}>Cancel</Button>
        <Button type="submit" kind="main" isDisabled={!isReady || create.isPending}>Create key</Button>
      </div>
    </form>
  );
}

function Created({ made, onDone }: { made: CreatedKey; onDone: () => void }) {
  return (
    <div className={styles["form"]}>
      <p>Copy the key of {made.name} now. It is shown only once; Sternpost stores only its hash.</p>
      <Code text={made.key} label="key" />
      <Button kind="main" onPress={onDone}>Done</Button>
    </div>
  );
}
