// One plain request, with an end to the patience.

const PATIENCE_MS = 5_000;

export type Fetch = typeof fetch;

// What `read` makes of the answer; null when nobody answered, or somebody else did (a proxy's page instead of JSON).
export async function request<T>(
  url: string,
  init: RequestInit,
  read: (answer: Response) => T | Promise<T>,
  signal?: AbortSignal,
  get: Fetch = (...all) => fetch(...all),
): Promise<T | null> {
  const stop = new AbortController();
  const giveUp = (): void => stop.abort();
  const timer = setTimeout(giveUp, PATIENCE_MS);
  signal?.addEventListener("abort", giveUp);
  try {
    return await read(await get(url, { cache: "no-store", ...init, signal: stop.signal }));
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}
