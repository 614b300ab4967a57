// Counts who listens, so that a test can say that nobody is left.

import { vi } from "vitest";

export class Listeners {
  private readonly listening = new Map<unknown, Set<string>>();

  constructor(...targets: EventTarget[]) {
    for (const target of targets) this.watch(target);
  }

  get left(): number {
    return [...this.listening.values()].reduce((sum, types) => sum + types.size, 0);
  }

  private watch(target: EventTarget): void {
    const add = target.addEventListener.bind(target);
    const remove = target.removeEventListener.bind(target);
    vi.spyOn(target, "addEventListener").mockImplementation((type, listener, options) => {
      const types = this.listening.get(listener) ?? new Set();
      this.listening.set(listener, types.add(type));
      const signal = typeof options === "object" ? options.signal : undefined;
      signal?.addEventListener("abort", () => types.delete(type));
      add(type, listener, options);
    });
    vi.spyOn(target, "removeEventListener").mockImplementation((type, listener, options) => {
      this.listening.get(listener)?.delete(type);
      remove(type, listener, options);
    });
  }
}
