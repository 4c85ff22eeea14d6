// Keys, the list of keys, and buttons that copy. Every page works without this file.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const current = () => document.querySelector("[data-row].current");
  const first = (part) => (current() ?? document).querySelector(`[data-act="${part}"]`)
    ?? document.querySelector(`[data-act="${part}"]`);

  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    all.forEach((each) => each.classList.toggle("current", each === next));
    next.querySelector("a")?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  const go = (to) => document.querySelector(`[data-go="${to}"]`)?.click();
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    e: () => current()?.querySelector("[data-open]")?.click(),
    a: () => first("accept")?.click(),
    d: () => first("dismiss")?.focus(),
    "/": () => document.querySelector("[data-search]")?.focus(),
    "?": () => document.getElementById("keys").showModal(),
  };

  let waitsForPlace = false;
  const isTyping = (element) =>
    element.closest("input, textarea, select, [contenteditable], dialog[open]") !== null;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (waitsForPlace) {
      waitsForPlace = false;
      go(event.key);
      return;
    }
    waitsForPlace = event.key === "g";
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source ? source.textContent.trim() : location.href);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.matches("[data-copy]")) copy(button);
    if (button?.matches("[data-keys]")) keys["?"]();
  });

  document.documentElement.classList.add("has-script");
})();
