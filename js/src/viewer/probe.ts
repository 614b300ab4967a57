// Whether a session still lives: one plain request, answered by the relay.

export type ProbeAnswer =
  | { kind: "alive" }
  | { kind: "ended" }
  // There is a server, and it says no.
  | { kind: "refused"; message: string }
  // No answer at all.
  | { kind: "away" };

const PATIENCE_MS = 5_000;

const REFUSALS: Record<number, string> = {
  401: "Jupyter asks to sign in again: reload the page.",
  403: "Jupyter asks to sign in again: reload the page.",
  404: "This Jupyter server has no pvlink: install pvlink where Jupyter runs and restart it.",
};

// The voila command sends whatever it does not know to its files, and refuses it there.
const ELSEWHERE =
  "This server has no pvlink, as Voila has none when it runs by itself: " +
  "open the notebook through a Jupyter server, at voila/render.";

export async function ask(url: string, signal?: AbortSignal, get: typeof fetch = fetch): Promise<ProbeAnswer> {
  const stop = new AbortController();
  const giveUp = (): void => stop.abort();
  const timer = setTimeout(giveUp, PATIENCE_MS);
  signal?.addEventListener("abort", giveUp);
  try {
    const answer = await get(url, { credentials: "same-origin", cache: "no-store", signal: stop.signal });
    const refusal = answer.redirected && answer.status === 403 ? ELSEWHERE : REFUSALS[answer.status];
    if (refusal) return { kind: "refused", message: refusal };
    if (!answer.ok) return { kind: "away" };
    return alive(await answer.json());
  } catch {
    // A network that is away, a proxy's page instead of JSON: both mean that nobody answered.
    return { kind: "away" };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

function alive(body: unknown): ProbeAnswer {
  if (typeof body !== "object" || body === null || !("alive" in body)) return { kind: "away" };
  return body.alive === true ? { kind: "alive" } : { kind: "ended" };
}
