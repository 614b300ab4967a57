import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROTOCOL_VERSION, type Grant } from "../src/protocol";
import { greet, isStreamer, nonce, readGreeted, viewerProof } from "../src/viewer/handshake";

interface Row {
  key: string;
  ticket: string;
  viewer_nonce: string;
  streamer_nonce: string;
  streamer_proof: string;
  viewer_proof: string;
}

// Computed by Python's hmac, and checked there as well.
const ROWS = JSON.parse(readFileSync(join(import.meta.dirname, "../../tests/data/handshake.json"), "utf8")) as Row[];

describe("a proof", () => {
  it.each(ROWS)("is the one Python makes (ticket $ticket)", (row) => {
    const grant: Grant = { key: row.key, ticket: row.ticket, view: "v", role: "view" };
    const said = greet(grant, row.viewer_nonce);
    const answer = { protocol: 2, version: "1", nonce: row.streamer_nonce, proof: row.streamer_proof };
    expect(said).toEqual({ protocol: PROTOCOL_VERSION, ticket: row.ticket, nonce: row.viewer_nonce });
    expect(isStreamer(grant, said, answer)).toBe(true);
    expect(viewerProof(grant, said, answer)).toBe(row.viewer_proof);
    // Neither side's proof is the other's: an echo proves nothing.
    expect(isStreamer(grant, said, { ...answer, proof: row.viewer_proof })).toBe(false);
    expect(isStreamer(grant, said, { ...answer, nonce: `${row.streamer_nonce}x` })).toBe(false);
    expect(isStreamer({ ...grant, key: `${row.key}x` }, said, answer)).toBe(false);
  });

  it("is of a nonce that never comes twice, and fits the protocol", () => {
    const found = new Set(Array.from({ length: 1000 }, () => nonce()));
    expect(found.size).toBe(1000);
    for (const each of found) expect(each).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("the streamer's answer", () => {
  it("is read, and nothing more than it should say", () => {
    const honest = { protocol: 2, version: "1", nonce: "n", proof: "p" };
    expect(readGreeted(JSON.stringify({ ...honest, more: "words" }))).toEqual(honest);
  });

  it.each(["", "{", "3", "null", '"text"', "[]", '{"protocol":"2","version":"1","nonce":"n","proof":"p"}'])(
    "is not %j",
    (text) => expect(readGreeted(text)).toBeNull(),
  );
});
