// The widgets of this page, by the view they show. An output that the plugin renders has no widget of its own, and the
// kernel speaks to widgets only: where the Jupyter server leads nowhere, the output borrows that of its view. Both come
// in bundles of their own, so they meet at the page.

import type { CommModel } from "./comm";

interface Meeting {
  models: Map<string, Set<CommModel>>;
  changed: EventTarget;
}

const PLACE = Symbol.for("pvlink.models");

function meeting(): Meeting {
  const page = globalThis as { [PLACE]?: Meeting };
  return (page[PLACE] ??= { models: new Map(), changed: new EventTarget() });
}

const nameOf = (session: unknown, view: unknown): string => JSON.stringify([session, view]);

// Until the function that comes back is called.
export function announce(model: CommModel): () => void {
  const { models, changed } = meeting();
  const name = nameOf(model.get("session"), model.get("view"));
  const found = models.get(name) ?? new Set();
  models.set(name, found.add(model));
  changed.dispatchEvent(new Event("change"));
  return () => {
    found.delete(model);
    if (found.size === 0 && models.get(name) === found) models.delete(name);
  };
}

// The newest, as soon as there is one.
export function modelOf(session: string, view: string, signal: AbortSignal): Promise<CommModel> {
  const { models, changed } = meeting();
  const newest = (): CommModel | undefined => [...(models.get(nameOf(session, view)) ?? [])].at(-1);
  return new Promise((done) => {
    const stop = new AbortController();
    signal.addEventListener("abort", () => stop.abort(), { signal: stop.signal });
    const look = (): void => {
      const model = newest();
      if (!model) return;
      stop.abort();
      done(model);
    };
    changed.addEventListener("change", look, { signal: stop.signal });
    look();
  });
}
