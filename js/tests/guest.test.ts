import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Guest, placeOf } from "../src/guest";
import type { MountOptions } from "../src/viewer/mount";
import { GRANT, settle } from "./fakes/socket";

const HTML = readFileSync(join(import.meta.dirname, "../page.html"), "utf8");
const HREF = "https://node7:8443/s/Ab-_9";

let page: Document;
let asked: { url: string; init: RequestInit }[];
let reply: () => Response | Promise<Response>;
let mounted: MountOptions[];
let guest: Guest;

const answer = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });
const find = <T extends HTMLElement = HTMLElement>(selector: string): T => page.querySelector(selector) as T;
const word = (): string => find("#word").textContent ?? "";

function open(href = HREF): void {
  guest = new Guest(page, {
    href,
    mount: (_, options) => {
      mounted.push(options);
      return { dispose: () => undefined, stats: () => ({}) as never };
    },
    fetch: (url, init = {}) => {
      asked.push({ url: String(url), init });
      return Promise.resolve(reply());
    },
  });
}

async function knock(password = "correct horse"): Promise<void> {
  find<HTMLInputElement>("#password").value = password;
  find("#door").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await vi.advanceTimersByTimeAsync(0);
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers();
  page = new DOMParser().parseFromString(HTML, "text/html");
  asked = [];
  mounted = [];
  reply = () => answer(GRANT);
  open();
});

afterEach(() => {
  guest.dispose();
  vi.useRealTimers();
});

describe("the page of a shared link", () => {
  it("holds no script of its own and nothing of anybody else's: its policy would refuse it", () => {
    const scripts = [...page.querySelectorAll("script")];
    expect(scripts.map((each) => [each.getAttribute("src"), each.textContent])).toEqual([["../page.js", ""]]);
    expect(HTML).not.toMatch(/\son\w+=|https?:\/\/|url\(/);
    expect(find("#password").getAttribute("autocomplete")).toBe("current-password");
    expect(find("#password").getAttribute("type")).toBe("password");
  });

  it("asks for a ticket with the password, without cookies", async () => {
    await knock();
    expect(asked[0]?.url).toBe("https://node7:8443/s/Ab-_9/ticket");
    expect(asked[0]?.init).toMatchObject({
      method: "POST",
      credentials: "omit",
      redirect: "error",
      body: '{"password":"correct horse"}',
    });
  });

  it("shows the view, and keeps the password nowhere in the page", async () => {
    const stored = vi.spyOn(Storage.prototype, "setItem");
    await knock();
    expect(mounted).toHaveLength(1);
    expect(mounted[0]).toMatchObject({ url: "wss://node7:8443/ws", width: "100%", height: "100%" });
    expect(find("#door")).toBeNull();
    expect(find("#view").hidden).toBe(false);
    expect(page.documentElement.outerHTML).not.toContain("correct horse");
    expect(stored).not.toHaveBeenCalled();
  });

  it("uses the ticket that opened the door, then takes a new one for each websocket", async () => {
    await knock();
    const ticket = mounted[0]?.ticket as MountOptions["ticket"];
    const { signal } = new AbortController();
    expect(await ticket(signal)).toEqual({ kind: "granted", grant: GRANT });
    expect(asked).toHaveLength(1);
    reply = () => answer({ ...GRANT, ticket: "t2" });
    expect(await ticket(signal)).toMatchObject({ kind: "granted", grant: { ticket: "t2" } });
    expect(asked[1]?.init.body).toBe('{"password":"correct horse"}');
    reply = () => answer({ message: "This link has ended." }, 404);
    expect(await ticket(signal)).toEqual({ kind: "ended", message: "This link has ended.", final: true });
  });

  it("says that the password is wrong, and takes another", async () => {
    reply = () => answer({ message: "This is not the password of this link." }, 403);
    await knock("wrong");
    expect(word()).toBe("This is not the password of this link.");
    reply = () => answer(GRANT);
    await knock();
    expect(mounted).toHaveLength(1);
  });

  it("counts down when there were too many guesses", async () => {
    reply = () => answer({ message: "Too many guesses.", wait: 3 }, 429);
    await knock("wrong");
    expect(word()).toBe("Too many guesses. Try again in 3 s.");
    expect(find<HTMLButtonElement>("#open").disabled).toBe(true);
    await knock("wrong");
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(word()).toBe("Too many guesses. Try again in 2 s.");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(word()).toBe("");
    expect(find<HTMLButtonElement>("#open").disabled).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("says that the link has ended, and asks for nothing more", async () => {
    reply = () => answer({ message: "This link has ended." }, 404);
    await knock();
    expect(word()).toBe("This link has ended.");
    expect(find<HTMLInputElement>("#password").value).toBe("");
    expect(find<HTMLButtonElement>("#open").disabled).toBe(true);
  });

  it("says that nobody answers, or who answers instead", async () => {
    reply = () => Promise.reject(new TypeError("Failed to fetch"));
    await knock();
    expect(word()).toContain("There is no answer");
    reply = () => answer({ message: "The streamer went away." }, 502);
    await knock();
    expect(word()).toBe("The streamer went away.");
  });

  it("knocks once, however impatient the user", async () => {
    let late: (response: Response) => void = () => undefined;
    reply = () => new Promise((done) => (late = done));
    await knock();
    await knock();
    expect(asked).toHaveLength(1);
    late(answer(GRANT));
    await settle();
    expect(mounted).toHaveLength(1);
  });

  it("is of no use at another address", () => {
    guest.dispose();
    open("https://node7:8443/elsewhere");
    expect(find<HTMLButtonElement>("#open").disabled).toBe(true);
    expect(word()).toContain("not the address");
  });
});

describe("the place of a share", () => {
  it.each([
    ["https://h:1/s/abc", "wss://h:1/ws", "https://h:1/s/abc/ticket"],
    ["https://h:1/s/abc/?x=1#y", "wss://h:1/ws", "https://h:1/s/abc/ticket"],
    ["http://127.0.0.1:8/proxy/9/s/abc", "ws://127.0.0.1:8/proxy/9/ws", "http://127.0.0.1:8/proxy/9/s/abc/ticket"],
  ])("is found from %s", (href, url, ticket) => expect(placeOf(href)).toEqual({ url, ticket }));

  it.each(["https://h/", "https://h/s/", "https://h/s/a/b"])("is nowhere on %s", (href) => {
    expect(placeOf(href)).toBeNull();
  });
});
