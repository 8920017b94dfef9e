// A scanner that poses as a keyboard ("wedge") types a whole code in a few hundredths of a second and ends with Enter.

/** Longest pause between two keys of one scan, in milliseconds. A practised typist needs about 80. */
const PAUSE = 50;
/** Shorter runs are people pressing keys, not a scan. */
const LEAST = 6;

/**
 * Collects the keys of a scan that arrives while no field has the focus. `take` gets the whole text.
 *
 * Inside a field the browser collects the text itself; an input method there would rewrite Vietnamese ("aa" becomes
 * "â"), which is why the page keeps the focus outside while it waits.
 */
export class Wedge {
  private text = "";
  private last = 0;

  constructor(private readonly take: (text: string) => void) {}

  /** Feed one key event. True if the key belonged to a scan and must do nothing else. */
  key(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return false;
    const fast = event.timeStamp - this.last <= PAUSE;
    if (event.key === "Enter") return this.end(fast);
    if ([...event.key].length !== 1) return false;
    this.text = fast ? this.text + event.key : event.key;
    this.last = event.timeStamp;
    return fast;
  }

  private end(fast: boolean): boolean {
    const whole = this.text;
    this.text = "";
    if (!fast || whole.length < LEAST) return false;
    this.take(whole.normalize("NFC"));
    return true;
  }
}
