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
    key: true,
    config: "",
    data: new Uint8Array(1000),
    ...more,
  };
}

// Of an H.264 stream: what it is configured with stands in key frames only.
export function film(id: number, more: Partial<Frame> = {}): Frame {
  const key = more.key ?? false;
  return frame(id, { codec: "h264", key, config: key ? "avc1.42C01F" : "", ...more });
}
