// Why a view comes through the kernel, as the line below it says: what is lost, and the cure.

import type { Door } from "./protocol";
import type { Note } from "./viewer/note";

export type Reason = "none" | "elsewhere" | "voila" | "vscode";

const LOST = "fewer frames, and the view stands still while a cell runs.";

const TEXTS: Record<Reason, string> = {
  none: `Without the pvlink server extension: ${LOST} Cure: install pvlink where Jupyter runs and restart it.`,
  elsewhere: `The kernel runs on another machine: ${LOST} Cure: pvlink.start(direct=True), or ask the administrator.`,
  voila: `The voila command has no Jupyter server: ${LOST} Cure: open the dashboard through one, at voila/render.`,
  vscode: `VS Code lets views speak to the kernel only: ${LOST} Cure: open the notebook in JupyterLab.`,
};

export const noteOf = (reason: Reason): Note => ({ name: reason, text: TEXTS[reason] });

// The browser does not say why it could not connect; most often it does not know the certificate.
export function doorNote({ page, fingerprint }: Door, opened: () => void): Note {
  return {
    name: "door",
    text: `The browser did not connect to the kernel's machine: ${LOST} Cure: accept its certificate, once:`,
    link: { label: new URL(page).host, href: page, title: `SHA-256 fingerprint: ${fingerprint}`, opened },
  };
}

// Its notebooks' outputs live in a page of their own.
export const inVsCode = (page: Document = document): boolean =>
  page.location.protocol === "vscode-webview:" || "acquireVsCodeApi" in globalThis || "vscodeThemeKind" in page.body.dataset;
