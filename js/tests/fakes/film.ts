// What a film is made of: frames that must be closed, a track that takes them, and an element that shows them when the
// test says so.

import { vi } from "vitest";

export class FakeVideoFrame {
  static readonly open = new Set<FakeVideoFrame>();

  constructor(readonly timestamp = 0) {
    FakeVideoFrame.open.add(this);
  }

  clone(): FakeVideoFrame {
    return new FakeVideoFrame(this.timestamp);
  }

  close(): void {
    FakeVideoFrame.open.delete(this);
  }
}

export class FakeTrackGenerator {
  static refuses = false;
  readonly writable = {
    getWriter: () => ({
      write: (frame: FakeVideoFrame): Promise<void> => {
        if (FakeTrackGenerator.refuses) return Promise.reject(new TypeError("The track has ended"));
        frame.close();
        return Promise.resolve();
      },
    }),
  };

  stop(): void {
    FakeTrackGenerator.refuses = true;
  }
}

// The element that is made next can be told to present.
export function fakeVideoElements(): { present(): void; readonly visible: boolean; readonly element: HTMLVideoElement } {
  const asked: { element: HTMLVideoElement; callback: () => void }[] = [];
  const made: HTMLVideoElement[] = [];
  Object.assign(HTMLVideoElement.prototype, {
    requestVideoFrameCallback(this: HTMLVideoElement, callback: () => void): number {
      if (!made.includes(this)) made.push(this);
      return asked.push({ element: this, callback });
    },
  });
  vi.spyOn(HTMLVideoElement.prototype, "srcObject", "set").mockImplementation(() => undefined);
  let paused = true;
  vi.spyOn(HTMLVideoElement.prototype, "paused", "get").mockImplementation(() => paused);
  vi.spyOn(HTMLVideoElement.prototype, "pause").mockImplementation(() => void (paused = true));
  vi.spyOn(HTMLVideoElement.prototype, "play").mockImplementation(() => {
    paused = false;
    return Promise.resolve();
  });
  const last = (): HTMLVideoElement => {
    const element = made.at(-1);
    if (!element) throw new Error("There is no film.");
    return element;
  };
  return {
    // Nothing is shown while it is paused.
    present: () => {
      if (paused) return;
      for (const { callback } of asked.splice(0)) callback();
    },
    get visible() {
      return last().style.visibility === "visible";
    },
    get element() {
      return last();
    },
  };
}
