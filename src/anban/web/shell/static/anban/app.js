// What a page does besides links and forms: keys, row selection, dialogs, photos, dropped files, unsaved work, the way back.

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const YEAR_SECONDS = 365 * 24 * 3600;

/* Theme: the server wrote the attribute already, so nothing flashes; a switch needs no reload. */
function darkNow() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]")) return;
  event.preventDefault();
  const theme = darkNow() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `anban_theme=${theme}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax${secure}`;
});

/* Dialogs and menus */
function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  const opener = target.closest("[data-opens]");
  if (opener) openDialog(opener.dataset.opens);
  const closer = target.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
  const message = target.closest("[data-closes-message]");
  if (message) message.closest(".message").remove();
  const photo = target.closest("[data-photo]");
  if (photo && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    showPhoto(photo);
  }
  const step = target.closest("[data-lightbox-step]");
  if (step) stepPhoto(Number(step.dataset.lightboxStep));
  if (target.closest("[data-bulk-clear]")) chooseAll(false);
  if (target.matches("dialog") && target.open) target.close();
  const within = target.closest("details.menu");
  for (const menu of all("details.menu[open]")) if (menu !== within && !menu.contains(within)) menu.open = false;
});

/* Photos */
let shown = null;

function showPhoto(link) {
  const dialog = document.getElementById("lightbox");
  if (!dialog) return;
  shown = link;
  const small = one("img", link);
  const large = one("[data-lightbox-image]", dialog);
  large.src = link.href;
  large.alt = small ? small.alt : "";
  const caption = one("figcaption", link.parentElement);
  one("[data-lightbox-text]", dialog).textContent = [small?.alt, caption?.textContent.trim()].filter(Boolean).join(" · ");
  const many = photosBeside(link).length > 1;
  for (const button of all("[data-lightbox-step]", dialog)) button.hidden = !many;
  openDialog("lightbox");
}

const photosBeside = (link) => all("[data-photo]", link.closest("[data-photos]") ?? document);

function stepPhoto(by) {
  if (!shown) return;
  const beside = photosBeside(shown);
  showPhoto(beside[(beside.indexOf(shown) + by + beside.length) % beside.length]);
}

/* Rows: j and k move, Enter opens, x chooses */
const rows = () => all("[data-rows] [data-row]").filter((row) => row.offsetParent !== null);

