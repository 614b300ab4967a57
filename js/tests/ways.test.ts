import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { announce, modelOf } from "../src/models";
import type { Admission, Held, Line } from "../src/viewer/admission";
import { Ways } from "../src/ways";
import { FakeKernel } from "./fakes/kernel";
import { FakeSocket, GRANT } from "./fakes/socket";

const DOOR = { url: "wss://node7:8443/ws", page: "https://node7:8443/", fingerprint: "AB:CD" };

let kernel: FakeKernel;
let reply: () => Promise<Response>;
let asked: string[];
let line: Line & { held: Held[]; renewed: number };
let ways: Ways;
const stop = new AbortController();

const said = (body: unknown, status = 200): Promise<Response> =>
  Promise.resolve(new Response(JSON.stringify(body), { status }));
const make = (model: FakeKernel | null): Ways =>
  new Ways({
    session: "s1",
    view: "v1",
    model,
    get: (url) => {
      asked.push(String(url));
      return reply();
    },
  });
const ticket = (): Promise<Admission> => ways.tickets(stop.signal, line);

async function note(): Promise<string> {
  const answer = await ticket();
  return answer.kind === "granted" ? (answer.note?.name ?? "none needed") : answer.kind;
}

beforeEach(() => {
  document.body.dataset.baseUrl = "/";
  document.cookie = "_xsrf=token";
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all.length = 0;
  kernel = new FakeKernel();
  asked = [];
  reply = () => said({ alive: false, message: "It has ended." }, 404);
  line = {
    held: [],
    renewed: 0,
    hold: (held) => line.held.push(held),
    renew: () => (line.renewed += 1),
  };
  ways = make(kernel);
});

afterEach(() => {
  delete document.body.dataset.baseUrl;
  delete document.body.dataset.vscodeThemeKind;
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the way to a view", () => {
  it("is the relay, where it serves the session, and the kernel is not asked", async () => {
    reply = () => said(GRANT);
    expect(await ticket()).toEqual({ kind: "granted", grant: GRANT });
    expect(kernel.calls).toEqual([]);
  });

  it("stays the relay where that has served it: what it says later is so", async () => {
    reply = () => said(GRANT);
    await ticket();
    reply = () => said({ alive: false, message: "It has ended." }, 404);
    expect(await ticket()).toMatchObject({ kind: "ended" });
    reply = () => Promise.reject(new TypeError("Failed to fetch"));
    expect(await ticket()).toMatchObject({ kind: "away" });
    expect(kernel.calls).toEqual([]);
  });

  it("is the kernel where the server does not find the session", async () => {
    expect(await note()).toBe("elsewhere");
  });

  it("is the kernel where the server has no pvlink", async () => {
    reply = () => Promise.resolve(new Response("", { status: 404 }));
    expect(await note()).toBe("none");
  });

  it("is the kernel where the voila command serves the page", async () => {
    reply = () => Promise.resolve(Object.defineProperty(new Response("", { status: 403 }), "redirected", { value: true }));
    expect(await note()).toBe("voila");
  });

  it("is the kernel where nothing may connect, and nothing is tried where the page is no Jupyter server's", async () => {
    delete document.body.dataset.baseUrl;
    ways = make(kernel);
    expect(await note()).toBe("none");
    document.body.dataset.vscodeThemeKind = "vscode-dark";
    expect(await note()).toBe("vscode");
    expect(asked).toEqual([]);
  });

  it("is not the kernel for who must sign in again", async () => {
    reply = () => said({}, 403);
    expect(await ticket()).toMatchObject({ kind: "refused", why: "other" });
    expect(kernel.calls).toEqual([]);
  });

  it("is not the kernel's to wait for where it may be the server that is away", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    reply = () => Promise.reject(new TypeError("Failed to fetch"));
    kernel.busy = true;
    const answer = ticket();
    await vi.waitFor(() => expect(kernel.calls).toHaveLength(1));
    vi.advanceTimersByTime(3_000);
    expect(await answer).toMatchObject({ kind: "away" });
    expect(kernel.listeners).toEqual([]);
  });

  it("is told to be none without a widget", async () => {
    ways = make(null);
    expect(await ticket()).toMatchObject({ kind: "ended" });
    delete document.body.dataset.baseUrl;
    ways = make(null);
    expect(await ticket()).toMatchObject({ kind: "refused", message: expect.stringContaining("no Jupyter server") });
  });
});

describe("a direct door", () => {
  const knock = async (): Promise<void> => {
    const answer = await ticket();
    if (answer.kind === "granted") answer.open?.();
  };

  beforeEach(() => {
    kernel.door = DOOR;
  });

  it("is taken before the kernel's messages, with no line below the picture", async () => {
    expect(await note()).toBe("none needed");
    await knock();
    expect(FakeSocket.last.url).toBe(DOOR.url);
    expect(kernel.listeners).toEqual([]);
  });

  it("that does not open is left for the kernel's messages, and the line names it", async () => {
    await knock();
    FakeSocket.last.drop();
    const answer = await ticket();
    expect(kernel.calls.at(-1)).toMatchObject({ pvlink: "ticket", direct: false });
    const link = answer.kind === "granted" ? answer.note?.link : undefined;
    expect(link).toMatchObject({ href: DOOR.page, label: "node7:8443", title: "SHA-256 fingerprint: AB:CD" });
  });

  it("is tried once more by whoever comes back from its page", async () => {
    await knock();
    FakeSocket.last.drop();
    const answer = await ticket();
    if (answer.kind === "granted") answer.note?.link?.opened();
    dispatchEvent(new Event("focus"));
    expect(line.renewed).toBe(1);
    await knock();
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("that was open once is worth three knocks", async () => {
    await knock();
    FakeSocket.last.accept();
    FakeSocket.last.drop();
    for (let times = 0; times < 5; times++) {
      await knock();
      if (FakeSocket.last.readyState < 3) FakeSocket.last.drop();
    }
    expect(FakeSocket.all).toHaveLength(1 + 3);
  });

  it("behind a firewall that says nothing is given up after four seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await knock();
    vi.advanceTimersByTime(4_000);
    expect(FakeSocket.last.closedByViewer).toBe(true);
  });
});

describe("the widgets of a page", () => {
  it("are found by the view they show, now or later, the newest first", async () => {
    const later = modelOf("s1", "v1", stop.signal);
    const other = modelOf("s1", "v2", stop.signal);
    const [first, second] = [new FakeKernel(), new FakeKernel()];
    const forget = announce(first);
    expect(await later).toBe(first);
    const forgetSecond = announce(second);
    expect(await modelOf("s1", "v1", stop.signal)).toBe(second);
    forgetSecond();
    expect(await modelOf("s1", "v1", stop.signal)).toBe(first);
    forget();
    const none = await Promise.race([other, modelOf("s1", "v1", stop.signal), Promise.resolve(null)]);
    expect(none).toBeNull();
  });
});
