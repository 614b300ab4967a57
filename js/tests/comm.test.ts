import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CommSocket } from "../src/comm";
import { CLOSE_FULL, CLOSE_GONE, CLOSE_NO_SESSION } from "../src/protocol";
import type { Held } from "../src/viewer/admission";
import { FakeKernel } from "./fakes/kernel";

let kernel: FakeKernel;
let held: Held[];
let socket: CommSocket;
const stop = new AbortController();

beforeEach(() => {
  vi.useFakeTimers();
  kernel = new FakeKernel();
  held = [];
  socket = new CommSocket(kernel, (each) => held.push(each));
});

afterEach(() => {
  socket.close();
  vi.useRealTimers();
});

describe("leave to speak through the kernel", () => {
  it("is asked for with a name and a key that were thrown here", async () => {
    const leave = await socket.ask(true, stop.signal);
    const [call] = kernel.calls;
    expect(call).toMatchObject({ pvlink: "ticket", seq: 1, direct: true });
    expect(call?.ticket).toMatch(/^[0-9a-f]{32}$/);
    expect(call?.key).toMatch(/^[0-9a-f]{64}$/);
    expect(leave).toEqual({ door: null, grant: { ticket: call?.ticket, key: call?.key, view: "v1", role: "owner" } });
  });

  it.each([
    [{ code: CLOSE_GONE, message: "gone" }, { kind: "away", message: "gone" }],
    [{ code: CLOSE_FULL, message: "full" }, { kind: "busy", message: "full", waitMs: 1_000 }],
    [{ code: CLOSE_NO_SESSION, message: "over", final: true }, { kind: "ended", message: "over", final: true }],
  ])("may be refused: %j", async (refusal, meaning) => {
    kernel.refusal = refusal;
    expect(await socket.ask(false, stop.signal)).toEqual(meaning);
  });

  it("is waited for while the kernel is busy, and the wait is said", async () => {
    kernel.busy = true;
    const leave = socket.ask(false, stop.signal);
    vi.advanceTimersByTime(699);
    expect(held).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(held).toEqual(["silent"]);
    kernel.work(false);
    expect(await leave).toHaveProperty("grant");
    expect(held).toEqual(["silent", ""]);
  });

  it("is not waited for by who has gone", async () => {
    kernel.busy = true;
    const life = new AbortController();
    const leave = socket.ask(false, life.signal);
    life.abort();
    expect(await leave).toEqual({ kind: "away", message: "" });
    expect(kernel.listeners).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is not to be had of a kernel that the page has let go of", async () => {
    kernel.gone = true;
    expect(await socket.ask(false, stop.signal)).toEqual({ kind: "away", message: "" });
  });
});

describe("a websocket through the kernel", () => {
  let events: string[];

  beforeEach(async () => {
    events = [];
    await socket.ask(false, stop.signal);
    socket.addEventListener("open", () => events.push("open"));
    socket.addEventListener("message", (event) => events.push(`data ${describeData((event as MessageEvent).data)}`));
    socket.addEventListener("close", (event) => events.push(`close ${(event as CloseEvent).code}`));
    socket.open();
  });

  const describeData = (data: unknown): string =>
    data instanceof ArrayBuffer ? `[${[...new Uint8Array(data)].join()}]` : String(data);

  it("opens, and brings text and bytes, also where they lie in a larger buffer", () => {
    kernel.say(kernel.channel, "data", { text: "hello" });
    kernel.say(kernel.channel, "data", {}, [new DataView(Uint8Array.of(9, 1, 2, 9).buffer, 1, 2)]);
    expect(events).toEqual(["open", "data hello", "data [1,2]"]);
    expect(socket.readyState).toBe(1);
  });

  it("takes text and bytes", () => {
    socket.send("hello");
    socket.send(Uint8Array.of(9, 1, 2, 9).subarray(1, 3));
    expect(kernel.calls.at(-2)).toMatchObject({ pvlink: "data", text: "hello", seq: 3 });
    expect(describeData(kernel.buffers.at(-1)?.[0])).toBe("[1,2]");
  });

  it("sends together what was said while two messages were under way", () => {
    kernel.busy = true;
    for (let step = 0; step < 10; step++) socket.send(Uint8Array.of(step));
    expect(kernel.calls.filter(({ pvlink }) => pvlink === "data")).toHaveLength(2);
    kernel.work(false);
    expect(kernel.calls.filter(({ pvlink }) => pvlink === "data")).toHaveLength(3);
    expect(kernel.buffers.at(-1)?.map(describeData)).toEqual(["[2]", "[3]", "[4]", "[5]", "[6]", "[7]", "[8]", "[9]"]);
  });

  it("ends where too much is said that nobody takes", async () => {
    kernel.busy = true;
    for (let step = 0; step < 300; step++) socket.send(Uint8Array.of(1));
    await Promise.resolve();
    expect(events).toEqual(["open", "close 1006"]);
  });

  it("hears nothing that is said to others", () => {
    kernel.say("0".repeat(32), "data", { text: "not ours" });
    kernel.say("0".repeat(32), "closed", { code: CLOSE_GONE });
    kernel.fire("msg:custom", "text");
    kernel.fire("msg:custom", { kind: "anywidget-command-response" });
    expect(events).toEqual(["open"]);
  });

  it("stands still while a cell runs, and says so at once", () => {
    kernel.work(true);
    expect(socket.held).toBe(true);
    kernel.work(false);
    expect(socket.held).toBe(false);
    expect(held).toEqual(["busy", ""]);
  });

  it("notices a busy kernel that did not say so", () => {
    kernel.busy = true;
    socket.send("anybody there?");
    vi.advanceTimersByTime(700);
    expect(held).toEqual(["silent"]);
    kernel.work(false);
    expect(held).toEqual(["silent", ""]);
  });

  it("ends with the streamer's code", () => {
    kernel.say(kernel.channel, "closed", { code: 4403, message: "Enough." });
    expect(events).toEqual(["open", "close 4403"]);
    expect(kernel.listeners).toEqual([]);
  });

  it("ends when the page loses its kernel", async () => {
    kernel.gone = true;
    socket.send("anybody there?");
    await Promise.resolve();
    expect(events).toEqual(["open", "close 1006"]);
  });

  it("ends when the widget's own connection is cut", () => {
    kernel.fire("comm_live_update");
    expect(events).toEqual(["open", "close 1006"]);
  });

  it("says goodbye once, and listens no more", () => {
    socket.close();
    socket.close();
    expect(kernel.calls.filter(({ pvlink }) => pvlink === "close")).toHaveLength(1);
    expect(kernel.listeners).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
