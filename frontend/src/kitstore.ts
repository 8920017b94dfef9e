// The kit on this device: fetched part by part, so that a cut cable costs one part, and kept in the browser's cache.

import { Kit, lengthOfHead, readHead, sha256, type Head } from "./kit";

const CACHE = "khien-kit";
const AT_FIRST = 65_536; // bytes: usually the whole head

const nameOf = (address: string, digest: string): string => `${address}?part=${digest}`;

/** The kit that is kept; null where there is none. Throws Forged, and for one that is not whole. */
export async function keptKit(address: string, trusted: string[]): Promise<Kit | null> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(address);
  if (!kept) return null;
  const head = await readHead(await kept.blob(), trusted);
  const parts = await Promise.all(
    head.header.filter.parts.map(async (part) => {
      const found = await cache.match(nameOf(address, part.sha256));
      if (!found) throw new Error("a part is missing");
      return found.blob();
    }),
  );
  return Kit.open(head, parts);
}

/** Fetch what is missing of the server's kit; the one before serves until all is there. Throws where the network ends. */
export async function fetchKit(
  address: string, trusted: string[], told: { clock(server: string): void; progress(done: number, of: number): void },
): Promise<void> {
  const cache = await caches.open(CACHE);
  const { head, blob, tag } = await fetchHead(address, trusted, told.clock);
  const parts = head.header.filter.parts;
  let at = head.bytes;
  for (const [n, part] of parts.entries()) {
    const name = nameOf(address, part.sha256);
    told.progress(n, parts.length);
    if (!(await cache.match(name))) {
      const piece = await (await range(address, at, at + part.bytes - 1, tag)).arrayBuffer();
      if (piece.byteLength !== part.bytes || (await sha256(piece)) !== part.sha256) throw new Error("a part is broken");
      await cache.put(name, new Response(piece));
    }
    at += part.bytes;
  }
  await cache.put(address, new Response(blob));
  const wanted = new Set(parts.map((part) => new URL(nameOf(address, part.sha256), location.href).href));
  for (const request of await cache.keys()) {
    if (request.url.includes("?part=") && !wanted.has(request.url)) await cache.delete(request);
  }
}

async function fetchHead(
  address: string, trusted: string[], clock: (server: string) => void,
): Promise<{ head: Head; blob: Blob; tag: string }> {
  const answer = await range(address, 0, AT_FIRST - 1);
  const tag = answer.headers.get("ETag") ?? "";
  const server = answer.headers.get("X-Khien-Now");
  if (server) clock(server);
  let blob = await answer.blob();
  const length = await lengthOfHead(blob);
  if (blob.size < length) blob = new Blob([blob, await (await range(address, blob.size, length - 1, tag)).blob()]);
  blob = blob.slice(0, length);
  return { head: await readHead(blob, trusted), blob, tag };
}

async function range(address: string, first: number, last: number, tag = ""): Promise<Response> {
  const headers: Record<string, string> = { Range: `bytes=${first}-${last}` };
  if (tag) headers["If-Match"] = tag;
  const answer = await fetch(address, { redirect: "error", cache: "no-store", headers });
  if (answer.status !== 206) throw new Error(String(answer.status));
  return answer;
}
