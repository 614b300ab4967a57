import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PROTOCOL_VERSION } from "../src/protocol";
import type { Decode } from "../src/viewer/decoder";
import { mount, type MountOptions, type PaintedDetail, type Viewer } from "../src/viewer/mount";
import { film, frame } from "./fakes/frame";
import { Listeners } from "./fakes/listeners";
import { FakeIntersectionObserver, FakeResizeObserver, lastOf } from "./fakes/observers";
import { FakeSocket, GRANTED, settle } from "./fakes/socket";
import { FakeChunk, FakeVideoDecoder } from "./fakes/videodecoder";

const decode: Decode = () => Promise.resolve({ source: document.createElement("canvas"), close: () => undefined });

let el: HTMLElement;
let viewer: Viewer;
let listeners: Listeners;

const options = (more: Partial<MountOptions> = {}): MountOptions => ({
  url: "ws://here/pvlink/s/ws",
  ticket: () => Promise.resolve(GRANTED),
  openSocket: FakeSocket.open,
  decode,
  ...more,
});

const find = <T extends HTMLElement = HTMLElement>(selector: string): T => el.querySelector(selector) as T;
const resize = (width: number, height: number): void => lastOf(FakeResizeObserver.all).see(width, height);

async function goLive(more: Partial<MountOptions> = {}): Promise<void> {
  viewer = mount(el, options(more));
  resize(800, 400);
  await settle();
  await FakeSocket.last.join();
}

async function arrive(id: number, more = {}): Promise<void> {
  FakeSocket.last.publish("pvlink.frame", frame(id, more));
  await settle();
  vi.advanceTimersByTime(20);
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("ResizeObserver", FakeResizeObserver);
  vi.stubGlobal("IntersectionObserver", FakeIntersectionObserver);
  FakeSocket.all.length = 0;
  el = document.createElement("div");
  document.body.append(el);
  listeners = new Listeners(window, document);
});

