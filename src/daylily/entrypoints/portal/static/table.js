// A table of samples that can be edited: a hundred rows on the page, all of them in memory.
// What is wrong is told by the server; here it is only shown in its cell.
const WINDOW = 100;
const ALWAYS = ["sample_id", "lane", "r1_file", "r2_file"];

function made(tag, properties = {}, ...children) {
  const { dataset = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}

export class SampleTable {
  constructor(area, changed) {
    this.area = area;
    this.changed = changed;
    this.titles = Object.fromEntries(JSON.parse(area.dataset.titles));
    this.hidden = area.querySelector("input[name=table]");
    const known = JSON.parse(this.hidden.value);
    this.columns = known.columns;
    this.rows = known.rows.map((row) => [...row]);
    this.faults = new Map();
    this.first = 0;
    this.onlyFaulty = false;
    this.gone = { columns: this.columns, rows: [] };
    this.grid = area.querySelector("table");
    this.bar = made("div", { className: "grid-bar" });
    area.append(this.bar);
    for (const part of area.querySelectorAll("[data-noscript]")) part.remove();
    this.grid.addEventListener("input", (event) => this.typed(event.target));
    this.grid.addEventListener("paste", (event) => this.pasted(event));
    this.grid.addEventListener("keydown", (event) => this.moved(event));
    this.grid.addEventListener("click", (event) => this.clicked(event.target));
    this.bar.addEventListener("click", (event) => this.turned(event.target));
    this.bar.addEventListener("change", (event) => this.chose(event.target));
    this.note(JSON.parse(area.dataset.marks), JSON.parse(area.dataset.hints));
    this.draw();
  }

  json() {
    return JSON.stringify({ columns: this.columns, rows: this.rows });
  }

  keep() {
    this.hidden.value = this.json();
  }

  get said() {
    return this.rows.filter((row) => row.some(Boolean)).length;
  }

  load(table) {
    this.columns = table.columns;
    this.rows = table.rows;
    this.note([]);
    this.first = 0;
    this.onlyFaulty = false;
    this.draw();
  }

  // Rows of another table go below; blank ones of ours make way.
  add(table) {
    for (const name of table.columns) this.withColumn(name);
    const at = table.columns.map((name) => this.columns.indexOf(name));
    const rows = table.rows.map((row) => {
      const made = this.blank();
      row.forEach((cell, index) => { made[at[index]] = cell; });
      return made;
    });
    this.rows = [...this.rows.filter((row) => row.some(Boolean)), ...rows];
    this.note([]);
    this.draw();
    this.changed();
  }

  withColumn(name) {
    if (this.columns.includes(name)) return;
    const order = Object.keys(this.titles);
    const columns = [...this.columns, name].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    const at = columns.map((column) => this.columns.indexOf(column));
    this.rows = this.rows.map((row) => at.map((index) => (index < 0 ? "" : row[index])));
    this.columns = columns;
  }

  blank() {
    return this.columns.map(() => "");
  }

  note(cells, hints = []) {
    this.faults.clear();
    this.hints = new Map(hints.map(([row, column, message]) => [`${row}/${column}`, message]));
    for (const [row, column, message] of cells) {
      const key = `${row}/${column}`;
      this.faults.set(key, this.faults.has(key) ? `${this.faults.get(key)}; ${message}` : message);
    }
  }

  // Faults come and go while somebody types: cells stay, and with them the keyboard's focus.
  mark(cells, hints = []) {
    const columns = cells.map(([, column]) => column).filter((name) => !this.columns.includes(name));
    for (const name of columns) this.withColumn(name);
    this.note(cells, hints);
    if (columns.length || this.onlyFaulty) return this.draw();
    for (const cell of this.grid.querySelectorAll("td[data-row]")) this.markCell(cell);
    return this.drawBar();
  }

  markCell(cell) {
    const { row, column } = cell.dataset;
    const fault = this.faults.get(`${row}/${column}`);
    const message = fault ?? this.hints.get(`${row}/${column}`);
    const input = cell.querySelector("input");
    let text = cell.querySelector(".fault, .hint");
    cell.classList.toggle("faulty", Boolean(fault));
    cell.classList.toggle("hinted", Boolean(message && !fault));
    if (!fault) input.removeAttribute("aria-invalid");
    if (!message) {
      text?.remove();
      input.removeAttribute("aria-describedby");
      return;
    }
    if (!text) {
      text = made("p", { id: `fault-${row}-${column}` });
      cell.append(text);
    }
    text.className = fault ? "fault" : "hint";
    if (text.textContent !== message) text.textContent = message;
    if (fault) input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", text.id);
  }

  shownRows() {
    const numbers = this.onlyFaulty
      ? [...new Set([...this.faults.keys()].map((key) => Number(key.split("/")[0])))].sort((a, b) => a - b)
      : [...this.rows.keys()];
    if (this.first >= numbers.length) this.first = Math.max(0, Math.floor((numbers.length - 1) / WINDOW) * WINDOW);
    return [numbers.slice(this.first, this.first + WINDOW), numbers.length];
  }

  draw() {
    if (!this.rows.length) this.rows = [this.blank(), this.blank(), this.blank()];
    const head = made("tr", {}, made("th", { scope: "col" }, made("span", { className: "unseen", textContent: "Row" })));
    for (const name of this.columns) head.append(made("th", { scope: "col", textContent: this.titles[name] }));
    head.append(made("th", { scope: "col" }, made("span", { className: "unseen", textContent: "Remove" })));
    this.grid.tHead.replaceChildren(head);
    const [numbers] = this.shownRows();
    this.grid.tBodies[0].replaceChildren(...numbers.map((row) => this.drawRow(row)));
    this.drawBar();
  }

  drawRow(row) {
    const line = made("tr", {}, made("th", { scope: "row", textContent: row + 1 }));
    this.columns.forEach((column, index) => {
      const input = made("input", { value: this.rows[row][index], dir: "auto", autocomplete: "off", spellcheck: false });
      input.setAttribute("aria-label", `${this.titles[column]}, row ${row + 1}`);
      const cell = made("td", { dataset: { row, column, label: this.titles[column] } }, input);
      this.markCell(cell);
      line.append(cell);
    });
    const remove = made("button", { type: "button", className: "plain remove", textContent: "×", dataset: { remove: row } });
    remove.setAttribute("aria-label", `Remove row ${row + 1}`);
    line.append(made("td", { className: "out" }, remove));
    return line;
  }

  drawBar() {
    const [numbers, all] = this.shownRows();
    const parts = [made("button", { type: "button", textContent: "Add a row", dataset: { go: "add" } })];
    const more = Object.keys(this.titles).filter((name) => !this.columns.includes(name));
    if (more.length) {
      const select = made("select", { name: "" }, made("option", { value: "", textContent: "Add a column…" }));
      for (const name of more) select.append(made("option", { value: name, textContent: this.titles[name] }));
      select.setAttribute("aria-label", "Add a column");
      parts.push(select);
    }
    if (this.said > 1) {
      parts.push(made("button", { type: "button", textContent: "Remove all rows", dataset: { go: "empty" } }));
    } else if (this.gone.rows.length && !this.said) {
      const words = `Bring back ${this.gone.rows.length} rows`;
      parts.push(made("button", { type: "button", textContent: words, dataset: { go: "bring-back" } }));
    }
    if (this.faults.size) {
      const words = this.onlyFaulty ? "Show all rows" : `Only rows with faults`;
      parts.push(made("button", { type: "button", textContent: words, dataset: { go: "faulty" } }));
      parts.push(made("button", { type: "button", textContent: "Next fault", dataset: { go: "next-fault" } }));
    }
    if (all > WINDOW) {
      const last = this.first + numbers.length;
      parts.push(made("span", { className: "soft", textContent: `${this.first + 1} to ${last} of ${all} rows` }));
      parts.push(made("button", { type: "button", textContent: "Before", disabled: this.first === 0, dataset: { go: "before" } }));
      parts.push(made("button", { type: "button", textContent: "After", disabled: last >= all, dataset: { go: "after" } }));
    }
    const signature = parts.map((part) => part.outerHTML).join("");
    if (signature === this.signature) return;
    this.signature = signature;
    const focused = this.bar.contains(document.activeElement) ? document.activeElement.dataset.go : "";
    this.bar.replaceChildren(...parts);
    if (focused) this.bar.querySelector(`[data-go="${focused}"]`)?.focus();
  }

  typed(input) {
    const { row, column } = input.closest("td").dataset;
    this.rows[row][this.columns.indexOf(column)] = input.value.trim();
    this.changed();
  }

  // Cells that come from a spreadsheet fill cells here, and not one of them.
  pasted(event) {
    const text = event.clipboardData.getData("text/plain").replace(/(\r\n|\r|\n)$/, "");
    const cell = event.target.closest("td[data-row]");
    if (!cell || !/[\t\r\n]/.test(text)) return;
    event.preventDefault();
    const top = Number(cell.dataset.row);
    const left = this.columns.indexOf(cell.dataset.column);
    text.split(/\r\n|\r|\n/).forEach((line, down) => {
      this.rows[top + down] ??= this.blank();
      line.split("\t").forEach((value, right) => {
        if (left + right < this.columns.length) this.rows[top + down][left + right] = value.trim();
      });
    });
    this.draw();
    this.focus(top, cell.dataset.column);
    this.changed();
  }

  moved(event) {
    const cell = event.target.closest("td[data-row]");
    const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!cell || !step || event.isComposing) return;
    event.preventDefault();
    const index = [...cell.parentElement.children].indexOf(cell);
    const next = step > 0 ? cell.parentElement.nextElementSibling : cell.parentElement.previousElementSibling;
    next?.children[index]?.querySelector("input")?.focus();
  }

  clicked(target) {
    const { remove } = target.dataset;
    if (remove === undefined) return;
    this.rows.splice(Number(remove), 1);
    this.note([]);
    this.draw();
    this.focus(Math.min(Number(remove), this.rows.length - 1), this.columns[0]);
    this.changed();
  }

  turned(target) {
    const { go } = target.dataset;
    if (go === "add") {
      this.rows.push(this.blank());
      this.onlyFaulty = false;
      this.first = Math.floor((this.rows.length - 1) / WINDOW) * WINDOW;
      this.draw();
      this.focus(this.rows.length - 1, this.columns[0]);
    } else if (go === "faulty") {
      this.onlyFaulty = !this.onlyFaulty;
      this.first = 0;
      this.draw();
    } else if (go === "empty" || go === "bring-back") {
      // A sheet that has been mended elsewhere comes in place of what it was, and not below it.
      const back = go === "empty" ? { columns: this.columns, rows: [this.blank()] } : this.gone;
      this.gone = { columns: this.columns, rows: go === "empty" ? this.rows : [] };
      this.load(back);
      this.changed();
      this.bar.querySelector(`[data-go="${go === "empty" ? "bring-back" : "empty"}"]`)?.focus();
    } else if (go === "before" || go === "after") {
      this.first += go === "after" ? WINDOW : -WINDOW;
      this.draw();
    } else if (go === "next-fault") {
      this.toFault();
    }
  }

  chose(select) {
    if (!select.value) return;
    const name = select.value;
    this.withColumn(name);
    this.draw();
    this.focus(this.first, name);
  }

  toFault() {
    const faults = [...this.faults.keys()].map((key) => key.split("/"));
    if (!faults.length) return;
    const index = ([row, column]) => Number(row) * 100 + this.columns.indexOf(column);
    faults.sort((one, other) => index(one) - index(other));
    const here = document.activeElement.closest?.("td[data-row]")?.dataset ?? this.at ?? { row: -1, column: ALWAYS[0] };
    const now = index([here.row, here.column]);
    const [row, column] = faults.find((each) => index(each) > now) ?? faults[0];
    this.at = { row, column };
    if (!this.onlyFaulty && (row < this.first || row >= this.first + WINDOW)) {
      this.first = Math.floor(row / WINDOW) * WINDOW;
      this.draw();
    }
    this.focus(row, column);
  }

  focus(row, column) {
    this.grid.querySelector(`td[data-row="${row}"][data-column="${column}"] input`)?.focus();
  }
}
