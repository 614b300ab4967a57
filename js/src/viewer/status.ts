// How the view is, in a word for the host and in a sentence for the user.

import type { ViewState } from "../protocol";
import type { Held } from "./admission";
import type { LineState } from "./lifeline";

// The word in data-pvlink-state.
export type Word = "connecting" | "live" | "busy" | "reconnecting" | "lost" | "gone" | "ended";

export interface Situation {
  line: LineState;
  view: ViewState | null;
  held?: Held;
}

export interface Said {
  word: Word;
  sentence: string;
  // Changes with each try; kept apart so that a screen reader is not told every few seconds.
  aside: string;
  progress: number | null;
  // Whether the user may want to try again now.
  retry: boolean;
}

const quiet = { aside: "", progress: null, retry: false };

// A sentence of our own, and what the other side said about it.
const joined = (...parts: string[]): string => parts.filter(Boolean).join(" ");

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? "Trying again." : `Next try in ${Math.round(milliseconds / 1000)} s.`;
}

function sayLine(line: Exclude<LineState, { kind: "open" }>): Said {
  switch (line.kind) {
    case "connecting":
      return { ...quiet, word: "connecting", sentence: "Connecting…" };
    case "waiting": {
      const sentence = joined("Connection lost.", line.message, "Reconnecting…");
      return { ...quiet, word: "reconnecting", sentence, aside: seconds(line.wait), retry: line.wait >= 1000 };
    }
    case "lost":
      return { ...quiet, word: "lost", sentence: line.message || "The view's streamer is gone.", retry: true };
    case "ended": {
      const sentence = line.message || "The session ended. Run the cell again for a live view.";
      return { ...quiet, word: "ended", sentence, retry: true };
    }
  }
}

const VIEW_SENTENCES: Record<ViewState["state"], string> = {
  live: "Live",
  busy: "Busy…",
  ended: "The session ended. Run the cell again for a live view.",
  lost: "The engine was lost.",
  gone: "This view was deleted.",
};

// Both also before the first picture, when it was asked for while a cell ran.
const HELD: Record<Exclude<Held, "">, string> = {
  busy: "The kernel is busy: the view stands still until the cell has ended.",
  silent: "The kernel does not answer: it is busy, or has ended. The view goes on when it does.",
};

export function describe({ line, view, held }: Situation): Said {
  if (held && (line.kind === "open" || line.kind === "connecting")) {
    return { ...quiet, word: "busy", sentence: HELD[held] };
  }
  if (line.kind !== "open") return sayLine(line);
  if (!view) return { ...quiet, word: "live", sentence: VIEW_SENTENCES.live };
  const sentence = view.message || VIEW_SENTENCES[view.state];
  return { ...quiet, word: view.state, sentence, progress: view.state === "busy" ? (view.progress ?? null) : null };
}

// The line at the bottom of the picture.
export class StatusLine {
  readonly element = document.createElement("div");
  private readonly sentence = document.createElement("span");
  private readonly aside = document.createElement("span");
  private readonly bar = document.createElement("progress");
  private readonly button = document.createElement("button");

  constructor(retry: () => void, signal: AbortSignal) {
    this.element.className = "pvlink-status";
    this.sentence.setAttribute("role", "status");
    this.sentence.setAttribute("aria-live", "polite");
    this.aside.setAttribute("aria-hidden", "true");
    this.bar.setAttribute("aria-label", "Progress");
    this.button.type = "button";
    this.button.textContent = "Retry now";
    this.button.addEventListener("click", retry, { signal });
    const dot = document.createElement("span");
    dot.className = "pvlink-dot";
    this.element.append(dot, this.sentence, this.aside, this.bar, this.button);
  }

  show(said: Said): void {
    this.element.dataset.state = said.word;
    // "Live" goes by itself; what the session has to say stays.
    this.element.dataset.notice = String(said.word === "live" && said.sentence !== VIEW_SENTENCES.live);
    // The same words again would be read aloud again.
    if (this.sentence.textContent !== said.sentence) this.sentence.textContent = said.sentence;
    this.aside.textContent = said.aside;
    this.aside.hidden = said.aside === "";
    this.button.hidden = !said.retry;
    this.showProgress(said);
  }

  private showProgress({ word, progress }: Said): void {
    this.bar.hidden = word !== "busy";
    if (progress === null) this.bar.removeAttribute("value");
    else this.bar.value = progress;
  }
}
