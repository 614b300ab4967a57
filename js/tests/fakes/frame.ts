import type { Frame } from "../../src/protocol";

export function frame(id: number, more: Partial<Frame> = {}): Frame {
  return {
    id,
    codec: "jpeg",
    width: 800,
    height: 400,
    still: false,
    time: 1_700_000_000,
    inputs: {},
    camera: null,
    render_ms: 5,
    readback_ms: 1,
    wait_ms: 0,
    encode_ms: 2,
    data: new Uint8Array(1000),
    ...more,
  };
}
