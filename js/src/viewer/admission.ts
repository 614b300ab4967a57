// Leave to open one websocket, or why not. Where the ticket comes from is the host's business (MountOptions.ticket).

import type { Grant, Role } from "../protocol";
import type { Note } from "./note";

// What a link needs of a websocket. `held`: the other side takes nothing for a while, and that is no sign of its end.
export interface Socket extends Pick<WebSocket, "send" | "close" | "readyState" | "addEventListener"> {
  binaryType: BinaryType;
  readonly held?: boolean;
}

export type Admission =
  // `open`: by another way than the options say; `note`: what is lost on it.
  | { kind: "granted"; grant: Grant; open?: () => Socket; note?: Note }
  // No such session any more; `final`: nor will there be one.
  | { kind: "ended"; message: string; final: boolean }
  // Somebody answers, and says no.
  | { kind: "refused"; message: string; why?: Refusal }
  // Too often; not before `waitMs`.
  | { kind: "busy"; message: string; waitMs: number }
  // Nobody answers, or a sentence of whoever answers in their place.
  | { kind: "away"; message: string };

// Whose no it is: of a server without pvlink, of the voila command, which has none, or of one that has it.
export type Refusal = "none" | "voila" | "other";

// Nobody takes anything just now, and why; "" when that is over.
export type Held = "" | "busy" | "silent";

// The line that a ticket is for: hears of a way that stands still, before and after it is open, and of a better one.
export interface Line {
  hold(held: Held): void;
  renew(): void;
}

export type Tickets = (signal: AbortSignal, line?: Line) => Promise<Admission>;

export const AWAY: Admission = { kind: "away", message: "" };
const ROLES: readonly Role[] = ["owner", "control", "view"];
// What a server may make us wait.
const LONGEST_WAIT_MS = 60_000;
const SHORTEST_WAIT_MS = 1_000;

export function readGrant(body: unknown): Grant | null {
  if (typeof body !== "object" || body === null) return null;
  const { ticket, key, view, role } = body as Record<string, unknown>;
  if (typeof ticket !== "string" || typeof key !== "string" || typeof view !== "string") return null;
  const known = ROLES.find((each) => each === role);
  return known ? { ticket, key, view, role: known } : null;
}

async function body(answer: Response): Promise<Record<string, unknown>> {
  try {
    const found: unknown = await answer.json();
    return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

// What a ticket route's answer means (docs/wire.md).
export async function readAdmission(answer: Response): Promise<Admission> {
  const said = await body(answer);
  const message = typeof said.message === "string" ? said.message : "";
  if (answer.ok) {
    const grant = readGrant(said);
    return grant ? { kind: "granted", grant } : AWAY;
  }
  if (answer.status === 404 && message) return { kind: "ended", message, final: said.alive !== false };
  if (answer.status === 429) return { kind: "busy", message: message || "Too many tries.", waitMs: wait(said.wait) };
  if (answer.status === 502) return { kind: "away", message };
  if (answer.status >= 500) return AWAY;
  return { kind: "refused", message: message || `The server answered ${answer.status}.` };
}

function wait(seconds: unknown): number {
  const asked = typeof seconds === "number" ? seconds * 1000 : 0;
  return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, Math.ceil(asked) || 0));
}
