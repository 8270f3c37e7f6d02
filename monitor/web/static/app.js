"use strict";
// Keys, clocks and counts. Everything here only makes faster what forms and links do without it.
(() => {
  const $ = (s, r = document) => r.querySelector(s);
  const $$ = (s, r = document) => [...r.querySelectorAll(s)];
  const body = document.body;
  const letters = body.dataset.letters === "on";
  const rows = () => $$(".row");
  const current = () => $(".row[data-on]") || null;
  const typing = (e) => e.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");

  const choose = (row, focus = true) => {
    rows().forEach((r) => { delete r.dataset.on; r.querySelector("a.open").tabIndex = -1; r.removeAttribute("aria-current"); });
    if (!row) return;
    row.dataset.on = "";
    row.setAttribute("aria-current", "true");
    place(row);
    const link = row.querySelector("a.open");
    link.tabIndex = 0;
    if (focus) { link.focus({ preventScroll: true }); row.scrollIntoView({ block: "nearest" }); }
    sessionStorage.setItem("row:" + location.pathname + location.search, row.id);
  };
  // One pair of buttons for all rows: it stands in the row that has the focus, or the pointer.
  const acts = $("#acts");
  const place = (row) => {
    if (!acts || acts.parentElement === row) return;
    const claim = $("button", acts);
    claim.hidden = !("free" in row.dataset);
    claim.name = "version"; claim.value = row.dataset.version;
    claim.setAttribute("formaction", "/cases/" + row.id.slice(5) + "/claim");
    $("a", acts).href = "/cases/" + row.id.slice(5) + "#answer";
    row.append(acts); acts.hidden = false;
  };
  document.addEventListener("mouseover", (e) => { const row = e.target.closest?.(".row"); if (row) place(row); });
  const step = (by) => {
    const all = rows();
    if (!all.length) { const to = $(by > 0 ? "[data-next]" : "[data-previous]"); if (to) to.click(); return; }
    const at = all.indexOf(current());
    choose(all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))]);
  };
  const send = (row, name) => {
    const form = $("#act");
    const add = (name, value) => { const field = document.createElement("input"); field.type = "hidden"; field.name = name; field.value = value; form.append(field); };
    add("version", row.dataset.version);
    if (name === "snooze") add("value", "3h");
    form.action = "/cases/" + row.id.slice(5) + "/" + name; form.requestSubmit();
    return true;
  };
  const press = (name) => {
    const scope = current() || document;
    if (current() && !$(`[data-do="${name}"]`, scope) && ["resolve", "snooze", "release", "escalate"].includes(name)) return send(current(), name);
    const found = $(`[data-do="${name}"]`, scope) || $(`main [data-do="${name}"], .head [data-do="${name}"]`);
    if (!found) return false;
    if (found.tagName === "SUMMARY") { for (let d = found.parentElement; d; d = d.parentElement.closest("details")) d.open = true; $("button", found.parentElement)?.focus(); }
    else found.click();
    return true;
  };
  const numbered = (n) => {
    const menu = $$("details.menu[open]").pop();
    const button = menu && $$("button", menu)[n - 1];
    if (button) { button.click(); return true; }
    return false;
  };
  const reply = (mode) => {
    const radio = $(`input[name=mode][value=${mode}]`);
    if (radio) { radio.checked = true; radio.dispatchEvent(new Event("change", { bubbles: true })); $("#words").focus(); return true; }
    const row = current();
    if (row) { location.href = row.querySelector("a.open").href + "#" + mode; return true; }
    return false;
  };
  const places = { i: "/", a: "/alerts", z: "/search", b: "/sources" };
  let going = false;
  const plain = {
    j: () => step(1), k: () => step(-1), ArrowDown: () => rows().length && step(1), ArrowUp: () => rows().length && step(-1),
    u: () => { const b = $("[data-back]"); if (b) b.click(); }, c: () => press("claim"), C: () => press("release"), s: () => press("snooze"),
    e: () => press("resolve"), d: () => press("dismiss"), "!": () => press("escalate"), m: () => press("assign"), a: () => press("acknowledge"),
    r: () => reply("answer"), n: () => reply("note"), z: () => { const b = $("[data-undo]"); if (b) b.click(); },
    "/": () => { const f = $("#q"); if (f) f.focus(); else location.href = "/search"; }, ".": () => { const p = $("#new:not([hidden])"); if (p) p.click(); },
    "?": () => $("#help").showModal(), g: () => { going = true; setTimeout(() => { going = false; }, 1500); },
  };
  document.addEventListener("keydown", (e) => {
    if (typing(e)) {
      if (e.key === "Escape") e.target.blur();
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && e.target.form) { e.preventDefault(); e.target.form.requestSubmit($("[data-send]", e.target.form)); }
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || $("dialog[open]")) return;
    if (e.key === "Escape") { const m = $$("details.menu[open]").pop(); if (m) { m.open = false; m.querySelector("summary").focus(); } else plain.u(); return; }
    if (/^[1-9]$/.test(e.key) && numbered(+e.key)) { e.preventDefault(); return; }
    if (!letters && e.key.length === 1) return;
    if (going && places[e.key]) { location.href = places[e.key]; return; }
    const act = plain[e.key];
    if (act && act() !== false) e.preventDefault();
  });
  document.addEventListener("focusin", (e) => { const row = e.target.closest?.(".row"); if (row && !("on" in row.dataset)) choose(row, false); });
  document.addEventListener("click", (e) => { $$("details.menu[open]").forEach((m) => { if (!m.contains(e.target)) m.open = false; }); });
  $$("[data-submit]").forEach((s) => s.addEventListener("change", () => s.form.requestSubmit()));

  // After an action the cursor stands where it stood, or on the row that took its place.
  const kept = sessionStorage.getItem("row:" + location.pathname + location.search);
  const list = rows();
  if (list.length) {
    const at = sessionStorage.getItem("at:" + location.pathname + location.search);
    const found = (kept && document.getElementById(kept)) || (at && list[Math.min(+at, list.length - 1)]);
    if (found) choose(found);
    document.addEventListener("submit", () => { const i = rows().indexOf(current()); if (i >= 0) sessionStorage.setItem("at:" + location.pathname + location.search, i); });
  }

  // The draft of a case stays in this browser until it is sent.
  const words = $("#words");
  if (words) {
    const key = "draft:" + location.pathname;
    if (!words.value) words.value = sessionStorage.getItem(key) || "";
    words.addEventListener("input", () => sessionStorage.setItem(key, words.value));
    words.form.addEventListener("submit", () => sessionStorage.removeItem(key));
    const sync = () => { const m = $("input[name=mode]:checked"); words.form.action = m.dataset.action; const s = $("[data-send] span", words.form); s.textContent = m.dataset.label; };
    $$("input[name=mode]").forEach((m) => m.addEventListener("change", sync));
    if (location.hash === "#answer" || location.hash === "#note") reply(location.hash.slice(1));
    sync();
  }

  // Clocks count on; their words come from the page, so that they follow its language.
  const span = (s) => { const m = Math.floor(Math.abs(s) / 60), h = Math.floor(m / 60), d = Math.floor(h / 24), b = body.dataset, n = "\u00a0"; return m < 1 ? Math.floor(Math.abs(s)) + n + "s" : m < 60 ? m + n + "min" : h < 24 ? h + n + b.hour + (m % 60 ? n + (m % 60) + n + "min" : "") : d + n + (d === 1 ? b.day : b.days); };
  const skew = Date.now() - 1000 * body.dataset.now;
  const tick = () => $$("time[data-due]").forEach((t) => { const left = Date.parse(t.dateTime) / 1000 - (Date.now() - skew) / 1000; t.textContent = (left < 0 ? body.dataset.late : body.dataset.left).replace("{time}", span(left)); t.classList.toggle("late", left < 0); });
  setInterval(tick, 30000);

  // Counts are told; rows never move by themselves.
  if (body.dataset.live && window.EventSource) {
    const stream = new EventSource("/live?since=" + body.dataset.now);
    stream.onmessage = (e) => {
      const told = JSON.parse(e.data);
      $$("[data-count]").forEach((n) => { const v = n.dataset.count.startsWith("q:") ? told.queues[n.dataset.count.slice(2)] || 0 : told[n.dataset.count]; if (v !== undefined) n.textContent = v; });
      const pill = $("#new");
      if (pill && told.new > 0) { pill.hidden = false; $("span", pill).textContent = (told.new === 1 ? body.dataset.new1 : body.dataset.newn).replace("{n}", told.new); }
      $("#offline").hidden = true;
    };
    stream.onerror = () => { $("#offline").hidden = false; };
    addEventListener("pagehide", () => stream.close());
  }
})();
