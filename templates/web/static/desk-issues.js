// The contents of an issue: order by dragging and by keys. What it asks for are the same forms that work without it.

const builder = () => document.getElementById("builder");
let dragged = null;

const blocks = (list) => [...list.querySelectorAll(":scope > .item")].filter((item) => item !== dragged);

function unmark() {
  builder()
    ?.querySelectorAll(".before, .end, .over")
    .forEach((marked) => marked.classList.remove("before", "end", "over"));
}

// The block in front of which something dropped at that height would stand; none: at the end.
function follower(list, y) {
  return blocks(list).find((item) => {
    const box = item.getBoundingClientRect();
    return y < box.top + box.height / 2;
  });
}

function listUnder(event) {
  return dragged && event.target.closest?.('ol[data-show="blocks"]');
}

function move(item, section, place) {
  const asked = new FormData(item.querySelector("form"));
  const values = { ...Object.fromEntries(asked), do: "move", section, place };
  const focus = `grip-${item.dataset.key}-${item.dataset.placement}`;
  window.htmx
    .ajax("POST", builder().dataset.items, { target: "#builder", swap: "outerHTML", values })
    .then(() => document.getElementById(focus)?.focus({ preventScroll: true }));
}

function prepare() {
  builder()
    ?.querySelectorAll('ol[data-show="blocks"] > .item')
    .forEach((item) => {
      if (!item.querySelector("button.grip")) return;
      item.draggable = true;
      item.querySelectorAll("a").forEach((link) => (link.draggable = false));
    });
}

document.addEventListener("dragstart", (event) => {
  const item = event.target.closest?.(".item[draggable]");
  if (!item) return;
  dragged = item;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", item.dataset.key);
  // The browser draws what is dragged from the item as it stands now.
  setTimeout(() => item.classList.add("dragged"));
});

document.addEventListener("dragover", (event) => {
  const list = listUnder(event);
  if (!list) return;
  event.preventDefault();
  unmark();
  list.classList.add("over");
  const next = follower(list, event.clientY);
  if (next) next.classList.add("before");
  else list.classList.add("end");
});

document.addEventListener("drop", (event) => {
  const list = listUnder(event);
  if (!list) return;
  event.preventDefault();
  const others = blocks(list);
  const next = follower(list, event.clientY);
  const place = next ? others.indexOf(next) : others.length;
  const from = dragged.closest("ol");
  const was = [...from.querySelectorAll(":scope > .item")].indexOf(dragged);
  if (from !== list || was !== place) move(dragged, list.dataset.section, place);
});

document.addEventListener("dragend", () => {
  dragged?.classList.remove("dragged");
  dragged = null;
  unmark();
});

function close(card) {
  if (!card) return;
  if (card.contains(document.activeElement)) card.querySelector("summary").focus();
  card.removeAttribute("open");
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close(document.querySelector(".more[open]"));
  const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
  const item = event.target.closest?.(".item");
  if (!way || !event.altKey || !item?.querySelector("button.grip")) return;
  event.preventDefault();
  steps.push({ key: item.dataset.key, way });
  step();
});

// Keys that are pressed faster than answers come wait for their turn: each step starts from the order before it.
const steps = [];
let asking = false;

function step() {
  if (asking || !steps.length) return;
  const { key, way } = steps.shift();
  const item = builder().querySelector(`#item-${CSS.escape(key)}-block`);
  if (!item) return;
  asking = true;
  item.querySelector("button.grip").focus();
  item.querySelector(`button[value="${way}"]`).click();
}

function answered(event) {
  if (!event.detail.elt?.closest?.("#builder") && event.detail.target?.id !== "builder") return;
  asking = false;
  step();
}
document.addEventListener("htmx:afterSettle", answered);
["htmx:sendError", "htmx:responseError"].forEach((name) =>
  document.addEventListener(name, () => {
    asking = false;
    steps.length = 0;
  }),
);

// What was pressed may be gone with the answer: whoever goes by keys then stands at what took its place.
let landing = null;

document.addEventListener("htmx:beforeRequest", (event) => {
  const from = document.activeElement;
  landing = null;
  if (!builder()?.contains(from) || event.detail.elt.id === "q") return;
  const row = from.closest(".item, .left");
  const list = row?.parentElement;
  landing = {
    row: row?.id,
    list: list?.id || `ol[data-section="${CSS.escape(list?.dataset.section ?? "")}"]`,
    at: list ? [...list.children].indexOf(row) : 0,
  };
});

function land() {
  if (!landing || document.activeElement !== document.body) return;
  const row = landing.row && document.getElementById(landing.row);
  const list = document.getElementById(landing.list) ?? builder().querySelector(landing.list);
  const next = row || list?.children[Math.min(landing.at, list.children.length - 1)];
  const found = (row && next.querySelector("summary")) || next?.querySelector("button, a") || document.getElementById("contents");
  found.focus();
}
document.addEventListener("htmx:afterSettle", (event) => event.detail.target?.id === "builder" && land());

// Only one card is open at a time, and a click elsewhere closes it.
document.addEventListener("click", (event) => {
  document.querySelectorAll(".more[open]").forEach((open) => {
    if (!open.contains(event.target)) open.removeAttribute("open");
  });
});

document.addEventListener("htmx:afterSettle", prepare);
prepare();
