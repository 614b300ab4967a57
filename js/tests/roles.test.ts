import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { People, Role, ShareInfo } from "../src/protocol";
import { mount, type Viewer } from "../src/viewer/mount";
import { FakeIntersectionObserver, FakeResizeObserver, lastOf } from "./fakes/observers";
import { FakeSocket, GRANTED, JOINED, settle } from "./fakes/socket";

const SHARE: ShareInfo = {
  share: "s1",
  role: "view",
  url: "https://node7:8443/s/s1",
  fingerprint: "AB:CD:EF",
  expires: Date.now() / 1000 + 3600,
};
const ME: People["viewers"][number] = { client: "c1", who: "ada", role: "owner", way: "jupyter", share: "", since: 1e9 };
const GUEST: People["viewers"][number] = { client: "c2", who: "10.0.0.7", role: "view", way: "link", share: "s1", since: 1e9 };

let el: HTMLElement;
let viewer: Viewer;
let clipboard: string[];

const find = <T extends HTMLElement = HTMLElement>(selector: string): T => el.querySelector(selector) as T;
const labelled = (label: string): HTMLButtonElement => find(`[aria-label="${label}"]`);
const panel = (): HTMLElement => find("[role=dialog]");
const opener = (): HTMLButtonElement => find(".pvlink-tool-people");
const word = (): string => find(".pvlink-word").textContent ?? "";

async function join(role: Role): Promise<void> {
  viewer = mount(el, {
    url: "ws://here/ws",
    ticket: () => Promise.resolve(GRANTED),
    openSocket: FakeSocket.open,
    decode: () => Promise.resolve({ source: document.createElement("canvas"), close: () => undefined }),
  });
  lastOf(FakeResizeObserver.all).see(800, 400);
  await settle();
  FakeSocket.last.answers["pvlink.join"] = () => ({ ...JOINED, role });
  FakeSocket.last.answers["pvlink.password"] = () => ({ password: "correct horse" });
  await FakeSocket.last.join();
}

async function tell(people: Partial<People>): Promise<void> {
  FakeSocket.last.publish("pvlink.people", { viewers: [ME], shares: [], ...people });
  await settle();
}

async function click(label: string): Promise<void> {
  labelled(label).click();
  await settle();
  await new Promise((done) => setTimeout(done, 0));
  await settle();
}

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", FakeResizeObserver);
  vi.stubGlobal("IntersectionObserver", FakeIntersectionObserver);
  clipboard = [];
  const writeText = (text: string): Promise<void> => Promise.resolve(void clipboard.push(text));
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
  el = document.createElement("div");
  document.body.append(el);
});

afterEach(() => {
  viewer.dispose();
  el.remove();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a viewer that may only look", () => {
  const hand = (type: string, more: object = {}): Event => {
    const event = new PointerEvent(type, { bubbles: true, cancelable: true, pointerId: 1, buttons: 1, ...more });
    find(".pvlink-picture").dispatchEvent(event);
    return event;
  };
  const press = (key: string): boolean =>
    find(".pvlink-picture").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

  it("sends nothing that a hand does, and leaves the page its wheel and its menu", async () => {
    await join("view");
    hand("pointerdown");
    hand("pointermove");
    hand("pointerup", { buttons: 0 });
    press("r");
    const wheel = new WheelEvent("wheel", { deltaY: 100, bubbles: true, cancelable: true });
    find(".pvlink-picture").dispatchEvent(wheel);
    const menu = new MouseEvent("contextmenu", { bubbles: true, cancelable: true });
    find(".pvlink-picture").dispatchEvent(menu);
    await new Promise((done) => setTimeout(done, 50));
    expect([wheel.defaultPrevented, menu.defaultPrevented]).toEqual([false, false]);
    expect(FakeSocket.last.sent("pvlink.input")).toEqual([]);
  });

  it("asks for no size", async () => {
    await join("view");
    lastOf(FakeResizeObserver.all).see(900, 500);
    await new Promise((done) => setTimeout(done, 150));
    expect(FakeSocket.last.sent("pvlink.size")).toEqual([]);
  });

  it("has its own keys and buttons, and says what it is", async () => {
    await join("view");
    expect([labelled("Reset camera").hidden, labelled("Standard views").hidden]).toEqual([true, true]);
    expect([labelled("Save screenshot").hidden, labelled("Full screen").hidden]).toEqual([false, false]);
    press("s");
    expect(find(".pvlink-stats").hidden).toBe(false);
    expect(find(".pvlink-mark").hidden).toBe(false);
    expect(find(".pvlink-picture").getAttribute("aria-label")).toContain("view only");
    expect(find(".pvlink").dataset.role).toBe("view");
  });

  it.each(["owner", "control"] as const)("is not a viewer whose role is %s", async (role) => {
    await join(role);
    expect(labelled("Reset camera").hidden).toBe(false);
    expect(find(".pvlink-mark").hidden).toBe(true);
    labelled("Reset camera").click();
    expect(FakeSocket.last.sent("pvlink.input")).toHaveLength(1);
  });
});

