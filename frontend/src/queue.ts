// Passages that wait for the network, in the browser's own database. One leaves only when the server says that it is kept.

export interface Waiting {
  client_id: string;
  passed_at: string;
  direction: string;
  number: string | null;
  name: string | null;
  birth_date: string | null;
  pass_id: string | null;
  plate: string;
  companions: number;
  checkpoint: string;
  refused?: string; // why the server did not take it: shown until an officer puts it right
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("khien-checkpoint", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("waiting", { keyPath: "client_id" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction("waiting", mode);
      const asked = work(transaction.objectStore("waiting"));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const add = (passage: Waiting): Promise<IDBValidKey> => run("readwrite", (store) => store.put(passage));
export const remove = (id: string): Promise<undefined> => run("readwrite", (store) => store.delete(id));
export const all = (): Promise<Waiting[]> => run("readonly", (store) => store.getAll() as IDBRequest<Waiting[]>);

/** Send what waits; the server's answer decides what leaves. Rejects without network or sign-in: nothing changes then. */
export async function send(url: string, token: string): Promise<void> {
  const waiting = (await all()).filter((passage) => !passage.refused);
  for (let at = 0; at < waiting.length; at += 200) {
    const part = waiting.slice(at, at + 200);
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ passages: part }),
      redirect: "error", // to sign in: not an answer
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const outcomes = ((await answer.json()) as { outcomes: { client_id: string; kept: boolean; why: string }[] }).outcomes;
    const mine = new Map(part.map((passage) => [passage.client_id, passage]));
    for (const { client_id, kept, why } of outcomes) {
      const passage = mine.get(client_id);
      if (passage) await (kept ? remove(client_id) : add({ ...passage, refused: why }));
    }
  }
}
