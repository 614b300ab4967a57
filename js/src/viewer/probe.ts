// Whether a session still lives: one plain request, answered by the relay.

import type { Refusal } from "./admission";
import { request, type Fetch } from "./request";

export type ProbeAnswer =
  | { kind: "alive" }
  | { kind: "ended" }
  // There is a server, and it says no.
  | { kind: "refused"; message: string; why: Refusal }
  // No answer at all.
  | { kind: "away" };

export const SIGN_IN = "Jupyter asks to sign in again: reload the page.";

const SIGNED_OUT: ProbeAnswer = { kind: "refused", message: SIGN_IN, why: "other" };
const REFUSALS: Record<number, ProbeAnswer> = {
  401: SIGNED_OUT,
  403: SIGNED_OUT,
  404: {
    kind: "refused",
    message: "This Jupyter server has no pvlink: install pvlink where Jupyter runs and restart it.",
    why: "none",
  },
};

// The voila command sends whatever it does not know to its files, and refuses it there.
const ALONE: ProbeAnswer = {
  kind: "refused",
  message:
    "This server has no pvlink, as Voila has none when it runs by itself: " +
    "open the notebook through a Jupyter server, at voila/render.",
  why: "voila",
};

// JupyterHub answers for a server that it has stopped, under an address of its own.
const STOPPED = "JupyterHub has stopped this Jupyter server: start it again, reload the page and run the cells.";
const byTheHub = ({ status, url }: Response): boolean =>
  status === 424 || (status >= 400 && status < 500 && url.includes("/hub/user/"));

// `headers`: what shows the server that it is a page of its own that asks.
export async function ask(
  url: string,
  headers: Record<string, string>,
  signal?: AbortSignal,
  get?: Fetch,
): Promise<ProbeAnswer> {
  return (await request(url, { credentials: "same-origin", headers }, read, signal, get)) ?? { kind: "away" };
}

async function read(answer: Response): Promise<ProbeAnswer> {
  if (byTheHub(answer)) return { kind: "refused", message: STOPPED, why: "other" };
  const refusal = answer.redirected && answer.status === 403 ? ALONE : REFUSALS[answer.status];
  if (refusal) return refusal;
  if (!answer.ok) return { kind: "away" };
  const body: unknown = await answer.json();
  if (typeof body !== "object" || body === null || !("alive" in body)) return { kind: "away" };
  return body.alive === true ? { kind: "alive" } : { kind: "ended" };
}
