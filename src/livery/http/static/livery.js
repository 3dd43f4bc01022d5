// The start page is complete without this: here the runtime of the chosen profile is drawn, a search runs while one
// types, and what changes on the server shows without reloading.

const root = document.body.dataset.root;
const panel = document.getElementById("resolution");
const form = document.querySelector(".search");
const CHANGES_EVERY_MS = 1000;
const TYPING_PAUSE_MS = 150;

// ---- elements

/** An element; strings become text, never markup. */
function element(name, attributes = {}, ...content) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...content.flat().filter((part) => part !== null && part !== undefined));
  return node;
}

// ---- the runtime

let chosen = panel.dataset.profile ? { registry: panel.dataset.registry, profile: panel.dataset.profile } : null;
let showDefaults = false;
let request = null;

/** The resolution of a profile with the origin of every value; an Error with the problem's detail. */
async function resolve(reference, signal) {
  const response = await fetch(`${root}/api/chat/resolve`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...reference, explain: true }),
    signal,
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.detail), { title: answer.title });
  return answer;
}

async function drawChosen({ focus = false } = {}) {
  request?.abort();
  if (!chosen) return;
  request = new AbortController();
  const { signal } = request;
  panel.setAttribute("aria-busy", "true");
  let content;
  try {
    content = drawn(await resolve(chosen, signal));
  } catch (error) {
    if (signal.aborted) return;
    content = drawnError(error);
  }
  const open = new Set([...panel.querySelectorAll("details[open]")].map((node) => node.dataset.path));
  panel.replaceChildren(...content);
  for (const node of panel.querySelectorAll("details")) node.open = open.has(node.dataset.path);
  panel.removeAttribute("aria-busy");
  if (focus) {
    panel.querySelector("h2").focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
    if (panel.getBoundingClientRect().top > innerHeight / 2) panel.scrollIntoView();
    panel.scrollTop = 0;
  }
}

function heading(text) {
  return element("h2", { id: "resolution-heading", tabindex: "-1" }, text);
}

function drawnError(error) {
  const again = element("button", { type: "button" }, "Try again");
  again.addEventListener("click", () => drawChosen());
  const title = error.title ?? "The server cannot be reached";
  return [
    heading(`${chosen.registry}/${chosen.profile}`),
    element("p", { class: "error", role: "alert" }, `${title}: ${error.message}`),
    again,
  ];
}

function drawn(resolution) {
  const rows = Object.entries(resolution.explain);
  const defaults = rows.filter(([, row]) => row.origin.layer === "schema").length;
  return [
    element("a", { href: "#results", class: "back" }, "Back to the list"),
    heading(`${resolution.registry_slug}/${resolution.profile_slug}`),
    identity(resolution),
    ...resolution.warnings.map((text) => element("p", { class: "warning" }, text)),
    defaultsToggle(defaults),
    ...groups(rows).map(([title, group]) => groupOf(title, group)),
  ];
}

function identity(resolution) {
  const selected = resolution.lineage.at(-1);
  const bases = resolution.lineage.slice(0, -1).map((entry) => `${entry.registry}/${entry.profile}`);
  const facts = [
    selected ? `Version ${selected.version}` : "Base settings only",
    ...(bases.length ? [`Extends ${bases.join(", ")}`] : []),
    resolution.policy.allow_overrides ? "Takes overrides" : "Takes no overrides",
    element("code", { title: "Fingerprint of this runtime" }, short(resolution.runtime_fingerprint)),
  ];
  return element("p", { class: "identity" }, facts.map((fact) => element("span", {}, fact)));
}

function short(fingerprint) {
  return fingerprint.replace(/([0-9a-f]{12})[0-9a-f]+$/, "$1…");
}

function defaultsToggle(count) {
  const box = element("input", { type: "checkbox" });
  box.checked = showDefaults;
  box.addEventListener("change", () => {
    showDefaults = box.checked;
    for (const node of panel.querySelectorAll("[data-default]")) node.hidden = !showDefaults;
  });
  return element("label", { class: "toggle" }, box, `Show the ${count} schema defaults too`);
}

const TITLES = {
  system_prompt: "System prompt",
  middlewares: "Middlewares",
  tools: "Tools",
  servers: "Servers",
  extensions: "Extensions",
};

/** Rows under the runtime field or settings section that they belong to, in the order of the runtime. */
function groups(rows) {
  const found = new Map();
  for (const [path, row] of rows) {
    const first = /^("(?:[^"\\]|\\.)*"|[^.]+)/.exec(path)[0];
    const title = TITLES[first] ?? first;
    if (!found.has(title)) found.set(title, []);
    found.get(title).push([path.slice(first.length + 1), path, row]);
  }
  return [...found];
}

function groupOf(title, rows) {
  const values = rows.map(([name, path, row]) => valueOf(name, path, row));
  const allDefaults = values.every((node) => node.hasAttribute("data-default"));
  return element(
    "div",
    { "data-default": allDefaults, hidden: allDefaults && !showDefaults },
    element("h3", {}, title),
    element("dl", { class: "values" }, values),
  );
}

