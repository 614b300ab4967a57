import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommModel } from "../src/comm";
import { Chosen } from "../src/browser/chosen";
import { Desk, entryOf, Overtaken, Refused, type Entry } from "../src/browser/messages";
import { mount } from "../src/browser/mount";
import { about, counted, kind, size, when } from "../src/browser/words";
import { FakeResizeObserver } from "./fakes/observers";

type Heard = (content: unknown) => void;
type Asked = Record<string, unknown> & { pvlink: string; client: string; ask: number };

const line = (at: number, name: string, kind = "file", more: unknown[] = [false, 1, name, name, "AReader", "A files"]): unknown[] => [
  at,
  name,
  kind,
  kind === "folder" ? null : 5,
  kind === "folder" ? null : 0,
  ...more,
];

// A kernel that answers by hand, or at once with the folder it has.
class FakeKernel implements CommModel {
  readonly asked: Asked[] = [];
  readonly listeners: [string, Heard][] = [];
  lines: unknown[][] = [];
  total: number | null = null;
  number = 7;
  answers = true;
  gone = false;
  failure = "";
  code = "source = OpenDataFile('/data/a.vtk'); Show(source)";

  get(): unknown {
    return "";
  }

  on(event: string, heard: Heard): void {
    this.listeners.push([event, heard]);
  }

  off(event: string, heard: Heard): void {
    const at = this.listeners.findIndex(([one, other]) => one === event && other === heard);
    if (at >= 0) this.listeners.splice(at, 1);
  }

  send(content: unknown): void {
    if (this.gone) throw new Error("Cannot send");
    const asked = structuredClone(content) as Asked;
    this.asked.push(asked);
    if (this.answers) queueMicrotask(() => this.answer(asked));
  }

  say(content: unknown, event = "msg:custom"): void {
    for (const [other, heard] of [...this.listeners]) if (other === event) heard(content);
  }

  answer(asked: Asked, more: object = {}): void {
    const { client, ask } = asked;
    if (this.failure) return this.say({ pvlink: "failed", client, ask, message: this.failure });
    if (asked.pvlink === "readers") {
      return this.say({ pvlink: "readers", client, ask, readers: [["AReader", "A files"], ["BReader", "B files"]] });
    }
    if (asked.pvlink === "open") {
      return this.say({ pvlink: "opened", client, ask, name: "a.vtk", reader: "AReader", note: "", code: this.code });
    }
    const find = asked.find as string | undefined;
    const at = find ? this.lines.findIndex(([, name]) => String(name).startsWith(find)) : -1;
    const begin = find ? 0 : ((asked.begin as number | undefined) ?? 0);
    this.say({
      ...{ pvlink: "listing", client, ask, number: this.number, host: "node7", path: "/data", parts: ["/", "data"] },
      ...{ places: [["Home", "/root"], ["Root", "/"]], total: this.total ?? this.lines.length, begin },
      ...{ at: at < 0 ? null : at, entries: this.lines.slice(begin, begin + 200), ...more },
    });
  }

  of(pvlink: string): Asked[] {
    return this.asked.filter((each) => each.pvlink === pvlink);
  }
}

async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve();
}

const VIEW = { sort: "name", reverse: false, pattern: "", hidden: false } as const;

describe("words", () => {
  it("says sizes as the kernel does", () => {
    expect([null, 0, 999, 1000, 99_949, 99_951, 999_500, 1e18].map(size)).toEqual(
      ["", "0 bytes", "999 bytes", "1.0 kB", "99.9 kB", "100 kB", "1.0 MB", "1000 PB"],
    );
  });

  it("says nothing of a time that is not known, and the others to the minute", () => {
    expect(when(null)).toBe("");
    expect(when(new Date(2026, 2, 4, 5, 6).getTime() / 1000)).toBe("2026-03-04 05:06");
  });

  it("says what a line is", () => {
    const series = entryOf(line(0, "u..vtk", "series", [false, 1200, "u0.vtk", "u1199.vtk", "VtkReader", "VTK files"]));
    expect(kind(series)).toBe("1,200 × VTK files");
    expect(about(series)).toBe("u..vtk\n1,200 files, u0.vtk to u1199.vtk\nVtkReader");
    expect(kind(entryOf(line(0, "x", "folder")))).toBe("Folder");
    expect([counted(1, 0), counted(100_000, 2)]).toEqual(["1 entry", "2 of 100,000 entries chosen"]);
  });
});

