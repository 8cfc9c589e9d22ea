import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { signInFromAddress } from "@/features/session/api";
import { applyToDocument } from "@/lib/preferences";

import { App } from "./app";
import "./styles.css";

applyToDocument();
// The code leaves the address before the router, or anything else, reads it.
const link = await signInFromAddress();

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <App refused={link === "refused"} />
  </StrictMode>,
);
