/** A picture: small in its place, large in a layer of its own. */
import { useState } from "react";
import { Button as AriaButton } from "react-aria-components/Button";
import type { Part } from "@/client/types";
import { Button } from "@/kit/button";
import { Dialog } from "@/kit/dialog";
import { mediumLabel, mediumName, mediumUrl } from "../media";
import styles from "./medium.module.css";

export function Picture({ part }: { part: Part }) {
  const [isOpen, setOpen] = useState(false);
  const [isBroken, setBroken] = useState(false);
  const label = mediumLabel(part);
  return (
    <figure className={styles["picture"]} data-small>
      <AriaButton className={styles["thumbnail"]!} onPress={() => setOpen(true)} aria-label={`Open ${label}`} aria-haspopup="dialog">
        {isBroken ? <span>No longer stored</span> : <img src={mediumUrl(part, 256)} alt="" loading="lazy" decoding="async" width={192} height={144} onError={() => setBroken(true)} />}
      </AriaButton>
      <figcaption>{label}</figcaption>
      <Dialog title={label} isOpen={isOpen} onClose={() => setOpen(false)} isWide>
        <Large part={part} label={label} onClose={() => setOpen(false)} />
      </Dialog>
    </figure>
  );
}

function Large({ part, label, onClose }: { part: Part; label: string; onClose: () => void }) {
  const [state, setState] = useState<"loading" | "shown" | "broken">("loading");
  return (
    <div className={styles["large"]}>
      {state === "broken" ? (
        <p role="status" className={styles["broken"]}>This picture can't be shown: its bytes are no whole {part.mime_type} file, or it was deleted. A download gives what there is.</p>
      ) : (
        <img src={mediumUrl(part)} alt={label} data-loading={state === "loading" || undefined} onLoad={() => setState("shown")} onError={() => setState("broken")} />
      )}
      <div className={styles["acts"]}>
        <a href={mediumUrl(part)} download={mediumName(part)} aria-label={`Download ${label}`}>Download</a>
        <Button onPress={onClose}>Close</Button>
      </div>
    </div>
  );
}
