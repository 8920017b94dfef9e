// <khien-offline>: the checkpoint without network. Scans a card or a pass, asks the kit, shows the answer, keeps the passage
// until it can be sent.

import { Forged, type Kit } from "./kit";
import { fetchKit, keptKit } from "./kitstore";
import { isPass, judge, type PassState } from "./pass";
import { add, all, remove, send, type Waiting } from "./queue";
import { play } from "./tones";

const KIT = "/checkpoint/kit";

interface Card {
  number: string;
  name: string;
  born: string;
  address: string;
}

/** The card's QR: number|old number|name|ddmmyyyy|sex|address|issued, or without the second field. Null for others. */
function card(text: string): Card | null {
  const fields = text.normalize("NFC").split("|").map((f) => f.trim());
  if (fields.length > 1 && /\p{L}/u.test(fields[1]!)) fields.splice(1, 0, "");
  const date = /^(\d{2})(\d{2})(\d{4})$/.exec(fields[3] ?? "");
  if (fields.length < 7 || !/^\d{12}$/.test(fields[0]!) || !fields[2] || !date) return null;
  return { number: fields[0]!, name: fields[2], born: `${date[3]}-${date[2]}-${date[1]}`, address: fields[5]! };
}

/** Our own clock as the server last told it: a phone's may be hours off, and a demonstration plays on another day. */
const now = (): number => Date.now() + Number(localStorage.getItem("khien-clock") ?? 0);

class Offline extends HTMLElement {
  private kit: Kit | null = null;
  private fetching = false;
  private wanted = false; // asked for and not yet whole
  private next: Omit<Waiting, "plate" | "companions" | "direction" | "checkpoint" | "passed_at"> | null = null;

  connectedCallback(): void {
    this.addEventListener("submit", (event) => void this.onSubmit(event as SubmitEvent));
    this.on("fetch", () => void this.fetchKit());
    this.on("send", () => void this.sync());
    addEventListener("online", () => void this.sync());
    addEventListener("online", () => this.wanted && void this.fetchKit());
    addEventListener("keydown", (event) => this.onKey(event));
    void this.wake();
  }

  private on(name: string, act: () => void): void {
    this.querySelector(`[data-offline="${name}"]`)?.addEventListener("click", act);
  }

  private piece(name: string): HTMLElement {
    return this.querySelector<HTMLElement>(`[data-offline="${name}"]`)!;
  }

  private word(name: string): string {
    return this.getAttribute(`data-${name}`) ?? name;
  }

  private async wake(): Promise<void> {
    if ("serviceWorker" in navigator) {
      await navigator.serviceWorker.register(this.word("worker"), { scope: "/checkpoint/" });
      const ready = await navigator.serviceWorker.ready;
      const parts = [...document.querySelectorAll<HTMLLinkElement | HTMLScriptElement>("link[href], script[src]")];
      const keep = parts.map((e) => ("href" in e ? e.href : e.src));
      for (const scanner of this.querySelectorAll("khien-scanner")) {
        keep.push(...["data-decoder", "data-wasm"].map((name) => scanner.getAttribute(name)!));
      }
      ready.active?.postMessage({ keep: [...new Set([...keep, location.pathname])] }); // this page came before its worker
    }
    await this.openKit();
    await this.show();
    if (navigator.onLine) await this.sync();
    this.dataset["state"] = "ready";
  }

  private get trusted(): string[] {
    return this.word("trusted").split(" ").filter(Boolean);
  }

  private async openKit(): Promise<void> {
    const told = this.piece("kit");
    let missing = this.word("no-kit");
    try {
      this.kit = await keptKit(KIT, this.trusted);
    } catch (fault) {
      this.kit = null;
      if (fault instanceof Forged) missing = this.word("kit-forged");
    }
    const zones = this.kit?.header.zones ?? [];
    this.piece("zoned").hidden = zones.length === 0;
    this.piece("zones").replaceChildren(
      ...zones.map(({ grade, name }) => {
        const item = document.createElement("li");
        item.textContent = `${this.word("grade").replace("[grade]", String(grade))}: ${name}`;
        return item;
      }),
    );
    if (!this.kit) {
      told.textContent = missing;
      return;
    }
    const until = new Date(this.kit.header.expires_at).toLocaleString(document.documentElement.lang);
    const entries = this.kit.header.entries.toLocaleString(document.documentElement.lang);
    told.textContent = (this.kit.expired(now()) ? this.word("kit-expired") : this.word("kit-until"))
      .replace("[until]", until).replace("[entries]", entries);
    if (!this.kit.head.verified) told.textContent += ` ${this.word("kit-unverified")}`;
  }

  private async fetchKit(): Promise<void> {
    if (this.fetching) return;
    const told = this.piece("kit");
    this.fetching = this.wanted = true;
    try {
      await fetchKit(KIT, this.trusted, {
        clock: (server) => localStorage.setItem("khien-clock", String(Date.parse(server) - Date.now())),
        progress: (done, of) => {
          told.textContent = this.word("fetching").replace("[done]", String(done)).replace("[parts]", String(of));
        },
      });
      this.wanted = false;
      await this.openKit();
    } catch (fault) {
      if (fault instanceof Forged) this.wanted = false;
      told.textContent = this.word(fault instanceof Forged ? "kit-forged" : "cut");
    } finally {
      this.fetching = false;
    }
  }

