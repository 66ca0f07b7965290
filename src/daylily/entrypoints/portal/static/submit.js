// The page that puts a workset together. The server reads sheets, finds mates, checks and estimates;
// here is what shows it while somebody types, and what sends files on their way.
const QUIET = 400;
const SHEET = /\.(tsv|csv|txt)$/i;
const WORKBOOK = /\.(xlsx?|xlsm|xlsb|ods|numbers)$/i;
const FASTQ = /\.(fastq|fq)(\.gz|\.bz2)?$/i;

const byId = (id) => document.getElementById(id);
// What is kept is its writer's: another who signs in here is shown nothing of it.
const KEPT = `daylily-draft ${document.querySelector("[data-draft]")?.dataset.draft}`;

async function begin(form) {
  const { SampleTable } = await import(byId("table-js").href);
  const { Uploads, dropping } = await import(byId("uploads-js").href);
  const csrf = form.elements.csrf.value;
  const state = byId("state");
  const wrong = byId("wrong");
  const touched = new Set();
  let { folder } = form.dataset;
  let brought = JSON.parse(form.elements.files.value);
  let tried = form.dataset.fresh === "no";
  let asked = 0;
  let timer = 0;
  let waiting = null;
  let noted = [];
  let others = [];

  const table = new SampleTable(byId("samples-table"), changed);
  const uploads = new Uploads({ customer: form.dataset.customer, csrf, list: byId("uploads"), changed: uploaded });

  byId("drop").hidden = false;
  byId("sheet-area").hidden = true;
  for (const part of form.querySelectorAll("[data-noscript]")) part.remove();
  byId("take-sheet").type = "button";

  function fields() {
    const names = ["workset_name", "pipeline_type", "reference_genome", "priority", "notification_email", "tags", "max_retries"];
    return Object.fromEntries(names.map((name) => [name, form.elements[name]?.value ?? ""]));
  }

  function restore(kept) {
    table.load(kept.table);
    for (const [name, value] of Object.entries(kept.fields)) if (form.elements[name]) form.elements[name].value = value;
    ({ folder, brought } = kept);
    const lost = kept.arriving.map((key) => key.split("/").pop());
    const words = "What you had begun is still here.";
    const more = lost.length ? ` Choose these files again, and their uploads go on where they stopped: ${lost.join(", ")}.` : "";
    const notice = byId("kept");
    notice.textContent = words + more;
    notice.hidden = false;
    const anew = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Start anew" });
    anew.addEventListener("click", () => { sessionStorage.removeItem(KEPT); location.reload(); });
    notice.append(" ", anew);
  }

  function keep() {
    const kept = { fields: fields(), table: JSON.parse(table.json()), folder, brought, arriving: uploads.arriving };
    const text = JSON.stringify(kept);
    // Browsers keep some megabytes for a page; what is larger is a sheet, which is on a disk anyway.
    if (text.length < 2e6) sessionStorage.setItem(KEPT, text);
  }

  function say(text) {
    if (state.textContent !== text) state.textContent = text;
  }

  function changed() {
    keep();
    clearTimeout(timer);
    timer = setTimeout(check, QUIET);
  }

  async function post(path, body, headers = {}) {
    const answer = await fetch(`/portal/submit/${path}`, { method: "POST", body, headers: { "X-CSRF-Token": csrf, ...headers } });
    if (answer.status === 401) throw new Error("You are signed out. Sign in again in another tab; what you have typed stays here.");
    if (!answer.ok) throw new Error(`The server did not take that (status ${answer.status}).`);
    return answer.json();
  }

  const json = (path, value) => post(path, JSON.stringify(value), { "Content-Type": "application/json" });

  async function check() {
    const number = asked += 1;
    form.setAttribute("aria-busy", "true");
    try {
      const said = { ...fields(), table: JSON.parse(table.json()), files: brought, arriving: uploads.arriving };
      const told = await json("check", said);
      // Of answers that overtake each other, only that to the latest question counts.
      if (number === asked) show(told);
    } catch (error) {
      if (number === asked) say(error.message);
    } finally {
      if (number === asked) form.removeAttribute("aria-busy");
    }
  }

  function show(told) {
    table.mark(told.cells, told.hints);
    byId("estimate").innerHTML = told.estimate;
    for (const price of form.querySelectorAll("[data-price]")) price.textContent = told.prices[price.dataset.price] ?? "";
    for (const name of Object.keys(fields())) showField(name, tried || touched.has(name) ? told.fields[name] : "");
    others = table.said ? told.others : [];
    showOthers();
    const cells = told.cells.length;
    const samples = table.said === 1 ? "1 row" : `${table.said} rows`;
    if (cells) say(`${samples}; ${cells} ${cells === 1 ? "thing" : "things"} to mend in the table.`);
    else if (table.said) say(`${samples}, nothing wrong with them.`);
    else say("");
  }

  function showField(name, message = "") {
    const group = form.querySelector(`[data-fault="${name}"]`);
    if (group) {
      group.textContent = message;
      group.hidden = !message;
      return;
    }
    const input = form.elements[name];
    if (!(input instanceof HTMLInputElement)) return;
    const field = input.closest(".field");
    let text = byId(`${input.id}-fault`);
    field.classList.toggle("faulty", Boolean(message));
    if (!message) {
      text?.remove();
      input.removeAttribute("aria-invalid");
      return;
    }
    if (!text) {
      text = Object.assign(document.createElement("p"), { className: "fault", id: `${input.id}-fault` });
      field.append(text);
    }
    text.textContent = message;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", `${text.id} ${input.id}-hint`);
  }

  // What was said of a sheet or of files stays until others come.
  function notes(lines) {
    noted = lines;
    showOthers();
  }

  function showOthers() {
    const lines = [...noted, ...others].map((text) => Object.assign(document.createElement("li"), { textContent: text }));
    wrong.hidden = !lines.length;
    wrong.querySelector("h2").textContent = "Please look at this";
    byId("others").replaceChildren(...lines);
  }

  async function take(files) {
    const lines = [];
    let taken = false;
    const reads = files.filter((file) => FASTQ.test(file.name));
    const sheets = files.filter((file) => SHEET.test(file.name));
    for (const file of files) if (!reads.includes(file) && !sheets.includes(file)) lines.push(`${file.name}: ${WORKBOOK.test(file.name) ? "is a workbook. Save it as CSV or TSV" : "is neither a sheet nor named like FASTQ"}`);
    try {
      const keys = reads.map((file) => `${folder}/${file.name}`);
      // Files that a sheet or the table names already are no samples of their own.
      const named = new Set(table.rows.flat().map((cell) => cell.split(/[/\\]/).pop()));
      brought = [...new Set([...brought, ...keys])];
      reads.forEach((file, index) => uploads.add(file, keys[index]));
      for (const sheet of sheets) {
        say(`Reading ${sheet.name}…`);
        const found = await post("sheet", sheet, { "X-File-Name": encodeURIComponent(sheet.name), "Content-Type": "text/plain" });
        lines.push(...found.notes);
        found.rows.flat().forEach((cell) => named.add(cell.split(/[/\\]/).pop()));
        // What was refused leaves nothing behind.
        if (!found.rows.length) continue;
        table.add(found);
        suggest(sheet.name.replace(SHEET, ""));
        taken = true;
      }
      const fresh = keys.filter((key) => !named.has(key.split("/").pop()));
      // Where a sheet comes along, it is what says which samples there are: as in forms of the API.
      if (sheets.length) lines.push(...fresh.map((key) => `${key.split("/").pop()}: no row of the sheet names it`));
      else if (fresh.length) {
        // They go by their names: the server knows where they are being put.
        const found = await json("pairs", { keys: fresh.map((key) => key.split("/").pop()) });
        lines.push(...found.notes);
        table.add(found);
      }
    } catch (error) {
      lines.push(error.message);
    }
    if (taken || reads.length) await check();
    notes(lines);
    if (taken || reads.length) changed();
    else say("");
  }

  // A name that nobody has typed comes from the sheet.
  function suggest(name) {
    if (!form.elements.workset_name.value) form.elements.workset_name.value = name.slice(0, 100);
  }

  function uploaded() {
    brought = [...new Set([...brought, ...uploads.all.keys()])];
    changed();
    if (waiting && !uploads.arriving.length) {
      const button = waiting;
      waiting = null;
      if (uploads.failed.length) say("Some uploads did not come through: press Go on beside them.");
      else form.requestSubmit(button);
    }
  }

  form.addEventListener("input", ({ target }) => { if (target.type !== "file" && !target.closest("#samples-table")) changed(); });
  form.addEventListener("change", (event) => {
    if (event.target.name) touched.add(event.target.name);
    if (event.target.id === "choose") {
      take([...event.target.files]);
      event.target.value = "";
    }
  });
  form.addEventListener("submit", (event) => {
    if (uploads.arriving.length) {
      event.preventDefault();
      waiting = event.submitter;
      const count = uploads.arriving.length;
      say(`Goes on by itself once ${count === 1 ? "the upload has" : `${count} uploads have`} come through…`);
      return;
    }
    table.keep();
    form.elements.files.value = JSON.stringify(brought);
    keep();
    tried = true;
  });
  byId("paste").addEventListener("click", () => {
    byId("sheet-area").hidden = false;
    byId("sheet_text").focus();
  });
  byId("take-sheet").addEventListener("click", async () => {
    const text = byId("sheet_text").value;
    if (!text.trim()) return;
    byId("sheet_text").value = "";
    byId("sheet-area").hidden = true;
    await take([new File([text], "pasted.txt")]);
  });

  dropping(byId("drop"), take);
  window.addEventListener("beforeunload", (event) => {
    if (uploads.arriving.length && !waiting) event.preventDefault();
  });

  picking(async (picked) => {
    try {
      // A name alone would stand for the file that was brought along.
      const taken = new Set(brought.map((key) => key.split("/").pop()));
      const keys = picked.filter((key) => key.includes("/") || !taken.has(key));
      const lines = picked.filter((key) => !keys.includes(key)).map((key) => `${key}: a file of that name is being uploaded here`);
      const found = await json("pairs", { keys });
      table.add(found);
      await check();
      notes([...lines, ...found.notes]);
    } catch (error) {
      say(error.message);
    }
  });

  const kept = sessionStorage.getItem(KEPT);
  if (form.dataset.fresh === "yes" && kept) {
    restore(JSON.parse(kept));
    await check();
  } else if (table.said) {
    tried = form.dataset.fresh === "no" && !location.search.includes("pick=");
    keep();
  }
  form.dataset.ready = "yes";
}

