/** Everything that was changed: keys, sign-ins, batches; who did it, and what it was before. */
import { useState } from "react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button } from "@/kit/button";
import { useEnvironment } from "@/kit/environment";
import { Page } from "@/kit/page";
import { Empty, Failure, Skeleton } from "@/kit/states";
import { EventTable } from "./parts/event_table";
import { eventPagesQuery, useLiveEvents } from "./queries";
import { families } from "./words";
import styles from "./page.module.css";

export function ChangesPage() {
  const [family, setFamily] = useState("");
  const pages = useInfiniteQuery(eventPagesQuery(family, useEnvironment()));
  useLiveEvents();
  const items = pages.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title="Changes" isPadded>
      <div role="group" aria-label="Filter changes" className={styles["families"]}>
        {families.map(({ kind, title }) => (
          <Button key={kind} kind={kind === family ? "main" : "plain"} aria-pressed={kind === family} onPress={() => setFamily(kind)}>{title}</Button>
        ))}
      </div>
      {pages.isPending && <Skeleton rows={6} />}
      {pages.error && <Failure what="Failed to load the changes" error={pages.error} retry={() => void pages.refetch()} />}
      {pages.isSuccess && items.length === 0 && (
        <Empty title="No changes yet">
          <p>Changes to keys, sign-ins and batches appear here, with who made them.</p>
        </Empty>
      )}
      {items.length > 0 && <EventTable items={items} />}
      {pages.hasNextPage && <div><Button onPress={() => void pages.fetchNextPage()} isDisabled={pages.isFetchingNextPage}>Show older changes</Button></div>}
    </Page>
  );
}
