import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Backoff } from "../src/viewer/backoff";
import { Lifeline, type LineState } from "../src/viewer/lifeline";
import { FakeSocket, settle, SILENCE } from "./fakes/socket";

let states: LineState[];
let line: Lifeline;
let alive: () => Response | Promise<Response>;
let probes: number;

const answer = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });
const last = (): LineState | undefined => states.at(-1);

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all.length = 0;
  states = [];
  probes = 0;
  alive = () => answer({ alive: true });
  line = new Lifeline(
    {
      url: "ws://here/s/ws",
      probe: "http://here/s",
      join: () => ({ protocol: 1, view: "v", width: 1, height: 1, codecs: [] }),
      openSocket: FakeSocket.open,
      fetch: () => {
        probes += 1;
        return Promise.resolve(alive());
      },
    },
    { state: (state) => states.push(state), joined: () => undefined, frame: () => undefined, view: () => undefined },
  );
});

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
    backoff.reset();
    expect(backoff.wait()).toBe(250);
  });
});

describe("a lifeline", () => {
  it("opens one socket, however often it is asked", () => {
    line.connect();
    line.connect();
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("reconnects a quarter of a second after a cut", async () => {
    line.connect();
    await FakeSocket.last.join();
    expect(last()).toEqual({ kind: "open" });
    FakeSocket.last.drop();
    await settle();
    expect(last()).toEqual({ kind: "waiting", wait: 250, message: "" });
    await vi.advanceTimersByTimeAsync(250);
    expect(FakeSocket.all).toHaveLength(2);
    await FakeSocket.last.join();
    expect(last()).toEqual({ kind: "open" });
  });

  it("is patient with a network that stays away", async () => {
    alive = () => Promise.reject(new TypeError("Failed to fetch"));
    line.connect();
    for (const wait of [250, 500, 1000, 2000, 4000, 5000]) {
      FakeSocket.last.drop();
      await vi.advanceTimersByTimeAsync(0);
      expect(last()).toEqual({ kind: "waiting", wait, message: "" });
      await vi.advanceTimersByTimeAsync(wait);
    }
    expect(FakeSocket.all).toHaveLength(7);
  });

  it("does not hammer a server that lets it in and throws it out", async () => {
    line.connect();
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      await FakeSocket.last.join();
      FakeSocket.last.drop();
      await settle();
      const state = last();
      if (state?.kind === "waiting") waits.push(state.wait);
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(waits).toEqual([250, 500, 1000, 2000]);
  });

  it("tries quickly again after a link that had lasted", async () => {
    line.connect();
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(250);
    await FakeSocket.last.join();
    await vi.advanceTimersByTimeAsync(6_000);
    FakeSocket.last.drop();
    await settle();
    expect(last()).toMatchObject({ kind: "waiting", wait: 250 });
  });

  it("says that the session ended, and asks for it every ten seconds without opening a socket", async () => {
    alive = () => answer({ alive: false });
    line.connect();
    await FakeSocket.last.join();
    FakeSocket.last.drop(4404, "This session ended.");
    await settle();
    expect(last()).toEqual({ kind: "ended", wait: 10_000, message: "This session ended." });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(probes).toBe(3);
    expect(FakeSocket.all).toHaveLength(1);
    alive = () => answer({ alive: true });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("finds out by a plain request why a socket did not open", async () => {
    alive = () => answer({ alive: false });
    line.connect();
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(0);
    expect(last()).toMatchObject({ kind: "ended" });
  });

  it.each([
    [403, "sign in again"],
    [404, "has no pvlink"],
  ])("says what a %i of the Jupyter server means", async (status, words) => {
    alive = () => answer({}, status);
    line.connect();
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(0);
    expect(last()?.kind).toBe("lost");
    expect((last() as { message: string }).message).toContain(words);
  });

  it("takes a proxy's error page for a network that is away", async () => {
    alive = () => new Response("<h1>Bad gateway</h1>", { status: 502 });
    line.connect();
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(0);
    expect(last()?.kind).toBe("waiting");
  });

  it("says that the streamer is gone, and tries again", async () => {
    line.connect();
    await FakeSocket.last.join();
    FakeSocket.last.drop(4502, "The streamer ended.");
    await settle();
    expect(last()).toEqual({ kind: "lost", wait: 250, message: "The streamer ended." });
    await vi.advanceTimersByTimeAsync(250);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("takes a streamer that said goodbye for an ended session, not a lost one", async () => {
    line.connect();
    await FakeSocket.last.join();
    FakeSocket.last.publish("pvlink.state", { state: "ended", message: "Run the cells again.", progress: null });
    await settle();
    FakeSocket.last.drop(4502, "The streamer ended.");
    await settle();
    expect(last()).toEqual({ kind: "ended", wait: 10_000, message: "Run the cells again." });
  });

  it.each(["online", "pageshow"])("tries at once when the browser says %s", async (event) => {
    alive = () => Promise.reject(new TypeError("Failed to fetch"));
    line.connect();
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(0);
    dispatchEvent(new Event(event));
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("asks an open link for a sign of life after a sleep, and has less patience than usual", async () => {
    line.connect();
    await FakeSocket.last.join();
    FakeSocket.last.answers["pvlink.ping"] = () => SILENCE;
    dispatchEvent(new Event("pageshow"));
    expect(FakeSocket.last.sent("pvlink.ping")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(last()).toMatchObject({ kind: "waiting" });
  });

  it("does not fight for a link while the page is hidden, and connects when it is shown", async () => {
    line.connect();
    await FakeSocket.last.join();
    hide(true);
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
    hide(false);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("does not fight for a link while its cell is scrolled away, and connects when it is back", async () => {
    line.connect();
    await FakeSocket.last.join();
    line.setVisible(false);
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    line.setVisible(true);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("tries at once when the user is impatient", async () => {
    alive = () => Promise.reject(new TypeError("Failed to fetch"));
    line.connect();
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(0);
    line.connect();
    expect(FakeSocket.all).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("says so when the page may not open the socket at all", () => {
    const forbidden = new Lifeline(
      {
        url: "ws://elsewhere",
        probe: "http://here/s",
        join: () => ({ protocol: 1, view: "v", width: 1, height: 1, codecs: [] }),
        openSocket: () => {
          throw new Error("SecurityError");
        },
      },
      { state: (state) => states.push(state), joined: () => undefined, frame: () => undefined, view: () => undefined },
    );
    forbidden.connect();
    expect((last() as { message: string }).message).toContain("may not connect");
    forbidden.dispose();
  });

  it("is silent after dispose: no socket, no timer, no listener", async () => {
    line.connect();
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

  it("drops the answer of a probe that comes after dispose", async () => {
    let late: (response: Response) => void = () => undefined;
    alive = () => new Promise<Response>((done) => (late = done));
    line.connect();
    FakeSocket.last.drop();
    await settle();
    line.dispose();
    late(answer({ alive: true }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
