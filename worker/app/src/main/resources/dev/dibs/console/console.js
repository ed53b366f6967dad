// What pages do beyond being read: times that tick, one stream that morphs, single keys. All of them
// works without it. Text from the server reaches the document as nodes, through one policy.
"use strict";
(() => {
  const policy = window.trustedTypes
    ? trustedTypes.createPolicy("dibs", { createHTML: (html) => html })
    : { createHTML: (html) => html };
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // ---- Times -------------------------------------------------------------------------------------
  const skew = () => {
    const now = one("main [data-now]");
    return now ? Date.parse(now.dataset.now) - started : 0;
  };
  const started = Date.now();
  let ahead = skew();
  let absolute = !all("time[datetime]").some((time) => /now|ago|^in /.test(time.textContent));

  function coarse(seconds) {
    if (seconds < 60) return Math.floor(seconds) + " s";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min";
    if (seconds < 172800) return Math.floor(seconds / 3600) + " h";
    return Math.floor(seconds / 86400) + " d";
  }

  function relative(time) {
    const past = (Date.now() + ahead - Date.parse(time.dateTime)) / 1000;
    if (past < 0 && time.dataset.past === "true") return past < -5 ? "now (clock skew)" : "now";
    if (Math.abs(past) < 1) return "now";
    return past < 0 ? "in " + coarse(-past) : coarse(past) + " ago";
  }

  function tick() {
    for (const time of all("time[datetime]:not([data-fixed])")) {
      const text = absolute ? time.title.slice(5, 19) : relative(time);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // ---- Preferences -------------------------------------------------------------------------------
  function prefer(fields) {
    const body = new URLSearchParams({ csrf: one("meta[name=csrf]").content, ...fields });
    return fetch("/preferences", { method: "POST", body, redirect: "manual" });
  }

  function toggleTimes() {
    absolute = !absolute;
    prefer({ times: absolute ? "absolute" : "relative" });
    tick();
  }

  // ---- Live --------------------------------------------------------------------------------------
  const mark = one("#live");
  let stream = null;
  let heard = Date.now();
  let wanted = true;
  let polling = 0;

  function parse(html) {
    return new DOMParser().parseFromString(policy.createHTML(html), "text/html");
  }

  /** Takes over the parts that say they are live; what a person is typing, choosing or holding stays. */
  function take(html) {
    if (one("[data-live=again]")) return location.reload(); // what was not answered now is
    heard = Date.now();
    const next = parse(html);
    const now = one("[data-now]", next);
    if (now) ahead = Date.parse(now.dataset.now) - Date.now();
    const sender = one("[data-csrf]", next);
    if (sender) {
      for (const field of all("input[name=csrf]")) field.value = sender.dataset.csrf;
      one("meta[name=csrf]").content = sender.dataset.csrf; // a console that was started again has others
    }
    for (const part of all("[data-live], [data-aside]", next)) {
      const here = document.getElementById(part.id);
      if (here) {
        keepOrder(here, part);
        morph(here, part);
      }
    }
    for (const table of all("tbody[data-rows]", next)) {
      const here = document.getElementById(table.id);
      if (here) takeRows(here, table);
    }
    tick();
  }

  /** Under the pointer or the focus rows stay in their order; what is new to the table comes last. */
  function keepOrder(here, next) {
    for (const table of all("tbody[id]", here)) {
      const fresh = one("#" + CSS.escape(table.id), next);
      if (!fresh || !(table.matches(":hover") || table.contains(document.activeElement))) continue;
      const place = new Map(all("tr[id]", table).map((row, index) => [row.id, index]));
      const order = (row) => place.get(row.id) ?? place.size;
      fresh.append(...all("tr", fresh).sort((a, b) => order(a) - order(b)));
    }
  }

  function morph(here, next) {
    Idiomorph.morph(here, next, {
      callbacks: {
        beforeNodeMorphed: (node) =>
          !(node instanceof Element) ||
          !(node.matches("[data-keep], input, textarea, select") || node.contains(getSelectionNode())),
        beforeAttributeUpdated: (name, node) => !(node.matches("details") && name === "open"),
      },
    });
  }

  function getSelectionNode() {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed ? selection.anchorNode : null;
  }

  /** Rows change where they are; new ones wait to be asked for, those that left the list are dimmed. */
  function takeRows(here, next) {
    const fresh = new Map(all("tr[id]", next).map((row) => [row.id, row]));
    for (const row of all("tr[id]", here)) {
      const changed = fresh.get(row.id);
      row.classList.toggle("gone", !changed);
      if (changed && !one(":checked", row) && !row.contains(document.activeElement)) {
        changed.classList.toggle("at", row.classList.contains("at"));
        morph(row, changed);
      }
      fresh.delete(row.id);
    }
    const newer = one("#newer");
    if (newer && fresh.size > 0 && here.dataset.rows === "newest") {
      newer.hidden = false;
      one("a", newer).textContent = fresh.size + " newer, press n";
    }
  }

  function connect() {
    if (!mark || !one("[data-live], [data-rows]") || stream || polling || !wanted) return;
    mark.hidden = false;
    const page = location.pathname + location.search;
    stream = new EventSource("/live?page=" + encodeURIComponent(page));
    stream.addEventListener("page", (event) => take(event.data));
    stream.addEventListener("beat", () => (heard = Date.now()));
    stream.addEventListener("over", () => location.reload());
    stream.onerror = () => {
      // No more streams for this session: ask now and then instead.
      if (stream && stream.readyState === EventSource.CLOSED) {
        stream = null;
        polling = setInterval(poll, 15000);
        poll();
      }
    };
  }

  async function poll() {
    if (document.hidden) return;
    const answer = await fetch(location.href, { redirect: "manual" }).catch(() => null);
    if (answer && answer.type === "opaqueredirect") location.reload(); // to the login
    if (answer && answer.ok) take(await answer.text());
  }

  function disconnect() {
    if (stream) stream.close();
    stream = null;
    clearInterval(polling);
    polling = 0;
  }

  function showLive() {
    if (!mark || mark.hidden) return;
    const age = Math.round((Date.now() - heard) / 1000);
    const since = new Date(heard).toTimeString().slice(0, 8);
    const text = !wanted ? "○ paused, press l" : age <= (polling ? 40 : 12) ? "● live" : "○ not live since " + since;
    if (mark.textContent !== text) mark.textContent = text;
  }

  // ---- Keys --------------------------------------------------------------------------------------
  let led = false;
  const places = { o: "/", t: "/tasks", q: "/queues", k: "/kinds", w: "/workers", s: "/schedules", f: "/failures", d: "/doctor", b: "/bulk", a: "/audit" };
  const rows = () => all("main tbody tr");
  const at = () => one("tr.at");

  function step(by) {
    const list = rows();
    if (list.length === 0) return;
    const from = list.indexOf(at());
    const to = list[Math.max(0, Math.min(list.length - 1, from < 0 ? 0 : from + by))];
    list.forEach((row) => row.classList.remove("at"));
    to.classList.add("at");
    const link = one("a", to);
    if (link) link.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  }

  const click = (selector, from = document) => {
    const found = from && one(selector, from);
    if (found) found.click();
  };

  const keys = {
    "?": ["This list", () => one("#keys").showModal()],
    "/": ["To the filter", () => { for (const fold of all(".fold")) fold.open = true; const field = one("main .filters input:not([type=hidden])"); if (field) field.focus(); }],
    g: ["then o t q k w s f d b a: to a page", () => (led = true)],
    j: ["Next row", () => step(1)],
    k: ["Row before", () => step(-1)],
    Enter: ["Open the row", null],
    x: ["Choose the row", () => click("input[type=checkbox]", at())],
    n: ["Load what is newer", () => click("#newer:not([hidden]) a")],
    "[": ["Page before", () => click("a[rel=prev]")],
    "]": ["Next page", () => click("a[rel=next]")],
    ".": ["Times as dates, or as how long ago", toggleTimes],
    l: ["Live on and off", () => { wanted = !wanted; if (wanted) connect(); else disconnect(); showLive(); }],
    y: ["Copy the id", () => { const id = one("[data-id]", at() || document); if (id) navigator.clipboard.writeText(id.dataset.id); }],
    w: ["To why a task is not running", () => { const why = one("#why"); if (why) why.scrollIntoView(); }],
    e: ["To the last error", () => { const error = one("#attempts"); if (error) error.scrollIntoView(); }],
    Escape: ["Close", () => { const menu = one(".menu[open]"); if (menu) menu.open = false; }],
  };

  function press(event) {
    const field = event.target instanceof Element && event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
    if (root.dataset.keys === "off" || field || event.ctrlKey || event.metaKey || event.altKey) return;
    if (led) {
      led = false;
      if (places[event.key]) location.assign(places[event.key]);
      return;
    }
    const key = keys[event.key];
    if (!key || !key[1]) return;
    if (event.key !== "Escape") event.preventDefault();
    key[1]();
  }

  /** Fields that are empty are no part of a list's address. */
  function dropEmpty(event) {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  }

  // ---- The rest ----------------------------------------------------------------------------------
  function chooseAll(event) {
    if (!event.target.matches("[data-all]")) return;
    for (const box of all("tbody input[type=checkbox]")) box.checked = event.target.checked;
  }

  function readOut(event) {
    const chart = event.target instanceof Element && event.target.closest("svg[data-values]");
    if (!chart) return;
    const values = JSON.parse(chart.dataset.values);
    const box = chart.getBoundingClientRect();
    const index = Math.round(((event.clientX - box.left) / box.width) * (values.length - 1));
    const caption = one("figcaption output", chart.parentElement);
    if (caption && values[index] !== undefined) caption.textContent = values[index];
  }

  for (const [key, [what]] of Object.entries(keys)) {
    const name = document.createElement("dt");
    name.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    one("#key-list").append(name, Object.assign(document.createElement("dd"), { textContent: what }));
  }
  if (root.dataset.zone === "unknown" && one(".menu"))
    prefer({ zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" });
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => navigator.clipboard.writeText(button.dataset.copy));
  }
  document.addEventListener("keydown", press);
  document.addEventListener("formdata", dropEmpty);
  document.addEventListener("change", chooseAll);
  document.addEventListener("pointermove", readOut);
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  window.addEventListener("pagehide", disconnect);
  setInterval(() => { tick(); showLive(); }, 1000);
  connect();
  showLive();
})();
