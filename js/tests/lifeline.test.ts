import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CLOSE_DENIED, CLOSE_FULL, CLOSE_GONE, CLOSE_NO_SESSION, CLOSE_REVOKED } from "../src/protocol";
import type { Admission } from "../src/viewer/admission";
import { Backoff } from "../src/viewer/backoff";
import { Lifeline, type LineState } from "../src/viewer/lifeline";
import { FakeSocket, GRANTED, settle, SILENCE } from "./fakes/socket";

let states: LineState[];
let line: Lifeline;
let answer: () => Admission | Promise<Admission>;
let asked: number;

const AWAY: Admission = { kind: "away", message: "" };
const ENDED: Admission = { kind: "ended", message: "", final: false };
const last = (): LineState | undefined => states.at(-1);

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all.length = 0;
  states = [];
  asked = 0;
  answer = () => GRANTED;
  line = new Lifeline(
    {
      url: "ws://here/s/ws",
      ticket: async () => {
        asked += 1;
        return await answer();
      },
      join: (view) => ({ protocol: 2, view, width: 1, height: 1, codecs: [] }),
      openSocket: FakeSocket.open,
    },
    {
      state: (state) => states.push(state),
      joined: () => undefined,
      frame: () => undefined,
      view: () => undefined,
      people: () => undefined,
    },
  );
});

async function connect(): Promise<void> {
  line.connect();
  await settle();
}

// The newest socket ends, as the streamer or the network has it.
async function drop(code?: number, reason?: string): Promise<void> {
  FakeSocket.last.drop(code, reason);
  await settle();
}

