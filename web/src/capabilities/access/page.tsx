/** The keys of the project: make one, see when each was used, revoke it. */
import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import type { KeyItem } from "@/client/types";
import { Button } from "@/kit/button";
import { Dialog } from "@/kit/dialog";
import { useEnvironment } from "@/kit/environment";
import { Page } from "@/kit/page";
import { Empty, Failure, Skeleton } from "@/kit/states";
import { CreateKey } from "./parts/create_key";
import { KeyTable } from "./parts/key_table";
import { keysQuery, useRevokeKey } from "./queries";
import styles from "./page.module.css";

export function KeysPage() {
  const keys = useQuery(keysQuery(useEnvironment()));
  const [isCreating, setCreating] = useState(false);
  const [doomed, setDoomed] = useState<KeyItem | null>(null);
  return (
    <Page title="Keys" actions={<Button kind="main" onPress={() => setCreating(true)}>Create key</Button>} isPadded>
      {keys.isPending && <Skeleton rows={4} />}
      {keys.error && <Failure what="Failed to load the keys" error={keys.error} retry={() => void keys.refetch()} />}
      {keys.data?.length === 0 && <Empty title="No keys yet">Applications send a key with every call; each key has its own scopes and limits, and can be revoked alone.</Empty>}
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

function Revoke({ target, onDone }: { target: KeyItem; onDone: () => void }) {
  const revoke = useRevokeKey();
  return (
    <div className={styles["form"]}>
      <p>Calls with <strong>{target.name}</strong> will be refused from now on. This can't be undone.</p>
      {revoke.error && <p role="alert" className={styles["bad"]}>{revoke.error.message}</p>}
      <div className={styles["acts"]}>
        <Button onPress={onDone} autoFocus>Keep the key</Button>
        <Button kind="bad" isDisabled={revoke.isPending} onPress={() => revoke.mutate(target.key_id, { onSuccess: onDone })}>Revoke key</Button>
      </div>
    </div>
  );
}
