// wslink ships no types for its session; this is the part that viewer/link.ts uses.
declare module "wslink/src/WebsocketConnection/session" {
  // What the session reads of a message: it takes a Blob, we give it less (see link.ts).
  export interface Chunk {
    slice(start: number, end?: number): { arrayBuffer(): Promise<ArrayBuffer> };
  }

  export interface Session {
    // Says hello; resolves with the client's id once the server has answered.
    onconnect(event: Event | null): Promise<string>;
    onmessage(event: { data: Chunk }): Promise<void>;
    call(method: string, args: unknown[]): Promise<unknown>;
    subscribe(topic: string, callback: (args: [unknown]) => void): unknown;
  }

  export function newInstance(options: { ws: WebSocket; secret: string | null }): Session;
}