describe("the button of sharing", () => {
  it("is not there while the owner is alone and shares nothing", async () => {
    await join("owner");
    expect(opener().hidden).toBe(true);
    await tell({});
    expect(opener().hidden).toBe(true);
  });

  it("is there with a share or a second viewer, and goes when the link does", async () => {
    await join("owner");
    await tell({ shares: [SHARE] });
    expect(opener().hidden).toBe(false);
    await tell({});
    expect(opener().hidden).toBe(true);
    await tell({ viewers: [ME, GUEST] });
    expect(opener().title).toBe("Sharing: 2 viewers");
    opener().click();
    FakeSocket.last.drop();
    await settle();
    expect([opener().hidden, panel().hidden]).toEqual([true, true]);
  });
});

describe("the panel of sharing", () => {
  beforeEach(async () => {
    await join("owner");
    await tell({ viewers: [ME, GUEST], shares: [SHARE] });
    opener().click();
  });

  it("says who watches, and by which links others may", () => {
    expect(panel().hidden).toBe(false);
    expect(opener().getAttribute("aria-expanded")).toBe("true");
    expect(panel().contains(document.activeElement)).toBe(true);
    const people = [...panel().querySelectorAll(".pvlink-person")].map((each) => each.textContent);
    expect(people[0]).toContain("ada (you)");
    expect(people[1]).toMatch(/10\.0\.0\.7.*view only, by a link, since/);
    expect(find(".pvlink-share").textContent).toContain("https://node7:8443/s/s1");
    expect(find(".pvlink-share").textContent).toContain("AB:CD:EF");
    expect(find(".pvlink-share").textContent).toContain("View only");
  });

  it("asks for no password before it is wanted, and forgets it when it closes", async () => {
    expect(FakeSocket.last.sent("pvlink.password")).toEqual([]);
    await click("Show password");
    expect(FakeSocket.last.sent("pvlink.password")).toEqual([{ share: "s1" }]);
    expect(panel().textContent).toContain("correct horse");
    // As text and nowhere else: no attribute, no value.
    expect(el.outerHTML.split("correct horse")).toHaveLength(2);
    await tell({ viewers: [ME], shares: [SHARE] });
    expect(panel().textContent).toContain("correct horse");
    await click("Hide password");
    expect(el.outerHTML).not.toContain("correct horse");
    await click("Show password");
    opener().click();
    expect(panel().hidden).toBe(true);
    expect(el.outerHTML).not.toContain("correct horse");
    opener().click();
    expect(el.outerHTML).not.toContain("correct horse");
  });

  it("does not show a password that comes after it was closed", async () => {
    labelled("Show password").click();
    opener().click();
    await settle();
    opener().click();
    expect(el.outerHTML).not.toContain("correct horse");
  });

  it("copies the link and the password", async () => {
    await click("Copy link");
    expect(word()).toBe("Link copied.");
    await click("Copy password");
    expect(clipboard).toEqual(["https://node7:8443/s/s1", "correct horse"]);
    expect(el.outerHTML).not.toContain("correct horse");
  });

  it("copies on a page without TLS, too, and leaves nothing of it", async () => {
    vi.stubGlobal("navigator", { ...navigator, clipboard: undefined });
    let selected = "";
    document.execCommand = () => {
      selected = find<HTMLTextAreaElement>("textarea").value;
      return true;
    };
    await click("Copy password");
    expect(selected).toBe("correct horse");
    expect(find("textarea")).toBeNull();
    document.execCommand = () => false;
    await click("Copy link");
    expect(word()).toContain("refused to copy");
  });

  it("stops sharing", async () => {
    await click("Stop sharing this link");
    expect(FakeSocket.last.sent("pvlink.revoke")).toEqual([{ share: "s1" }]);
    await tell({ viewers: [ME, GUEST], shares: [] });
    expect(find(".pvlink-share")).toBeNull();
    expect(word()).toBe("Sharing stopped.");
  });

  it("says so when the streamer will not", async () => {
    FakeSocket.last.answers["pvlink.revoke"] = () => new Error("error 17");
    FakeSocket.last.answers["pvlink.password"] = () => new Error("error 18");
    await click("Stop sharing this link");
    expect(word()).toBe("Sharing could not be stopped. Try again.");
    await click("Show password");
    expect(word()).toBe("The password could not be fetched. Try again.");
  });

  it("closes by Escape, back to its button, and the notebook does not hear of it", () => {
    const heard = vi.fn();
    document.addEventListener("keydown", heard, { once: true });
    const event = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
    labelled("Copy link").dispatchEvent(event);
    expect([panel().hidden, event.defaultPrevented]).toEqual([true, true]);
    expect(document.activeElement).toBe(opener());
    expect(heard).not.toHaveBeenCalled();
    document.removeEventListener("keydown", heard);
  });

  it("closes when the hand goes elsewhere", () => {
    document.body.dispatchEvent(new Event("pointerdown", { bubbles: true, composed: true }));
    expect(panel().hidden).toBe(true);
  });

  it("keeps JupyterLab's keys off whatever in it can have the focus", () => {
    for (const each of panel().querySelectorAll("button, summary")) {
      expect(each.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
    }
    expect(panel().hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
  });
});
