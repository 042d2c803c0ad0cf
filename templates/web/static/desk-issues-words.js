// The issue's own words: saved by themselves, counted, shown as an inbox shows them, with the details of readers.

import { later, send } from "./desk.js";

const form = document.getElementById("words");
const status = document.getElementById("saved");
const say = (name, value = "") => status.dataset[name].replace("#", () => value);
const fields = [...form.querySelectorAll("input[lang], textarea[lang]")];
const before = (name) => form.querySelector(`[data-before="${CSS.escape(name)}"]`);
const SLOT = /\[\[\s*[A-Za-z][\w-]*\s*(?:\|([^[\]\n]*))?\]\]/g;
const NAME = 12;
const LONGEST = { subject: 78, preheader: 110 };

let sending = null;
let failed = 0;

const changed = () => fields.filter((field) => field.value !== before(field.id).value && !clash(field.id).hasChildNodes());
const clash = (name) => form.querySelector(`[data-clash="${CSS.escape(name)}"]`);

function edits(of) {
  return of.map((field) => {
    const [part, ...language] = field.id.split("-");
    return { part, language: language.join("-"), before: before(field.id).value, after: field.value };
  });
}

async function save({ keepalive = false } = {}) {
  if (sending && !keepalive) return sending.then(() => save());
  const dirty = changed();
  if (!dirty.length) return undefined;
  // What is typed while this is on its way is no part of it.
  const sent = new Map(dirty.map((field) => [field, field.value]));
  status.textContent = say("saving");
  sending = send(form.dataset.save, { edits: edits(dirty) }, { keepalive })
    .then((response) => (response.ok ? response.json() : Promise.reject(new Error(response.status))))
    .then((told) => settle(told, sent))
    .catch(() => {
      failed += 1;
      status.textContent = say("failed");
      setTimeout(save, Math.min(30000, 2000 * failed));
    })
    .finally(() => {
      sending = null;
    });
  return sending;
}

function settle(told, sent) {
  failed = 0;
  if (!told.open) {
    status.textContent = say("closed");
    return;
  }
  for (const [field, value] of sent) {
    if (field.id in told.clashes) showClash(field, told.clashes[field.id]);
    else if (told.refused.includes(field.id)) clash(field.id).textContent = say("refused");
    else before(field.id).value = value;
  }
  const at = new Date(told.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  status.textContent = changed().length ? "" : say("saved", at);
}

function showClash(field, theirs) {
  const place = clash(field.id);
  const words = Object.assign(document.createElement("p"), { textContent: say("clash", theirs) });
  const row = Object.assign(document.createElement("p"), { className: "row" });
  const choose = (label, value) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn small", textContent: label });
    button.addEventListener("click", () => {
      before(field.id).value = theirs;
      if (value !== undefined) field.value = value;
      place.replaceChildren();
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    });
    return button;
  };
  row.append(choose(status.dataset.mine), choose(status.dataset.theirs, theirs));
  place.replaceChildren(words, row);
}

function shown(words) {
  return words.replace(SLOT, (_slot, otherwise) => otherwise ?? "");
}

function draw(field) {
  const [part, ...language] = field.id.split("-");
  const count = form.querySelector(`[data-count="${CSS.escape(field.id)}"]`);
  if (count) {
    const length = [...field.value.replace(SLOT, "x".repeat(NAME))].length;
    count.textContent = count.dataset.words.replace("#", length);
    count.className = length > LONGEST[part] ? "count long" : "count";
  }
  const inboxes = `[data-inbox="${CSS.escape(language.join("-"))}"] [data-shows="${part}"]`;
  document.querySelectorAll(inboxes).forEach((line) => {
    line.textContent = shown(field.value);
  });
}

const dialog = document.getElementById("slot");
let into = null;

function insert() {
  const name = document.getElementById("slot-name").value;
  const otherwise = document.getElementById("slot-default").value.replace(/[[\]|]/g, "").trim();
  into.setRangeText(otherwise ? `[[${name}|${otherwise}]]` : `[[${name}]]`, into.selectionStart, into.selectionEnd, "end");
  into.dispatchEvent(new Event("input", { bubbles: true }));
  into.focus();
}

fields.forEach(draw);
if (location.hash.length > 1) document.getElementById(location.hash.slice(1))?.querySelector("[lang]")?.focus();
form.addEventListener("input", (event) => {
  if (!fields.includes(event.target)) return;
  draw(event.target);
  status.textContent = "";
  const place = clash(event.target.id);
  if (!place.querySelector("button")) place.replaceChildren();
});

if (form.dataset.save) {
  const soon = later(save, 1200);
  form.querySelector("[data-saves]").hidden = true;
  form.addEventListener("input", soon);
  form.addEventListener("change", () => soon.now());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    soon.now();
  });
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save({ keepalive: true }));
  form.querySelectorAll("[data-slot]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      into = document.getElementById(button.dataset.slot);
      dialog.returnValue = "";
      dialog.showModal();
    });
  });
  dialog.addEventListener("close", () => dialog.returnValue === "insert" && insert());
}
