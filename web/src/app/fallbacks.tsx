/** Pages for an address nobody knows and for a page that broke. */
import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { Empty, Failure } from "@/kit/states";

export function NotFound() {
  return (
    <Empty title="There is no page at this address">
      <Link to="/">Go to the overview</Link>
    </Empty>
  );
}

export function PageFailure({ error, reset }: ErrorComponentProps) {
  return <Failure what="This page could not be drawn" error={error instanceof Error ? error : new Error(String(error))} retry={reset} />;
}
