import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Action } from "../src/protocol";
import type { Command } from "../src/viewer/keyboard";
import { Toolbar } from "../src/viewer/toolbar";

let life: AbortController;
let toolbar: Toolbar;
let asked: (Action | Command)[];

beforeEach(() => {
  life = new AbortController();
  asked = [];
  toolbar = new Toolbar({ action: (each) => asked.push(each), command: (each) => asked.push(each) }, life.signal);
  document.body.append(toolbar.element);
});

afterEach(() => {
  life.abort();
  toolbar.element.remove();
});

const tool = (label: string): HTMLButtonElement =>
  toolbar.element.querySelector(`[aria-label="${label}"]`) as HTMLButtonElement;
const items = (): HTMLButtonElement[] => [...toolbar.element.querySelectorAll<HTMLButtonElement>("[role=menuitem]")];
const menu = (): HTMLElement => toolbar.element.querySelector("[role=menu]") as HTMLElement;

function press(key: string): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  document.activeElement?.dispatchEvent(event);
  return event;
}

describe("the tool bar", () => {
  it("labels every button, and says its key", () => {
    const there = [...toolbar.element.querySelectorAll<HTMLElement>(".pvlink-tool")].filter((each) => !each.hidden);
    expect(there.map((each) => each.title)).toEqual([
      "Reset camera (R)",
      "Standard views",
      "Save screenshot",
      "Statistics (S)",
      "Full screen (F)",
    ]);
    for (const each of toolbar.element.querySelectorAll("svg")) expect(each.getAttribute("aria-hidden")).toBe("true");
  });

  it("asks for what its buttons say", () => {
    for (const label of ["Reset camera", "Save screenshot", "Statistics", "Full screen"]) tool(label).click();
    expect(asked).toEqual(["reset", "screenshot", "statistics", "fullscreen"]);
  });

  it("is one stop for the Tab key, with arrows inside", () => {
    const stops = (): number => toolbar.element.querySelectorAll('[tabindex="0"]').length;
    expect(stops()).toBe(1);
    tool("Reset camera").focus();
    press("ArrowRight");
    expect(document.activeElement).toBe(tool("Standard views"));
    press("ArrowLeft");
    press("ArrowLeft");
    expect(document.activeElement).toBe(tool("Full screen"));
    expect(stops()).toBe(1);
  });

  it("has no camera for those who only look, and is walked without", () => {
    toolbar.allow(false);
    expect([tool("Reset camera").hidden, tool("Standard views").hidden]).toEqual([true, true]);
    expect(toolbar.element.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
    expect(tool("Save screenshot").tabIndex).toBe(0);
    tool("Save screenshot").focus();
    press("ArrowLeft");
    expect(document.activeElement).toBe(tool("Full screen"));
    toolbar.allow(true);
    expect(tool("Reset camera").hidden).toBe(false);
  });

  it("says how many watch where that is worth a button, and stays in sight when somebody else does", () => {
    expect(toolbar.people.hidden).toBe(true);
    toolbar.showPeople(1, true);
    expect(toolbar.people.hidden).toBe(false);
    expect(toolbar.people.getAttribute("aria-label")).toBe("Sharing: 1 viewer");
    expect(toolbar.element.dataset.watched).toBe("false");
    toolbar.showPeople(3, true);
    expect(toolbar.people.textContent).toBe("3");
    expect(toolbar.people.title).toBe("Sharing: 3 viewers");
    expect(toolbar.element.dataset.watched).toBe("true");
    toolbar.people.tabIndex = 0;
    toolbar.showPeople(1, false);
    expect(toolbar.people.hidden).toBe(true);
    expect(toolbar.element.querySelectorAll('[tabindex="0"]:not([hidden])')).toHaveLength(1);
  });

  it("keeps JupyterLab's keys off its buttons", () => {
    for (const each of toolbar.element.querySelectorAll("button")) {
      expect(each.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
    }
  });

  it("shows what is on", () => {
    toolbar.press("statistics", true);
    expect(tool("Statistics").getAttribute("aria-pressed")).toBe("true");
  });
});

describe("the menu of standard views", () => {
  it("opens and closes by its button, and says so", () => {
    expect(menu().hidden).toBe(true);
    tool("Standard views").click();
    expect(menu().hidden).toBe(false);
    expect(tool("Standard views").getAttribute("aria-expanded")).toBe("true");
    tool("Standard views").click();
    expect(menu().hidden).toBe(true);
  });

  it("has the six standard views and the isometric one", () => {
    for (const item of items()) {
      tool("Standard views").click();
      item.click();
    }
    expect(asked).toEqual(["+x", "-x", "+y", "-y", "+z", "-z", "isometric"]);
    expect(menu().hidden).toBe(true);
  });

  it("is walked by arrows, round and round", () => {
    tool("Standard views").click();
    expect(document.activeElement).toBe(items()[0]);
    press("ArrowUp");
    expect(document.activeElement).toBe(items()[6]);
    press("ArrowDown");
    press("ArrowDown");
    expect(document.activeElement).toBe(items()[1]);
    press("End");
    expect(document.activeElement).toBe(items()[6]);
    press("Home");
    expect(document.activeElement).toBe(items()[0]);
  });

  it("closes by Escape, back to its button, and the notebook does not hear of it", () => {
    const heard = vi.fn();
    document.addEventListener("keydown", heard, { signal: life.signal });
    tool("Standard views").click();
    expect(press("Escape").defaultPrevented).toBe(true);
    expect(menu().hidden).toBe(true);
    expect(document.activeElement).toBe(tool("Standard views"));
    expect(heard).not.toHaveBeenCalled();
  });

  it("closes when the hand goes elsewhere", () => {
    tool("Standard views").click();
    document.body.dispatchEvent(new Event("pointerdown", { bubbles: true, composed: true }));
    expect(menu().hidden).toBe(true);
  });
});
