// Keys, the list of keys, and buttons that copy. Every page works without this file.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const current = () => document.querySelector("[data-row].current");
  const first = (part) => (current() ?? document).querySelector(`[data-act="${part}"]`)
    ?? document.querySelector(`:is(.bar, .inside) [data-act="${part}"]`);

  let place; // of the current row: it stays current when an act has replaced the page
  const mark = (row, takesFocus) => {
    const all = rows();
    all.forEach((each) => each.classList.toggle("current", each === row));
    if (takesFocus) row.querySelector("a")?.focus({ preventScroll: true });
    place = { list: document.title, id: row.id, at: all.indexOf(row) };
  };
  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const next = all[Math.min(Math.max(all.indexOf(current()) + step, 0), all.length - 1)];
    mark(next, true);
    next.scrollIntoView({ block: "nearest" });
  };
  let sent; // the form of an act: what was chosen in it is no longer chosen afterwards
  document.addEventListener("submit", (event) => { sent = event.target; });
  document.addEventListener("htmx:after:swap", () => {
    if (sent?.isConnected) sent.reset();
    sent = undefined;
    if (place?.list !== document.title || current()) return;
    const row = (place.id && document.getElementById(place.id)) || rows()[place.at] || rows().at(-1);
    if (row) mark(row, document.activeElement === document.body);
  });

  const choose = () => {
    const box = current()?.querySelector("[data-choose]");
    if (box && !document.querySelector("[data-choose]:checked")) box.checked = true;
  };
  const reach = (target) => {
    if (target?.matches("a")) return target.click();
    target?.closest("details")?.setAttribute("open", "");
    target?.focus();
  };
  const choosing = (part) => () => {
    choose();
    reach(first(part));
  };

  const go = (to) => document.querySelector(`[data-go="${to}"]`)?.click();
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    e: () => current()?.querySelector("[data-open]")?.click(),
    a: () => first("accept")?.click(),
    d: choosing("dismiss"),
    s: choosing("snooze"),
    n: () => reach(first("note")),
    x: () => current()?.querySelector("[data-choose]")?.click(),
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
