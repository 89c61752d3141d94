/** Deletes a trace, its session or its user for good: says what goes, asks, and shows how far it is. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Deletion, TraceItem } from "@/client/types";
import { Button } from "@/kit/button";
import { Dialog } from "@/kit/dialog";
import { Failure, Skeleton } from "@/kit/states";
import { nameOf, previewQuery, sayWhatGoes, targetsOf, useDelete, useDeletionQuery, type Target } from "../deletion";
import styles from "./delete_traces.module.css";

export function DeleteTraces({ trace }: { trace: TraceItem }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onPress={() => setOpen(true)}>Delete…</Button>
      <Dialog title="Delete for good?" isOpen={isOpen} onClose={() => setOpen(false)}>
        <Ask targets={targetsOf(trace)} onClose={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

function Ask({ targets, onClose }: { targets: Target[]; onClose: () => void }) {
  const [chosen, setChosen] = useState(targets[0]!);
  const preview = useQuery(previewQuery(chosen));
  const remove = useDelete();
  if (remove.data) return <Progress begun={remove.data} onClose={onClose} />;
  return (
    <div className={styles["form"]}>
      {targets.length > 1 && (
        <fieldset className={styles["targets"]}>
          <legend>What to delete</legend>
          {targets.map((target) => (
            <label key={target.kind}>
              <input type="radio" name="target" checked={target.kind === chosen.kind} onChange={() => setChosen(target)} /> {nameOf(target)}
            </label>
          ))}
        </fieldset>
      )}
      {preview.isPending && <Skeleton rows={2} />}
      {preview.error && <Failure what="What would go could not be counted" error={preview.error} retry={() => void preview.refetch()} />}
      {preview.data && <p>{sayWhatGoes(preview.data)} Messages and media go too, unless other traces use them. This can't be undone.</p>}
      {remove.error && <p role="alert" className={styles["bad"]}>{remove.error.message}</p>}
      <div className={styles["acts"]}>
        <Button onPress={onClose} autoFocus>Keep</Button>
        <Button kind="bad" isDisabled={!preview.data || remove.isPending} onPress={() => remove.mutate(chosen)}>Delete for good</Button>
      </div>
    </div>
  );
}

function Progress({ begun, onClose }: { begun: Deletion; onClose: () => void }) {
  const deletion = useQuery(useDeletionQuery(begun)).data ?? begun;
  const navigate = useNavigate();
  const isDone = deletion.state === "done";
  const leave = (): void => {
    onClose();
    void navigate({ to: "/traces" });
  };
  return (
    <div className={styles["form"]}>
      <p role="status">{isDone ? `Deleted: ${deletion.counts.spans} spans, ${deletion.counts.messages} messages, ${deletion.counts.media} media.` : `Deleting, ${Math.round(deletion.progress * 100)} % done. It goes on if you leave this page.`}</p>
      {deletion.error && <p role="alert" className={styles["bad"]}>{deletion.error}</p>}
      <progress aria-label="Progress of the deletion" value={deletion.progress} max={1} />
      <div className={styles["acts"]}>
        <Button kind="main" onPress={leave} autoFocus>{isDone ? "To the traces" : "Leave"}</Button>
      </div>
    </div>
  );
}
