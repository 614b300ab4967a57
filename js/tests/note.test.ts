import { afterEach, describe, expect, it } from "vitest";
import { noteOf, doorNote } from "../src/reasons";
import { NoteLine } from "../src/viewer/note";
import { describe as say } from "../src/viewer/status";

const life = new AbortController();
const made: NoteLine[] = [];
const line = (): NoteLine => {
  const one = new NoteLine(life.signal);
  made.push(one);
  document.body.append(one.element);
  return one;
};

afterEach(() => {
  for (const each of made.splice(0)) each.element.remove();
});

describe("the line below the picture", () => {
  it("is not there where nothing is lost", () => {
    const one = line();
    expect(one.element.hidden).toBe(true);
    one.show(noteOf("none"));
    one.show(null);
    expect(one.element.hidden).toBe(true);
  });

  it.each(["none", "elsewhere", "voila", "vscode"] as const)("says what is lost and the cure: %s", (reason) => {
    const one = line();
    one.show(noteOf(reason));
    expect(one.element.textContent).toMatch(/: fewer frames, and the view stands still while a cell runs\. Cure: .+\./);
    expect(one.element.querySelector("a")?.hidden).toBe(true);
  });

  it("is put away for all views of the page", () => {
    const [one, other] = [line(), line()];
    one.show(noteOf("none"));
    one.element.querySelector("button")?.click();
    expect(one.element.hidden).toBe(true);
    other.show(noteOf("none"));
    expect(other.element.hidden).toBe(true);
    other.show(noteOf("voila"));
    expect(other.element.hidden).toBe(false);
  });

  it("leads to the page where a certificate can be accepted", () => {
    let opened = 0;
    const one = line();
    one.show(doorNote({ url: "wss://n:1/ws", page: "https://n:1/", fingerprint: "AB" }, () => (opened += 1)));
    const link = one.element.querySelector("a");
    link?.addEventListener("click", (event) => event.preventDefault());
    link?.click();
    expect([link?.href, link?.target, link?.rel]).toEqual(["https://n:1/", "_blank", "noopener noreferrer"]);
    expect(opened).toBe(1);
  });
});

describe("a way that stands still", () => {
  it("is said while the view is live, and while it is being opened", () => {
    expect(say({ line: { kind: "open" }, view: null, held: "busy" })).toMatchObject({ word: "busy" });
    expect(say({ line: { kind: "connecting" }, view: null, held: "silent" }).sentence).toContain("does not answer");
    expect(say({ line: { kind: "ended", wait: 1, message: "" }, view: null, held: "busy" }).word).toBe("ended");
  });
});