afterEach(() => {
  line.dispose();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function hide(hidden: boolean): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(hidden ? "hidden" : "visible");
  document.dispatchEvent(new Event("visibilitychange"));
}

describe("the wait before the next try", () => {
  it("doubles from a quarter of a second to five", () => {
    const backoff = new Backoff();
    expect(Array.from({ length: 7 }, () => backoff.wait())).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    backoff.joined(5_000);
    expect(backoff.wait()).toBe(250);
  });

  it("stays below a second where links are joined, however soon they are cut", () => {
    const backoff = new Backoff();
    const waits = Array.from({ length: 6 }, () => {
      const wait = backoff.wait();
      backoff.joined(100);
      return wait;
    });
    expect(waits).toEqual([250, 500, 1000, 1000, 1000, 1000]);
  });
});

describe("a lifeline", () => {
  it("asks for one ticket and opens one socket, however often it is told to", async () => {
    line.connect();
    line.connect();
    await settle();
    line.connect();
    await settle();
    expect([asked, FakeSocket.all.length]).toEqual([1, 1]);
    expect(FakeSocket.last.url).toBe("ws://here/s/ws");
  });

  it("reconnects a quarter of a second after a cut, with a new ticket", async () => {
    await connect();
    await FakeSocket.last.join();
    expect(last()).toEqual({ kind: "open" });
    await drop();
    expect(last()).toEqual({ kind: "waiting", wait: 250, message: "" });
    await vi.advanceTimersByTimeAsync(250);
    expect([asked, FakeSocket.all.length]).toEqual([2, 2]);
    await FakeSocket.last.join();
    expect(last()).toEqual({ kind: "open" });
  });

  it("is patient with a network that stays away, and opens no socket there", async () => {
    answer = () => AWAY;
    await connect();
    for (const wait of [250, 500, 1000, 2000, 4000, 5000]) {
      expect(last()).toEqual({ kind: "waiting", wait, message: "" });
      await vi.advanceTimersByTimeAsync(wait);
    }
    expect(FakeSocket.all).toEqual([]);
  });

  it("takes a ticket that fails to come for a network that is away, and says so to developers", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    answer = () => Promise.reject(new Error("broken host"));
    await connect();
    expect(last()).toMatchObject({ kind: "waiting" });
    expect(warn).toHaveBeenCalledOnce();
  });

  it("does not hammer a server that lets it in and throws it out", async () => {
    await connect();
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      await FakeSocket.last.join();
      await drop();
      const state = last();
      if (state?.kind === "waiting") waits.push(state.wait);
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(waits).toEqual([250, 500, 1000, 1000]);
  });

  it("tries quickly again after a link that had lasted", async () => {
    await connect();
    await drop();
    await vi.advanceTimersByTimeAsync(250);
    await FakeSocket.last.join();
    await vi.advanceTimersByTimeAsync(6_000);
    await drop();
    expect(last()).toMatchObject({ kind: "waiting", wait: 250 });
  });

  it("says that the session ended, and asks for it every ten seconds without opening a socket", async () => {
    await connect();
    await FakeSocket.last.join();
    answer = () => ENDED;
    await drop(CLOSE_NO_SESSION, "This session ended.");
    expect(last()).toEqual({ kind: "ended", wait: 10_000, message: "This session ended." });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(asked).toBe(4);
    expect(FakeSocket.all).toHaveLength(1);
    answer = () => GRANTED;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("does not take an ended session for a lost network when that goes, too", async () => {
    answer = () => ENDED;
    await connect();
    answer = () => AWAY;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(last()).toEqual({ kind: "ended", wait: 10_000, message: "" });
  });

  it("does not ask again for what is over for good, unless the user does", async () => {
    answer = () => ({ kind: "ended", message: "This link has ended.", final: true });
    await connect();
    expect(last()).toMatchObject({ kind: "ended", message: "This link has ended." });
    await vi.advanceTimersByTimeAsync(600_000);
    dispatchEvent(new Event("online"));
    await settle();
    expect(asked).toBe(1);
    answer = () => AWAY;
    await connect();
    expect(last()).toEqual({ kind: "ended", wait: Infinity, message: "This link has ended." });
    expect([asked, vi.getTimerCount()]).toEqual([2, 0]);
  });

  it("says why no ticket was to be had, and asks again in ten seconds", async () => {
    answer = () => ({ kind: "refused", message: "Jupyter asks to sign in again." });
    await connect();
    expect(last()).toEqual({ kind: "lost", wait: 10_000, message: "Jupyter asks to sign in again." });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toBe(2);
  });

  it("waits as long as it is told to", async () => {
    answer = () => ({ kind: "busy", message: "Too many.", waitMs: 17_000 });
    await connect();
    expect(last()).toEqual({ kind: "lost", wait: 17_000, message: "Too many." });
    await vi.advanceTimersByTimeAsync(16_999);
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toBe(2);
  });

  it("takes a new ticket at once when one was denied, and has patience with a second denial", async () => {
    await connect();
    await drop(CLOSE_DENIED, "Not let in.");
    expect([asked, FakeSocket.all.length]).toEqual([2, 2]);
    expect(states).toEqual([]);
    await drop(CLOSE_DENIED, "Not let in.");
    expect(last()).toEqual({ kind: "lost", wait: 250, message: "Not let in." });
    await vi.advanceTimersByTimeAsync(250);
    await drop(CLOSE_DENIED, "Not let in.");
    expect(last()).toEqual({ kind: "lost", wait: 500, message: "Not let in." });
    await vi.advanceTimersByTimeAsync(500);
    await FakeSocket.last.join();
    await drop(CLOSE_DENIED);
    expect(FakeSocket.all).toHaveLength(5);
  });

  it("stays away once it was shut out, and says why", async () => {
    await connect();
    await FakeSocket.last.join();
    await drop(CLOSE_REVOKED, "This link was withdrawn.");
    expect(last()).toEqual({ kind: "ended", wait: Infinity, message: "This link was withdrawn." });
    await vi.advanceTimersByTimeAsync(600_000);
    dispatchEvent(new Event("pageshow"));
    hide(true);
    hide(false);
    line.setVisible(false);
    line.setVisible(true);
    await settle();
    expect([asked, vi.getTimerCount()]).toEqual([1, 0]);
    await connect();
    expect(asked).toBe(2);
  });

  it("comes back every ten seconds to a session that is full", async () => {
    await connect();
    await drop(CLOSE_FULL, "50 viewers are enough.");
    expect(last()).toEqual({ kind: "lost", wait: 10_000, message: "50 viewers are enough." });
  });

  it("says that the streamer is gone, and tries again", async () => {
    await connect();
    await FakeSocket.last.join();
    await drop(CLOSE_GONE, "The streamer ended.");
    expect(last()).toEqual({ kind: "lost", wait: 250, message: "The streamer ended." });
    await vi.advanceTimersByTimeAsync(250);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("looks every two seconds for a killed streamer's successor, and says what brings it", async () => {
    await connect();
    await FakeSocket.last.join();
    await drop(CLOSE_GONE, "Restart it.");
    answer = () => ({ ...ENDED, message: "The kernel has ended." });
    const message = "Restart it. If the kernel has ended, too, run the cells again.";
    let before = 250;
    for (const wait of [500, 1000, 2000, 2000, 2000]) {
      await vi.advanceTimersByTimeAsync(before);
      expect(last()).toEqual({ kind: "lost", wait, message });
      before = wait;
    }
    answer = () => GRANTED;
    await vi.advanceTimersByTimeAsync(2000);
    await FakeSocket.last.join();
    expect(last()).toEqual({ kind: "open" });
    // It has come back: from here on an end is an end.
    await drop();
    answer = () => ({ ...ENDED, message: "The kernel has ended." });
    await vi.advanceTimersByTimeAsync(5000);
    expect(last()).toMatchObject({ kind: "ended", message: "The kernel has ended." });
  });

  it("takes a streamer that said goodbye for an ended session, not a lost one", async () => {
    await connect();
    await FakeSocket.last.join();
    FakeSocket.last.publish("pvlink.state", { state: "ended", message: "Run the cells again.", progress: null });
    await settle();
    answer = () => ({ ...ENDED, message: "There is no such session." });
    await drop(CLOSE_GONE, "The streamer ended.");
    expect(last()).toEqual({ kind: "ended", wait: 10_000, message: "Run the cells again." });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(last()).toEqual({ kind: "ended", wait: 10_000, message: "Run the cells again." });
  });

  it.each(["online", "pageshow"])("tries at once when the browser says %s", async (event) => {
    answer = () => AWAY;
    await connect();
    dispatchEvent(new Event(event));
    await settle();
    expect(asked).toBe(2);
  });

  it("asks an open link for a sign of life after a sleep, and has less patience than usual", async () => {
    await connect();
    await FakeSocket.last.join();
    FakeSocket.last.answers["pvlink.ping"] = () => SILENCE;
    dispatchEvent(new Event("pageshow"));
    expect(FakeSocket.last.sent("pvlink.ping")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(last()).toMatchObject({ kind: "waiting" });
  });

  it("does not fight for a link while the page is hidden, and connects when it is shown", async () => {
    await connect();
    await FakeSocket.last.join();
    hide(true);
    await drop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
    hide(false);
    await settle();
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("does not fight for a link while its cell is scrolled away, and connects when it is back", async () => {
    await connect();
    await FakeSocket.last.join();
    line.setVisible(false);
    await drop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    line.setVisible(true);
    await settle();
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("tries at once when the user is impatient", async () => {
    answer = () => AWAY;
    await connect();
    answer = () => GRANTED;
    await connect();
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([asked, FakeSocket.all.length]).toEqual([2, 1]);
  });

  it("says so when the page may not open the socket at all", async () => {
    vi.spyOn(FakeSocket, "open").mockImplementation(() => {
      throw new Error("SecurityError");
    });
    line.dispose();
    line = new Lifeline(
      {
        url: "ws://elsewhere",
        ticket: () => Promise.resolve(GRANTED),
        join: (view) => ({ protocol: 2, view, width: 1, height: 1, codecs: [] }),
        openSocket: (url) => FakeSocket.open(url),
      },
      {
        state: (state) => states.push(state),
        joined: () => undefined,
        frame: () => undefined,
        view: () => undefined,
        people: () => undefined,
      },
    );
    await connect();
    expect((last() as { message: string }).message).toContain("may not connect");
  });

  it("is silent after dispose: no socket, no timer, no listener", async () => {
    await connect();
    await FakeSocket.last.join();
    FakeSocket.last.drop();
    await settle();
    line.dispose();
    line.dispose();
    const before = states.length;
    dispatchEvent(new Event("online"));
    line.connect();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(states).toHaveLength(before);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("drops a ticket that comes after dispose", async () => {
    let late: (found: Admission) => void = () => undefined;
    answer = () => new Promise<Admission>((done) => (late = done));
    await connect();
    line.dispose();
    late(GRANTED);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakeSocket.all).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
