// How long to wait before the next try. Pure: no timer, no socket.

const FIRST_MS = 250;
const LONGEST_MS = 5_000;
// A link that lasted this long earned a quick first retry; one that is cut sooner did not.
const STEADY_MS = 5_000;
// But the way was open: on a line that is cut every second the picture comes back every second, not every fifth.
const JOINED_MS = 1_000;
// A session that ended may come back when its cell is run again; nobody waits for that with bated breath.
export const ENDED_MS = 10_000;

export class Backoff {
  private next = FIRST_MS;

  // The wait before the next try; each is twice the one before.
  wait(): number {
    const wait = this.next;
    this.next = Math.min(LONGEST_MS, wait * 2);
    return wait;
  }

  // A link was joined, and ended after so long.
  joined(lastedMs: number): void {
    this.next = lastedMs >= STEADY_MS ? FIRST_MS : Math.min(this.next, JOINED_MS);
  }
}
