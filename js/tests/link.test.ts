import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  CLOSE_DENIED,
  CLOSE_FULL,
  CLOSE_GONE,
  CLOSE_NO_SESSION,
  CLOSE_REVOKED,
  PROTOCOL_VERSION,
  type Frame,
  type Join,
  type Joined,
  type People,
  type ViewState,
} from "../src/protocol";
import { Link, type End } from "../src/viewer/link";
import { frame } from "./fakes/frame";
import { FakeSocket, GRANT, JOINED, settle, SILENCE } from "./fakes/socket";

const JOIN: Join = { protocol: PROTOCOL_VERSION, view: "v1", width: 4, height: 3, codecs: ["jpeg"] };

let joined: Joined[];
let frames: Frame[];
let states: ViewState[];
let people: People[];
let ends: End[];
let link: Link;

const open = (): Link =>
  new Link(
    "ws://here/s/ws",
    GRANT,
    (view) => ({ ...JOIN, view }),
    {
      joined: (answer) => joined.push(answer),
      frame: (each) => frames.push(each),
      view: (state) => states.push(state),
      people: (each) => people.push(each),
      end: (end) => ends.push(end),
    },
    FakeSocket.open,
  );

beforeEach(() => {
  vi.useFakeTimers();
  [joined, frames, states, people, ends] = [[], [], [], [], []];
  link = open();
});

