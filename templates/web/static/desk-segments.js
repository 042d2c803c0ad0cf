// The editor of a segment: what is changed on one side shows on the other, with whom it means. An answer that is late is
// thrown away: only the newest question counts.
import { later, send } from "./desk.js";

const form = document.getElementById("segment");
const edited = document.getElementById("edited");
let asking = new AbortController();

async function draw(button) {
  asking.abort();
  asking = new AbortController();
  const data = new FormData(form);
  data.set("part", "1");
  if (button) data.set("do", button.value);
  let response;
  try {
    response = await send(document.getElementById("editor").dataset.address, data, { signal: asking.signal });
  } catch (error) {
    if (error.name !== "AbortError") document.getElementById("glance").classList.add("stale");
    return;
  }
  if (!response.ok) return;
  show(new DOMParser().parseFromString(await response.text(), "text/html"), button);
}

// Put the answer into the page, without touching the field that somebody is writing in.
function show(answer, button) {
  const focused = document.activeElement;
  const place = button ? button.value.split(":")[1] : "";
  if (edited.value === "rows") document.getElementById("text").value = answer.getElementById("text").value;
  const problem = answer.getElementById("text-problem");
  document.getElementById("text-problem").replaceWith(problem);
  const isWriting = edited.value === "rows" && focused?.closest("#rows") && focused.matches("input");
  if (!isWriting || button) {
    document.getElementById("rows").replaceWith(answer.getElementById("rows"));
    refocus(focused?.id, button, place);
  }
  document.getElementById("glance").replaceWith(answer.getElementById("glance"));
}

// After rows are drawn anew: the same field, or the new row, or the button that adds one.
function refocus(id, button, place) {
  if (id && document.getElementById(id)) return document.getElementById(id).focus();
  if (!button) return undefined;
  const group = place.split(".")[0];
  const rows = [...document.querySelectorAll(`#rows [name="row"]`)].map((row) => row.value);
  const mine = rows.filter((key) => !group || key.split(".")[0] === group);
  const key = button.value.startsWith("remove") ? mine[0] : mine.at(-1);
  const next = key ? document.getElementById(`field-${key}`) : document.querySelector("#rows button[data-do]");
  return next?.focus();
}

const drawLater = later(() => draw(), 350);

form.addEventListener("input", (event) => {
  if (event.target.id === "text") edited.value = "text";
  else if (event.target.closest("#rows")) edited.value = "rows";
  else return;
  if (event.target.matches("[data-redraw]")) drawLater.now();
  else drawLater();
});

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  event.preventDefault();
  edited.value = "rows";
  draw(button);
});

// Enter in a condition counts anew and saves nothing.
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("#rows input")) return;
  event.preventDefault();
  drawLater.now();
});

document.documentElement.classList.add("scripted");
if ("count" in form.dataset) draw();
