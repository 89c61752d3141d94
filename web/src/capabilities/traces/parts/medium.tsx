/** One picture, sound or document of a message. Its own bytes come from Sternpost; what is elsewhere is never loaded. */
import type { Part } from "@/client/types";
import { isWebAddress, mediumKind, mediumLabel, mediumName, mediumUrl } from "../media";
import { Picture } from "./picture";
import styles from "./medium.module.css";

export function Medium({ part }: { part: Part }) {
  const label = mediumLabel(part);
  switch (mediumKind(part)) {
    case "image":
      return <Picture part={part} />;
    case "audio":
      return (
        <figure className={styles["player"]}>
          {/* Nobody wrote captions for what an application sent. */}
          {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
          <audio controls preload="none" src={mediumUrl(part)} aria-label={label} />
          <Caption part={part} label={label} />
        </figure>
      );
    case "video":
      return (
        <figure className={styles["player"]}>
          {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
          <video controls preload="none" src={mediumUrl(part)} aria-label={label} />
          <Caption part={part} label={label} />
        </figure>
      );
    case "download":
      return <div className={styles["chip"]}><Caption part={part} label={label} /></div>;
    case "address":
      return <Address part={part} />;
    case "file":
      return <div className={styles["chip"]}>{part.modality ?? "file"} kept by the provider as <code>{part.file_id}</code></div>;
    case "missing":
      return <div className={styles["chip"]} data-missing>{label}: not kept, the record of the call ends inside it</div>;
  }
}

function Caption({ part, label }: { part: Part; label: string }) {
  return (
    <div className={styles["caption"]}>
      <span>{label}</span>
      <a href={mediumUrl(part)} download={mediumName(part)} aria-label={`Download ${label}`}>Download</a>
    </div>
  );
}

function Address({ part }: { part: Part }) {
  const uri = part.uri ?? "";
  const what = part.mime_type || part.modality || "media";
  return (
    <div className={styles["chip"]}>
      <span>{what} by address, not loaded: </span>
      {isWebAddress(uri) ? <a href={uri} target="_blank" rel="noopener noreferrer nofollow">{uri}</a> : <code>{uri}</code>}
    </div>
  );
}
