// <khien-scanner>: reads a card or a code into its field by keyboard scanner or camera, then sends the field's form.
// Without scripts the field and its button still work.

import { Camera } from "./camera";
import { Wedge } from "./wedge";

class Scanner extends HTMLElement {
  private camera: Camera | null = null;
  private readonly wedge = new Wedge((text) => this.fill(text));
  private readonly listen = (event: KeyboardEvent) => this.onKey(event);

  connectedCallback(): void {
    document.addEventListener("keydown", this.listen, true);
    this.button("start")?.addEventListener("click", () => void this.start());
    this.button("stop")?.addEventListener("click", () => this.stop(true));
    if (navigator.mediaDevices) this.show("start", true);
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.listen, true);
    this.stop(false);
  }

  private get field(): HTMLInputElement | HTMLTextAreaElement {
    return this.querySelector<HTMLInputElement | HTMLTextAreaElement>("input, textarea")!;
  }

  private button(name: string): HTMLButtonElement | null {
    return this.querySelector<HTMLButtonElement>(`[data-scanner="${name}"]`);
  }

  private show(name: string, visible: boolean): void {
    const element = this.querySelector<HTMLElement>(`[data-scanner="${name}"]`);
    if (element) element.hidden = !visible;
  }

  private say(name: "wait" | "denied" | "found" | ""): void {
    this.querySelector("[data-scanner=status]")!.textContent = name ? (this.getAttribute(`data-${name}`) ?? "") : "";
  }

  private onKey(event: KeyboardEvent): void {
    const inField = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    if (inField) return;
    if (this.wedge.key(event)) event.preventDefault();
  }

  private async start(): Promise<void> {
    this.say("wait");
    this.show("start", false);
    const video = this.querySelector("video")!;
    this.camera = new Camera(video, this.getAttribute("data-decoder")!, this.getAttribute("data-wasm")!);
    try {
      this.show("view", true);
      await this.camera.start((text) => this.found(text));
      this.button("stop")?.focus();
      this.say("");
    } catch {
      this.stop(true);
      this.say("denied");
    }
  }

  private stop(andFocus: boolean): void {
    this.camera?.stop();
    this.camera = null;
    this.show("view", false);
    this.show("start", true);
    if (andFocus) this.button("start")?.focus();
  }

  private found(text: string): void {
    this.stop(false);
    this.fill(text);
  }

  /** Put the text in the field as it was read (only composed, NFC) and send the form. */
  private fill(text: string): void {
    this.field.value = text.normalize("NFC");
    this.say("found");
    this.dispatchEvent(new CustomEvent("khien:scanned", { bubbles: true, detail: { text: this.field.value } }));
    if (this.hasAttribute("data-send")) this.field.form?.requestSubmit();
  }
}

customElements.define("khien-scanner", Scanner);