// A look into the customer's own files, folder by folder; what is ticked stays so.
function picking(picked) {
  const dialog = byId("picker");
  const area = byId("picker-files");
  const ticked = new Set();
  async function open(address) {
    const answer = await fetch(address);
    area.innerHTML = answer.ok ? await answer.text() : "";
    if (!answer.ok) area.textContent = `Your files cannot be shown now (status ${answer.status}).`;
    for (const box of area.querySelectorAll("input[type=checkbox]")) box.checked = ticked.has(box.value);
  }
  byId("pick").addEventListener("click", async () => {
    await open("/portal/live/files");
    dialog.showModal();
  });
  area.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    open(link.href);
  });
  area.addEventListener("change", ({ target }) => {
    if (target.checked) ticked.add(target.value);
    else ticked.delete(target.value);
  });
  byId("picked").addEventListener("click", () => {
    dialog.close();
    if (ticked.size) picked([...ticked]);
    ticked.clear();
  });
  byId("not-picked").addEventListener("click", () => dialog.close());
}

// The server takes a second click for the first; this spares it the work.
const last = byId("review-form");
last?.addEventListener("submit", (event) => {
  if (last.dataset.sent) event.preventDefault();
  last.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => { if (last) delete last.dataset.sent; });

if (document.querySelector("[data-submitted]")) sessionStorage.removeItem(KEPT);
const form = byId("submit-form");
// Whoever comes back to what a form has led to, or loads it anew, would be asked by the browser whether to
// send it once more, or be told that it is not there: they come to the page itself, which has kept the draft.
if (last || (form?.dataset.fresh === "no" && !location.search)) history.replaceState(null, "", "/portal/submit");
if (form) await begin(form);
