import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame, Join, Joined, ViewState } from "../src/protocol";
import { Link, type End } from "../src/viewer/link";
import { frame } from "./fakes/frame";
import { FakeSocket, JOINED, settle, SILENCE } from "./fakes/socket";

const JOIN: Join = { protocol: 1, view: "v", width: 4, height: 3, codecs: ["jpeg"] };

let joined: Joined[];
let frames: Frame[];
let states: ViewState[];
let ends: End[];
let link: Link;

const open = (): Link =>
  new Link(
    "ws://here/s/ws",
    () => JOIN,
    {
      joined: (answer) => joined.push(answer),
      frame: (each) => frames.push(each),
      view: (state) => states.push(state),
      end: (end) => ends.push(end),
    },
    FakeSocket.open,
  );

beforeEach(() => {
  vi.useFakeTimers();
  [joined, frames, states, ends] = [[], [], [], []];
  link = open();
});

afterEach(() => {
  link.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a link", () => {
  it("says hello without a secret, then joins its view", async () => {
    await FakeSocket.last.join();
    expect(FakeSocket.last.calls.map(({ method }) => method)).toEqual(["wslink.hello", "pvlink.join"]);
    expect(FakeSocket.last.sent("wslink.hello")).toEqual([{ secret: null }]);
    expect(FakeSocket.last.sent("pvlink.join")).toEqual([JOIN]);
    expect(joined).toEqual([JOINED]);
  });

  it("sends nothing before it has joined", async () => {
    link.send("pvlink.visible", { visible: true });
    FakeSocket.last.answers["pvlink.join"] = () => SILENCE;
    await FakeSocket.last.join();
    link.send("pvlink.visible", { visible: true });
    expect(FakeSocket.last.sent("pvlink.visible")).toEqual([]);
  });

  it("hands on frames, bytes and all", async () => {
    await FakeSocket.last.join();
    const data = Uint8Array.from({ length: 5000 }, (_, place) => place % 251);
    FakeSocket.last.publish("pvlink.frame", frame(7, { data }));
    await settle();
    expect(frames).toEqual([frame(7, { data })]);
  });

  it("puts a frame together that comes in pieces, in order with what follows", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.piece = 97;
    FakeSocket.last.publish("pvlink.frame", frame(1));
    FakeSocket.last.publish("pvlink.frame", frame(2));
    await settle();
    expect(frames.map(({ id }) => id)).toEqual([1, 2]);
  });

  it("puts frames together whose pieces come by turns and back to front", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.piece = 200;
    const one = FakeSocket.last.pieces({ id: "publish:pvlink.frame:1", result: frame(1) }).reverse();
    const two = FakeSocket.last.pieces({ id: "publish:pvlink.frame:2", result: frame(2) });
    for (const [place, piece] of one.entries()) {
      FakeSocket.last.raw(piece);
      const other = two[place];
      if (other) FakeSocket.last.raw(other);
      await settle();
    }
    expect(frames.map(({ id }) => id).sort()).toEqual([1, 2]);
  });

  it("hands on how the view is", async () => {
    await FakeSocket.last.join();
    const busy: ViewState = { state: "busy", message: "Contour", progress: 0.5 };
    FakeSocket.last.publish("pvlink.state", busy);
    await settle();
    expect(states).toEqual([busy]);
  });

  it("ends once, whatever happens after", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.drop();
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(ends).toEqual([{ kind: "cut", message: "", joined: true }]);
  });

  it.each([
    [4404, "ended"],
    [4502, "lost"],
    [1006, "cut"],
    [1001, "cut"],
  ])("knows what close code %i means: %s", async (code, kind) => {
    await FakeSocket.last.join();
    FakeSocket.last.drop(code, "A sentence.");
    expect(ends).toEqual([{ kind, message: "A sentence.", joined: true }]);
  });

  it("gives up on a server that accepts and then says nothing", async () => {
    FakeSocket.last.answers["wslink.hello"] = () => SILENCE;
    await FakeSocket.last.join();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ends).toEqual([{ kind: "cut", message: "The server does not answer.", joined: false }]);
    expect(FakeSocket.last.closedByViewer).toBe(true);
  });

  it("passes on why it was refused", async () => {
    FakeSocket.last.answers["pvlink.join"] = () => new Error("No such view.");
    await FakeSocket.last.join();
    expect(ends).toEqual([{ kind: "refused", message: "No such view.", joined: false }]);
  });

  it.each([
    [2, "Reload the page"],
    [0, "Update pvlink in the kernel"],
  ])("says what to do about a kernel that speaks protocol %i", async (protocol, cure) => {
    FakeSocket.last.answers["pvlink.join"] = () => ({ ...JOINED, protocol, version: "9.9" });
    await FakeSocket.last.join();
    expect(ends[0]?.kind).toBe("mismatch");
    expect(ends[0]?.message).toContain(`pvlink 9.9 in the kernel speaks protocol ${protocol}, this page protocol 1.`);
    expect(ends[0]?.message).toContain(cure);
    expect(joined).toEqual([]);
  });

  it("ends on a message that cannot be read", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.raw(new ArrayBuffer(3));
    await settle();
    expect(ends[0]?.message).toContain("unreadable");
  });

  it("hands on nothing once it was closed", async () => {
    await FakeSocket.last.join();
    const late = FakeSocket.last;
    late.publish("pvlink.frame", frame(1));
    link.close();
    await settle();
    late.publish("pvlink.frame", frame(2));
    await settle();
    expect(frames).toEqual([]);
    expect(ends).toEqual([]);
  });

  it("warns about a request that failed, and lives on", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    FakeSocket.last.answers["pvlink.size"] = () => new Error("too large");
    await FakeSocket.last.join();
    link.send("pvlink.size", { width: 1, height: 1 });
    await settle();
    expect(warn).toHaveBeenCalledWith("pvlink: pvlink.size failed: too large");
    expect(ends).toEqual([]);
  });
});

describe("its heartbeat", () => {
  it("pings every 15 s", async () => {
    await FakeSocket.last.join();
    await vi.advanceTimersByTimeAsync(45_000);
    expect(FakeSocket.last.sent("pvlink.ping")).toHaveLength(3);
    expect(ends).toEqual([]);
  });

  it("takes 10 s of silence for the end", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.answers["pvlink.ping"] = () => SILENCE;
    await vi.advanceTimersByTimeAsync(24_999);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ends).toEqual([{ kind: "cut", message: "The connection went silent.", joined: true }]);
  });

  it("takes a frame for an answer: on a slow line the pong stands behind it", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.answers["pvlink.ping"] = () => SILENCE;
    await vi.advanceTimersByTimeAsync(20_000);
    FakeSocket.last.publish("pvlink.frame", frame(1));
    await vi.advanceTimersByTimeAsync(9_000);
    expect(ends).toEqual([]);
  });

  it("can be asked for at once, with less patience", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.answers["pvlink.ping"] = () => SILENCE;
    link.check(5_000);
    link.check(5_000);
    expect(FakeSocket.last.sent("pvlink.ping")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ends).toHaveLength(1);
  });

  it("leaves no timer when the link is closed", async () => {
    await FakeSocket.last.join();
    link.check();
    link.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
