import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ViewState } from "../src/protocol";
import { describe as say, StatusLine, type Said, type Situation } from "../src/viewer/status";

const OPEN = { kind: "open" } as const;
const view = (state: ViewState["state"], message = "", progress: number | null = null): ViewState => ({
  state,
  message,
  progress,
});

describe("what the viewer says", () => {
  it.each<[string, Situation, Partial<Said>]>([
    ["at first", { line: { kind: "connecting" }, view: null }, { word: "connecting", sentence: "Connecting…" }],
    ["when all is well", { line: OPEN, view: view("live") }, { word: "live", sentence: "Live", retry: false }],
    [
      "while the engine works",
      { line: OPEN, view: view("busy", "Contour is running", 0.4) },
      { word: "busy", sentence: "Contour is running", progress: 0.4 },
    ],
    ["when it does not know how far", { line: OPEN, view: view("busy") }, { sentence: "Busy…", progress: null }],
    [
      "when the network was cut",
      { line: { kind: "waiting", wait: 250, message: "" }, view: null },
      { word: "reconnecting", sentence: "Connection lost. Reconnecting…", aside: "Trying again.", retry: false },
    ],
    [
      "when it stays away",
      { line: { kind: "waiting", wait: 4000, message: "The connection went silent." }, view: null },
      { sentence: "Connection lost. The connection went silent. Reconnecting…", aside: "Next try in 4 s.", retry: true },
    ],
    [
      "when the engine was lost",
      { line: OPEN, view: view("lost", "pvpython ended with signal 11.") },
      { word: "lost", sentence: "pvpython ended with signal 11." },
    ],
    ["when the view was deleted", { line: OPEN, view: view("gone") }, { word: "gone", sentence: "This view was deleted." }],
    [
      "when the streamer is gone",
      { line: { kind: "lost", wait: 250, message: "" }, view: null },
      { word: "lost", sentence: "The view's streamer is gone.", retry: true },
    ],
    [
      "when the session ended",
      { line: { kind: "ended", wait: 10_000, message: "" }, view: null },
      { word: "ended", sentence: "The session ended. Run the cell again for a live view.", retry: true },
    ],
    ["when the streamer says that it ended", { line: OPEN, view: view("ended", "Stopped.") }, { word: "ended", sentence: "Stopped." }],
    [
      "when a link is cut, whatever the view was",
      { line: { kind: "waiting", wait: 1, message: "" }, view: view("busy") },
      { word: "reconnecting" },
    ],
  ])("%s", (_, situation, said) => {
    expect(say(situation)).toMatchObject(said);
  });
});

describe("the status line", () => {
  let line: StatusLine;
  let retry: ReturnType<typeof vi.fn<() => void>>;
  const part = (selector: string): HTMLElement => line.element.querySelector(selector) as HTMLElement;

  beforeEach(() => {
    retry = vi.fn<() => void>();
    line = new StatusLine(retry, new AbortController().signal);
  });

  it("keeps what a session has to say while it is live", () => {
    line.show(say({ line: OPEN, view: view("live") }));
    expect(line.element.dataset.notice).toBe("false");
    line.show(say({ line: OPEN, view: view("live", "The job ends in 3 min.") }));
    expect(line.element.dataset.notice).toBe("true");
    expect(line.element.textContent).toContain("The job ends in 3 min.");
    line.show(say({ line: OPEN, view: view("busy", "Contour", 0.5) }));
    expect(line.element.dataset.notice).toBe("false");
  });

  it("is read aloud politely", () => {
    line.show(say({ line: OPEN, view: view("lost", "Gone.") }));
    expect(part("[role=status]").getAttribute("aria-live")).toBe("polite");
    expect(part("[role=status]").textContent).toBe("Gone.");
    expect(line.element.dataset.state).toBe("lost");
  });

  it("says the same words once, however often it tries", () => {
    const changes = vi.spyOn(part("[role=status]"), "textContent", "set");
    for (const wait of [250, 1000, 2000]) line.show(say({ line: { kind: "waiting", wait, message: "" }, view: null }));
    expect(changes).toHaveBeenCalledOnce();
    expect(part("[aria-hidden=true]").textContent).toBe("Next try in 2 s.");
  });

  it("shows progress only while the engine works", () => {
    line.show(say({ line: OPEN, view: view("busy", "", 0.25) }));
    expect(part("progress").hidden).toBe(false);
    expect(part("progress").getAttribute("value")).toBe("0.25");
    line.show(say({ line: OPEN, view: view("busy") }));
    expect(part("progress").hasAttribute("value")).toBe(false);
    line.show(say({ line: OPEN, view: view("live") }));
    expect(part("progress").hidden).toBe(true);
  });

  it("offers to try again where that may help", () => {
    line.show(say({ line: OPEN, view: view("live") }));
    expect(part("button").hidden).toBe(true);
    line.show(say({ line: { kind: "ended", wait: 1, message: "" }, view: null }));
    expect(part("button").hidden).toBe(false);
    part("button").click();
    expect(retry).toHaveBeenCalledOnce();
  });
});
