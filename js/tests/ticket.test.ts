import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jupyterTickets, xsrf } from "../src/ticket";
import { readAdmission, type Admission } from "../src/viewer/admission";
import { GRANT, GRANTED } from "./fakes/socket";

const PLACE = { probe: "http://here/pvlink/s", ticket: "http://here/pvlink/s/ticket" };
const answer = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });
const html = (status: number): Response => new Response("<h1>Not ours</h1>", { status });
const redirected = (response: Response): Response => Object.defineProperty(response, "redirected", { value: true });

let asked: { url: string; init: RequestInit }[];
let get: () => Response | Promise<Response>;
let post: () => Response | Promise<Response>;
let cookies: string;

const ticket = (): Promise<Admission> =>
  jupyterTickets(PLACE, "v1", (url, init = {}) => {
    asked.push({ url: String(url), init });
    return Promise.resolve(init.method === "POST" ? post() : get());
  })(new AbortController().signal);
const methods = (): string[] => asked.map(({ init }) => init.method ?? "GET");

beforeEach(() => {
  asked = [];
  cookies = "username=me; _xsrf=2|abc|def; _xsrf=outer";
  vi.spyOn(document, "cookie", "get").mockImplementation(() => cookies);
  get = () => answer({ alive: true });
  post = () => answer(GRANT);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a ticket of the Jupyter server", () => {
  it("is asked for with the view, the page's cookies and the nearer XSRF token", async () => {
    expect(await ticket()).toEqual(GRANTED);
    expect(methods()).toEqual(["POST"]);
    const [{ url, init }] = asked as [{ url: string; init: RequestInit }];
    expect(url).toBe(PLACE.ticket);
    expect(init).toMatchObject({ credentials: "same-origin", cache: "no-store", body: '{"view":"v1"}' });
    expect(init.headers).toEqual({ "Content-Type": "application/json", "X-XSRFToken": "2|abc|def" });
  });

  it("takes a plain request to bring the cookie where there is none", async () => {
    cookies = "";
    get = () => {
      cookies = "_xsrf=fresh";
      return answer({ alive: true });
    };
    expect(await ticket()).toEqual(GRANTED);
    expect(methods()).toEqual(["GET", "POST"]);
    expect(asked[1]?.init.headers).toMatchObject({ "X-XSRFToken": "fresh" });
  });

  it("shows JupyterHub the XSRF token for the plain request, too", async () => {
    post = () => answer({ message: "no" }, 403);
    await ticket();
    expect(methods()).toEqual(["POST", "GET", "POST"]);
    expect(asked[1]?.init.headers).toEqual({ "X-XSRFToken": "2|abc|def" });
  });

  it("tries once more with a new cookie when the old one was refused", async () => {
    post = () => (cookies === "_xsrf=new" ? answer(GRANT) : answer({ message: "'_xsrf' does not match" }, 403));
    get = () => {
      cookies = "_xsrf=new";
      return answer({ alive: true });
    };
    expect(await ticket()).toEqual(GRANTED);
    expect(methods()).toEqual(["POST", "GET", "POST"]);
  });

  it("says what to do when it stays refused", async () => {
    post = () => answer({ message: "Forbidden" }, 403);
    expect(await ticket()).toMatchObject({ kind: "refused", message: expect.stringContaining("sign in again") });
    expect(asked).toHaveLength(3);
  });

  it.each([
    [403, "sign in again"],
    [404, "has no pvlink"],
  ])("says what a %i of both routes means", async (status, words) => {
    post = () => html(status);
    get = () => html(status);
    expect(await ticket()).toMatchObject({ kind: "refused", message: expect.stringContaining(words) });
    expect(methods()).toEqual(["POST", "GET"]);
  });

  it.each([404, 405])("says that a server without a ticket route (%i) is an older one", async (status) => {
    post = () => html(status);
    expect(await ticket()).toMatchObject({ kind: "refused", message: expect.stringContaining("older") });
  });

  it("hands on any other reason", async () => {
    post = () => answer({ message: "Say which view." }, 400);
    expect(await ticket()).toMatchObject({ kind: "refused", message: "Say which view." });
  });

  it("says where to go where the voila command serves the page", async () => {
    post = () => html(405);
    get = () => redirected(html(403));
    expect(await ticket()).toMatchObject({ kind: "refused", message: expect.stringContaining("voila/render") });
  });

  it("is not to be had from a session that ended, nor ever again from that one", async () => {
    post = () => answer({ alive: false, message: "No such session." }, 404);
    expect(await ticket()).toEqual({ kind: "ended", message: "No such session.", final: false });
    expect(asked).toHaveLength(1);
    cookies = "";
    get = () => answer({ alive: false });
    expect(await ticket()).toEqual({ kind: "ended", message: "", final: false });
  });

  it("waits as it is told to", async () => {
    post = () => answer({ message: "Too many tickets.", wait: 2.2 }, 429);
    expect(await ticket()).toEqual({ kind: "busy", message: "Too many tickets.", waitMs: 2200 });
  });

  it.each<[string, () => Response | Promise<Response>, string]>([
    ["nobody answers", () => Promise.reject(new TypeError("Failed to fetch")), ""],
    ["a proxy answers", () => html(502), ""],
    ["a proxy signs in", () => html(200), ""],
    ["the streamer went away", () => answer({ message: "The streamer went away." }, 502), "The streamer went away."],
    ["the server broke down", () => answer({ message: "Traceback" }, 500), ""],
    ["the grant is none", () => answer({ ticket: "t", key: 1 }), ""],
    ["the role is unknown", () => answer({ ...GRANT, role: "root" }), ""],
  ])("is a matter of trying again when %s", async (_, reply, message) => {
    post = reply;
    expect(await ticket()).toEqual({ kind: "away", message });
  });

  it("is given up after five seconds", async () => {
    vi.useFakeTimers();
    const waiting = jupyterTickets(PLACE, "v1", (_, init) => {
      return new Promise((_done, failed) => init?.signal?.addEventListener("abort", () => failed(new Error("aborted"))));
    })(new AbortController().signal);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await waiting).toEqual({ kind: "away", message: "" });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("what a server answers", () => {
  it.each([
    [undefined, 1_000],
    [-5, 1_000],
    ["soon", 1_000],
    [0.2, 1_000],
    [30, 30_000],
    [86_400, 60_000],
  ])("does not make the page wait for nothing, or for ever: %s s", async (wait, waitMs) => {
    expect(await readAdmission(answer({ wait }, 429))).toMatchObject({ kind: "busy", waitMs });
  });
});

describe("the XSRF cookie", () => {
  it.each([
    ["", ""],
    ["_xsrf=1", "1"],
    ["a=_xsrf=2; _xsrf=3", "3"],
    ["not_xsrf=1", ""],
  ])("is found in %j: %j", (all, found) => expect(xsrf(all)).toBe(found));
});
