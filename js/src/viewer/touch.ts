// What fingers mean. One finger drags like the left button; two drag like the middle one and pinch. Pure.

import type { InputEvent } from "../protocol";
import type { Modifiers, Point } from "./position";

const LEFT = 0;
const MIDDLE = 1;

// Nothing is held again until every finger has left: the second finger never leaves in the same instant as the first.
type Grip = "none" | "one" | "two" | "done";

export class Touch {
  private readonly fingers = new Map<number, Point>();
  private grip: Grip = "none";
  private apart = 0;

  // `aspect`: width of the picture over its height, so that distances mean the same both ways.
  down(id: number, at: Point, aspect: number, held: Modifiers): InputEvent[] {
    this.fingers.set(id, at);
    if (this.fingers.size === 1) {
      this.grip = "one";
      return [{ type: "down", button: LEFT, ...at, ...held }];
    }
    if (this.fingers.size !== 2 || this.grip !== "one") return [];
    this.grip = "two";
    this.apart = this.distance(aspect);
    const middle = this.centre();
    return [
      { type: "up", button: LEFT, ...this.first(), ...held },
      { type: "down", button: MIDDLE, ...middle, ...held },
    ];
  }

  move(id: number, at: Point, aspect: number, held: Modifiers): InputEvent[] {
    if (!this.fingers.has(id)) return [];
    this.fingers.set(id, at);
    if (this.grip === "one") return [{ type: "move", ...at, ...held }];
    if (this.grip !== "two") return [];
    const centre = this.centre();
    const events: InputEvent[] = [{ type: "move", ...centre, ...held }];
    const apart = this.distance(aspect);
    if (this.apart > 0 && apart > 0 && apart !== this.apart) {
      events.push({ type: "pinch", amount: apart / this.apart, ...centre, ...held });
    }
    this.apart = apart;
    return events;
  }

  up(id: number, at: Point, held: Modifiers): InputEvent[] {
    if (!this.fingers.has(id)) return [];
    const { grip } = this;
    const centre = this.centre();
    this.fingers.delete(id);
    this.grip = this.fingers.size === 0 ? "none" : grip === "one" ? "one" : "done";
    if (grip === "one" && this.grip === "none") return [{ type: "up", button: LEFT, ...at, ...held }];
    if (grip === "two") return [{ type: "up", button: MIDDLE, ...centre, ...held }];
    return [];
  }

  forget(): void {
    this.fingers.clear();
    this.grip = "none";
  }

  private first(): Point {
    return this.pair()[0];
  }

  private pair(): [Point, Point] {
    const [one, two] = this.fingers.values();
    const from = one ?? { x: 0, y: 0 };
    return [from, two ?? from];
  }

  private centre(): Point {
    const [one, two] = this.pair();
    return { x: (one.x + two.x) / 2, y: (one.y + two.y) / 2 };
  }

  private distance(aspect: number): number {
    const [one, two] = this.pair();
    return Math.hypot((one.x - two.x) * aspect, one.y - two.y);
  }
}