  private async onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    if (form.dataset["offline"] === "scan") {
      const field = form.querySelector<HTMLInputElement>("input[name=card]")!;
      const text = field.value;
      field.value = "";
      await this.check(text);
    } else if (form.dataset["offline"] === "passage") {
      await this.keep(form, (event.submitter as HTMLButtonElement | null)?.value ?? "in");
    }
  }

  private async check(text: string): Promise<void> {
    this.next = null;
    if (!this.kit) return this.answer("look", this.word("no-kit"));
    const base = { client_id: crypto.randomUUID(), number: null, name: null, birth_date: null, pass_id: null };
    const late = this.kit.expired(now()) ? ` ${this.word("kit-old")}` : "";
    if (isPass(text)) {
      let found: Awaited<ReturnType<typeof judge>>;
      try {
        found = await judge(text, this.kit, now());
      } catch {
        return this.answer("stop", this.word("not-read"));
      }
      this.next = { ...base, pass_id: found.id };
      const tones: Partial<Record<PassState, string>> = { valid: late ? "look" : "go", forged: "stop", revoked: "stop" };
      return this.answer(tones[found.state] ?? "look", this.word(`pass-${found.state}`) + late);
    }
    const read = card(text);
    if (!read) return this.answer("stop", this.word("not-read"));
    this.next = { ...base, number: read.number, name: read.name, birth_date: read.born };
    const known = await this.kit.knows(read.number, read.name, read.born);
    const grade = this.kit.gradeOf(read.address);
    const from = grade > 1 ? ` ${this.word("from-zone").replace("[grade]", String(grade))}` : "";
    const apart = known && (await this.kit.maybeApart(read.number, read.name, read.born)) ? ` ${this.word("apart")}` : "";
    this.answer("look", (known ? this.word("known") : this.word("unknown")) + apart + from + late, read.name);
  }

  /** Show one of the three answers that the server drew beforehand, with its reason. */
  private answer(tone: string, reason: string, name = ""): void {
    const drawn = this.querySelector<HTMLTemplateElement>(`template[data-tone="${tone}"]`)!;
    const place = this.piece("answer");
    place.replaceChildren(drawn.content.cloneNode(true));
    place.querySelector(".khien-verdict__reason")!.textContent = [name, reason].filter(Boolean).join(": ");
    this.piece("record").hidden = !this.next;
    place.querySelector<HTMLElement>("[data-focus]")?.focus();
    play(tone);
  }

  private async keep(form: HTMLFormElement, direction: string): Promise<void> {
    if (!this.next) return;
    const data = new FormData(form);
    await add({
      ...this.next,
      direction,
      passed_at: new Date(now()).toISOString(),
      plate: String(data.get("plate") ?? ""),
      companions: Math.min(200, Math.max(0, Number(data.get("companions")) || 0)),
      checkpoint: this.word("checkpoint"),
    });
    this.next = null;
    form.reset();
    this.piece("record").hidden = true;
    this.piece("answer").replaceChildren();
    play("done");
    await this.show();
    if (navigator.onLine) await this.sync();
  }

  private async sync(): Promise<void> {
    const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
    try {
      await send("/checkpoint/sync", token);
      this.piece("sent").textContent = "";
    } catch {
      this.piece("sent").textContent = this.word("no-answer");
    }
    await this.show();
  }

  /** How many wait, and every passage that the server did not take, with the reason. */
  private async show(): Promise<void> {
    const waiting = await all();
    const refused = waiting.filter((passage) => passage.refused);
    this.piece("count").textContent = String(waiting.length - refused.length);
    const list = this.piece("refused");
    list.replaceChildren(...refused.map((passage) => this.line(passage)));
    this.piece("conflicts").hidden = refused.length === 0;
  }

  private line(passage: Waiting): HTMLElement {
    const item = document.createElement("li");
    const when = new Date(passage.passed_at).toLocaleString(document.documentElement.lang);
    item.textContent = `${when} · ${passage.name ?? passage.pass_id ?? ""} · ${passage.refused} `;
    const done = document.createElement("button");
    done.type = "button";
    done.className = "nhsuk-button nhsuk-button--secondary nhsuk-button--small";
    done.textContent = this.word("settled");
    done.addEventListener("click", () => void remove(passage.client_id).then(() => this.show()));
    item.append(done);
    return item;
  }

  private onKey(event: KeyboardEvent): void {
    const button = this.querySelector<HTMLButtonElement>(`[data-key="${CSS.escape(event.key)}"]`);
    if (!button || this.piece("record").hidden || event.repeat) return;
    event.preventDefault();
    button.click();
  }
}

customElements.define("khien-offline", Offline);