function valueOf(name, path, row) {
  const isDefault = row.origin.layer === "schema";
  return element(
    "div",
    { class: "value", "data-default": isDefault, hidden: isDefault && !showDefaults },
    name ? element("dt", {}, breakable(name)) : element("dt", { class: "unseen" }, path),
    element("dd", {}, shown(row), originOf(path, row)),
  );
}

/** A name that may be broken after each underscore and dot. */
function breakable(name) {
  return name.split(/(?<=[_.])/).flatMap((part) => [part, element("wbr")]);
}

function shown(holder) {
  if (!("value" in holder)) return element("span", { class: "hidden-value" }, "unset");
  const { value } = holder;
  if (value?.$redacted === true) return element("span", { class: "hidden-value" }, "hidden: a secret");
  if (typeof value === "string" && value) return element("pre", {}, value);
  const inOneLine = JSON.stringify(value);
  return element("pre", {}, inOneLine.length < 60 ? inOneLine : JSON.stringify(value, null, 2));
}

function originOf(path, row) {
  const last = row.history.at(-1);
  const said = named(last && last.layer === row.origin.layer ? last : row.origin);
  if (row.history.length < 2) return element("div", { class: "origin" }, said);
  const entries = row.history.map((entry, index) =>
    element("li", { "data-lost": index < row.history.length - 1 }, named(entry), shown(entry)),
  );
  const list = element("ol", { reversed: true }, entries.reverse());
  return element("details", { class: "origin", "data-path": path }, element("summary", {}, said), `Rule: ${row.rule}.`, list);
}

/** The layer of an origin in words, and where it stands. */
function named(origin) {
  const where = origin.profile ? `${origin.registry}/${origin.profile}` : (origin.registry ?? origin.name ?? "");
  const words = {
    schema: "schema default",
    base: "base settings",
    defaults: `defaults of registry ${where}`,
    extends: `base ${where}`,
    profile: `profile ${where}`,
    operator: `operator layer ${where}`,
    enforced: `enforced by registry ${where}`,
    request: "request override",
  };
  const place = origin.file ? `${origin.file}${origin.line ? `:${origin.line}` : ""}` : origin.source;
  return (words[origin.layer] ?? origin.layer) + (place ? ` · ${place}` : "");
}

// ---- choosing, searching, staying current

/** Another address of the page: what stands on it is fetched and put in place of the old. */
async function go(address, { push = true } = {}) {
  if (push) history.pushState(null, "", address);
  const asked = new URLSearchParams(location.search);
  const [registry, profile] = (asked.get("profile") ?? "").split("/");
  const other = registry !== chosen?.registry || profile !== chosen?.profile;
  chosen = profile ? { registry, profile } : null;
  const drawing = other ? drawChosen({ focus: Boolean(chosen) && push }) : null;
  await Promise.all([renew(), drawing]);
  document.getElementById("said").textContent = document.querySelector("#results h1").textContent;
}

let html = "";
let newest = 0;

/** Fetch the page for the present address and replace what differs; whether the sources have changed since. */
async function renew() {
  const mine = ++newest;
  let text;
  try {
    const response = await fetch(location.href, { cache: "no-cache", headers: { Accept: "text/html" } });
    text = await response.text();
  } catch {
    return false; // the server is away; what is drawn stays until it is back
  }
  if (mine !== newest || text === html) return false; // a later call has the answer that counts
  html = text;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const focused = document.activeElement?.closest("#listing a")?.getAttribute("href");
  for (const id of ["registries", "results", "sources"]) {
    const old = document.getElementById(id);
    const next = document.adoptNode(fresh.getElementById(id));
    if (id === "sources" && !next.open) next.open = old.open;
    if (old.outerHTML !== next.outerHTML) old.replaceWith(next);
  }
  if (focused) document.querySelector(`#listing a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  const { generation } = document.body.dataset;
  document.body.dataset.generation = fresh.body.dataset.generation;
  return generation !== fresh.body.dataset.generation;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#listing a[href^='?']");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

addEventListener("popstate", () => {
  form.elements.q.value = new URLSearchParams(location.search).get("q") ?? "";
  go(location.href, { push: false });
});

let typing = 0;

/** Search for what stands in the field, within what the address says already. */
function search({ push }) {
  const asked = new URLSearchParams(location.search);
  asked.delete("cursor");
  asked.set("q", form.elements.q.value);
  if (!asked.get("q")) asked.delete("q");
  const address = `?${asked}`;
  if (!push) history.replaceState(null, "", address);
  go(address, { push });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  search({ push: true });
});

form.elements.q.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => search({ push: false }), TYPING_PAUSE_MS);
});

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  form.elements.q.focus();
});

setInterval(async () => {
  if (!document.hidden && (await renew())) drawChosen();
}, CHANGES_EVERY_MS);

drawChosen();
