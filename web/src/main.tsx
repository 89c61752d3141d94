/** Starts the app: theme, query cache, router. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { queries } from "@/app/query_client";
import { router } from "@/app/router";
import { reloadWhenStale } from "@/app/stale";
import { warmStart } from "@/app/warm";
import { startTheme } from "@/kit/theme";
import "@/kit/base.css";

startTheme();
warmStart();
reloadWhenStale();
const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
