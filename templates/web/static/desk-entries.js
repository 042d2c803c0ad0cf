// Entries: filters that answer at once, and the editor: columns, links, and keeping what is typed.

import { later, send } from "./desk.js";

const TYPING = 2000; // milliseconds after the last key until what was typed is kept
const SETTLED = 500; // milliseconds after the last key until the block is shown anew

document.querySelectorAll("[data-filters]").forEach((form) => {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
});

const form = document.getElementById("entry");
if (form) {
  columns();
  links();
  if (!form.querySelector("fieldset").disabled) keeping();
  kinds();
}

// Which languages stand side by side: as many as wanted where there is room, one at a time where there is none.
function columns() {
  const narrow = matchMedia("(max-width: 56rem)");
  const picks = [...document.querySelectorAll("[data-pick]")];
  const column = (tag) => form.querySelector(`[data-column="${CSS.escape(tag)}"]`);
  const all = picks.map((pick) => column(pick.dataset.pick));

  const wrong = form.querySelector(".column .wrong")?.closest(".column");
  if (wrong) makeCurrent(wrong);

  function makeCurrent(chosen) {
    all.forEach((each) => each.classList.toggle("current", each === chosen));
    chosen.hidden = false;
  }

  function show() {
    picks.forEach((pick, index) => {
      const isOpen = narrow.matches ? all[index].classList.contains("current") : !all[index].hidden;
      pick.setAttribute("aria-pressed", String(isOpen));
    });
  }

  picks.forEach((pick, index) =>
    pick.addEventListener("click", () => {
      const chosen = all[index];
      if (narrow.matches) makeCurrent(chosen);
      else if (chosen.hidden || all.filter((each) => !each.hidden).length > 1) chosen.hidden = !chosen.hidden;
      show();
      const open = picks.filter((_, place) => !all[place].hidden).map((each) => each.dataset.pick);
      form.elements.show.value = open.join(",");
      history.replaceState(null, "", `?show=${open.join(",")}`);
    }),
  );
  narrow.addEventListener("change", show);
  show();
}

// One more row for a link: the empty one that waits, or a copy of it with the next number.
function links() {
  form.addEventListener("click", (event) => {
    const button = event.target.closest(".add-link");
    if (!button) return;
    const rows = button.parentElement.querySelectorAll(".link-row");
    const last = rows[rows.length - 1];
    if (last.hidden) {
      last.hidden = false;
      last.querySelector("select").focus();
      return;
    }
    const row = last.cloneNode(true);
    const counted = (text) => text?.replace(/([.-])\d+([.-](?:action|label|url))$/, `$1${rows.length}$2`);
    row.querySelectorAll("label").forEach((label) => (label.htmlFor = counted(label.htmlFor)));
    row.querySelectorAll("input, select").forEach((field) => {
      field.name = counted(field.name);
      field.id = counted(field.id);
      field.value = "";
    });
    last.after(row);
    row.querySelector("select").focus();
  });
}

// Dates belong to agenda entries alone.
function kinds() {
  const kind = document.getElementById("kind");
  const sittings = document.getElementById("sittings");
  kind?.addEventListener("change", () => {
    sittings.hidden = kind.value !== sittings.dataset.kind;
  });
}

// What is typed is kept two seconds after the last key, and at once when the page is left.
function keeping() {
  const kept = document.getElementById("kept");
  const base = Number(form.elements.base.value);
  let isDirty = false;
  let isLeaving = false;
  let last = "";

  const fields = () => {
    const found = {};
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && !["csrf", "base", "show"].includes(name)) (found[name] ??= []).push(value);
    }
    return found;
  };

  async function keep({ keepalive = false } = {}) {
    const body = { base, fields: fields() };
    const words = JSON.stringify(body);
    if (words === last || isLeaving) return;
    isDirty = false;
    try {
      const response = await send(form.dataset.draft, body, { keepalive });
      if (!response.ok) throw new Error(String(response.status));
      last = words;
      if (!isDirty) show(await response.json());
    } catch {
      isDirty = true;
      kept.textContent = form.dataset.failed;
      keepLater();
    }
  }

  function show(told) {
    kept.textContent = told.words;
    place("newer", told.newer);
    place("writing", told.writing);
    form.querySelectorAll("[data-notes]").forEach((list) => {
      const lines = told.notes[list.dataset.notes] ?? [];
      list.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
    });
  }

  function place(id, words) {
    const element = document.getElementById(id);
    element.textContent = words;
    element.hidden = !words;
  }

  const keepLater = later(keep, TYPING);
  const settled = later(() => form.dispatchEvent(new CustomEvent("entry-changed", { bubbles: true })), SETTLED);

  const typed = () => {
    isDirty = true;
    kept.textContent = form.dataset.typing;
    keepLater();
    settled();
  };
  form.addEventListener("input", typed);
  form.addEventListener("change", typed);

  addEventListener("pagehide", () => {
    if (isDirty) keepLater.now({ keepalive: true });
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && isDirty) keepLater.now({ keepalive: true });
  });
  form.addEventListener("submit", (event) => {
    if (!event.defaultPrevented && (!event.submitter || event.submitter.name === "then")) isLeaving = true;
  });

  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    form.requestSubmit(document.querySelector('button[form="entry"][value="save"]'));
  });

  addEventListener("online", () => isDirty && keepLater.now());
}
