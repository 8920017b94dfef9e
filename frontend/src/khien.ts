// Every page: partial updates by htmx, the few components that need a script, the card and code scanner's keyboard.

import htmx from "htmx.org";
import { Button, Checkboxes, ErrorSummary, Radios } from "nhsuk-frontend";

// The content security policy allows neither eval nor inline styles, and personal pages must not stay in the browser.
Object.assign(htmx.config, {
  allowEval: false,
  includeIndicatorStyles: false,
  allowScriptTags: false,
  selfRequestsOnly: true,
  historyEnabled: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  // A refused form comes back as 422 with its reasons: it is shown like any other answer.
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "422", swap: true },
    { code: "[45]..", swap: false, error: true },
  ],
});

const COMPONENTS = [
  [Button, "nhsuk-button"],
  [Checkboxes, "nhsuk-checkboxes"],
  [ErrorSummary, "nhsuk-error-summary"],
  [Radios, "nhsuk-radios"],
] as const;

function wake(root: ParentNode): void {
  for (const [Component, name] of COMPONENTS) {
    for (const element of root.querySelectorAll(`[data-module="${name}"]:not([data-${name}-init])`)) {
      new Component(element);
    }
  }
}

// On a phone the entries of the navigation stand in one row: the one where one is, is in sight.
const here = document.querySelector<HTMLElement>(".khien-nav [aria-current]");
const row = here?.closest("ul");
if (here && row) {
  const [entry, frame] = [here.getBoundingClientRect(), row.getBoundingClientRect()];
  row.scrollLeft += entry.left - frame.left - (frame.width - entry.width) / 2;
}

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
wake(document);

document.body.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  if (token) (event as CustomEvent).detail.headers["X-CSRFToken"] = token;
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  const target = (event as CustomEvent).detail.target as HTMLElement;
  wake(target);
  // What asked for it says so with data-focus: people who cannot see the change are brought to it.
  target.querySelector<HTMLElement>("[data-focus]")?.focus();
});

// A request that got no answer must not look like one that did.
function failed(): void {
  const notice = document.querySelector<HTMLElement>("#khien-failed");
  if (!notice) return;
  notice.hidden = false;
  notice.focus();
}
document.body.addEventListener("htmx:sendError", failed);
document.body.addEventListener("htmx:responseError", failed);
document.body.addEventListener("htmx:beforeRequest", () => {
  const notice = document.querySelector<HTMLElement>("#khien-failed");
  if (notice) notice.hidden = true;
});

// <button data-print> prints, <select data-submit> sends its form when changed (with a button beside it without scripts).
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-print]")) window.print();
});
document.addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement && event.target.matches("[data-submit]")) {
    event.target.form?.requestSubmit();
  }
});

// A restored page may show a person to whoever presses "back" after signing out.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// data-copy="ID": what stands in that element goes to the clipboard. Where the browser has none to give (no TLS), the
// text is marked, so that it can be copied by hand.
document.body.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
  const source = button && document.getElementById(button.dataset.copy ?? "");
  if (!button || !source) return;
  window.getSelection()?.selectAllChildren(source);
  void navigator.clipboard?.writeText(source.textContent ?? "").then(() => {
    button.textContent = button.dataset.copied ?? button.textContent;
  });
});
