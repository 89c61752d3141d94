/** The keys of the project: make one, see when each was used, revoke it. */
import { useState, type FormEvent } from "react";
import { useQuery } from "@tanstack/react-query";
import type { KeyItem } from "@/client/types";
import { Button } from "@/kit/button";
import { Code } from "@/kit/copy";
import { Dialog } from "@/kit/dialog";
import { Page } from "@/kit/page";
import { Empty, Failure, Skeleton } from "@/kit/states";
import { KeyTable } from "./parts/key_table";
import { keysQuery, useCreateKey, useRevokeKey } from "./queries";
import styles from "./page.module.css";

export function KeysPage() {
  const keys = useQuery(keysQuery);
  const [isCreating, setCreating] = useState(false);
  const [doomed, setDoomed] = useState<KeyItem | null>(null);
  return (
    <Page title="Keys" actions={<Button kind="main" onPress={() => setCreating(true)}>Create key</Button>} isPadded>
      {keys.isPending && <Skeleton rows={4} />}
      {keys.error && <Failure what="The keys could not be read" error={keys.error} retry={() => void keys.refetch()} />}
      {keys.data?.length === 0 && <Empty title="No keys yet">Applications send a key with every call; each key has its own limits and can be revoked alone.</Empty>}
      {keys.data && keys.data.length > 0 && <KeyTable keys={keys.data} onRevoke={setDoomed} />}
      <Dialog title="Create a key" isOpen={isCreating} onClose={() => setCreating(false)}>
        <CreateKey onDone={() => setCreating(false)} />
      </Dialog>
      <Dialog title="Revoke this key?" isOpen={doomed !== null} onClose={() => setDoomed(null)}>
        {doomed && <Revoke target={doomed} onDone={() => setDoomed(null)} />}
      </Dialog>
    </Page>
  );
}

function CreateKey({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState("");
  const create = useCreateKey();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim() !== "") create.mutate(name.trim());
  };
  if (create.data)
    return (
      <div className={styles["form"]}>
        <p>Copy the key of {create.data.name} now. It is shown this once; only its hash is kept.</p>
        <Code text={create.data.key} label="key" />
        <Button kind="main" onPress={onDone}>Done</Button>
      </div>
    );
  return (
    <form className={styles["form"]} onSubmit={submit}>
      <label className={styles["label"]}>
        Name
        <input className={styles["input"]} value={name} autoFocus maxLength={100} placeholder="The application or person that uses it" onChange={(event) => setName(event.target.value)} />
      </label>
      {create.error && <p role="alert" className={styles["bad"]}>{create.error.message}</p>}
      <div className={styles["acts"]}>
        <Button onPress={onDone}>Cancel</Button>
        <Button type="submit" kind="main" isDisabled={name.trim() === "" || create.isPending}>Create key</Button>
      </div>
    </form>
  );
}

function Revoke({ target, onDone }: { target: KeyItem; onDone: () => void }) {
  const revoke = useRevokeKey();
  return (
    <div className={styles["form"]}>
      <p>Calls that carry <strong>{target.name}</strong> are refused from now on. A revoked key can't be brought back.</p>
      {revoke.error && <p role="alert" className={styles["bad"]}>{revoke.error.message}</p>}
      <div className={styles["acts"]}>
        <Button onPress={onDone} autoFocus>Keep it</Button>
        <Button kind="bad" isDisabled={revoke.isPending} onPress={() => revoke.mutate(target.key_id, { onSuccess: onDone })}>Revoke key</Button>
      </div>
    </div>
  );
}
