// What a file browser asks its kernel, and what it is told: custom messages of the widget (pvlink/servers/browser.py).
// Names come as they may be shown; what a line, a place or a part of the path means, only the kernel knows.

import { type CommModel, dice } from "../comm";

export type Kind = "folder" | "file" | "series";
export type Sort = "name" | "size" | "modified" | "kind";

export interface Entry {
  line: number;
  name: string;
  kind: Kind;
  // Bytes, and seconds since 1970; null: not known.
  size: number | null;
  modified: number | null;
  hidden: boolean;
  // Of a series: how many files, and which.
  count: number;
  first: string;
  last: string;
  reader: string | null;
  description: string;
}

export interface Page {
  number: number;
  host: string;
  path: string;
  parts: string[];
  places: [name: string, path: string][];
  total: number;
  begin: number;
  // Where in the list what was asked for is.
  at: number | null;
  entries: Entry[];
}

export interface Opened {
  name: string;
  reader: string;
  note: string;
  code: string;
}

export interface View {
  sort: Sort;
  reverse: boolean;
  pattern: string;
  hidden: boolean;
}

// Where to: one of them, or none to stay.
export interface Where {
  path?: string;
  line?: number;
  place?: number;
  part?: number;
  again?: boolean;
  begin?: number;
  find?: string;
}

export class Refused extends Error {}
// Another question of the same kind was asked since, or the browser is gone.
export class Overtaken extends Error {}

type Answer = Record<string, unknown> & { pvlink: string };

interface Waiting {
  done: (answer: Answer) => void;
  failed: (error: Error) => void;
  topic: string;
}

const SILENT = "The kernel has restarted, or this page has lost it. Run the cell again.";
// An answer that takes longer is worth a word: the kernel runs a cell, or the folder is large, or far away.
const OVERDUE_MS = 400;

export class Desk {
  private readonly client = dice(16);
  private asked = 0;
  private readonly waiting = new Map<number, Waiting>();
  private overdue: ReturnType<typeof setTimeout> | undefined;
  private readonly heard = (content: unknown): void => this.hear(content);
  private readonly cut = (): void => this.end(new Refused(SILENT));

  constructor(
    private readonly model: CommModel,
    // Told whether answers are overdue.
    private readonly busy: (busy: boolean) => void,
  ) {
    model.on("msg:custom", this.heard);
    model.on("comm_live_update", this.cut);
  }

  async list(number: number, view: View, where: Where): Promise<Page> {
    // Whoever scrolls and whoever goes elsewhere do not overtake each other, but by the folder.
    const topic = where.begin === undefined || where.find !== undefined ? "list" : `page ${where.begin}`;
    const answer = await this.ask("list", topic, { number, ...view, ...where });
    const entries = (answer.entries as unknown[][]).map(entryOf);
    return { ...(answer as unknown as Page), entries };
  }

  async readers(number: number, lines: number[]): Promise<[name: string, description: string][]> {
    const answer = await this.ask("readers", "readers", { number, lines });
    return answer.readers as [string, string][];
  }

  async open(number: number, lines: number[], reader: string): Promise<Opened> {
    return (await this.ask("open", "open", { number, lines, reader })) as unknown as Opened;
  }

  dispose(): void {
    this.model.off("msg:custom", this.heard);
    this.model.off("comm_live_update", this.cut);
    this.end(new Overtaken());
  }

  private ask(pvlink: string, topic: string, facts: object): Promise<Answer> {
    for (const [number, { topic: other, failed }] of this.waiting) {
      if (other !== topic && !(topic === "list" && other.startsWith("page "))) continue;
      this.waiting.delete(number);
      failed(new Overtaken());
    }
    const ask = ++this.asked;
    return new Promise((done, failed) => {
      this.waiting.set(ask, { done, failed, topic });
      this.overdue ??= setTimeout(() => this.busy(true), OVERDUE_MS);
      try {
        this.model.send({ pvlink, client: this.client, ask, ...facts });
      } catch {
        this.cut();
      }
    });
  }

  private hear(content: unknown): void {
    // All front ends of the kernel hear what it says to any of them.
    if (typeof content !== "object" || content === null) return;
    const answer = content as Answer;
    if (answer.client !== this.client) return;
    const waiting = this.waiting.get(answer.ask as number);
    this.waiting.delete(answer.ask as number);
    this.settle();
    if (answer.pvlink === "failed") waiting?.failed(new Refused(String(answer.message)));
    else waiting?.done(answer);
  }

  private settle(): void {
    if (this.waiting.size > 0) return;
    clearTimeout(this.overdue);
    this.overdue = undefined;
    this.busy(false);
  }

  private end(error: Error): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    this.settle();
    for (const { failed } of all) failed(error);
  }
}

export function entryOf(line: unknown[]): Entry {
  const [at, name, kind, size, modified, hidden, count, first, last, reader, description] = line;
  return { line: at, name, kind, size, modified, hidden, count, first, last, reader, description } as Entry;
}
