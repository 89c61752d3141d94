/** Every address of the app and the page behind it. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, parseSearchWith, retainSearchParams, stringifySearchWith } from "@tanstack/react-router";
import { basePath } from "@/client/base";
import { SignInPage } from "@/capabilities/access/sign_in";
import { NotFound, PageFailure } from "./fallbacks";
import { rangeSearch, signInSearch, traceSearch, tracesSearch } from "./search";
import { Shell } from "./shell";

const root = createRootRoute({ component: Outlet });

const signIn = createRoute({ getParentRoute: () => root, path: "/sign-in", component: SignInPage, validateSearch: signInSearch });

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  validateSearch: rangeSearch,
  search: { middlewares: [retainSearchParams(["since", "until"])] },
});

const overview = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("./overview/page"), "OverviewPage"),
});

const traces = createRoute({
  getParentRoute: () => shell,
  path: "/traces",
  validateSearch: tracesSearch,
  component: lazyRouteComponent(() => import("./traces_page"), "TracesPage"),
});

const trace = createRoute({
  getParentRoute: () => shell,
  path: "/traces/$traceId",
  validateSearch: traceSearch,
  component: lazyRouteComponent(() => import("./trace_page"), "TracePage"),
});

const models = createRoute({
  getParentRoute: () => shell,
  path: "/models",
  component: lazyRouteComponent(() => import("./models_page"), "ModelsWithConfiguration"),
});

const batches = createRoute({
  getParentRoute: () => shell,
  path: "/batches",
  component: lazyRouteComponent(() => import("@/capabilities/batches/page"), "BatchesPage"),
});

const batch = createRoute({
  getParentRoute: () => shell,
  path: "/batches/$batchId",
  component: lazyRouteComponent(() => import("@/capabilities/batches/batch_page"), "BatchPage"),
});

const keys = createRoute({
  getParentRoute: () => shell,
  path: "/keys",
  component: lazyRouteComponent(() => import("@/capabilities/access/page"), "KeysPage"),
});

const changes = createRoute({
  getParentRoute: () => shell,
  path: "/changes",
  component: lazyRouteComponent(() => import("@/capabilities/events/page"), "ChangesPage"),
});

const start = createRoute({
  getParentRoute: () => shell,
  path: "/connect",
  component: lazyRouteComponent(() => import("./start/page"), "ConnectPage"),
});

const unknown = createRoute({ getParentRoute: () => shell, path: "$", component: NotFound });

export const router = createRouter({
  routeTree: root.addChildren([signIn, shell.addChildren([overview, traces, trace, models, batches, batch, keys, changes, start, unknown])]),
  basepath: basePath || "/",
  defaultPreload: "intent",
  defaultErrorComponent: PageFailure,
  scrollRestoration: true,
  // Plain text both ways: an id of digits stays text, and links can be written by hand.
  parseSearch: parseSearchWith((text) => text),
  stringifySearch: stringifySearchWith(String),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
