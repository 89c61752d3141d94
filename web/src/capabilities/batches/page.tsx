/** The batches of the project: how far each is and what it cost. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { publicUrl } from "@/client/base";
import { Button } from "@/kit/button";
import { Code } from "@/kit/copy";
import { useEnvironment } from "@/kit/environment";
import { Page } from "@/kit/page";
import { Empty, Failure, Skeleton } from "@/kit/states";
import { BatchTable } from "./parts/batch_table";
import { batchPagesQuery } from "./queries";

export function BatchesPage() {
  const pages = useInfiniteQuery(batchPagesQuery(useEnvironment()));
  const items = pages.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title="Batches" isPadded>
      {pages.isPending && <Skeleton rows={6} />}
      {pages.error && <Failure what="Failed to load the batches" error={pages.error} retry={() => void pages.refetch()} />}
      {pages.isSuccess && items.length === 0 && <NoBatches />}
      {items.length > 0 && <BatchTable items={items} />}
      {pages.hasNextPage && <div><Button onPress={() => void pages.fetchNextPage()} isDisabled={pages.isFetchingNextPage}>Show older batches</Button></div>}
    </Page>
  );
}

function NoBatches() {
  return (
    <Empty title="No batches yet">
      <p>
        A batch runs a file of requests later, one per line: at the provider's batch price if it has a batch API, and
        through Sternpost's own queue everywhere else. Start one with an OpenAI SDK at <code>{publicUrl}/v1</code>, or on the
        command line:
      </p>
      <Code text="sternpost batch submit requests.jsonl" label="command" />
    </Empty>
  );
}
