// Service worker of the checkpoint page: keeps the page and what it is made of for when there is no network. It keeps no
// answer about a person; those pages are never stored.

const CACHE = "khien-checkpoint-1";
const PAGE = "/checkpoint/offline";

interface Event_ extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent_ extends Event_ {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface MessageEvent_ extends Event_ {
  data: { keep?: string[] };
}

async function fresh(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) await cache.put(PAGE, answer.clone());
    return answer;
  } catch {
    return (await cache.match(PAGE, { ignoreVary: true })) ?? Response.error();
  }
}

async function kept(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

addEventListener("install", (event) => (event as Event_).waitUntil((self as unknown as { skipWaiting(): Promise<void> }).skipWaiting()));
addEventListener("activate", (event) =>
  (event as Event_).waitUntil((self as unknown as { clients: { claim(): Promise<void> } }).clients.claim()),
);
addEventListener("message", (event) => {
  const { data } = event as unknown as MessageEvent_;
  if (data.keep) (event as unknown as Event_).waitUntil(caches.open(CACHE).then((cache) => cache.addAll(data.keep!)));
});
addEventListener("fetch", (raw) => {
  const event = raw as FetchEvent_;
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname === PAGE) event.respondWith(fresh(event.request));
  else if (url.pathname.startsWith("/static/")) event.respondWith(kept(event.request));
});
