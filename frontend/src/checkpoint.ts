// <khien-barrier>: the officer's page by keyboard and ear. Every answer that comes in sounds; F2 and F4 press the buttons
// that say so, Esc clears the answer and waits for the next code.

import { play } from "./tones";

class Barrier extends HTMLElement {
  private readonly keys = (event: KeyboardEvent) => this.onKey(event);
  private readonly swapped = () => this.sound();

  connectedCallback(): void {
    document.addEventListener("keydown", this.keys);
    document.body.addEventListener("htmx:afterSettle", this.swapped);
    this.sound();
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.keys);
    document.body.removeEventListener("htmx:afterSettle", this.swapped);
  }

  /** Say the answer once: the same one is not said again when another part of the page changes. */
  private sound(): void {
    const answer = this.querySelector<HTMLElement>("[data-tone]:not([data-said])");
    if (!answer) return;
    answer.dataset["said"] = "";
    play(answer.dataset["tone"] ?? "");
    const field = this.querySelector<HTMLInputElement>('[data-barrier="scan"] input[name="card"]');
    if (field) field.value = ""; // the next code must not be added to this one
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.key === "Escape") {
      this.querySelector("#answer")?.replaceChildren();
      this.querySelector<HTMLInputElement>('input[name="card"]')?.focus();
      return;
    }
    const button = this.querySelector<HTMLButtonElement>(`[data-key="${CSS.escape(event.key)}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  }
}

customElements.define("khien-barrier", Barrier);
