import { createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";

import { FlowPage } from "./routes/flow-page";
import { FlowsPage } from "./routes/flows-page";
import { validateSearch } from "./search";
import { CrashedPage, NotFoundPage } from "./shell/fallbacks";
import { Shell } from "./shell/shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage });

const index = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => { throw redirect({ to: "/flows", replace: true }); }, // eslint-disable-line @typescript-eslint/only-throw-error -- the router's way to redirect
});

const flows = createRoute({ getParentRoute: () => root, path: "/flows", validateSearch, component: FlowsPage });
const flow = createRoute({ getParentRoute: () => root, path: "/flows/$id", validateSearch, component: FlowPage });

export const router = createRouter({
  routeTree: root.addChildren([index, flows, flow]),
  defaultErrorComponent: CrashedPage,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
