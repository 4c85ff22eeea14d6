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

  // Live: a page reads itself again when something that it shows has changed, at most every few
  // seconds, and never while it is hidden or somebody fills in a form.
  const live = () => document.querySelector("[data-live]");
  let source = null, isOld = false, timer = 0, nextAt = 0;
  const shows = (changed) => changed.all || Object.entries(changed).some(([kind, ids]) =>
    live()?.dataset.live.split(" ").includes(kind)
    || ids.some((id) => document.querySelector(`[data-account="${CSS.escape(id)}"]`)));
  const isFilledIn = () => isTyping(document.activeElement)
    || [...document.querySelectorAll("main input, main textarea")].some((field) =>
      field.value !== field.defaultValue || field.checked !== field.defaultChecked);

  const renew = async () => {
    timer = 0;
    if (!isOld || !live() || document.hidden) return;
    const wait = Math.max(nextAt - Date.now(), isFilledIn() ? 1000 : 0);
    if (wait > 0) timer = setTimeout(renew, wait);
    if (wait > 0) return;
    isOld = false;
    nextAt = Date.now() + 5000;
    const row = current()?.dataset.account;
    htmx.config.morphIgnore.push("open"); // what somebody has opened stays open
    const options = { target: "body", swap: "innerMorph show:none", headers: { "X-Live": "1" } };
    await htmx.ajax("GET", location.pathname + location.search, options)
      .finally(() => htmx.config.morphIgnore.pop());
    if (row) rows().find((each) => each.dataset.account === row)?.classList.add("current");
  };
  const growOld = () => {
    isOld = true;
    if (!timer) renew();
  };

  const follow = () => {
    const isWanted = live() && !document.hidden;
    if (!isWanted) source = source?.close() ?? null;
    if (!isWanted || source) return;
    let wasOpen = false;
    source = new EventSource("/live");
    source.addEventListener("changed", (event) => shows(JSON.parse(event.data)) && growOld());
    source.addEventListener("open", () => { // again: it may have missed something
      if (wasOpen) growOld();
      wasOpen = true;
    });
  };
  document.addEventListener("visibilitychange", () => {
    follow();
    if (!document.hidden) growOld();
  });
  document.addEventListener("htmx:after:swap", follow);
  follow();

  document.documentElement.classList.add("has-script");
})();
