// The run of an issue, live; and the last page before one is scheduled.

const SPOKEN_EVERY = 15_000;

let source;
let spokenAt = 0;

// Screen readers hear how far it is now and then, not every second.
function speak(figures) {
  const words = figures.querySelector("[data-spoken]")?.dataset.spoken;
  const place = document.getElementById("spoken");
  if (!words || !place || Date.now() - spokenAt < SPOKEN_EVERY) return;
  spokenAt = Date.now();
  place.textContent = words;
}

// When the run takes a turn the page is fetched anew; an open dialog is not taken from under somebody's hands.
function turn() {
  if (document.querySelector("dialog[open]")) {
    setTimeout(turn, 1000);
    return;
  }
  source?.close();
  htmx.ajax("GET", location.pathname, { target: "#main", select: "#main", swap: "outerHTML" });
}

function follow() {
  const live = document.getElementById("live");
  source?.close();
  if (!live?.dataset.events) return;
  source = new EventSource(live.dataset.events);
  source.addEventListener("figures", (event) => {
    const figures = document.getElementById("figures");
    if (!figures) return;
    figures.innerHTML = event.data;
    speak(figures);
  });
  source.addEventListener("turn", (event) => {
    if (event.data !== live.dataset.turn) turn();
  });
  source.addEventListener("over", () => {
    source.close();
    setTimeout(() => document.contains(live) && follow(), 3000);
  });
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "main" || event.detail.elt.id === "main") follow();
});
addEventListener("pagehide", () => source?.close());
follow();

// The button of a large audience works once its number, or the name of the issue, is typed.
for (const input of document.querySelectorAll("[data-confirms]")) {
  const [people, slug] = input.dataset.confirms.split(" ");
  const button = input.form.querySelector(".go");
  const check = () => {
    const typed = input.value.trim();
    button.disabled = typed !== slug && typed.replace(/[\s.,'’\u00a0\u202f]/g, "") !== people;
  };
  input.addEventListener("input", check);
  check();
}
