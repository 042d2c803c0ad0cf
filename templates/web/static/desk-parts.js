// Parts of an entry's form: the toolbar of texts in Markdown, pasting, dropping pictures, the live block.
import { later, send } from "./desk.js";

// --- Texts in Markdown ------------------------------------------------------------------------------------------------

// Put words where the selection is. The browser's own command keeps the way back by Ctrl+Z.
function put(area, words, start = area.selectionStart, end = area.selectionEnd) {
  area.focus();
  area.setSelectionRange(start, end);
  const done = words ? document.execCommand("insertText", false, words) : document.execCommand("delete");
  if (!done && area.value.slice(start, start + words.length) !== words) {
    area.setRangeText(words, start, end, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

// Put marks around the selection, or take them off; without a selection, around the word.
function mark(area, marks) {
  let [start, end] = [area.selectionStart, area.selectionEnd];
  const text = area.value;
  if (start === end) {
    while (start > 0 && /[\p{L}\p{N}]/u.test(text[start - 1])) start -= 1;
    while (end < text.length && /[\p{L}\p{N}]/u.test(text[end])) end += 1;
  }
  while (start < end && /\s/.test(text[start])) start += 1;
  while (end > start && /\s/.test(text[end - 1])) end -= 1;
  const n = marks.length;
  const chosen = text.slice(start, end);
  const outside = text.slice(start - n, start) === marks && text.slice(end, end + n) === marks;
  const deeper = n === 1 && text[start - 2] === marks && text[start - 3] !== marks;
  if (outside && !deeper) {
    put(area, chosen, start - n, end + n);
    area.setSelectionRange(start - n, end - n);
  } else if (chosen.length > 2 * n && chosen.startsWith(marks) && chosen.endsWith(marks)) {
    put(area, chosen.slice(n, -n), start, end);
    area.setSelectionRange(start, end - 2 * n);
  } else {
    put(area, marks + chosen + marks, start, end);
    area.setSelectionRange(start + n, end + n);
  }
}

// Begin each line of the selection with a sign, or take it off where every line has it.
function prefix(area, sign) {
  const text = area.value;
  const start = text.lastIndexOf("\n", area.selectionStart - 1) + 1;
  const after = text.indexOf("\n", area.selectionEnd);
  const end = after < 0 ? text.length : after;
  const lines = text.slice(start, end).split("\n");
  const has = lines.every((line) => !line.trim() || line.startsWith(sign));
  const bare = lines.every((line) => !line.trim());
  const changed = lines.map((line) => {
    if (has && !bare) return line.startsWith(sign) ? line.slice(sign.length) : line;
    return line.trim() || bare ? sign + line : line;
  });
  // A list or quotation begins a paragraph of its own.
  const gap = !has && start > 0 && text[start - 2] !== "\n" && !text.slice(0, start - 1).split("\n").at(-1).startsWith(sign) ? "\n" : "";
  put(area, gap + changed.join("\n"), start, end);
  area.setSelectionRange(start + gap.length, start + gap.length + changed.join("\n").length);
}

function link(area) {
  const template = document.getElementById("md-link");
  const dialog = template.content.firstElementChild.cloneNode(true);
  const [words, address] = dialog.querySelectorAll("input");
  const [start, end] = [area.selectionStart, area.selectionEnd];
  const chosen = area.value.slice(start, end);
  if (/^(https?:\/\/|mailto:)\S+$/.test(chosen)) address.value = chosen;
  else words.value = chosen;
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    const leads = address.value.trim().replaceAll(" ", "%20").replaceAll("(", "%28").replaceAll(")", "%29");
    dialog.remove();
    area.focus();
    if (dialog.returnValue !== "insert" || !leads) return;
    const whole = /^(https?:|mailto:|tel:)/i.test(leads) ? leads : leads.includes("@") ? `mailto:${leads}` : `https://${leads}`;
    put(area, words.value.trim() ? `[${words.value.trim()}](${whole})` : `<${whole}>`, start, end);
  });
  dialog.showModal();
  (words.value ? address : words).focus();
}

const deeds = {
  bold: (area) => mark(area, "**"),
  italic: (area) => mark(area, "*"),
  link,
  list: (area) => prefix(area, "- "),
  quote: (area) => prefix(area, "> "),
};
const keys = { b: "bold", i: "italic", k: "link" };

function equip(root) {
  root.querySelectorAll?.(".md-toolbar:empty").forEach((bar) => {
    const area = document.getElementById(bar.dataset.for);
    const tools = document.getElementById("md-tools");
    if (!area || !tools || area.readOnly || area.disabled) return;
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-controls", area.id);
    bar.append(tools.content.cloneNode(true));
    area.dataset.markdown = "";
    bar.addEventListener("click", (event) => {
      const button = event.target.closest("[data-md]");
      if (button) deeds[button.dataset.md](area);
    });
    walk(bar);
  });
}

// One stop for the Tab key, arrows inside (WAI-ARIA, toolbar pattern).
function walk(bar) {
  const buttons = [...bar.querySelectorAll("button")];
  buttons.forEach((button, index) => (button.tabIndex = index ? -1 : 0));
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = buttons.indexOf(document.activeElement);
    const next = buttons[(at + step + buttons.length) % buttons.length];
    buttons.forEach((button) => (button.tabIndex = button === next ? 0 : -1));
    next.focus();
  });
}