afterEach(() => {
  link.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a link", () => {
  it("greets, proves itself to a streamer that did, then joins the view of its ticket", async () => {
    await FakeSocket.last.join();
    expect(FakeSocket.last.greets).toEqual([
      { protocol: PROTOCOL_VERSION, ticket: "t1", nonce: expect.stringMatching(/^[0-9a-f]{32}$/) },
    ]);
    expect(FakeSocket.last.calls.map(({ method }) => method)).toEqual(["wslink.hello", "pvlink.join"]);
    expect(FakeSocket.last.sent("wslink.hello")).toEqual([{ secret: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(FakeSocket.last.sent("pvlink.join")).toEqual([JOIN]);
    expect(joined).toEqual([JOINED]);
  });

  it("never says the ticket's key", async () => {
    const said = vi.spyOn(FakeSocket.last, "send");
    await FakeSocket.last.join();
    const all = said.mock.calls.map(([data]) => (typeof data === "string" ? data : new TextDecoder().decode(data)));
    expect(all.length).toBeGreaterThan(2);
    expect(all.join("")).not.toContain(GRANT.key);
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
    [CLOSE_DENIED, "denied"],
    [CLOSE_REVOKED, "revoked"],
    [CLOSE_NO_SESSION, "ended"],
    [CLOSE_FULL, "full"],
    [CLOSE_GONE, "lost"],
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

  it("hands on who watches, and brings answers that somebody waits for", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.publish("pvlink.people", { viewers: [], shares: [] });
    FakeSocket.last.answers["pvlink.password"] = () => ({ password: "open sesame" });
    const answer = link.request("pvlink.password", { share: "s" });
    await settle();
    expect(people).toEqual([{ viewers: [], shares: [] }]);
    expect(await answer).toEqual({ password: "open sesame" });
    link.close();
    expect(link.request("pvlink.password", { share: "s" })).toBeNull();
  });

  it("ends on a message that cannot be read", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.raw(new ArrayBuffer(3));
    await settle();
    expect(ends[0]?.message).toContain("unreadable");
  });

  it("ends on text where a message should be", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.raw("{}");
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

  it("says nothing on a socket that is closing, and warns of nothing", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    await FakeSocket.last.join();
    FakeSocket.last.readyState = 2;
    link.send("pvlink.size", { width: 1, height: 1 });
    await settle();
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("the handshake of a link", () => {
  const refused = (): void => {
    expect(ends).toEqual([
      { kind: "refused", message: "The process that answered could not prove that it is this session's.", joined: false },
    ]);
    expect(FakeSocket.last.sent("wslink.hello")).toEqual([]);
    expect(FakeSocket.last.closedByViewer).toBe(true);
  };

  it("tells nothing to a streamer that does not know the key", async () => {
    FakeSocket.last.grant = { ...GRANT, key: "k-of-t2" };
    await FakeSocket.last.join();
    refused();
  });

  it.each([
    ["is cut short", (proof: string) => proof.slice(1)],
    ["is empty", () => ""],
    ["is longer", (proof: string) => `${proof}0`],
    ["is another at its last place", (proof: string) => proof.slice(0, -1) + (proof.endsWith("0") ? "1" : "0")],
  ])("takes no proof that %s", async (_, spoil) => {
    FakeSocket.last.greeted = (honest) => ({ ...honest, proof: spoil(honest.proof) });
    await FakeSocket.last.join();
    refused();
  });

  it("takes no proof of an older conversation", async () => {
    let old = "";
    FakeSocket.last.greeted = (honest) => {
      old = honest.proof;
      return SILENCE;
    };
    await FakeSocket.last.join();
    link.close();
    link = open();
    FakeSocket.last.greeted = (honest) => ({ ...honest, proof: old });
    await FakeSocket.last.join();
    refused();
  });

  it.each(["", "hello", "null", "[]", "{}", '{"protocol": 2}', '{"protocol":2,"version":"1","nonce":1,"proof":""}'])(
    "is not answered by %j",
    async (text) => {
      FakeSocket.last.greeted = () => text;
      await FakeSocket.last.join();
      refused();
    },
  );

  it("is not answered by a binary message, a frame for instance", async () => {
    FakeSocket.last.greeted = () => SILENCE;
    await FakeSocket.last.join();
    FakeSocket.last.publish("pvlink.frame", frame(1));
    await settle();
    refused();
    expect(frames).toEqual([]);
  });

  it("is denied when the streamer does not take the viewer's proof", async () => {
    FakeSocket.last.answers["wslink.hello"] = () => new Error("Authentication failed");
    await FakeSocket.last.join();
    expect(ends).toEqual([{ kind: "denied", message: "Authentication failed", joined: false }]);
  });

  it.each([
    [PROTOCOL_VERSION + 1, "Reload the page"],
    [PROTOCOL_VERSION - 1, "Update pvlink in the kernel"],
  ])("says what to do about a kernel that speaks protocol %i, whatever else it says", async (protocol, cure) => {
    FakeSocket.last.greeted = () => ({ protocol, version: "9.9", nonce: "", proof: "" });
    await FakeSocket.last.join();
    expect(ends[0]?.kind).toBe("mismatch");
    expect(ends[0]?.message).toContain(
      `pvlink 9.9 in the kernel speaks protocol ${protocol}, this page protocol ${PROTOCOL_VERSION}.`,
    );
    expect(ends[0]?.message).toContain(cure);
    expect(joined).toEqual([]);
  });

  it("does not wait for ever", async () => {
    FakeSocket.last.greeted = () => SILENCE;
    await FakeSocket.last.join();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ends).toEqual([{ kind: "cut", message: "The server does not answer.", joined: false }]);
  });
});

describe("its heartbeat", () => {
  it("pings after 5 s of silence", async () => {
    await FakeSocket.last.join();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(FakeSocket.last.sent("pvlink.ping")).toHaveLength(3);
    expect(ends).toEqual([]);
  });

  it("says something every 5 s whatever it hears: the other side counts on it", async () => {
    await FakeSocket.last.join();
    for (let second = 0; second < 15; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      FakeSocket.last.publish("pvlink.frame", frame(second));
    }
    expect(FakeSocket.last.sent("pvlink.ping").length).toBeGreaterThanOrEqual(2);
    expect(FakeSocket.last.sent("pvlink.ping").length).toBeLessThanOrEqual(3);
  });

  it("does not ping while a hand is at work and is answered", async () => {
    await FakeSocket.last.join();
    for (let second = 0; second < 15; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      link.send("pvlink.visible", { visible: true });
      await settle();
    }
    expect(FakeSocket.last.sent("pvlink.ping")).toEqual([]);
  });

  it("takes 13 s of silence for the end, whenever it began", async () => {
    await FakeSocket.last.join();
    await vi.advanceTimersByTimeAsync(6_200);
    FakeSocket.last.publish("pvlink.frame", frame(1));
    FakeSocket.last.answers["pvlink.ping"] = () => SILENCE;
    await vi.advanceTimersByTimeAsync(12_999);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ends).toEqual([{ kind: "cut", message: "The connection went silent.", joined: true }]);
  });

  it("takes a piece of a frame for an answer: on a slow line the pong stands behind it", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.answers["pvlink.ping"] = () => SILENCE;
    FakeSocket.last.piece = 100;
    for (const piece of FakeSocket.last.pieces({ id: "publish:pvlink.frame:1", result: frame(1) })) {
      await vi.advanceTimersByTimeAsync(12_000);
      FakeSocket.last.raw(piece);
    }
    await settle();
    expect(ends).toEqual([]);
    expect(frames).toHaveLength(1);
  });

  it("asks once more where the browser held up its timers: the answer may stand behind them", async () => {
    await FakeSocket.last.join();
    FakeSocket.last.answers["pvlink.ping"] = () => SILENCE;
    await vi.advanceTimersByTimeAsync(5_000);
    // A page that was frozen: the clock went on, the timers did not.
    const late = performance.now() + 60_000;
    const clock = vi.spyOn(performance, "now").mockReturnValue(late);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(ends).toEqual([]);
    expect(FakeSocket.last.sent("pvlink.ping").length).toBeGreaterThanOrEqual(2);
    clock.mockReturnValue(late + 60_000);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(ends).toHaveLength(1);
    clock.mockRestore();
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

  it("neither asks nor gives up while the other side is held, and does both afterwards", async () => {
    await FakeSocket.last.join();
    const socket = Object.assign(FakeSocket.last, { held: true });
    socket.answers["pvlink.ping"] = () => SILENCE;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(socket.sent("pvlink.ping").length).toBeLessThanOrEqual(1);
    expect(ends).toEqual([]);
    socket.held = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ends).toEqual([{ kind: "cut", message: "The connection went silent.", joined: true }]);
  });

  it("is not begun in haste with who is held", async () => {
    Object.assign(FakeSocket.last, { held: true });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ends).toEqual([]);
  });
});
