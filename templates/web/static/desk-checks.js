// The pages that check, approve and review: a wide edition is made to fit, secret links are copied.

// An edition for a computer is wider than its column: it is shown smaller rather than cut off.
function fit(stage) {
  const frame = stage.querySelector("iframe");
  stage.classList.remove("fitted");
  const zoom = Math.min(1, stage.clientWidth / frame.offsetWidth);
  stage.style.setProperty("--zoom", zoom);
  stage.classList.toggle("fitted", zoom < 1);
}

const watched = new ResizeObserver((entries) => entries.forEach((entry) => fit(entry.target)));

function begin(root) {
  root.querySelectorAll("[data-stage]").forEach((stage) => watched.observe(stage));
  if (navigator.clipboard) root.querySelectorAll("[data-copy]").forEach((button) => (button.hidden = false));
}

document.addEventListener("htmx:load", (event) => begin(event.detail.elt.parentElement ?? document));
begin(document);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    const field = button.parentElement.querySelector("[data-copy-from]");
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = "✓";
    setTimeout(() => (button.textContent = button.dataset.copy), 2000);
  }
  // One drawer at a time; a click elsewhere closes it.
  document.querySelectorAll("details.drop[open]").forEach((drop) => {
    if (!drop.contains(event.target)) drop.open = false;
  });
});

document.addEventListener("keydown", (event) => {
  const drop = event.key === "Escape" && event.target.closest("details.drop[open]");
  if (drop) {
    drop.open = false;
    drop.querySelector("summary").focus();
  }
});