afterEach(() => {
  viewer.dispose();
  el.remove();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a mounted viewer", () => {
  it("asks for nothing before it knows how big it is", async () => {
    const ticket = vi.fn(() => Promise.resolve(GRANTED));
    viewer = mount(el, options({ ticket }));
    await settle();
    expect(ticket).not.toHaveBeenCalled();
    resize(800, 400);
    await settle();
    expect(FakeSocket.last.url).toBe("ws://here/pvlink/s/ws");
  });

  it("joins its view at its size in device pixels", async () => {
    await goLive();
    expect(FakeSocket.last.sent("pvlink.join")).toEqual([
      { protocol: PROTOCOL_VERSION, view: "v1", width: 800, height: 400, codecs: ["jpeg", "png"], visible: true },
    ]);
  });

  it("says how it is in an attribute", async () => {
    viewer = mount(el, options());
    expect(el.dataset.pvlinkState).toBe("connecting");
    resize(800, 400);
    await settle();
    await FakeSocket.last.join();
    expect(el.dataset.pvlinkState).toBe("live");
    FakeSocket.last.publish("pvlink.state", { state: "busy", message: "", progress: 0.1 });
    await settle();
    expect(el.dataset.pvlinkState).toBe("busy");
    FakeSocket.last.drop();
    await settle();
    expect(el.dataset.pvlinkState).toBe("reconnecting");
  });

  it("is never blank: a quiet sign until there is a picture", async () => {
    await goLive();
    expect(find(".pvlink-empty").hidden).toBe(false);
    await arrive(1);
    expect(find(".pvlink-empty").hasAttribute("hidden")).toBe(true);
  });

  it("shows the last picture it was given until the live one is there", async () => {
    await goLive({ picture: "data:image/png;base64,AAAA" });
    expect(find<HTMLImageElement>(".pvlink-still").hidden).toBe(false);
    expect(find(".pvlink-empty").hidden).toBe(true);
    await arrive(1);
    expect(find<HTMLImageElement>(".pvlink-still").hidden).toBe(true);
    expect(find<HTMLImageElement>(".pvlink-still").getAttribute("src")).toBeNull();
  });

  it("paints a frame, answers it and tells the page", async () => {
    const heard: PaintedDetail[] = [];
    document.body.addEventListener("pvlink:painted", (event) => heard.push((event as CustomEvent<PaintedDetail>).detail), {
      once: true,
    });
    await goLive();
    await arrive(7, { still: true, codec: "png" });
    expect(FakeSocket.last.sent("pvlink.drawn")).toMatchObject([{ frame: 7 }]);
    const [bytes, time] = [expect.any(Number) as number, 1_700_000_000];
    expect(heard).toEqual([
      { frame: 7, still: true, codec: "png", width: 800, height: 400, bytes, time, inputMs: 0 },
    ]);
    expect(el.dataset).toMatchObject({ pvlinkFrame: "7", pvlinkStill: "true" });
    expect(viewer.stats()).toMatchObject({ frames: 1, stills: 1, codec: "png" });
  });

  it("says how long an input took to be seen", async () => {
    await goLive();
    find("[aria-label='Reset camera']").click();
    expect(FakeSocket.last.sent("pvlink.input")).toEqual([{ seq: 1, events: [{ type: "action", action: "reset" }] }]);
    vi.advanceTimersByTime(50);
    await arrive(1, { inputs: { c1: 1, other: 9 } });
    const [drawn] = FakeSocket.last.sent("pvlink.drawn") as { input_ms: number }[];
    expect(drawn?.input_ms).toBeGreaterThanOrEqual(50);
    expect(viewer.stats().latencyP50).toBe(drawn?.input_ms);
  });

  it("keeps the last picture, dimmed, when the link is cut", async () => {
    await goLive();
    await arrive(1);
    FakeSocket.last.drop();
    await settle();
    expect(find(".pvlink").dataset).toMatchObject({ painted: "true", dim: "true" });
    await vi.advanceTimersByTimeAsync(250);
    await FakeSocket.last.join();
    expect(find(".pvlink").dataset.dim).toBe("false");
  });

  it("tells a new size when it rests", async () => {
    await goLive();
    resize(900, 500);
    vi.advanceTimersByTime(100);
    expect(FakeSocket.last.sent("pvlink.size")).toEqual([{ width: 900, height: 500 }]);
  });

  it("tells when nobody sees it", async () => {
    await goLive();
    lastOf(FakeIntersectionObserver.all).see(false);
    lastOf(FakeIntersectionObserver.all).see(true);
    expect(FakeSocket.last.sent("pvlink.visible")).toEqual([{ visible: false }, { visible: true }]);
  });

  it("joins as hidden when it reconnects unseen", async () => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    await goLive();
    expect(FakeSocket.last.sent("pvlink.join")).toMatchObject([{ visible: false }]);
  });

  it("answers frames on a hidden page too, where no animation frame ever comes", async () => {
    await goLive();
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    FakeSocket.last.publish("pvlink.frame", frame(1));
    await settle();
    expect(FakeSocket.last.sent("pvlink.drawn")).toHaveLength(1);
  });

  it("offers its stills to the host: the very bytes of a PNG", async () => {
    const offered: (() => Promise<Blob>)[] = [];
    await goLive({ onStill: (png) => offered.push(png) });
    await arrive(1);
    expect(offered).toEqual([]);
    await arrive(1, { still: true, codec: "png", data: Uint8Array.of(1, 2, 3) });
    const blob = await offered[0]?.();
    expect(blob?.type).toBe("image/png");
    expect(blob?.size).toBe(3);
  });

  it("toggles its statistics by key and by button alike", async () => {
    await goLive();
    find(".pvlink-picture").dispatchEvent(new KeyboardEvent("keydown", { key: "s", bubbles: true }));
    expect(find(".pvlink-stats").hidden).toBe(false);
    expect(find(".pvlink-tool-statistics").getAttribute("aria-pressed")).toBe("true");
    find(".pvlink-tool-statistics").click();
    expect(find(".pvlink-stats").hidden).toBe(true);
  });

  it("gives the focus back to its cell on Escape", async () => {
    el.tabIndex = -1;
    await goLive();
    find(".pvlink-picture").focus();
    find(".pvlink-picture").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(document.activeElement).toBe(el);
  });

  it("is as big as it is told, in pixels or in CSS", () => {
    viewer = mount(el, options({ width: "50%", height: 300 }));
    expect(find(".pvlink").style.width).toBe("50%");
    expect(find(".pvlink").style.height).toBe("300px");
  });

  it("names itself and its keys to a screen reader", () => {
    viewer = mount(el, options());
    const canvas = find(".pvlink-picture");
    expect(canvas.tabIndex).toBe(0);
    expect(canvas.getAttribute("role")).toBe("application");
    expect(canvas.getAttribute("aria-label")).toContain("arrows rotate");
  });

  it("runs nothing while the view rests", async () => {
    await goLive();
    await arrive(1);
    const frames = vi.spyOn(globalThis, "requestAnimationFrame");
    await vi.advanceTimersByTimeAsync(14_000);
    expect(frames).not.toHaveBeenCalled();
    // The heartbeat, and nothing else.
    expect(vi.getTimerCount()).toBe(1);
  });
});

