// Keeps a page fresh while something on it has not ended, and shows times in the reader's own zone.
// Pages work without it. What the server sends has been escaped there; logs are only ever set as text.
"use strict";

const EVERY = 2000;
const MOST_WAIT = 30000;
const LOG_LINES = 2000;

const news = document.getElementById("news");
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const seconds = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.valueOf())) time.textContent = (time.dataset.to === "second" ? seconds : clock).format(at);
  }
}

function states(root) {
  const found = new Map();
  for (const one of root.querySelectorAll("[data-state]")) {
    found.set(one.dataset.id, [one.dataset.name, one.dataset.state]);
  }
  return found;
}

function tell(before, after) {
  const lines = [];
  for (const [id, [name, state]] of after) {
    const known = before.get(id);
    if (known && known[1] !== state) lines.push(`${name} is now ${state.replace("_", " ")}`);
  }
  if (lines.length) news.textContent = lines.join(". ");
}

// Whoever is signed out meanwhile loses nothing of a page: they sign in beside it, and come back. Its forms
// then belong to the new session; but another person's page is loaded anew.
const out = document.getElementById("signed-out");
function sayOut() {
  if (out && !out.open) out.showModal();
}
async function comeBack() {
  if (!out?.open || document.hidden) return;
  const answer = await fetch("/portal/live/session");
  if (!answer.ok) return;
  const { csrf, who } = await answer.json();
  if (who !== out.dataset.who) location.reload();
  for (const field of document.querySelectorAll('input[name="csrf"]')) field.value = csrf;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRF-Token": csrf }));
  out.close();
}
document.addEventListener("visibilitychange", comeBack);
window.addEventListener("focus", comeBack);

async function ask(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html, application/json" } });
  if (answer.status === 401) {
    sayOut();
    throw new Error("signed out");
  }
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer;
}

// A part that reads as before stays as it is; in one that changes, what was opened and what had the
// keyboard's focus stay so.
function replace(part, fresh) {
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  for (const box of part.querySelectorAll("input[type=checkbox][id]:checked")) {
    const same = fresh.querySelector(`#${CSS.escape(box.id)}`);
    if (same) same.checked = true;
  }
  part.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((one, index) => { if (open[index]) one.open = true; });
  localTimes(fresh);
  window.htmx?.process(fresh);
  if (focused) document.getElementById(focused)?.focus();
}

function keepFresh(region) {
  const shown = new Map();
  const live = () => region.querySelector("[data-live]")?.dataset.live === "yes";
  const attempts = () => region.querySelector("[data-attempts]")?.dataset.attempts;
  return {
    live,
    every: Number(region.dataset.every) || EVERY,
    wants: (kind) => kind !== "log",
    async step() {
      const told = states(region);
      const known = attempts();
      const template = document.createElement("template");
      template.innerHTML = await (await ask(region.dataset.refresh)).text();
      for (const fresh of [...template.content.querySelectorAll("[data-part]")]) {
        const name = fresh.dataset.part;
        const html = fresh.outerHTML;
        const part = region.querySelector(`[data-part="${name}"]`);
        if (part && shown.get(name) !== html) replace(part, fresh);
        shown.set(name, html);
      }
      tell(told, states(region));
      // Once another attempt has started there is another log to follow.
      if (known !== attempts()) location.reload();
    },
  };
}

function follow(log) {
  return {
    live: () => log.dataset.ended === "no",
    every: EVERY,
    wants: () => true,
    async step() {
      const address = `${log.dataset.log}&offset=${log.dataset.offset}`;
      const part = await (await ask(address)).json();
      log.dataset.offset = part.offset;
      log.dataset.ended = part.ended ? "yes" : "no";
      if (!part.text) return;
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
      log.textContent = (log.textContent + part.text).split("\n").slice(-LOG_LINES).join("\n");
      if (atEnd) log.scrollTop = log.scrollHeight;
    },
  };
}

// One at a time, slower when the server does not answer, and not at all while nobody looks. Where the
// server rings when there is news, a page asks then, and else only now and then.
function run(task, bell) {
  let wait = task.every;
  let timer = 0;
  let busy = false;
  let again = false;
  async function tick() {
    timer = 0;
    if (document.hidden || !task.live()) return;
    busy = true;
    try {
      await task.step();
      wait = task.every;
    } catch {
      wait = Math.min(wait * 2, MOST_WAIT);
    }
    busy = false;
    plan(again ? 0 : bell?.works() ? MOST_WAIT : wait);
    again = false;
  }
  function plan(rest) {
    if (!timer && !busy && task.live()) timer = setTimeout(tick, rest);
  }
  function now() {
    again = busy;
    clearTimeout(timer);
    timer = 0;
    plan(0);
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { wait = task.every; now(); } });
  bell?.calls(task.wants, now);
  plan(task.every);
}

// The server rings, and pages ask what there is. A browser has few connections to spare, so nobody
// listens on a page that nobody looks at; and where nothing is heard, pages ask as they do without.
function bellAt(address) {
  const callers = [];
  let source;
  let heard = false;
  function ring(kind) {
    for (const [wants, call] of callers) if (wants(kind)) call();
  }
  function close() {
    source?.close();
    source = undefined;
    heard = false;
  }
  function open() {
    source = new EventSource(address);
    source.onopen = () => { heard = true; };
    source.onerror = () => { heard = false; ring("lost"); };
    for (const kind of ["state", "progress", "log"]) source.addEventListener(kind, () => ring(kind));
    source.addEventListener("end", () => { close(); ring("end"); });
  }
  document.addEventListener("visibilitychange", () => { close(); if (!document.hidden) open(); });
  if (!document.hidden) open();
  return { works: () => heard, calls: (wants, call) => callers.push([wants, call]) };
}

// Questions before something is done, and messages that go away by themselves.
document.addEventListener("click", (event) => {
  const opens = event.target.closest?.("[data-opens]");
  if (opens) document.getElementById(opens.dataset.opens)?.showModal();
  const closes = event.target.closest?.("[data-closes]");
  if (closes) closes.closest("dialog")?.close();
});

// Many are chosen at once, and it is said how many.
function count() {
  for (const said of document.querySelectorAll("[data-count]")) {
    const chosen = document.querySelectorAll(`input[name="${said.dataset.count}"]:checked`).length;
    said.textContent = chosen ? `${chosen} chosen` : "";
  }
}
for (const all of document.querySelectorAll("[data-all]")) {
  all.addEventListener("change", () => {
    for (const box of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) box.checked = all.checked;
    count();
  });
}
document.addEventListener("change", count);

const toasts = document.getElementById("toasts");
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const toast of change.addedNodes) setTimeout(() => toast.remove(), 10000);
  }
}).observe(toasts, { childList: true });

// What htmx brings in is in the reader's zone, too.
document.addEventListener("htmx:afterSwap", (event) => localTimes(event.target));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) sayOut();
});

localTimes(document);
const rung = document.querySelector("[data-bell]");
const bell = rung ? bellAt(rung.dataset.bell) : undefined;
for (const region of document.querySelectorAll("[data-refresh]")) run(keepFresh(region), bell);
for (const log of document.querySelectorAll("[data-log]")) {
  log.scrollTop = log.scrollHeight;
  run(follow(log), bell);
}
