// Counts who listens, so that a test can say that nobody is left.

import { vi } from "vitest";

export class Listeners {
  private count = 0;

  constructor(...targets: EventTarget[]) {
    for (const target of targets) this.watch(target);
  }

  get left(): number {
    return this.count;
  }

  private watch(target: EventTarget): void {
    const add = target.addEventListener.bind(target);
    const remove = target.removeEventListener.bind(target);
    vi.spyOn(target, "addEventListener").mockImplementation((type, listener, options) => {
      this.count += 1;
      const signal = typeof options === "object" ? options.signal : undefined;
      signal?.addEventListener("abort", () => (this.count -= 1));
      add(type, listener, options);
    });
    vi.spyOn(target, "removeEventListener").mockImplementation((type, listener, options) => {
      this.count -= 1;
      remove(type, listener, options);
    });
  }
}