describe("what is chosen", () => {
  const entries = [0, 1, 2, 3, 4].map((at) => entryOf(line(10 + at, `f${at}`)));
  const entryAt = (at: number): Entry | undefined => entries[at];
  const lines = (chosen: Chosen): number[] => chosen.all.map((each) => each.line);
  const plain = { ctrl: false, shift: false };

  it("is the one that was clicked", () => {
    const chosen = new Chosen();
    chosen.put(1, plain, entryAt);
    chosen.put(3, plain, entryAt);
    expect(lines(chosen)).toEqual([13]);
  });

  it("grows and shrinks with the control key", () => {
    const chosen = new Chosen();
    for (const at of [1, 3, 1]) chosen.put(at, { ctrl: true, shift: false }, entryAt);
    expect(lines(chosen)).toEqual([13]);
  });

  it("reaches with the shift key from where it began, both ways", () => {
    const chosen = new Chosen();
    chosen.put(2, plain, entryAt);
    chosen.put(4, { ctrl: false, shift: true }, entryAt);
    expect(lines(chosen)).toEqual([12, 13, 14]);
    chosen.put(0, { ctrl: false, shift: true }, entryAt);
    expect(lines(chosen)).toEqual([10, 11, 12]);
  });
});

describe("the browser's desk", () => {
  it("takes the answers that are its own, to questions that were not overtaken", async () => {
    const kernel = new FakeKernel();
    kernel.answers = false;
    const desk = new Desk(kernel, () => {});
    const first = desk.list(0, VIEW, {});
    const overtaken = expect(first).rejects.toBeInstanceOf(Overtaken);
    const second = desk.list(0, VIEW, { path: "/x" });
    const [one, two] = kernel.asked as [Asked, Asked];
    kernel.answer({ ...two, client: "another" }, { path: "/stranger" });
    kernel.answer(one, { path: "/late" });
    kernel.answer(two, { path: "/x" });
    expect((await second).path).toBe("/x");
    await overtaken;
  });

  it("asks for pages side by side, which a new folder overtakes all", async () => {
    const kernel = new FakeKernel();
    kernel.answers = false;
    const desk = new Desk(kernel, () => {});
    const pages = [0, 200].map((begin) => desk.list(7, VIEW, { begin }));
    const all = Promise.allSettled(pages);
    kernel.answer(kernel.asked[1] as Asked);
    expect((await pages[1])?.begin).toBe(200);
    void desk.list(7, VIEW, { path: "/x" }).catch(() => {});
    expect((await all).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    desk.dispose();
  });

  it("says when the kernel is gone, at once or while it is waited for", async () => {
    const kernel = new FakeKernel();
    kernel.answers = false;
    const desk = new Desk(kernel, () => {});
    const waiting = desk.list(0, VIEW, {});
    kernel.say({}, "comm_live_update");
    await expect(waiting).rejects.toThrow("restarted");
    kernel.gone = true;
    await expect(desk.list(0, VIEW, {})).rejects.toBeInstanceOf(Refused);
  });

  it("is busy only when an answer takes long", async () => {
    vi.useFakeTimers();
    const kernel = new FakeKernel();
    kernel.answers = false;
    const told: boolean[] = [];
    const desk = new Desk(kernel, (busy) => told.push(busy));
    void desk.list(0, VIEW, {});
    vi.advanceTimersByTime(300);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(200);
    kernel.answer(kernel.asked[0] as Asked);
    expect(told).toEqual([true, false]);
    vi.useRealTimers();
  });
});

describe("the browser", () => {
  let kernel: FakeKernel;
  let host: HTMLElement;
  let dispose: () => void;
  const rows = (): HTMLElement[] => [...host.querySelectorAll<HTMLElement>(".pvlink-files-row")];
  const names = (): (string | null | undefined)[] => rows().map((row) => row.querySelector(".pvlink-files-name")?.textContent);
  const find = (selector: string): HTMLElement => host.querySelector(selector) as HTMLElement;
  const grid = (): HTMLElement => find("[role=grid]");
  const press = (key: string, more: object = {}): boolean =>
    grid().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
  const click = (row: number, more: object = {}): boolean | undefined =>
    rows()[row]?.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, cancelable: true, ...more }));
  const chosen = (): string[] =>
    rows().filter((row) => row.getAttribute("aria-selected") === "true").map((row) => row.dataset.at ?? "");

  async function open(...lines: unknown[][]): Promise<void> {
    kernel.lines = lines;
    dispose = mount(host, kernel, { height: "300px", pattern: "", hidden: false });
    Object.defineProperty(grid(), "clientHeight", { value: 286, configurable: true });
    await settle();
  }

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("ResizeObserver", FakeResizeObserver);
    kernel = new FakeKernel();
    host = document.createElement("div");
    document.body.append(host);
  });

  afterEach(() => {
    dispose();
    host.remove();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("shows a folder, its path and its places", async () => {
    await open(line(0, "sub", "folder"), line(1, "a.vtk"));
    expect(names()).toEqual(["sub", "a.vtk"]);
    expect([...host.querySelectorAll(".pvlink-files-crumb")].map((each) => each.textContent)).toEqual(["/", "data"]);
    expect([...host.querySelectorAll(".pvlink-files-places button")].map((each) => each.textContent)).toEqual(["Home", "Root"]);
    expect(find(".pvlink-files-count").textContent).toBe("2 entries on node7");
    expect(grid().getAttribute("aria-rowcount")).toBe("3");
    expect(host.querySelector(".pvlink-files")?.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
  });

  it("takes names as text", async () => {
    const name = "<img src=x onerror=alert(1)>";
    kernel.code = name;
    await open(line(0, name));
    click(0);
    find(".pvlink-files-open").click();
    await settle();
    kernel.failure = name;
    press("Enter");
    await settle();
    expect(host.querySelector("img")).toBeNull();
    expect(names()).toEqual([name]);
    expect(find(".pvlink-files-code code").textContent).toBe(name);
    expect(find(".pvlink-files-error").textContent).toBe(name);
  });

  it("has as many rows as can be seen, and asks for a page when it comes into sight", async () => {
    kernel.total = 100_000;
    await open(...Array.from({ length: 200 }, (_, at) => line(at, `f${at}`)));
    expect(rows().length).toBeLessThan(30);
    expect(find(".pvlink-files-body").style.height).toBe("2600000px");
    press("End");
    await settle();
    expect(kernel.asked.at(-1)).toMatchObject({ pvlink: "list", number: 7, begin: 99_800 });
    expect(grid().getAttribute("aria-activedescendant")).toMatch(/-99999$/);
  });

  it("is gone through with the keys, and keeps them from the notebook", async () => {
    await open(line(0, "a"), line(1, "b"), line(2, "c"));
    expect(press("ArrowDown")).toBe(false);
    press("ArrowDown");
    expect(chosen()).toEqual(["1"]);
    press("ArrowDown", { shiftKey: true });
    expect(chosen()).toEqual(["1", "2"]);
    press("Home");
    expect(chosen()).toEqual(["0"]);
    press("ArrowDown", { ctrlKey: true });
    press(" ");
    expect(chosen()).toEqual(["0", "1"]);
    expect(press("Tab")).toBe(true);
  });

  it("leaves the rows that stay where they are, so that a double click meets one row", async () => {
    await open(line(0, "a"), line(1, "sub", "folder"));
    const row = rows()[1];
    const removed = vi.spyOn(row as HTMLElement, "remove");
    const put = vi.spyOn(find(".pvlink-files-body"), "insertBefore");
    click(1);
    expect(rows()[1]).toBe(row);
    expect([removed.mock.calls.length, put.mock.calls.length]).toEqual([0, 0]);
    row?.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    expect(kernel.asked.at(-1)).toMatchObject({ pvlink: "list", line: 1 });
  });

  it("goes into folders, and up", async () => {
    await open(line(5, "sub", "folder"), line(6, "a"));
    click(0);
    press("Enter");
    await settle();
    expect(kernel.asked.at(-1)).toMatchObject({ pvlink: "list", number: 7, line: 5, pattern: "" });
    press("Backspace");
    await settle();
    expect(kernel.asked.at(-1)).toMatchObject({ part: 0 });
    (host.querySelectorAll(".pvlink-files-places button")[1] as HTMLElement).click();
    expect(kernel.asked.at(-1)).toMatchObject({ place: 1 });
  });

  it("finds what is typed", async () => {
    await open(line(0, "alpha"), line(1, "beta"));
    press("b");
    await settle();
    expect(kernel.asked.at(-1)).toMatchObject({ find: "b" });
    expect(chosen()).toEqual(["1"]);
    press("e");
    expect(kernel.asked.at(-1)).toMatchObject({ find: "be" });
  });

  it("opens what is typed, also when Enter comes before the kernel has found it", async () => {
    await open(line(0, "alpha"), line(1, "beta", "folder"));
    press("ArrowDown");
    press("b");
    press("Enter");
    await settle();
    expect(kernel.asked.at(-1)).toMatchObject({ pvlink: "list", line: 1 });
    press("x");
    press("Enter");
    await settle();
    expect(kernel.asked.at(-1)).toMatchObject({ find: "x" });
    expect(find("[role=alert]").textContent).toContain("begins with");
  });

  it("sorts by its heads, and keeps what is chosen", async () => {
    await open(line(0, "a"), line(1, "b"));
    click(1);
    (host.querySelectorAll(".pvlink-files-head button")[1] as HTMLElement).click();
    await settle();
    expect(kernel.asked.at(-1)).toMatchObject({ sort: "size", reverse: false });
    expect(chosen()).toEqual(["1"]);
    (host.querySelectorAll(".pvlink-files-head button")[1] as HTMLElement).click();
    await settle();
    expect(kernel.asked.at(-1)).toMatchObject({ sort: "size", reverse: true });
    expect(host.querySelectorAll("[role=columnheader]")[1]?.getAttribute("aria-sort")).toBe("descending");
  });

  it("filters when the typing has come to rest", async () => {
    await open(line(0, "a"));
    const filter = find("[type=search]") as HTMLInputElement;
    for (const text of ["*", "*.", "*.vtk"]) {
      filter.value = text;
      filter.dispatchEvent(new Event("input"));
    }
    vi.advanceTimersByTime(300);
    expect(kernel.of("list").slice(1).map(({ pattern }) => pattern)).toEqual(["*.vtk"]);
  });

  it("goes where a path is typed", async () => {
    await open(line(0, "a"));
    find("[aria-label='Type a path']").click();
    const field = find("input[aria-label=Path]") as HTMLInputElement;
    expect(field.value).toBe("/data");
    field.value = "~/x";
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    expect(kernel.asked.at(-1)).toMatchObject({ path: "~/x" });
  });

  it("asks for the readers of a file that the cursor rests on, and opens it by the one that is chosen", async () => {
    await open(line(3, "a.vtk"), line(4, "b.vtk"));
    const select = find("select") as HTMLSelectElement;
    expect(select.disabled).toBe(true);
    press("ArrowDown");
    press("ArrowDown");
    vi.advanceTimersByTime(250);
    await settle();
    expect(kernel.of("readers").map(({ lines }) => lines)).toEqual([[4]]);
    select.value = "BReader";
    find(".pvlink-files-open").click();
    await settle();
    expect(kernel.asked.at(-1)).toMatchObject({ pvlink: "open", number: 7, lines: [4], reader: "BReader" });
    expect(find(".pvlink-files-result").textContent).toContain("browser.source");
  });

  it("opens several files as one, without the folders among them", async () => {
    await open(line(0, "sub", "folder"), line(1, "a"), line(2, "b"));
    click(0);
    click(2, { shiftKey: true });
    find(".pvlink-files-open").click();
    expect(kernel.asked.at(-1)).toMatchObject({ pvlink: "open", lines: [1, 2] });
  });

  it("says what went wrong until the next click, and not only until the readers have come", async () => {
    await open(line(0, "a.abc"));
    kernel.failure = "no reader";
    click(0);
    press("Enter");
    await settle();
    kernel.failure = "";
    vi.advanceTimersByTime(250);
    await settle();
    expect(kernel.of("readers").length).toBe(1);
    expect(find("[role=alert]").textContent).toBe("no reader");
    expect(find("[role=alert]").hidden).toBe(false);
    find("[aria-label=Reload]").click();
    await settle();
    expect(find("[role=alert]").hidden).toBe(true);
  });

  it("leaves nothing behind", async () => {
    await open(line(0, "a"));
    dispose();
    expect(host.childElementCount).toBe(0);
    expect(kernel.listeners).toEqual([]);
    expect(FakeResizeObserver.all.at(-1)?.watched.size).toBe(0);
  });
});
