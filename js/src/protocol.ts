// Generated from pvlink/protocol.py by tools/generate_protocol.py. Do not edit.

// Raised whenever an older viewer could no longer understand the streamer, or the other way round.
export const PROTOCOL_VERSION = 3;
// A view larger than this is refused: 8k by 8k is 256 MB a frame, and no browser paints it in one piece.
export const MAX_SIDE = 8192;
// What a viewer may send in one message, and how many events one message may hold.
export const MAX_MESSAGE_BYTES = 1048576;
export const MAX_EVENTS = 256;
// How long a ticket may be used, once, after it was given out.
export const TICKET_SECONDS = 30;
// Websocket close codes of the streamer and the relay. The reason is a sentence for the user.
// Not let in: no ticket, a used or an old one, a wrong proof. A new ticket may help.
export const CLOSE_DENIED = 4401;
// Let in once, and no longer: the share was revoked or ran out.
export const CLOSE_REVOKED = 4403;
// The session does not exist (any more).
export const CLOSE_NO_SESSION = 4404;
// More viewers than the session takes.
export const CLOSE_FULL = 4429;
// The streamer went away.
export const CLOSE_GONE = 4502;

export type CommOp = "ticket" | "open" | "data" | "close";
export type CommNews =
  | "granted"
  | "refused"
  | "open"
  | "data"
  | "seen"
  | "busy"
  | "idle"
  | "closed";
export type EventType = "move" | "down" | "up" | "wheel" | "pinch" | "key" | "action";
export type Codec = "jpeg" | "png" | "h264" | "vp9" | "av1";
export type State = "live" | "busy" | "ended" | "lost" | "gone";
export type Role = "owner" | "control" | "view";
export type Way = "jupyter" | "link" | "comm" | "direct";
export type Action =
  | "reset"
  | "+x"
  | "-x"
  | "+y"
  | "-y"
  | "+z"
  | "-z"
  | "isometric"
  | "rotate-left"
  | "rotate-right"
  | "rotate-up"
  | "rotate-down"
  | "pan-left"
  | "pan-right"
  | "pan-up"
  | "pan-down"
  | "zoom-in"
  | "zoom-out";

// First message of a viewer: which view it wants, how big (device pixels), what it can decode.
export interface Join {
  protocol: number;
  view: string;
  width: number;
  height: number;
  codecs: string[];
  visible?: boolean;
}

export interface Size {
  width: number;
  height: number;
}

export interface Input {
  // Grows by one with each message of this viewer; comes back in `Frame.inputs`.
  seq: number;
  events: InputEvent[];
}

// One thing a hand did. Which fields count depends on `type`.
export interface InputEvent {
  type: EventType;
  x?: number;
  y?: number;
  // 0 left, 1 middle, 2 right; of "down" and "up".
  button?: number;
  ctrl?: boolean;
  shift?: boolean;
  alt?: boolean;
  // 2 for the second press of a double click.
  clicks?: number;
  // "wheel": notches turned, positive away from the user (nearer); "pinch": size ratio since the last event.
  amount?: number;
  // "key": the DOM's KeyboardEvent.key, pressed and released.
  key?: string;
  // "action": what a button of the tool bar or a shortcut asks for.
  action?: Action | null;
}

// The frame is on the screen: the clock of the whole pipeline.
export interface Drawn {
  frame: number;
  // From the last byte received to the picture decoded, and from there to painted.
  decode_ms?: number;
  paint_ms?: number;
  // From the newest input this frame answers to painted; 0 when it answers none of this viewer's.
  input_ms?: number;
}

// This frame could not be decoded: its codec is sent no more, and the newest picture once more in another.
export interface Undecodable {
  frame: number;
  codec: Codec;
}

// The viewer's video decoder lost its place: a frame that needs no other, please.
export interface Refresh {
}

// A hidden viewer asks for nothing.
export interface Visible {
  visible: boolean;
}

// Keeps idle proxies from closing the socket, and tells a dead link from a quiet one.
export interface Ping {
  time: number;
}

// One of the owner's shares, whose password is to be read.
export interface ShareName {
  share: string;
}

// Ends a share, and the visits of those who came by it.
export interface Revoke {
  share: string;
}

// The streamer's answer to `Join`.
export interface Joined {
  protocol: number;
  version: string;
  // The viewer's own name in `Frame.inputs`.
  client: string;
  role: Role;
  state: ViewState;
}

// Topic `pvlink.state`: how the view is, in a word and in a sentence for the user.
export interface ViewState {
  state: State;
  message: string;
  // Share of the running pipeline update that is done, 0 to 1; none when unknown.
  progress: number | null;
}

export interface Pong {
  time: number;
}

export interface Password {
  password: string;
}

