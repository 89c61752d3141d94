/** Pages for an address nobody knows and for a page that broke. */
import { Link, useLocation, type ErrorComponentProps } from "@tanstack/react-router";
import { Page } from "@/kit/page";
import { Empty, Failure } from "@/kit/states";

export function NotFound() {
  const { pathname } = useLocation();
  return (
    <Page title="Not found" isPadded>
      <Empty title="There is no page at this address">
        <p><code>{pathname}</code></p>
        <p><Link to="/">Go to the overview</Link> or <Link to="/traces">to the traces</Link></p>
      </Empty>
    </Page>
  );
}

export function PageFailure({ error, reset }: ErrorComponentProps) {
  return <Failure what="This page failed to load" error={error instanceof Error ? error : new Error(String(error))} retry={reset} />;
}
