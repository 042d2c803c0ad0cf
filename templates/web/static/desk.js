// What every page of the desk does in the browser: menu, dialogs, the token of forms, and what is said aloud.

const token = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

// Send a form or a plain object to an address of ours; objects go as JSON. Resolves to the response; a session that has
// ended leads to the form that signs in.
export async function send(address, data, { method = "POST", signal, keepalive = false } = {}) {
  const isForm = data instanceof FormData || data instanceof URLSearchParams;
  const headers = { "X-CSRF-Token": token() };
  if (!isForm) headers["Content-Type"] = "application/json";
  const response = await fetch(address, { method, headers, body: isForm ? data : JSON.stringify(data), signal, keepalive });
  if (response.status === 401) location.assign(`/desk/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  return response;
}

// Say something in the live region under the heading: screen readers hear it, everybody sees it.
export function tell(words, tone = "ok") {
  const place = document.getElementById("said");
  const notice = Object.assign(document.createElement("p"), { className: `notice ${tone}`, textContent: words });
  place?.replaceChildren(notice);
}

// Call `work` once nothing has happened for `milliseconds`.
export function later(work, milliseconds) {
  let timer;
  const wait = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), milliseconds);
  };
  wait.now = (...given) => {
    clearTimeout(timer);
    return work(...given);
  };
  return wait;
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = token();
});

document.addEventListener("click", (event) => {
  const menu = event.target.closest("[data-menu]");
  if (menu) {
    event.preventDefault();
    const isOpen = document.getElementById(menu.dataset.menu).classList.toggle("open");
    menu.setAttribute("aria-expanded", String(isOpen));
  }
  const opener = event.target.closest("[data-open]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.open).showModal();
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
});

// A button of a dialog works once the word is typed that says that it is meant.
function watchTyped(input) {
  const button = input.form.querySelector(".danger, .go");
  const check = () => {
    button.disabled = input.value.trim() !== input.dataset.typed;
  };
  input.addEventListener("input", check);
  check();
}
document.querySelectorAll("[data-typed]").forEach(watchTyped);
document.addEventListener("htmx:load", (event) => event.detail.elt.querySelectorAll?.("[data-typed]").forEach(watchTyped));

// A form that is on its way is not sent twice; a page that comes back from the browser's memory can be sent again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  setTimeout(() => form.querySelectorAll("button:not([type=button])").forEach((button) => (button.disabled = true)));
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

document.querySelectorAll("[data-menu]").forEach((menu) => menu.setAttribute("aria-expanded", "false"));
