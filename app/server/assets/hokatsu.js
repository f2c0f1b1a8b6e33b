// hokatsu: small helps on pages that work without them. No dependency, nothing inline.
//
// [data-find]    find box: answers while typing, into #results (GET action?q=…&part=1)
// a[data-row]    rows of a result list: arrow keys move between them
// [data-draft]   form: posts itself to this address a moment after each change
// [data-guard]   form: asks before leaving with unsaved words
// [data-save]    button that Alt+S presses; [data-again] form that may be sent repeatedly
// [data-reload]  page whose work goes on elsewhere: comes again by itself until it is done
// dialog[data-lock]  asks for the password over the page once the session is locked
"use strict";

const FIND_WAIT_MS = 180;
const DRAFT_WAIT_MS = 3000;
const RETRY_WAIT_MS = 15000;
const UNTIE_WAIT_MS = 15000;
const LOCK_LOOK_MS = 60000;
const RELOAD_WAIT_MS = 2000;

// --- find ---------------------------------------------------------------------------------

const box = document.querySelector("[data-find]");
const results = document.getElementById("results");
const rows = () => Array.from(document.querySelectorAll("a[data-row]"));

if (box && results) {
  const said = document.createElement("p");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  results.before(said);
  let timer = 0;
  let asking = null;
  let last = box.value.trim();

  const ask = async (typed) => {
    asking?.abort();
    asking = new AbortController();
    const url = new URL(box.form.action);
    url.search = new URLSearchParams(new FormData(box.form)).toString();
    url.searchParams.set("q", typed);
    const shown = url.pathname + url.search;
    url.searchParams.set("part", "1");
    results.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { signal: asking.signal, redirect: "error" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      results.replaceChildren(...page.body.childNodes);
      said.textContent = results.querySelector("[data-count]")?.textContent ?? "";
      history.replaceState(null, "", shown);
      last = typed;
    } catch {
      // The button beside the box still works; nothing to tell.
    } finally {
      results.removeAttribute("aria-busy");
    }
  };
  // Arrow keys reach the rows at once, and typing starts a new search.
  if (document.activeElement === document.body) box.select();
  box.addEventListener("input", (event) => {
    // While an IME composes, a half-typed kana (やまｄ) would find nobody: leave it out.
    const text = event.isComposing ? box.value.replace(/[a-zａ-ｚ]+$/i, "") : box.value;
    const typed = text.trim();
    clearTimeout(timer);
    if (typed !== last) timer = setTimeout(ask, FIND_WAIT_MS, typed);
  });
}

// --- keys ---------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const here = document.activeElement;
  if (event.altKey && !event.ctrlKey && event.code === "KeyS") {
    const button = document.querySelector("[data-save]");
    if (button) event.preventDefault();
    button?.form.requestSubmit(button);
    return;
  }
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "/" && box && !here?.matches("input, select, textarea")) {
    event.preventDefault();
    box.focus();
    box.select();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !(here === box || here?.matches("a[data-row]"))) return;
  const list = rows();
  const next = list.indexOf(here) + step;
  if (next >= list.length || (here === box && step < 0)) return;
  event.preventDefault();
  (next < 0 ? box : list[next])?.focus();
});

// --- drafts, leaving, sending twice ---------------------------------------------------------

const unsaved = new Set();
const clock = () => new Date().toLocaleTimeString("ja-JP", { hour: "2-digit", minute: "2-digit" });

function keepDraft(form) {
  const status = form.querySelector("[data-draft-status]");
  let timer = 0;
  let saying = "";
  const say = (text) => {
    if (status && text !== saying) status.textContent = saying = text;
  };
  const save = async () => {
    const body = new URLSearchParams(new FormData(form));
    unsaved.delete(form);
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST",
        body,
        redirect: "error",
        headers: { "x-csrf": body.get("csrf") ?? "" },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      say(`下書きを保存しました（${clock()}）`);
    } catch {
      unsaved.add(form);
      say("下書きを保存できません。入力した文字はこの画面に残っています。少し後でもう一度試します。");
      timer = setTimeout(save, RETRY_WAIT_MS);
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    say("下書きはまだ保存していません");
    timer = setTimeout(save, DRAFT_WAIT_MS);
  });
  form.addEventListener("submit", () => clearTimeout(timer));
}

const untie = (form) => {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
};

for (const form of document.querySelectorAll("form")) {
  if (form.matches("[data-draft], [data-guard]")) form.addEventListener("input", () => unsaved.add(form));
  if (form.dataset.draft) keepDraft(form);
  if (form.method !== "post" || "again" in form.dataset) continue;
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    unsaved.delete(form);
    // aria-disabled, not disabled: a disabled button would not send its own name and value.
    event.submitter?.setAttribute("aria-disabled", "true");
    setTimeout(untie, UNTIE_WAIT_MS, form);
  });
}

addEventListener("beforeunload", (event) => {
  if (unsaved.size > 0) event.preventDefault();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(untie);
});
document.querySelector("[data-errors]")?.focus();

// --- idle lock ------------------------------------------------------------------------------

const cover = document.querySelector("dialog[data-lock]");

if (cover) {
  const form = cover.querySelector("form");
  const password = form.elements.namedItem("password");
  const problem = document.getElementById("lock-problem");
  const say = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  let active = false;
  let asked = Date.now();

  const hide = () => {
    if (cover.open) return;
    say("");
    password.value = "";
    cover.showModal();
    password.focus();
  };
  // Typed words go through the door of the next sign-in; without any, the page starts anew.
  const leave = () => {
    const typed = [...unsaved].find((known) => known.isConnected && known.method === "post");
    unsaved.clear();
    if (typed) typed.submit();
    else location.reload();
  };
  const look = async () => {
    asked = Date.now();
    const url = active && !cover.open ? "/lock/state?active=1" : "/lock/state";
    active = false;
    try {
      const answer = await fetch(url, { redirect: "error" });
      if (!answer.ok) return;
      const state = await answer.text();
      if (state === "locked") hide();
      else if (state === "out") leave();
      else if (cover.open) cover.close();
    } catch {
      // Without the server nothing can be saved either; the next look finds out more.
    }
  };
  for (const sign of ["keydown", "pointerdown", "input"]) {
    document.addEventListener(sign, () => (active ||= !cover.open), { passive: true });
  }
  setInterval(look, LOCK_LOOK_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - asked > 1000) look();
  });
  cover.addEventListener("cancel", (event) => event.preventDefault());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    body.set("script", "1");
    try {
      const answer = await fetch(form.action, { method: "POST", body, redirect: "error" });
      if (answer.ok) return cover.close();
      if (answer.status === 401) return leave();
      password.value = "";
      say("パスワードが違います。続けて間違えると、しばらく待つ必要があります。");
    } catch {
      say("つながりません。少し待ってから、もう一度押してください。");
    }
    password.focus();
  });
  for (const now of document.querySelectorAll("form[data-lock-now]")) {
    now.addEventListener("submit", async (event) => {
      event.preventDefault();
      hide();
      const body = new URLSearchParams(new FormData(now));
      try {
        const answer = await fetch(now.action, { method: "POST", body });
        if (answer.status === 401 || answer.ok) return;
      } catch {
        // Said below.
      }
      say("サーバに伝わりませんでした。席を離れる前に、もう一度ロックしてください。");
    });
  }
}

// --- work that goes on elsewhere ------------------------------------------------------------

if (document.querySelector("[data-reload]")) setTimeout(() => location.reload(), RELOAD_WAIT_MS);
