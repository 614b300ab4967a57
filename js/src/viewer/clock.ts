// When work is done: once before the next repaint, and always in bounded time.

// A hidden page gets no animation frames at all, and one in a frame that is scrolled away may get none for
// seconds. The streamer waits for "drawn", so whatever waits for a frame must not wait for ever.
const LONGEST_FRAME_MS = 200;

// Calls `work` before the next repaint, at the latest after 200 ms, at once on a hidden page. Answers how to call it off.
export function beforeRepaint(work: () => void): () => void {
  if (document.visibilityState === "hidden") {
    work();
    return () => undefined;
  }
  let done = false;
  const once = (): void => {
    if (done) return;
    cancel();
    work();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, LONGEST_FRAME_MS);
  const cancel = (): void => {
    done = true;
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  return cancel;
}

// The work to do at most once a frame, however often it is asked for.
export class Beat {
  private cancel: (() => void) | null = null;

  constructor(
    private readonly work: () => void,
    private readonly schedule: (work: () => void) => () => void = beforeRepaint,
  ) {}

  // True while a beat is on its way.
  get pending(): boolean {
    return this.cancel !== null;
  }

  ask(): void {
    if (this.cancel) return;
    let ran = false;
    const cancel = this.schedule(() => {
      ran = true;
      this.cancel = null;
      this.work();
    });
    // The work may have run already: a hidden page does not wait.
    if (!ran) this.cancel = cancel;
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
  }
}