// Topic `pvlink.frame`: one picture and what is known about it.
export interface Frame {
  id: number;
  codec: Codec;
  width: number;
  height: number;
  // True: full settings and no loss; False: a picture on the way.
  still: boolean;
  // Engine's clock (Unix time, seconds) when rendering began.
  time: number;
  // Newest input of each viewer that this frame answers.
  inputs: Record<string, number>;
  // None for views that have none, such as charts.
  camera: Camera | null;
  render_ms: number;
  readback_ms: number;
  wait_ms: number;
  encode_ms: number;
  // Whether it can be decoded without those before it.
  key: boolean;
  // What a video decoder is configured with, as in RFC 6381; empty for pictures.
  config: string;
  data: Uint8Array;
}

// Where a frame was seen from; matrices are row-major, as VTK has them.
export interface Camera {
  position: number[];
  focal_point: number[];
  view_up: number[];
  parallel_scale: number;
  parallel: boolean;
  view_matrix: number[];
  projection_matrix: number[];
  near: number;
  far: number;
}

// Topic `pvlink.people`, to owners only: who watches this view, and by which links others may.
export interface People {
  viewers: Person[];
  shares: ShareInfo[];
}

// One viewer, as its owner sees it.
export interface Person {
  client: string;
  // The Jupyter user's name, or the address a link was opened from.
  who: string;
  role: Role;
  way: Way;
  // The share it came by; empty for those who came through Jupyter.
  share: string;
  // Unix time.
  since: number;
}

// One link, as its owner sees it; the password is asked for apart.
export interface ShareInfo {
  share: string;
  role: Role;
  url: string;
  // SHA-256 of the certificate, as browsers show it.
  fingerprint: string;
  // Unix time.
  expires: number;
}

// What the ticket routes answer: leave to open one websocket, once, within TICKET_SECONDS.
export interface Grant {
  // Its name, said in `Greet`.
  ticket: string;
  // Its secret, known to both sides from here on; it never crosses the websocket.
  key: string;
  view: string;
  role: Role;
}

// The viewer's first message, as JSON in a text message.
export interface Greet {
  protocol: number;
  ticket: string;
  // Random, from the viewer: the streamer's proof cannot be an old one.
  nonce: string;
}

// The streamer's answer, likewise. The viewer's own proof follows as the secret of wslink's hello.
export interface Greeted {
  protocol: number;
  version: string;
  nonce: string;
  // HMAC-SHA256 with the ticket's key, in hexadecimal, of "pvlink streamer", ticket, the viewer's nonce and the
  // streamer's, joined by line feeds. The viewer's proof is the same of "pvlink viewer".
  proof: string;
}

// A custom message of the widget, from a viewer to the kernel (`pvlink/comm.py`).
export interface CommCall {
  pvlink: CommOp;
  channel: string;
  // Grows by one with each message on this channel.
  seq: number;
  // "ticket": its name and key, thrown by the browser; and whether it may be for the direct door, if there is one.
  ticket: string | null;
  key: string | null;
  direct: boolean;
  // "open": no buffers, both ways: kernel gateways (jupyter_server's client of them) break at one.
  plain: boolean;
  // "data": one message of text, or several binary ones, in the buffers or here.
  text: string | null;
  base64: string[] | null;
}

// A custom message of the widget, from the kernel to one of its viewers.
export interface CommWord {
  pvlink: CommNews;
  channel: string;
  // The newest of the viewer's messages that was taken.
  seen: number;
  // "granted".
  view: string;
  role: Role;
  door: Door | null;
  // "data": one websocket message; if it is binary, in the buffer or here.
  text: string | null;
  base64: string | null;
  // "refused", "closed": a close code, a sentence for the user, and whether the session will not come back.
  code: number;
  message: string;
  final: boolean;
}

// Where a viewer may go directly: the streamer's own TLS door.
export interface Door {
  url: string;
  // To be opened once, so that the browser asks about the certificate.
  page: string;
  // SHA-256 of the certificate, as browsers show it.
  fingerprint: string;
}

// What the streamer accepts, so that the viewer sends nothing that is refused.
export const LIMITS = {
  Join: { width: [1, 8192], height: [1, 8192] },
  Size: { width: [1, 8192], height: [1, 8192] },
  InputEvent: { x: [-16, 17], y: [-16, 17], button: [0, 2], clicks: [1, 3], amount: [-100, 100] },
} as const;

// What the viewer calls: the request and the answer of each method.
export interface Methods {
  "pvlink.join": { request: Join; answer: Joined };
  "pvlink.size": { request: Size; answer: null };
  "pvlink.input": { request: Input; answer: null };
  "pvlink.drawn": { request: Drawn; answer: null };
  "pvlink.undecodable": { request: Undecodable; answer: null };
  "pvlink.refresh": { request: Refresh; answer: null };
  "pvlink.visible": { request: Visible; answer: null };
  "pvlink.ping": { request: Ping; answer: Pong };
  "pvlink.password": { request: ShareName; answer: Password };
  "pvlink.revoke": { request: Revoke; answer: null };
}

// What the streamer publishes.
export interface Topics {
  "pvlink.frame": Frame;
  "pvlink.state": ViewState;
  "pvlink.people": People;
}
