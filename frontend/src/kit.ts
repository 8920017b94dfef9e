// The kit of khien.checkpoints.movement.kit, read where it lies: a check reads three numbers of two bytes, never the whole
// file. Its signature was checked by nobody here: it came from our own server over the connection of a signed-in officer.

import { blake2b } from "./blake2b";

interface Header {
  version: number;
  made_at: string;
  expires_at: string;
  entries: number;
  key: string;
  pass_keys: string[];
  revoked: string[];
  filter: { bytes: number };
}

const MAGIC = "KHKIT1\n";
const MASK = (1n << 64n) - 1n;
const FINGERPRINTS = 28; // bytes before them: seed, size, segment length, count, span, array length

export const bytesOf = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** Lower case, no accents, đ → d, single spaces; then the given name first. The same as core.text and population.rules. */
export function nameKey(name: string): string {
  const bare = name.normalize("NFD").toLowerCase().replace(/[\u0300-\u0303\u0306\u0308\u0309\u030a\u030c\u0323\u0327\u031b]/g, "");
  const words = bare.replaceAll("đ", "d").split(/\s+/).filter(Boolean);
  return [...words.slice(-1), ...words.slice(0, -1)].join(" ");
}

function mixed(h: bigint): bigint {
  h = ((h ^ (h >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  h = ((h ^ (h >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return h ^ (h >> 33n);
}

export class Kit {
  private constructor(
    readonly header: Header,
    private readonly file: Blob,
    private readonly start: number,
    private readonly filter: DataView,
  ) {}

  /** Throws for what is no kit of this version. */
  static async open(file: Blob): Promise<Kit> {
    const head = new DataView(await file.slice(0, 15).arrayBuffer());
    const magic = new TextDecoder().decode(new Uint8Array(head.buffer, 0, Math.min(7, head.byteLength)));
    if (magic !== MAGIC) throw new Error("not a kit");
    const length = Number(head.getBigUint64(7));
    const header = JSON.parse(await file.slice(15, 15 + length).text()) as Header;
    const start = 15 + length;
    if (header.version !== 1 || file.size !== start + header.filter.bytes + 64) throw new Error("not a whole kit");
    return new Kit(header, file, start, new DataView(await file.slice(start, start + FINGERPRINTS).arrayBuffer()));
  }

  expired(now: number): boolean {
    return Date.parse(this.header.expires_at) <= now;
  }

  /** Whether number, name and birth date (ISO) are in the register together. */
  async knows(number: string, name: string, born: string): Promise<boolean> {
    for (const form of new Set([born, born.slice(0, 7), born.slice(0, 4)])) {
      const line = new TextEncoder().encode(`${number}|${nameKey(name)}|${form}`);
      if (await this.holds(blake2b(line, bytesOf(this.header.key), 8))) return true;
    }
    return false;
  }

  private async holds(digest: bigint): Promise<boolean> {
    const segment = this.filter.getUint32(12, true);
    const span = this.filter.getUint32(20, true);
    const hash = mixed((digest + this.filter.getBigUint64(0, true)) & MASK);
    const first = Number((hash * BigInt(span)) >> 64n);
    const within = BigInt(segment - 1);
    const second = (first + segment) ^ Number((hash >> 18n) & within);
    const third = (first + 2 * segment) ^ Number(hash & within);
    const found = await Promise.all([first, second, third].map((place) => this.fingerprint(place)));
    return Number((hash ^ (hash >> 32n)) & 0xffffn) === (found[0]! ^ found[1]! ^ found[2]!);
  }

  private async fingerprint(place: number): Promise<number> {
    const at = this.start + FINGERPRINTS + 2 * place;
    return new DataView(await this.file.slice(at, at + 2).arrayBuffer()).getUint16(0, true);
  }
}