function moveRow(by) {
  const listed = rows();
  if (!listed.length) return;
  const at = listed.findIndex((row) => row.classList.contains("row-at"));
  const next = listed[Math.min(listed.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  for (const row of listed) row.classList.toggle("row-at", row === next);
  next.scrollIntoView({ block: "nearest" });
  one("[data-row-link]", next)?.focus({ preventScroll: true });
}

/* Choosing rows */
function countChosen() {
  const boxes = all("[data-select-row]");
  const chosen = boxes.filter((box) => box.checked);
  for (const box of boxes) box.closest("[data-row]")?.classList.toggle("row-chosen", box.checked);
  const bar = one("[data-bulk]");
  if (bar) {
    bar.hidden = chosen.length === 0;
    one("[data-bulk-count]", bar).textContent = String(chosen.length);
  }
  const page = one("[data-select-page]");
  if (page) {
    page.checked = boxes.length > 0 && chosen.length === boxes.length;
    page.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
}

function chooseAll(on) {
  for (const box of all("[data-select-row]")) box.checked = on;
  countChosen();
}

document.addEventListener("change", (event) => {
  const target = event.target;
  if (target.matches("[data-select-page]")) chooseAll(target.checked);
  else if (target.matches("[data-select-row]")) countChosen();
  else if (target.matches("[data-drop] input[type=file]")) preview(target);
});

/* Files: dropped or picked, previewed, sent as they are */
function preview(input) {
  const list = one("[data-previews]", input.closest("[data-drop]"));
  if (!list) return;
  for (const image of all("img", list)) URL.revokeObjectURL(image.src);
  list.replaceChildren();
  for (const file of input.files) {
    const item = document.createElement("li");
    if (file.type.startsWith("image/")) {
      const image = document.createElement("img");
      image.src = URL.createObjectURL(file);
      image.alt = file.name;
      item.append(image);
    }
    const name = document.createElement("span");
    name.textContent = `${file.name} (${Math.max(1, Math.round(file.size / 1024))} KB)`;
    item.append(name);
    list.append(item);
  }
}

for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    const zone = event.target instanceof Element ? event.target.closest("[data-drop]") : null;
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("drop-over", type === "dragenter" || type === "dragover");
    if (type !== "drop" || !event.dataTransfer.files.length) return;
    const input = one("input[type=file]", zone);
    const files = new DataTransfer();
    for (const file of event.dataTransfer.files) if (input.multiple || files.items.length === 0) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

/* Unsaved work: forms that say data-guard ask before they are left */
let dirty = false;
document.addEventListener("input", (event) => {
  if (event.target.closest("form[data-guard]")) dirty = true;
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-guard]")) dirty = false;
});
addEventListener("beforeunload", (event) => {
  if (dirty) event.preventDefault();
});

/* Way back: a list remembers how far it was scrolled, per address, in this tab */
const placeKey = () => `anban.scroll ${location.pathname}${location.search}`;
addEventListener("pagehide", () => {
  try {
    if (one("[data-rows]")) sessionStorage.setItem(placeKey(), String(scrollY));
  } catch {
    return; // A browser may refuse storage; then the list opens at its top.
  }
});

function takePlace() {
  const [entry] = performance.getEntriesByType("navigation");
  if (!one("[data-rows]") || entry?.type === "navigate") return;
  try {
    scrollTo(0, Number(sessionStorage.getItem(placeKey()) ?? 0));
  } catch {
    scrollTo(0, 0);
  }
}

/* Keys */
let pending = "";
const GOES = { d: "desk", l: "ledger", p: "places" };
const writes = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = target.closest("form") ?? one("form[data-guard]");
    if (form) {
      event.preventDefault();
      form.requestSubmit();
    }
    return;
  }
  if (event.key === "Escape") {
    for (const menu of all("details.menu[open]")) {
      menu.open = false;
      if (menu.contains(target)) one("summary", menu).focus();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || writes(target)) return;
  const open = one("dialog[open]");
  if (open) {
    if (open.id === "lightbox" && event.key === "ArrowRight") stepPhoto(1);
    if (open.id === "lightbox" && event.key === "ArrowLeft") stepPhoto(-1);
    return;
  }
  if (pending === "g") {
    pending = "";
    const address = document.body.dataset[GOES[event.key] ?? ""];
    if (address) location.assign(address);
    return;
  }
  const at = one("[data-row].row-at");
  if (event.key === "g") {
    pending = "g";
    setTimeout(() => {
      pending = "";
    }, 1200);
  } else if (event.key === "/") {
    const search = one("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") openDialog("shortcuts");
  else if (event.key === "j") moveRow(1);
  else if (event.key === "k") moveRow(-1);
  else if (event.key === "x" && at) one("[data-select-row]", at)?.click();
  else if (event.key === "Enter" && at && !target.closest("a, button, summary, input")) one("[data-row-link]", at)?.click();
  else if (event.key === "[") one("a[rel=prev]")?.click();
  else if (event.key === "]") one("a[rel=next]")?.click();
});

/* Print: the time is the time of printing */
addEventListener("beforeprint", () => {
  const now = new Date();
  const language = document.documentElement.lang || "zh-Hans";
  for (const place of all("[data-printed]")) {
    place.textContent = new Intl.DateTimeFormat(language, {
      dateStyle: "medium",
      timeStyle: "short",
      timeZone: "Asia/Shanghai",
    }).format(now);
  }
});

/* Parts that arrive later */
document.addEventListener("htmx:afterSettle", countChosen);
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 422 || xhr.status === 409) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.addEventListener("htmx:confirm", (event) => {
  const leaving = event.detail.elt.matches("a[hx-boost], a[data-leaves]");
  if (dirty && leaving && !confirm(document.getElementById("leave-text")?.textContent ?? "")) event.preventDefault();
});

/* The tab that is open stands in sight, also where the row of tabs is wider than the phone */
const tabs = one(".tabs");
const here = tabs && one("[aria-current]", tabs);
if (here) {
  const [row, tab] = [tabs.getBoundingClientRect(), here.getBoundingClientRect()];
  if (tab.right > row.right) tabs.scrollLeft += tab.left - row.left - (row.width - tab.width) / 2;
}

countChosen();
takePlace();
one("[data-focus]")?.focus();
