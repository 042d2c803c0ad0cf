// Settings of a newsletter: whoever picks a colour wants it, and no longer the one that the theme has.

const accent = document.getElementById("accent");
accent?.addEventListener("input", () => {
  document.getElementById("own_accent").checked = false;
});