// What a page has learnt of its browser stays: each test has a page of its own.
describe("a viewer in a browser that decodes videos", () => {
  let fresh: typeof mount;

  async function live(): Promise<void> {
    viewer = fresh(el, options());
    resize(800, 400);
    await settle();
    await FakeSocket.last.join();
  }

  beforeEach(async () => {
    vi.resetModules();
    vi.stubGlobal("VideoDecoder", FakeVideoDecoder);
    vi.stubGlobal("EncodedVideoChunk", FakeChunk);
    FakeVideoDecoder.supported = ({ codec }) => Promise.resolve(codec.startsWith("avc1"));
    ({ mount: fresh } = await import("../src/viewer/mount"));
  });

  const offered = (): unknown => (FakeSocket.last.sent("pvlink.join")[0] as { codecs: string[] }).codecs;

  it("offers what it decodes", async () => {
    await live();
    expect(offered()).toEqual(["jpeg", "png", "h264"]);
  });

  it("does not hold up the join for a browser that takes long to say", async () => {
    FakeVideoDecoder.supported = () => new Promise(() => undefined);
    viewer = fresh(el, options());
    resize(800, 400);
    await vi.advanceTimersByTimeAsync(300);
    await FakeSocket.last.join();
    expect(offered()).toEqual(["jpeg", "png"]);
  });

  it("asks for a frame that needs no other when it has missed one", async () => {
    await live();
    await arrive(1);
    FakeSocket.last.publish("pvlink.frame", film(2));
    await settle();
    expect(FakeSocket.last.sent("pvlink.refresh")).toEqual([{}]);
    expect(FakeSocket.last.sent("pvlink.drawn")).toMatchObject([{ frame: 1 }, { frame: 2 }]);
  });

  it("says what it cannot decode, everywhere, and offers it no more on this page", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await live();
    FakeSocket.last.publish("pvlink.frame", film(1, { key: true }));
    await settle();
    FakeVideoDecoder.last.fail(new Error("no"));
    await settle();
    expect(FakeSocket.last.sent("pvlink.undecodable")).toEqual([{ frame: 1, codec: "h264" }]);
    expect(FakeSocket.last.sent("pvlink.drawn")).toEqual([]);
    expect(warned.mock.calls[0]?.[0]).toContain("could not decode H.264");
    find(".pvlink-tool-statistics").click();
    expect(find(".pvlink-stats").textContent).toContain("H.264could not be decoded here; pictures instead");
    FakeSocket.last.drop();
    await settle();
    await vi.advanceTimersByTimeAsync(250);
    await FakeSocket.last.join();
    expect(offered()).toEqual(["jpeg", "png"]);
  });
});

describe("a disposed viewer", () => {
  it("leaves nothing: no element, listener, timer, observer, socket or attribute", async () => {
    await goLive();
    find(".pvlink-tool-statistics").click();
    await arrive(1);
    resize(900, 500);
    expect(listeners.left).toBeGreaterThan(0);
    viewer.dispose();
    viewer.dispose();
    expect(el.innerHTML).toBe("");
    expect(Object.keys(el.dataset)).toEqual([]);
    expect(listeners.left).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(lastOf(FakeResizeObserver.all).watched.size).toBe(0);
    expect(lastOf(FakeIntersectionObserver.all).watched.size).toBe(0);
    expect(FakeSocket.last.closedByViewer).toBe(true);
  });

  it("takes no notice of what comes late", async () => {
    await goLive();
    const socket = FakeSocket.last;
    socket.publish("pvlink.frame", frame(1));
    viewer.dispose();
    await settle();
    socket.publish("pvlink.frame", frame(2));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(socket.sent("pvlink.drawn")).toEqual([]);
    expect(FakeSocket.all).toHaveLength(1);
  });
});
