// Observers that see what the test says, and know whether anybody still listens.

export class FakeResizeObserver {
  static all: FakeResizeObserver[] = [];
  static knowsDevicePixels = true;
  readonly watched = new Set<Element>();
  readonly boxes: (string | undefined)[] = [];

  constructor(private readonly callback: ResizeObserverCallback) {
    FakeResizeObserver.all.push(this);
  }

  observe(element: Element, options?: ResizeObserverOptions): void {
    if (options?.box === "device-pixel-content-box" && !FakeResizeObserver.knowsDevicePixels) {
      throw new TypeError("unknown box");
    }
    this.boxes.push(options?.box);
    this.watched.add(element);
  }

  unobserve(element: Element): void {
    this.watched.delete(element);
  }

  disconnect(): void {
    this.watched.clear();
  }

  see(width: number, height: number): void {
    if (this.watched.size === 0) return;
    const exact = [{ inlineSize: width, blockSize: height }];
    const entry = { contentRect: { width, height }, ...(FakeResizeObserver.knowsDevicePixels && { devicePixelContentBoxSize: exact }) };
    this.callback([entry as unknown as ResizeObserverEntry], this);
  }
}

export class FakeIntersectionObserver {
  static all: FakeIntersectionObserver[] = [];
  readonly watched = new Set<Element>();
  readonly root = null;
  readonly rootMargin = "";
  readonly thresholds = [];

  constructor(private readonly callback: IntersectionObserverCallback) {
    FakeIntersectionObserver.all.push(this);
  }

  observe(element: Element): void {
    this.watched.add(element);
  }

  unobserve(): void {
    this.watched.clear();
  }

  disconnect(): void {
    this.watched.clear();
  }

  takeRecords(): IntersectionObserverEntry[] {
    return [];
  }

  see(isIntersecting: boolean): void {
    if (this.watched.size) this.callback([{ isIntersecting } as IntersectionObserverEntry], this);
  }
}

export function lastOf<T>(all: T[]): T {
  const last = all.at(-1);
  if (!last) throw new Error("Nobody watches.");
  return last;
}
