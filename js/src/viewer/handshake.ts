// How viewer and streamer prove themselves to each other (docs/wire.md): HMAC-SHA256 with the ticket's key. Pure, but for
// the dice. The only file that knows @noble/hashes: browsers hide their own HMAC (crypto.subtle) from pages without TLS,
// and a Jupyter on the local network is often one.

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { PROTOCOL_VERSION, type Grant, type Greet, type Greeted } from "../protocol";

const NONCE_BYTES = 16;

function proof(side: "streamer" | "viewer", grant: Grant, greet: Greet, streamerNonce: string): string {
  const said = [`pvlink ${side}`, grant.ticket, greet.nonce, streamerNonce].join("\n");
  return bytesToHex(hmac(sha256, utf8ToBytes(grant.key), utf8ToBytes(said)));
}

// Takes as long for a proof that is wrong at its first letter as for one that is wrong at its last.
function same(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let place = 0; place < one.length; place++) {
    difference |= one.charCodeAt(place) ^ (place < other.length ? other.charCodeAt(place) : 0);
  }
  return difference === 0;
}

export const nonce = (): string => bytesToHex(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));

export const greet = (grant: Grant, random = nonce()): Greet => ({
  protocol: PROTOCOL_VERSION,
  ticket: grant.ticket,
  nonce: random,
});

// Whether whoever answered knows the ticket's key.
export function isStreamer(grant: Grant, said: Greet, answer: Greeted): boolean {
  return same(proof("streamer", grant, said, answer.nonce), answer.proof);
}

export function viewerProof(grant: Grant, said: Greet, answer: Greeted): string {
  return proof("viewer", grant, said, answer.nonce);
}

// What came as text, if it is a `Greeted`.
export function readGreeted(text: string): Greeted | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null) return null;
  const { protocol, version, nonce: random, proof: proved } = found as Record<string, unknown>;
  if (typeof protocol !== "number" || typeof version !== "string") return null;
  if (typeof random !== "string" || typeof proved !== "string") return null;
  return { protocol, version, nonce: random, proof: proved };
}
