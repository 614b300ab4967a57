// Tickets of the Jupyter server: its own sign-in and XSRF check stand in front of them.

import type { Address } from "./address";
import { AWAY, readAdmission, type Admission, type Tickets } from "./viewer/admission";
import { ask, SIGN_IN } from "./viewer/probe";
import { request, type Fetch } from "./viewer/request";

const OLDER = "The pvlink of this Jupyter server is older than this page: update pvlink where Jupyter runs and restart it.";

// Of a ticket that is refused although the session is there.
const REASONS: Record<number, string> = { 401: SIGN_IN, 403: SIGN_IN, 404: OLDER, 405: OLDER };

// As JupyterLab reads it. Where there are two (a server below another one's path), the nearer one comes first.
export function xsrf(cookies: string): string {
  return /(?:^|;\s*)_xsrf=([^;]*)/.exec(cookies)?.[1] ?? "";
}

// JupyterHub's servers want it of what only reads, too: they answer 403 without.
export function xsrfHeader(): Record<string, string> {
  const token = xsrf(document.cookie);
  return token ? { "X-XSRFToken": token } : {};
}

// A refusal that does not say why: Jupyter's own, or that of a server without our route.
type Reply = Admission | { kind: "unclear"; status: number; message: string };

async function read(answer: Response): Promise<Reply> {
  const { status, redirected } = answer;
  const said = await readAdmission(answer);
  const ours = status !== 404 || (said.kind === "ended" && !said.final);
  if (said.kind === "granted") return redirected ? AWAY : said;
  return said.kind === "refused" || redirected || !ours ? { kind: "unclear", status, message: said.message } : said;
}

export function jupyterTickets(place: Pick<Address, "probe" | "ticket">, view: string, get?: Fetch): Tickets {
  const post = async (signal: AbortSignal): Promise<Reply> => {
    const headers = { "Content-Type": "application/json", ...xsrfHeader() };
    const init: RequestInit = { method: "POST", credentials: "same-origin", headers, body: JSON.stringify({ view }) };
    return (await request(place.ticket, init, read, signal, get)) ?? AWAY;
  };
  return async (signal) => {
    const first: Reply = xsrf(document.cookie) ? await post(signal) : { kind: "unclear", status: 403, message: "" };
    if (first.kind !== "unclear") return first;
    // The plain request says what is the matter; where it was only the XSRF cookie, it brings one.
    const session = await ask(place.probe, xsrfHeader(), signal, get);
    if (session.kind === "away") return AWAY;
    if (session.kind === "ended") return { kind: "ended", message: "", final: false };
    if (session.kind === "refused") return session;
    const second = await post(signal);
    if (second.kind !== "unclear") return second;
    const why = second.status === 404 || second.status === 405 ? "none" : "other";
    return { kind: "refused", message: REASONS[second.status] ?? second.message, why };
  };
}