document.addEventListener("keydown", (event) => {
  const area = event.target;
  const deed = keys[event.key.toLowerCase()];
  if (!deed || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  if (!area.matches?.("textarea[data-markdown]")) return;
  event.preventDefault();
  deeds[deed](area);
});

const SHAPED = /<(a|b|strong|i|em|ul|ol|li|h[1-6]|blockquote|table|p|div)[\s>]|font-weight|font-style|mso-list/i;

document.addEventListener("paste", async (event) => {
  const area = event.target;
  if (!area.matches?.("textarea[data-markdown]")) return;
  const html = event.clipboardData.getData("text/html");
  const plain = event.clipboardData.getData("text/plain");
  if (!html || !SHAPED.test(html)) return;
  event.preventDefault();
  let words = "";
  try {
    const response = await send("/desk/paste", { html });
    if (response.ok) words = (await response.json()).markdown;
  } catch {
    // Without the server the letters still come.
  }
  put(area, words || plain);
});

// --- Pictures ---------------------------------------------------------------------------------------------------------

// Hand a file to the field that uploads it.
function upload(files) {
  const field = document.querySelector("#picture input[type=file]");
  const found = [...files].find((file) => file.type.startsWith("image/"));
  if (!field || !found) return false;
  const carrier = new DataTransfer();
  carrier.items.add(found);
  field.files = carrier.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

document.addEventListener("dragover", (event) => {
  const place = document.getElementById("picture");
  if (!place || !carriesFiles(event)) return;
  event.preventDefault();
  place.classList.toggle("over", place.contains(event.target));
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.getElementById("picture")?.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  const place = document.getElementById("picture");
  if (!place || !carriesFiles(event)) return;
  // A file dropped beside its place would take the page away, with everything typed.
  event.preventDefault();
  place.classList.remove("over");
  if (place.contains(event.target)) upload(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => {
  if (event.defaultPrevented || !event.clipboardData?.files.length) return;
  if (event.clipboardData.getData("text/plain")) return;
  if (upload(event.clipboardData.files)) event.preventDefault();
});

// A part that came anew says something else than before: who keeps or shows the form has to know.
document.addEventListener("htmx:afterSettle", (event) => {
  const part = event.target;
  if (part.id === "picture" || part.id === "sitting-cards") part.closest("form")?.dispatchEvent(new Event("change"));
});

// --- The live block ---------------------------------------------------------------------------------------------------

let frames = 0;

// A frame that comes is shown when it is ready, so that nothing blinks; the new one has no history to go back through.
function show(view, form) {
  const place = view.querySelector(".block-frames");
  place.querySelectorAll("iframe.coming").forEach((frame) => frame.remove());
  const frame = document.createElement("iframe");
  frame.name = `block-frame-${(frames += 1)}`;
  frame.title = view.dataset.blockTitle;
  frame.className = "coming";
  frame.setAttribute("sandbox", "allow-same-origin");
  frame.height = place.firstElementChild?.height ?? "240";
  place.append(frame);
  const carrier = document.createElement("form");
  Object.assign(carrier, { method: "post", action: view.dataset.blockPath, target: frame.name, hidden: true });
  const add = (name, value) => carrier.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  for (const [name, value] of new FormData(form)) if (typeof value === "string") add(name, value);
  add("block-language", view.querySelector('[name="block-language"][aria-pressed="true"]').value);
  view.querySelectorAll('[data-block][aria-pressed="true"]').forEach((button) => add(button.dataset.block, "1"));
  document.body.append(carrier);
  frame.addEventListener("load", () => {
    const page = frame.contentDocument;
    if (!page || page.location.href === "about:blank") return;
    const fit = () => (frame.height = String(Math.max(120, page.documentElement.scrollHeight)));
    place.querySelectorAll("iframe:not(.coming)").forEach((old) => old.remove());
    frame.classList.remove("coming");
    frame.height = "120";
    fit();
    page.querySelectorAll("img").forEach((picture) => picture.complete || picture.addEventListener("load", fit));
    new ResizeObserver(fit).observe(page.body);
  });
  carrier.submit();
  carrier.remove();
}

function live(view) {
  const form = document.getElementById(view.dataset.blockForm);
  if (!form) return;
  const refresh = () => show(view, form);
  const soon = later(refresh, 500);
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  view.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    event.preventDefault();
    if (button.name === "block-language") {
      view.querySelectorAll('[name="block-language"]').forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    } else {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    }
    if (button.matches("[data-block-phone]")) {
      view.querySelector(".block-frames").classList.toggle("phone", button.getAttribute("aria-pressed") === "true");
    } else {
      soon.now();
    }
  });
  soon.now();
}

document.querySelectorAll("[data-block-form]").forEach(live);
equip(document);
document.addEventListener("htmx:load", (event) => equip(event.detail.elt));
