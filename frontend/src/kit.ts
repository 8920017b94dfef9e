// The kit of khien.checkpoints.movement.kit, read where it lies: a check reads three numbers of two bytes, never a whole part.
// Nothing of it is believed before one of the keys that this page was handed has signed its header, which names every part.

import { blake2b } from "./blake2b";

export interface Part {
  bytes: number;
  sha256: string;
}

export interface Header {
  version: number;
  made_at: string;
  expires_at: string;
  entries: number;
  key: string;
  signer: string;
  pass_keys: string[];
  revoked: string[];
  zones: { grade: number; name: string }[];
  places: Record<string, number>;
  filter: { parts: Part[] };
}

/** `verified` is null where this browser knows no Ed25519. */
export interface Head {
  header: Header;
  bytes: number;
  verified: true | null;
}

/** A header that no key of ours has signed. */
export class Forged extends Error {}

const MAGIC = "KHKIT2\n";
const SIGNATURE = 64;
const MASK = (1n << 64n) - 1n;
const FINGERPRINTS = 28; // bytes before them: seed, size, segment length, count, span, array length
const KIND = /^(tinh|thanh pho|tp\.?|quan|huyen|thi xa|thi tran|phuong|xa|dac khu) +/;

export const hexOf = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
export const sha256 = async (bytes: BufferSource): Promise<string> =>
  hexOf(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

export const bytesOf = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** Lower case, no accents, đ → d, single spaces. The same as core.text. */
export function fold(text: string): string {
  const bare = text.normalize("NFD").toLowerCase().replace(/[\u0300-\u0303\u0306\u0308\u0309\u030a\u030c\u0323\u0327\u031b]/g, "");
  return bare.replaceAll("đ", "d").split(/\s+/).filter(Boolean).join(" ");
}

/** The given name first. The same as population.rules. */
export function nameKey(name: string): string {
  const words = fold(name).split(" ");
  return [...words.slice(-1), ...words.slice(0, -1)].join(" ");
}

/** How long the head is (everything before the parts), from its first 15 bytes. Throws for what is no kit. */
export async function lengthOfHead(start: Blob): Promise<number> {
  const view = new DataView(await start.slice(0, 15).arrayBuffer());
  const magic = new TextDecoder().decode(new Uint8Array(view.buffer, 0, Math.min(7, view.byteLength)));
  if (magic !== MAGIC || view.byteLength < 15) throw new Error("not a kit");
  return 15 + Number(view.getBigUint64(7)) + SIGNATURE;
}

/** Read and verify a head with the keys (hex) that may have signed it. Throws Forged. */
export async function readHead(head: Blob, trusted: string[]): Promise<Head> {
  const raw = new Uint8Array(await head.arrayBuffer());
  const signed = raw.slice(0, -SIGNATURE);
  const header = JSON.parse(new TextDecoder().decode(signed.slice(15))) as Header;
  if (header.version !== 2 || raw.length !== (await lengthOfHead(head))) throw new Error("not a kit of this version");
  return { header, bytes: raw.length, verified: await verified(header.signer, signed, raw.slice(-SIGNATURE), trusted) };
}

async function verified(
  signer: string, signed: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>, trusted: string[],
): Promise<true | null> {
  for (const key of trusted.map(bytesOf)) {
    if (!(await sha256(key)).startsWith(signer) || signer.length !== 8) continue;
    let imported: CryptoKey;
    try {
      imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    } catch {
      return null;
    }
    const digest = await crypto.subtle.digest("SHA-512", signed);
    if (await crypto.subtle.verify("Ed25519", imported, signature, digest)) return true;
  }
  throw new Forged("no key of ours signed this kit");
}

function mixed(h: bigint): bigint {
  h = ((h ^ (h >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  h = ((h ^ (h >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return h ^ (h >> 33n);
}

export class Kit {
  private readonly grades = new Map<string, number>();

  private constructor(
    readonly head: Head,
    private readonly parts: Blob[],
    private readonly starts: DataView[],
  ) {
    for (const [place, grade] of Object.entries(head.header.places)) {
      const key = place.split("|").map((name) => name.replace(KIND, "")).join("|");
      this.grades.set(key, Math.max(grade, this.grades.get(key) ?? 0));
    }
  }

  /** Throws where a part is not there. */
  static async open(head: Head, parts: Blob[]): Promise<Kit> {
    if (parts.some((part, n) => part.size !== head.header.filter.parts[n]?.bytes)) throw new Error("not a whole kit");
    const starts = await Promise.all(parts.map(async (part) => new DataView(await part.slice(0, FINGERPRINTS).arrayBuffer())));
    return new Kit(head, parts, starts);
  }

  get header(): Header {
    return this.head.header;
  }

  /** The grade of the zone that an address on a card lies in ("…, commune, district, province"); 0: in none. */
  gradeOf(address: string): number {
    const names = address.split(",").map((name) => fold(name).replace(KIND, ""));
    const province = names.pop() ?? "";
    return Math.max(0, ...names.map((name) => this.grades.get(`${name}|${province}`) ?? 0));
  }

  expired(now: number): boolean {
    return Date.parse(this.header.expires_at) <= now;
  }

  /** Whether number, name and birth date (ISO) are in the register together. */
  knows(number: string, name: string, born: string): Promise<boolean> {
    return this.holdsAny("", number, name, born);
  }

  /** Whether to check online first: for whoever is under an isolation order, and for one in 256 of everybody else. */
  maybeApart(number: string, name: string, born: string): Promise<boolean> {
    return this.holdsAny("apart|", number, name, born);
  }

  private async holdsAny(first: string, number: string, name: string, born: string): Promise<boolean> {
    for (const form of new Set([born, born.slice(0, 7), born.slice(0, 4)])) {
      const line = new TextEncoder().encode(`${first}${number}|${nameKey(name)}|${form}`);
      if (await this.holds(blake2b(line, bytesOf(this.header.key), 8))) return true;
    }
    return false;
  }

  private async holds(digest: bigint): Promise<boolean> {
    const bits = BigInt(Math.log2(this.parts.length));
    const part = Number(digest >> (64n - bits));
    const start = this.starts[part]!;
    const segment = start.getUint32(12, true);
    const span = start.getUint32(20, true);
    const hash = mixed((digest + start.getBigUint64(0, true)) & MASK);
    const first = Number((hash * BigInt(span)) >> 64n);
    const within = BigInt(segment - 1);
    const second = (first + segment) ^ Number((hash >> 18n) & within);
    const third = (first + 2 * segment) ^ Number(hash & within);
    const found = await Promise.all([first, second, third].map((place) => this.fingerprint(part, place)));
    return Number((hash ^ (hash >> 32n)) & 0xffffn) === (found[0]! ^ found[1]! ^ found[2]!);
  }

  private async fingerprint(part: number, place: number): Promise<number> {
    const at = FINGERPRINTS + 2 * place;
    return new DataView(await this.parts[part]!.slice(at, at + 2).arrayBuffer()).getUint16(0, true);
  }
}
