/** The list of traces: filter text, live mode, keyboard; every choice is in the address. */
import { useRef, useState } from "react";
import { getRouteApi } from "@tanstack/react-router";
import { Button } from "@/kit/button";
import { useEnvironment } from "@/kit/environment";
import { useHotkeys } from "@/kit/hotkeys";
import { Page } from "@/kit/page";
import { PageRange, usePageRange } from "@/kit/page_range";
import { Failure, Skeleton } from "@/kit/states";
import { Problem } from "@/client/client";
import { useTraceList } from "./live";
import { FilterBar } from "./parts/filter_bar";
import { NoMatch } from "./parts/no_match";
import { SearchFurther } from "./parts/search_further";
import { TraceTable } from "./parts/trace_table";
import styles from "./page.module.css";

const route = getRouteApi("/shell/traces");

export function TraceList() {
  const { filter, live } = route.useSearch();
  const navigate = route.useNavigate();
  const range = usePageRange();
  const environment = useEnvironment();
  const [isAtTop, setAtTop] = useState(true);
  const isLive = live !== "off" && range.until === undefined;
  const input = useRef<HTMLInputElement>(null);
  const { items, pages } = useTraceList({ filter, since: range.since, until: range.until, environment }, isLive && isAtTop);

  const setFilter = (text: string): void => void navigate({ search: (old) => ({ ...old, filter: text.trim() || undefined }) });
  const toggleLive = (): void => void navigate({ search: (old) => ({ ...old, live: live === "off" ? undefined : "off" }), replace: true });
  const focusFilter = (event: KeyboardEvent): void => {
    event.preventDefault();
    input.current?.focus();
  };
  useHotkeys({ f: focusFilter, "/": focusFilter, "Shift+f": () => setFilter(""), v: toggleLive });

  const { error } = pages;
  const searchedUntil = pages.data?.pages.at(-1)?.searched_until ?? undefined;
  const searchFurther = searchedUntil !== undefined && (
    <SearchFurther searchedUntil={searchedUntil} isSearching={pages.isFetchingNextPage} onMore={() => void pages.fetchNextPage()} />
  );
  const isBadFilter = error instanceof Problem && error.status === 400;
  return (
    <Page title="Traces" actions={<Acts isLive={isLive} isAtTop={isAtTop} isPinned={range.until !== undefined} onToggle={toggleLive} />}>
      <FilterBar key={filter ?? ""} inputRef={input} filter={filter ?? ""} onFilter={setFilter} error={isBadFilter ? error.message : undefined} />
      {pages.isPending && <Skeleton rows={14} />}
      {error && !isBadFilter && <Failure what="Failed to load the traces" error={error} retry={() => void pages.refetch()} />}
      {pages.isSuccess && items.length === 0 && (searchFurther || <NoMatch filter={filter ?? ""} range={range} onFilter={setFilter} />)}
      {items.length > 0 && !error && (
        <div className={styles["list"]} data-stale={pages.isPlaceholderData || undefined}>
          <TraceTable
            items={items} hasMore={pages.hasNextPage} isLoadingMore={pages.isFetchingNextPage}
            onMore={() => void pages.fetchNextPage()} onTop={setAtTop} search={{ filter }} end={searchFurther}
          />
        </div>
      )}
    </Page>
  );
}

interface ActsProps {
  isLive: boolean;
  isAtTop: boolean;
  isPinned: boolean;
  onToggle: () => void;
}

function Acts({ isLive, isAtTop, isPinned, onToggle }: ActsProps) {
  const word = isLive && !isAtTop ? "Live, paused while scrolled" : "Live";
  return (
    <>
      <Button kind="bare" onPress={onToggle} aria-pressed={isLive} isDisabled={isPinned} aria-keyshortcuts="v">
        <span className={styles["dot"]} data-on={(isLive && isAtTop) || undefined} aria-hidden="true" />
        {word}
      </Button>
      <PageRange />
    </>
  );
}
