// A pass, judged without network: khien.checkpoints.rules.passes on the device.

import { bytesOf, hexOf as hex, type Kit } from "./kit";

export type PassState = "valid" | "expired" | "revoked" | "forged" | "unknown_key" | "unverified";
export interface Pass {
  id: string;
  expires: Date;
  state: PassState;
}

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const SIGNED = 33; // version 1, key id 4, pass id 16, expiry 4, mark 8

export const isPass = (text: string): boolean => text.startsWith("KP1:");

function unbase45(text: string): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  for (let at = 0; at < text.length; at += 3) {
    const part = [...text.slice(at, at + 3)].map((letter) => ALPHABET.indexOf(letter));
    const value = part.reduce((sum, digit, place) => sum + digit * 45 ** place, 0);
    if (part.includes(-1) || part.length === 1 || value > (part.length === 3 ? 0xffff : 0xff)) throw new Error("not a pass");
    if (part.length === 3) out.push(value >> 8);
    out.push(value & 0xff);
  }
  return Uint8Array.from(out);
}

async function signer(kit: Kit, id: string): Promise<Uint8Array<ArrayBuffer> | null> {
  for (const key of kit.header.pass_keys.map(bytesOf)) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", key));
    if (hex(digest.slice(0, 4)) === id) return key;
  }
  return null;
}

/** Throws for what is no pass. "unverified": this browser cannot check Ed25519 signatures, an officer has to look. */
export async function judge(text: string, kit: Kit, now: number): Promise<Pass> {
  const raw = unbase45(text.slice(4).trimEnd());
  if (raw.length !== SIGNED + 64 || raw[0] !== 1) throw new Error("not a pass");
  const plain = hex(raw.slice(5, 21));
  const id = plain.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  const expires = new Date(new DataView(raw.buffer).getUint32(21) * 1000);
  const state = await stateOf(raw, id, expires.getTime() <= now, kit);
  return { id, expires, state };
}

async function stateOf(raw: Uint8Array<ArrayBuffer>, id: string, over: boolean, kit: Kit): Promise<PassState> {
  const key = await signer(kit, hex(raw.slice(1, 5)));
  if (!key) return "unknown_key";
  try {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    if (!(await crypto.subtle.verify("Ed25519", imported, raw.slice(SIGNED), raw.slice(0, SIGNED)))) return "forged";
  } catch {
    return "unverified";
  }
  if (kit.header.revoked.includes(id)) return "revoked";
  return over ? "expired" : "valid";
}
